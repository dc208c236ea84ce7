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

struct aem_timer_watch;

/**
 * enum aem_timer_state - bits of aem_timer.state
 * @TIMER_SET:       the event's hrtimer holds an expiry that no record has told of
 * @TIMER_FIRED:     that expiry came (or @TIMER_CANCELLED did), and the event was
 *                   or is being activated
 * @TIMER_CANCELLED: the clock was set, and no record has told so; not together
 *                   with @TIMER_SET
 * @TIMER_STARTED:   the event is started: the hrtimer may be armed
 * @TIMER_MONOTONIC: the hrtimer runs on CLOCK_MONOTONIC instead of the timer's clock,
 *                   since a distance does not change when the clock is set
 */
enum aem_timer_state {
	TIMER_SET	= 1 << 0,
	TIMER_FIRED	= 1 << 1,
	TIMER_CANCELLED	= 1 << 2,
	TIMER_STARTED	= 1 << 3,
	TIMER_MONOTONIC	= 1 << 4,
};

/**
 * struct aem_timer - what the event's hrtimer does not hold itself
 * @lock:     protects all below, and arming and disarming. Taken by the job, in hard
 *            interrupts; nests outside the process's lock and the hrtimer's base
 * @state:    TIMER_*
 * @clock:    CLOCK_*; constant
 * @interval: period in nanoseconds, 0: none. With TIMER_CANCELLED: how many expiries
 *            came before and were not told of
 * @watch:    looks out for settings of the clock; NULL until it is wanted for the
 *            first time, then it stays. Written under the watches' mutex as well
 *
 * Expiry and slack are those of the hrtimer, whether it is armed or not. It is armed at
 * most once per record: the constructor re-arms a periodic timer and counts what
 * passed in between. So no period, however short, makes more interrupts than
 * there are records.
 */
struct aem_timer {
	raw_spinlock_t lock;
#ifdef AEM_SERVICE_NEXT_LAYOUT
	u8 clock;
	u8 state;
#else
	u8 state;
	u8 clock;
#endif
	u64 interval;
	struct aem_timer_watch *watch;
};

/**
 * AEM_TIMER_LAYOUT: Of struct aem_timer. Whoever changes it counts up here, and teaches adopt.c
 * the way from and to the layouts before, down to AEM_TIMER_OLDEST.
 */
#ifdef AEM_SERVICE_NEXT_LAYOUT
#define AEM_TIMER_LAYOUT	2
#else
#define AEM_TIMER_LAYOUT	1
#endif
/** AEM_TIMER_OLDEST: The oldest layout that adopt.c knows. */
#define AEM_TIMER_OLDEST	1

#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
static_assert(sizeof(struct aem_timer) <= 24);
#endif

/**
 * struct aem_timer_setting - a setting that was asked for, checked
 * @value:    nanoseconds, 0: disarm
 * @interval: nanoseconds
 * @slack:    nanoseconds
 * @absolute: @value is a time of the clock
 * @watch:    to be cancelled if the clock is set
 */
struct aem_timer_setting {
	u64 value;
	u64 interval;
	u64 slack;
	bool absolute;
	bool watch;
};

extern const struct aem_event_ops aem_timer_events;

int aem_timer_init(struct event_struct *ev, clockid_t clock,
		   const struct aem_timer_setting *setting);
int aem_timer_set(struct event_struct *ev, const struct aem_timer_setting *setting,
		  u64 *old_value, u64 *old_interval);
void aem_timer_get(struct event_struct *ev, u64 *value, u64 *interval);
void aem_timer_clock_was_set(struct event_struct *ev);

int aem_timer_yield(struct event_struct *ev, u32 layout);
int aem_timer_adopt(struct event_struct *ev, u32 layout);

#endif /* _AEM_TIMER_TIMER_H */
