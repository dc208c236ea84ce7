# a timer that is set to an earlier time waits for its hrtimer
# file: aem-timer/timer.c
# kernel: 6.1
# tests: timer_rearm
/^static void queue/,/^}/{
	s/ || alarm_of(ev) > t->expiry//
}
