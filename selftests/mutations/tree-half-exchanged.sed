# libaem: of two directories of a tree that change places, the second stays in the picture
# file: libaem/fd_tree.c
# kernel: 6.1
# tests: fd_tree
/^	relocate(tree, other, from/d
