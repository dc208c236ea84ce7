# EVF_WAKE_ALL forgets who has been woken for another event and comes too late for it
# file: aem-core/waiter.c
# kernel: 6.1
# tests: fair
s/^		if (ev->flags & EVF_WAKE_ALL) {/		if (ev->flags \& EVF_WAKE_ALL \&\& !waiter->woken) {/
