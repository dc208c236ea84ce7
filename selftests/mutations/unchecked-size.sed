# a struct may be smaller than its smallest
# file: aem-core/device.c
# kernel: 6.1
# tests: abi
/if (\*size < op->min_size)/,/return -EINVAL;/d
