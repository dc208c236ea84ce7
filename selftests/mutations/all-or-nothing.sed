# what can be told in parts waits for a block that holds it all
# file: aem-core/memory.c
# kernel: 6.1
# tests: fd_packed,ip_many
/^int aem_vmt_alloc_some/,/^}/s/ && size > least)/ \&\& size < least)/
