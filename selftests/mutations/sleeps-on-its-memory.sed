# who makes calls sleeps before it hears of them, though an event waits for the memory that they free
# file: aem-core/enter.c
# kernel: 6.1
# tests: order
s/if (enter->n_calls && READ_ONCE(proc->n_starved))/if (false)/
