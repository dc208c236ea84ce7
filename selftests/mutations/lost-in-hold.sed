# what happens to an event while it is held by a swap is not noted
# file: aem-core/hold.c
# kernel: 6.1
# tests: swap
/^static enum aem_verdict note(struct event_struct \*ev, unsigned long key)$/,/^}/{
	/ev->state |= EV_NOTED;/d
}
