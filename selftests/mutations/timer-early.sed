# a timer that was put off expires when its hrtimer fires
# file: aem-timer/timer.c
# kernel: 6.1
# tests: timer_rearm
/^static bool is_due/,/^}/{
	s/return .*;/return true;/
}
