# the thread that has waited shortest is woken
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s/list_for_each_entry_reverse(behind, &proc->waiters, node)/list_for_each_entry(behind, \&proc->waiters, node)/
s/if (behind->turn < waiter->turn)/if (behind->turn > waiter->turn)/
s/^	list_add(&waiter->node, &behind->node);/	list_add(\&waiter->node, \&proc->waiters);/
