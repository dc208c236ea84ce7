# a version that is not there counts as a service that is not
# file: aem-core/range.c
# kernel: 6.1
# tests: bind
s/err = -ENOPROTOOPT;/err = -ENOENT;/
