# a record is taken back only when its neighbours are
# file: aem-core/ring.c
# kernel: 6.1
# tests: fair
/^		retire_between(proc, &inside);/s/retire_between(proc, &inside)/(void)retire_between/
