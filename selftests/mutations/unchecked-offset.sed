# the offset of a block that the process gives back is not checked
# file: aem-core/vmtable.c
# kernel: 6.1
# tests: vmtable
s/ && offset \/ AEM_BLOCK_MAX < vt->chunks//
