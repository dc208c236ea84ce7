/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_EXIT_H
#define _AEM_COMPAT_EXIT_H

#include <linux/sched.h>
#include <linux/version.h>

/*
 * AEM_EXIT_PROBE() - a probe of sched_process_exit that calls _ended(task) for each process
 *
 * Since 6.16 the tracepoint says whether the process ends with this thread, and lies before
 * the thread lets go of its memory. On older ones _is_last(task) is asked.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define AEM_EXIT_PROBE(_name, _is_last, _ended)						\
	static void _name(void *data, struct task_struct *task, bool last)		\
	{										\
		if (last)								\
			_ended(task);							\
	}
#else
#define AEM_EXIT_PROBE(_name, _is_last, _ended)						\
	static void _name(void *data, struct task_struct *task)				\
	{										\
		if (_is_last(task))							\
			_ended(task);							\
	}
#endif

#endif /* _AEM_COMPAT_EXIT_H */
