# a leak on an error path: an event beyond the user's limit stays counted
# file: aem-core/event.c
# kernel: 6.1
# tests: limits
/err = aem_user_charge_event(proc->user);/,/return err;/{
	/if (err)/d
	/atomic_dec(&proc->n_events);/d
}
