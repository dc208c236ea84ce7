# what interrupted another handler is looked for one record too far
# file: aem-core/ring.c
# kernel: 6.1
# tests: nesting
s/retire(proc, proc->tail - 1, &inside)/retire(proc, proc->tail, \&inside)/
