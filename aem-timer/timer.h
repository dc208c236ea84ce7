/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A timer: the private part of an event of the service "timer".
 */
#ifndef _AEM_TIMER_TIMER_H
#define _AEM_TIMER_TIMER_H

#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <aem/event.h>
#include <uapi/linux/aem_timer.h>

struct aem_timer_watch;

/**
 * enum aem_timer_state - bits of aem_timer.state
 * @TIMER_SET:       there is an expiry that no record has told of
 * @TIMER_FIRED:     that expiry came (or @TIMER_CANCELLED did), and the event was
 *                   or is being activated
 * @TIMER_CANCELLED: the clock was set, and no record has told so; not together
 *                   with @TIMER_SET
 * @TIMER_STARTED:   the event is started: the hrtimer may be put in its queue
 * @TIMER_MONOTONIC: the hrtimer runs on CLOCK_MONOTONIC instead of the timer's clock,
 *                   since a distance does not change when the clock is set
 * @TIMER_WATCHED:   the timer has a watch. Written under the watches' mutex as well
 */
enum aem_timer_state {
	TIMER_SET	= 1 << 0,
	TIMER_FIRED	= 1 << 1,
	TIMER_CANCELLED	= 1 << 2,
	TIMER_STARTED	= 1 << 3,
	TIMER_MONOTONIC	= 1 << 4,
	TIMER_WATCHED	= 1 << 5,
};

/**
 * struct aem_timer - a timer; the event's hrtimer is its alarm clock
 * @lock:     protects all below, and the hrtimer. Taken by the job, in hard
 *            interrupts; nests outside the process's lock and the hrtimer's base
 * @state:    TIMER_*
 * @clock:    CLOCK_*; constant
 * @interval: period in nanoseconds, 0: none. With TIMER_CANCELLED: how many expiries
 *            came before and were not told of. See aem_timer_interval()
 * @watch:    with TIMER_WATCHED, in place of @interval: looks out for settings of the
 *            clock, and holds the interval. It is there from when it is wanted for the
 *            first time, then it stays
 * @expiry:   the first that no record has told of; with TIMER_CANCELLED the first that did
 *            not come. By the clock that the hrtimer runs on
 *
 * The hrtimer stays in its queue when the timer is disarmed or stopped, or set to a later
 * expiry: to take it out and put it in again would be for nothing, since most timers
 * are disarmed before they expire. If it fires too early the job sends it on to
 * where it is wanted, if it is. So
 *
 * - with TIMER_SET the hrtimer has the slack that was asked for, queued or not, and with
 *   TIMER_STARTED it is queued, no later than for @expiry, unless TIMER_FIRED or its job is
 *   about to look;
 * - it is queued once at most for each expiry that was ever wanted, and for each start, so an
 *   expiry that is not wanted any more makes one interrupt at most.
 *
 * Each record wants one expiry: the constructor re-arms a periodic timer and counts
 * what passed in between. So no period, however short, makes more interrupts than
 * there are records.
 */
struct aem_timer {
	raw_spinlock_t lock;
	u8 state;
	u8 clock;
	union {
		u64 interval;
		struct aem_timer_watch *watch;
	};
	ktime_t expiry;
};

/**
 * AEM_TIMER_LAYOUT: Of struct aem_timer. Whoever changes it counts up here, and teaches adopt.c
 * the way from and to the layouts before, down to AEM_TIMER_OLDEST. What is built for tests
 * of that way hands over in the oldest one only.
 */
#ifdef AEM_SERVICE_OTHER_LAYOUT
#define AEM_TIMER_LAYOUT	AEM_TIMER_OLDEST
#else
#define AEM_TIMER_LAYOUT	2
#endif
/** AEM_TIMER_OLDEST: The oldest layout that adopt.c knows. */
#define AEM_TIMER_OLDEST	1

/* It was never more, and may not be: what has been made for one version goes over to another. */
#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
static_assert(sizeof(struct aem_timer) <= 24);
#endif

extern const struct aem_event_ops aem_timer_events;

int aem_timer_init(struct event_struct *ev, clockid_t clock, const struct aem_timer_settime *set);
int aem_timer_set(struct event_struct *ev, struct aem_timer_settime *set);
void aem_timer_get(struct event_struct *ev, u64 *value, u64 *interval);
void aem_timer_clock_was_set(struct event_struct *ev);

int aem_timer_yield(struct event_struct *ev, u32 layout);
int aem_timer_adopt(struct event_struct *ev, u32 layout);

#endif /* _AEM_TIMER_TIMER_H */
