# a timer is not brought into the layout of the version that adopts it
# file: aem-timer/adopt.c
# kernel: 6.1
# tests: swap_timer
/^int aem_timer_adopt/,/^}/{
	/if (layout/d
	/convert(t);/d
}
