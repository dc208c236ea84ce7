# a registration keeps a reference on its event
# file: aem-core/event.c
# kernel: 6.1
# tests: enter
/^int aem_event_commit/,/^}/{
	/^	aem_event_put(ev);/d
}
