# the hrtimer of a timer that was put off is not sent on
# file: aem-timer/timer.c
# kernel: 6.1
# tests: timer_rearm
/^static enum aem_verdict job/,/^}/{
	s/queue(ev, slack_of(ev));/(void)0;/
}
