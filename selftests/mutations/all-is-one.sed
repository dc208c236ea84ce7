# EVF_WAKE_ALL wakes one thread
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s/if (ev->flags & EVF_WAKE_ALL)/if (false)/
