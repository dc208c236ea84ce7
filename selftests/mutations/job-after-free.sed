# a use after free: the job of an event that goes stays in its timer or wait queue
# file: aem-core/job.c
# kernel: 6.1
# tests: unload
/^void aem_job_detach/,/^}/{
	s/hrtimer_cancel(&ev->job.timer);/return;/
	s/detach_wait(ev);/return;/
}
