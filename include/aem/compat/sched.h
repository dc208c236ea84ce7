/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_SCHED_H
#define _AEM_COMPAT_SCHED_H

#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/version.h>

/* Since 6.14 a worker that is created does not run yet, and there is a macro that has it run. */
#ifndef kthread_run_worker
#define kthread_run_worker kthread_create_worker
#endif

/* What sched_attr.sched_runtime is to be for a task to keep its time slice; since 6.12. */
static inline u64 aem_sched_slice(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return task->se.custom_slice ? task->se.slice : 0;
#else
	return 0;
#endif
}

#endif /* _AEM_COMPAT_SCHED_H */
