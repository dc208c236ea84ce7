# aem-pexit: addresses of a fault are told of a process that might not be traced
# file: aem-pexit/note.c
# kernel: 6.1
# tests: pexit_rights
/if (!aem_pexit_may_trace/,/hide_fault(note);/d
