# aem-pexit: how a process ended is told whoever asks
# file: aem-pexit/note.c
# kernel: 6.1
# tests: pexit_rights
/if (facts->parent != w->owner && !aem_cred_may_signal/s/if (.*) {/if (false) {/
