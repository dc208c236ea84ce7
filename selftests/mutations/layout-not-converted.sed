# a timer is not brought into the layout of the version that adopts it
# file: aem-timer/adopt.c
# kernel: 6.1
# tests: swap_timer
/^int aem_timer_adopt/,/^}/{
	s/layout == 1 ? adopt_first(ev) : 0/0 ? adopt_first(ev) : 0/
}
