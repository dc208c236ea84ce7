# the slack of an earlier setting stays
# file: aem-timer/timer.c
# kernel: 6.1
# tests: timer_rearm
/^static void queue/,/^}/{
	s/slack_of(ev) != slack/false/
}
