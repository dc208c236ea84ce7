# a timer that expired during a swap is not restarted
# file: aem-core/job.c
# kernel: 6.1
# tests: swap
/^void aem_job_replay/,/^}/{
	s/hrtimer_start_expires(.*);/(void)0;/
}
