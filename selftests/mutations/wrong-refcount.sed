# a record holds no reference on its event
# file: aem-core/active.c
# kernel: 6.1
# tests: enter
/refcount_inc(&ev->refs);/d
