# the owner is not interrupted while another thread sleeps, whatever that one waits for
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s|return aem_doorbell_lie_down(proc, waiter->level);|return 0;|
