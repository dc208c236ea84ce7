# an index of the ring is not reduced to its size
# file: aem-core/ring.c
# kernel: 6.1
# tests: burst
s/return index & (proc->ring_entries - 1);/return index;/
