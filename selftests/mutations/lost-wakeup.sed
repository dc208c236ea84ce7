# who polls the descriptor is not woken
# file: aem-core/active.c
# kernel: 6.1
# tests: poll
/^static void activate/,/^}/{
	/wake_pollers(proc);/d
}
