# aem-pexit: a process that has ended is waited for
# file: aem-pexit/table.c
# kernel: 6.1
# tests: pexit
s/lives = !aem_pexit_is_over(task);/lives = true;/
