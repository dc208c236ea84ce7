/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looks out for settings of CLOCK_REALTIME (AEM_TIMER_CANCEL_ON_SET).
 */
#ifndef _AEM_TIMER_WATCH_H
#define _AEM_TIMER_WATCH_H

#include "timer.h"

/** AEM_TIMER_NO_OFFSET: Of aem_timer_watch.offset: the timer need not be cancelled. */
#define AEM_TIMER_NO_OFFSET	KTIME_MAX

/**
 * struct aem_timer_watch - a timer that is, or was, to be cancelled
 * @link:   in the list of all; its mutex
 * @ev:     the timer's event; it removes the watch before it goes; constant
 * @offset: what CLOCK_REALTIME was ahead of CLOCK_MONOTONIC by when the timer was set;
 *          the timer's lock
 * @interval: the timer's: aem_timer.interval
 */
struct aem_timer_watch {
	struct list_head link;
	struct event_struct *ev;
	ktime_t offset;
	u64 interval;
};

int aem_timer_watch_attach(struct event_struct *ev);
void aem_timer_watch_detach(struct event_struct *ev);
void aem_timer_watch_leave(struct event_struct *ev);
void aem_timer_watch_join(struct event_struct *ev);
int aem_timer_watch_init(void);
void aem_timer_watch_exit(void);

/** aem_timer_watch_of() - the timer's watch, or NULL. Its lock is held, or the watches' mutex. */
static inline struct aem_timer_watch *aem_timer_watch_of(const struct aem_timer *t)
{
	return READ_ONCE(t->state) & TIMER_WATCHED ? t->watch : NULL;
}

/** aem_timer_interval() - where aem_timer.interval is. The timer's lock is held. */
static inline u64 *aem_timer_interval(struct aem_timer *t)
{
	return t->state & TIMER_WATCHED ? &t->watch->interval : &t->interval;
}

/** aem_timer_realtime_offset() - what CLOCK_REALTIME is ahead of CLOCK_MONOTONIC by now. */
static inline ktime_t aem_timer_realtime_offset(void)
{
	return ktime_mono_to_real(0);
}

/** aem_timer_watch_start() - cancel the timer if the clock is set from now on. Its lock is held. */
static inline void aem_timer_watch_start(struct aem_timer_watch *watch)
{
	watch->offset = aem_timer_realtime_offset();
}

/** aem_timer_watch_stop() - leave it alone. The timer's lock is held. */
static inline void aem_timer_watch_stop(struct aem_timer_watch *watch)
{
	if (watch)
		watch->offset = AEM_TIMER_NO_OFFSET;
}

/** aem_timer_watch_saw() - was the clock set since the start? The timer's lock is held. */
static inline bool aem_timer_watch_saw(const struct aem_timer_watch *watch)
{
	return watch && watch->offset != AEM_TIMER_NO_OFFSET &&
	       watch->offset != aem_timer_realtime_offset();
}

#endif /* _AEM_TIMER_WATCH_H */
