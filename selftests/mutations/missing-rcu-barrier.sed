# the core goes without waiting for events that RCU still has to free
# file: aem-core/process.c
# kernel: 6.1
# tests: unload
/^void aem_process_exit/,/^}/{
	/rcu_barrier();/d
}
