// SPDX-License-Identifier: GPL-2.0
/*
 * Timers from, and for, another version of this module.
 *
 * Layout 1 of the private part is struct aem_timer as it is. The hrtimer, and with it the
 * expiry, is the core's and stays where it is, armed or not; the watch, if there is one, goes over
 * as it is, and only changes lists. What a lock is to lockdep belongs to a module.
 */
#include "timer.h"
#include "watch.h"

#ifdef AEM_SERVICE_NEXT_LAYOUT
/* The layout after the first, for tests of the way there and back: two fields have moved. */
static void convert(struct aem_timer *t)
{
	swap(t->state, t->clock);
}
#else
static void convert(struct aem_timer *t)
{
}
#endif

/** aem_timer_yield() - another version shall have the timer. Return: 0. */
int aem_timer_yield(struct event_struct *ev, u32 layout)
{
	struct aem_timer *t = aem_event_private(ev);

	aem_timer_watch_leave(ev);
	if (layout != AEM_TIMER_LAYOUT)
		convert(t);
	return 0;
}

/** aem_timer_adopt() - it comes from another. Return: 0. */
int aem_timer_adopt(struct event_struct *ev, u32 layout)
{
	struct aem_timer *t = aem_event_private(ev);

	if (layout != AEM_TIMER_LAYOUT)
		convert(t);
	raw_spin_lock_init(&t->lock);
	aem_timer_watch_join(ev);
	return 0;
}
