// SPDX-License-Identifier: GPL-2.0
/*
 * A timer's life: set, fired, told, and set again.
 *
 * The core owns the hrtimer and its callback, which calls job(). A job that lost a race is
 * harmless: under the timer's lock it sees that the timer is not set any more, or that the
 * hrtimer is queued anew. Only between the end of job() and the activation that follows it in
 * the callback is there something to wait for: settle().
 */
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include "period.h"
#include "timer.h"
#include "watch.h"

static ktime_t now_of(struct event_struct *ev)
{
	return hrtimer_cb_get_time(&ev->job.timer);
}

/* Of the hrtimer, whether it is queued or not. */
static ktime_t alarm_of(const struct event_struct *ev)
{
	return hrtimer_get_softexpires(&ev->job.timer);
}

static u64 slack_of(const struct event_struct *ev)
{
	return aem_period_slack(&ev->job.timer);
}

/*
 * See to it that the hrtimer fires in time for the expiry. Queued for an earlier time, with the
 * same slack, it does: its job sends it on from there.
 */
static void queue(struct event_struct *ev, u64 slack)
{
	const struct aem_timer *t = aem_event_private(ev);

	lockdep_assert_held(&t->lock);
	if (!hrtimer_is_queued(&ev->job.timer) || alarm_of(ev) > t->expiry ||
	    slack_of(ev) != slack)
		aem_job_start_timer(ev, t->expiry, slack, HRTIMER_MODE_ABS);
}

/* How many expiries there are up to @now, the one that is due among them. */
static u64 expiries_until(struct aem_timer *t, ktime_t now)
{
	return aem_period_expiries(t->expiry, *aem_timer_interval(t), now);
}

/* It is to fire, and has not. */
static bool is_awaited(const struct aem_timer *t)
{
	return (t->state & (TIMER_STARTED | TIMER_SET | TIMER_FIRED)) ==
	       (TIMER_STARTED | TIMER_SET);
}

static bool clock_was_set(const struct aem_timer *t)
{
	lockdep_assert_held(&t->lock);
	return (t->state & (TIMER_SET | TIMER_WATCHED)) == (TIMER_SET | TIMER_WATCHED) &&
	       aem_timer_watch_saw(t->watch);
}

/* Nanoseconds to the next expiry, at least 1; 0: there is none. */
static u64 time_left(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	u64 left;

	if (!(t->state & TIMER_SET) || clock_was_set(t))
		return 0;
	left = aem_period_left(t->expiry, *aem_timer_interval(t), now_of(ev));
	/* It is due, and on its way. */
	if (!left && is_awaited(t))
		left = 1;
	return left;
}

static u64 interval_of(struct aem_timer *t)
{
	return (t->state & TIMER_SET) && !clock_was_set(t) ? *aem_timer_interval(t) : 0;
}

static void unset(struct aem_timer *t)
{
	lockdep_assert_held(&t->lock);
	t->state &= ~(TIMER_SET | TIMER_FIRED | TIMER_CANCELLED);
	*aem_timer_interval(t) = 0;
	aem_timer_watch_stop(aem_timer_watch_of(t));
}

/*
 * The clock was set: what came before is counted by the time that the clock showed then, and
 * the expiry is the first that did not come.
 */
static void cancel(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	u64 interval = *aem_timer_interval(t), untold = 0;

	lockdep_assert_held(&t->lock);
	if (t->state & TIMER_FIRED)
		untold = expiries_until(t, ktime_add(ktime_get(), t->watch->offset));
	if (untold)
		t->expiry = aem_period_next(aem_period_last(t->expiry, interval, untold),
					    interval);
	unset(t);
	*aem_timer_interval(t) = untold;
	t->state |= TIMER_FIRED | TIMER_CANCELLED;
}

/**
 * aem_timer_clock_was_set() - CLOCK_REALTIME may have been set
 * @ev: a timer that has a watch, and keeps it during the call
 *
 * The activation follows the unlocking, as a job's does, since it may ring the doorbell. A
 * setting made in between leaves it with nothing to tell.
 */
void aem_timer_clock_was_set(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	bool cancelled;

	raw_spin_lock_irq(&t->lock);
	cancelled = clock_was_set(t);
	if (cancelled)
		cancel(ev);
	raw_spin_unlock_irq(&t->lock);
	if (cancelled)
		aem_event_activate(ev);
}

/* The hrtimer has fired. Unless it was queued for an earlier time, that says it without a clock. */
static bool is_due(struct event_struct *ev)
{
	const struct aem_timer *t = aem_event_private(ev);

	return alarm_of(ev) >= t->expiry || now_of(ev) >= t->expiry;
}

/*
 * A timer that is set, whose hrtimer is not queued, and that is not known to have fired, is the
 * one that the callback was called for; otherwise the setting changed while it was on its way.
 * What comes while it is stopped is looked at by arm().
 */
static enum aem_verdict job(struct event_struct *ev, unsigned long key)
{
	struct aem_timer *t = aem_event_private(ev);
	enum aem_verdict verdict = AEM_SLEEP;
	unsigned long flags;

	raw_spin_lock_irqsave(&t->lock, flags);
	if (is_awaited(t) && !hrtimer_is_queued(&ev->job.timer)) {
		if (is_due(ev)) {
			t->state |= TIMER_FIRED;
			verdict = AEM_ACTIVATE;
		} else {
			queue(ev, slack_of(ev));
		}
	}
	raw_spin_unlock_irqrestore(&t->lock, flags);
	return verdict;
}

static int arm(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	int ret = 0;

	raw_spin_lock_irq(&t->lock);
	t->state |= TIMER_STARTED;
	if (t->state & TIMER_FIRED)
		ret = AEM_READY;
	else if (is_awaited(t))
		queue(ev, slack_of(ev));
	raw_spin_unlock_irq(&t->lock);
	return ret;
}

/* Time goes on for a stopped timer. If the event goes, the core takes the hrtimer away. */
static void disarm(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);

	raw_spin_lock_irq(&t->lock);
	t->state &= ~TIMER_STARTED;
	raw_spin_unlock_irq(&t->lock);
}

/* The time of the timer's own clock. */
static ktime_t told_time(const struct aem_timer *t, ktime_t time)
{
	if (!(t->state & TIMER_MONOTONIC))
		return time;
	return ktime_mono_to_any(time, t->clock == CLOCK_TAI ? TK_OFFS_TAI : TK_OFFS_REAL);
}

static void tell_cancelled(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_timer *t = aem_event_private(ev);

	d->arg[0] = *aem_timer_interval(t);
	d->arg[1] = t->expiry;
	d->arg[2] = ECANCELED;
	d->count = clamp_t(u64, d->arg[0], 1, U32_MAX);
	unset(t);
}

/*
 * One record for all expiries up to now; the next one is armed, for it may come while the
 * handler runs. A clock that was set back meanwhile does not undo the one that fired.
 */
static void tell_expiries(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_timer *t = aem_event_private(ev);
	u64 interval = *aem_timer_interval(t);
	u64 count = interval ? max_t(u64, 1, expiries_until(t, now_of(ev))) : 1;
	ktime_t last = aem_period_last(t->expiry, interval, count);

	d->arg[0] = count - 1;
	d->arg[1] = told_time(t, last);
	d->count = min_t(u64, count, U32_MAX);
	if (!interval) {
		unset(t);
		return;
	}
	t->state &= ~TIMER_FIRED;
	t->expiry = aem_period_next(last, interval);
	if (t->state & TIMER_STARTED)
		queue(ev, slack_of(ev));
}

static int construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_timer *t = aem_event_private(ev);
	int ret = 0;

	raw_spin_lock_irq(&t->lock);
	if (clock_was_set(t))
		cancel(ev);
	if (t->state & TIMER_CANCELLED)
		tell_cancelled(ev, d);
	else if (t->state & TIMER_FIRED)
		tell_expiries(ev, d);
	else
		ret = -EAGAIN;
	raw_spin_unlock_irq(&t->lock);
	return ret;
}

static void release(struct event_struct *ev)
{
	aem_timer_watch_detach(ev);
}

/* The first that no record has told of, by the timer's own clock; 0: there is none. */
static u64 untold_expiry(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	u64 expiry = 0;

	raw_spin_lock_irq(&t->lock);
	if (t->state & TIMER_SET)
		expiry = told_time(t, t->expiry);
	raw_spin_unlock_irq(&t->lock);
	return expiry;
}

static void show(struct event_struct *ev, struct seq_file *seq)
{
	struct aem_timer *t = aem_event_private(ev);
	u64 value, interval;

	aem_timer_get(ev, &value, &interval);
	seq_printf(seq, " clock:%d value:%llu interval:%llu expiry:%llu", t->clock, value, interval,
		   untold_expiry(ev));
}

const struct aem_event_ops aem_timer_events = {
	.job = job,
	.arm = arm,
	.disarm = disarm,
	.construct = construct,
	.release = release,
	.show = show,
	.yield = aem_timer_yield,
	.adopt = aem_timer_adopt,
};

static bool is_absolute(const struct aem_timer_settime *set)
{
	return set->flags & AEM_TIMER_ABSTIME;
}

/* Armed, and to be cancelled if the clock is set. */
static bool is_watched(const struct aem_timer_settime *set)
{
	return (set->flags & AEM_TIMER_CANCEL_ON_SET) && set->value;
}

/* CLOCK_REALTIME and CLOCK_TAI jump when the clock is set; a distance from now must not. */
static u8 base_for(const struct aem_timer *t, const struct aem_timer_settime *set)
{
	bool jumps = t->clock == CLOCK_REALTIME || t->clock == CLOCK_TAI;

	return jumps && !is_absolute(set) ? TIMER_MONOTONIC : 0;
}

static bool base_fits(const struct aem_timer *t, const struct aem_timer_settime *set)
{
	return !set->value || (t->state & TIMER_MONOTONIC) == base_for(t, set);
}

static clockid_t clock_of_base(const struct aem_timer *t, u8 base)
{
	return base ? CLOCK_MONOTONIC : t->clock;
}

static ktime_t expiry_of(struct event_struct *ev, const struct aem_timer_settime *set)
{
	bool absolute = is_absolute(set);

	return aem_period_start(set->value, absolute, absolute ? 0 : now_of(ev));
}

/* The hrtimer's base is the right one. */
static void take(struct event_struct *ev, const struct aem_timer_settime *set)
{
	struct aem_timer *t = aem_event_private(ev);

	lockdep_assert_held(&t->lock);
	t->state |= TIMER_SET;
	*aem_timer_interval(t) = set->interval;
	if (is_watched(set))
		aem_timer_watch_start(t->watch);
	t->expiry = expiry_of(ev, set);
}

/**
 * aem_timer_init() - fill a new event
 * @ev:    not committed; if it is armed, it must be started by the commit
 * @clock: CLOCK_*
 * @set:   what it is set to, checked; it has no id
 *
 * Return: 0 or -ENOMEM.
 */
int aem_timer_init(struct event_struct *ev, clockid_t clock, const struct aem_timer_settime *set)
{
	struct aem_timer *t = aem_event_private(ev);
	int ret = 0;

	raw_spin_lock_init(&t->lock);
	t->clock = clock;
	t->state = base_for(t, set);
	aem_job_init_timer(ev, clock_of_base(t, t->state));
	if (!set->value)
		return 0;
	if (is_watched(set))
		ret = aem_timer_watch_attach(ev);
	if (ret)
		return ret;
	raw_spin_lock_irq(&t->lock);
	take(ev, set);
	/* arm() takes the slack from there. */
	hrtimer_set_expires_range_ns(&ev->job.timer, t->expiry, set->slack);
	raw_spin_unlock_irq(&t->lock);
	return 0;
}

/*
 * A base can only be changed while nobody looks at the hrtimer, and to wait for its callback
 * is to look at it without the timer's lock, which the callback wants. So whoever
 * does the one or the other has this mutex; it is rarely needed. Nests outside the
 * timers' locks.
 */
static DEFINE_MUTEX(settle_lock);

static bool is_settled(struct event_struct *ev, const struct aem_timer_settime *set)
{
	const struct aem_timer *t = aem_event_private(ev);

	lockdep_assert_held(&t->lock);
	return (!(t->state & TIMER_FIRED) && base_fits(t, set)) ||
	       aem_job_try_cancel_timer(ev) >= 0;
}

/*
 * Take the lock, with no activation of the present setting on its way and, if the base is to
 * change, the hrtimer unused. To be undone by unsettle() with what this returns.
 */
static bool settle(struct event_struct *ev, const struct aem_timer_settime *set)
	__acquires(lock)
{
	struct aem_timer *t = aem_event_private(ev);

	raw_spin_lock_irq(&t->lock);
	if (base_fits(t, set) && is_settled(ev, set))
		return false;
	raw_spin_unlock_irq(&t->lock);
	mutex_lock(&settle_lock);
	raw_spin_lock_irq(&t->lock);
	while (!is_settled(ev, set)) {
		raw_spin_unlock_irq(&t->lock);
		aem_job_cancel_timer(ev);
		raw_spin_lock_irq(&t->lock);
	}
	return true;
}

static void unsettle(struct event_struct *ev, bool settled_slowly)
	__releases(lock)
{
	struct aem_timer *t = aem_event_private(ev);

	raw_spin_unlock_irq(&t->lock);
	if (settled_slowly)
		mutex_unlock(&settle_lock);
}

static int change_base(struct event_struct *ev, const struct aem_timer_settime *set)
{
	struct aem_timer *t = aem_event_private(ev);
	int ret = 0;

	if (base_fits(t, set))
		return 0;
	ret = aem_job_switch_timer(ev, clock_of_base(t, base_for(t, set)));
	if (!ret)
		t->state ^= TIMER_MONOTONIC;
	return ret;
}

static void start_anew(struct event_struct *ev, const struct aem_timer_settime *set)
{
	struct aem_timer *t = aem_event_private(ev);

	if (!(t->state & TIMER_STARTED))
		aem_event_start(ev);
	t->state |= TIMER_STARTED;
	take(ev, set);
	queue(ev, set->slack);
}

/* The settled timer leaves its old setting and takes the new one. */
static int replace(struct event_struct *ev, const struct aem_timer_settime *set)
{
	struct aem_timer *t = aem_event_private(ev);
	bool told;
	int ret;

	lockdep_assert_held(&t->lock);
	if (clock_was_set(t))
		cancel(ev);
	told = is_watched(set) && (t->state & TIMER_CANCELLED);
	if (t->state & TIMER_FIRED)
		aem_event_withdraw(ev);
	unset(t);
	if (!set->value || told)
		return told ? -ECANCELED : 0;
	ret = change_base(ev, set);
	if (!ret)
		start_anew(ev, set);
	return ret;
}

/**
 * aem_timer_set() - arm, re-arm or disarm
 * @ev:  referenced
 * @set: what to, checked; out: what was left, and the period it had
 *
 * Return: 0; -ECANCELED: the clock was set and nobody was told yet; -ENOMEM; -ENOENT: the
 * event is unregistered.
 */
int aem_timer_set(struct event_struct *ev, struct aem_timer_settime *set)
{
	struct aem_timer *t = aem_event_private(ev);
	bool slow;
	int ret;

	if (is_watched(set)) {
		ret = aem_timer_watch_attach(ev);
		if (ret)
			return ret;
	}
	slow = settle(ev, set);
	set->old_value = time_left(ev);
	set->old_interval = interval_of(t);
	ret = replace(ev, set);
	unsettle(ev, slow);
	return ret;
}

/**
 * aem_timer_get() - what a timer is set to
 * @ev:       referenced
 * @value:    nanoseconds left to the next expiry, at least 1; 0: none
 * @interval: the period
 */
void aem_timer_get(struct event_struct *ev, u64 *value, u64 *interval)
{
	struct aem_timer *t = aem_event_private(ev);

	raw_spin_lock_irq(&t->lock);
	*value = time_left(ev);
	*interval = interval_of(t);
	raw_spin_unlock_irq(&t->lock);
}
