# an expiry of the setting before is not withdrawn
# file: aem-timer/timer.c
# kernel: 6.1
# tests: timer_race
/^static int replace(/,/^}/{
	/if (t->state & TIMER_FIRED)$/,/aem_event_withdraw(ev);/d
}
