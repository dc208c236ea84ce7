// SPDX-License-Identifier: GPL-2.0
/*
 * Timers from, and for, another version of this module.
 *
 * The hrtimer is the core's and stays where it is; the watch, if there is one, goes over as it
 * is, and only changes lists. What a lock is to lockdep belongs to a module.
 *
 * Layout 2 of the private part is struct aem_timer as it is. In layout 1 the expiry is that of the
 * hrtimer, which fires for it or not at all, and the watch has a place of its own.
 */
#include <linux/slab.h>
#include "period.h"
#include "timer.h"
#include "watch.h"

/**
 * struct first - the private part in layout 1
 * @lock:     the same
 * @state:    the same, but for TIMER_WATCHED
 * @clock:    the same
 * @interval: always here
 * @watch:    NULL: none. It has no interval, and may be smaller
 */
struct first {
	raw_spinlock_t lock;
	u8 state;
	u8 clock;
	u64 interval;
	struct aem_timer_watch *watch;
};

static_assert(sizeof(struct first) == sizeof(struct aem_timer));

/*
 * A job in layout 1 believes each callback of a timer that is set, stopped or not, unless the
 * hrtimer is queued. It may have been noted already.
 */
static void point_at_expiry(struct event_struct *ev)
{
	const struct aem_timer *t = aem_event_private(ev);
	u64 slack = aem_period_slack(&ev->job.timer);

	if ((t->state & (TIMER_SET | TIMER_FIRED)) == TIMER_SET) {
		aem_job_start_timer(ev, t->expiry, slack, HRTIMER_MODE_ABS);
		return;
	}
	aem_job_cancel_timer(ev);
	hrtimer_set_expires_range_ns(&ev->job.timer, t->expiry, slack);
}

static void yield_first(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	struct aem_timer_watch *watch = aem_timer_watch_of(t);
	struct first *first = aem_event_private(ev);

	point_at_expiry(ev);
	first->interval = *aem_timer_interval(t);
	first->watch = watch;
	first->state &= ~TIMER_WATCHED;
}

/* 0, or -ENOMEM, and it is as it came. */
static int adopt_first(struct event_struct *ev)
{
	struct first *first = aem_event_private(ev);
	struct aem_timer *t = aem_event_private(ev);
	struct aem_timer_watch *watch;

	if (first->watch) {
		watch = krealloc(first->watch, sizeof(*watch), GFP_KERNEL_ACCOUNT);
		if (!watch)
			return -ENOMEM;
		watch->interval = first->interval;
		t->watch = watch;
		t->state |= TIMER_WATCHED;
	}
	t->expiry = hrtimer_get_softexpires(&ev->job.timer);
	return 0;
}

/** aem_timer_yield() - another version shall have the timer. Return: 0. */
int aem_timer_yield(struct event_struct *ev, u32 layout)
{
	aem_timer_watch_leave(ev);
	if (layout == 1)
		yield_first(ev);
	return 0;
}

/** aem_timer_adopt() - it comes from another. Return: 0, or -ENOMEM and nothing has happened. */
int aem_timer_adopt(struct event_struct *ev, u32 layout)
{
	struct aem_timer *t = aem_event_private(ev);
	int err = layout == 1 ? adopt_first(ev) : 0;

	if (err)
		return err;
	raw_spin_lock_init(&t->lock);
	aem_timer_watch_join(ev);
	return 0;
}
