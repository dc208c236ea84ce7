# free blocks that are kept as they are do not help who wants a larger one
# file: aem-core/vmtable.c
# kernel: 6.1
# tests: vmtable
/^	join_spares(vt);/d
/^static void join_spares/s/static/static __maybe_unused/
