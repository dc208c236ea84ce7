# a struct may be smaller than its smallest
# file: aem-core/copy.h
# kernel: 6.1
# tests: abi
/if (\*given < min_size)/,/return -EINVAL;/d
