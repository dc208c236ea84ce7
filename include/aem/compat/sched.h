/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_SCHED_H
#define _AEM_COMPAT_SCHED_H

#include <linux/kthread.h>

/* Since 6.14 a worker that is created does not run yet, and there is a macro that has it run. */
#ifndef kthread_run_worker
#define kthread_run_worker kthread_create_worker
#endif

#endif /* _AEM_COMPAT_SCHED_H */
