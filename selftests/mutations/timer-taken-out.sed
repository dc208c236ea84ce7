# a timer that is disarmed is taken out of the kernel's queue
# file: aem-timer/timer.c
# kernel: 6.1
# tests: timer_rearm
/^static void unset/,/^}/{
	s/aem_timer_watch_stop.*/&\n\taem_job_try_cancel_timer((struct event_struct *)t - 1);/
}
