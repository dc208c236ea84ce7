# who polls the descriptor is not woken
# file: aem-core/active.c
# kernel: 6.1
# tests: poll
/^void aem_event_activate/,/^}/{
	/wake_pollers(proc);/d
}
