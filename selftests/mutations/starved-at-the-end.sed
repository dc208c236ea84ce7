# the last record of an event that is revoked waits for memory
# file: aem-core/active.c
# kernel: 6.1
# tests: swap_ip_many
/^void aem_active_revoke/,/^}/{
	/if (ev->state & EV_STARVED)/,/leave_starved/d
}
