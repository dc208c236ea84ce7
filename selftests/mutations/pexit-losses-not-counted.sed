# aem-pexit: notes that find no place are not counted
# file: aem-pexit/watch.c
# kernel: 6.1
# tests: pexit
/^static void lose(/,/^}/s/w->lost++;/;/
