/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_HRTIMER_H
#define _AEM_COMPAT_HRTIMER_H

#include <linux/hrtimer.h>
#include <linux/version.h>

/* hrtimer_setup() came with 6.13; hrtimer_init() went with 6.15. */
static inline void aem_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*function)(struct hrtimer *),
				     clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#endif
}

#endif /* _AEM_COMPAT_HRTIMER_H */
