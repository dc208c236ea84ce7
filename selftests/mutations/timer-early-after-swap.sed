# a timer that was put off is handed over as one that wants to be told when it is queued for
# file: aem-timer/adopt.c
# kernel: 6.1
# tests: swap_timer
/^static void yield_first/,/^}/{
	s/point_at_expiry(ev);/(void)point_at_expiry;/
}
