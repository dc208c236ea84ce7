# what happens while the handler runs is forgotten
# file: aem-core/active.c
# kernel: 6.1
# tests: nothing_lost
/^static bool occur/,/^}/{
	/ev->state |= EV_AGAIN;/d
}
