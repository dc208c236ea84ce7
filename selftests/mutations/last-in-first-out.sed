# the thread that has waited shortest is woken
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s/list_add_tail(&waiter->node, &proc->waiters);/list_add(\&waiter->node, \&proc->waiters);/
