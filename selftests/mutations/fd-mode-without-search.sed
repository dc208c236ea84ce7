# aem-fd: mode and owner are told of files in a directory that may not be searched
# file: aem-fd/watch.c
# kernel: 6.1
# tests: fd_rights
/^static bool may_stat/,/^}/s/(!fact->mark || fact->mark->search || !fact->child)/true/
