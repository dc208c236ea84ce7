# aem-pexit: a watch that goes leaves its process in the table
# file: aem-pexit/table.c
# kernel: debug
# tests: pexit
/^static void leave(/,/^}/s/hlist_del_init(&member->node);/;/
