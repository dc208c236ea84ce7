# an event whose id cannot be told stays
# file: aem-core/enter.c
# kernel: debug
# tests: fail_nth
/if (ret < 0 && \*made)/,/aem_event_undo/d
