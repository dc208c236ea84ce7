# libaem: names of a tree change places wherever the picture has them
# file: libaem/fd_tree.c
# kernel: 6.1
# tests: fd_tree
/^	if (!agrees(one/,/^		return false;/d
