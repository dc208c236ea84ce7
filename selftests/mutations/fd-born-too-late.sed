# aem-fd: directories are not watched from their birth
# file: aem-fd/tell.c
# kernel: 6.1
# tests: fd
s/fact.self = aem_fd_tree_born(group, mark, inode);/fact.self = 0;/
