// SPDX-License-Identifier: GPL-2.0
/*
 * A timer's life: set, fired, told, and set again.
 *
 * The core owns the hrtimer and its callback, which calls job(). A job that lost a race is
 * harmless: under the timer's lock it sees that the timer is not set any more, or is armed
 * anew. Only between the end of job() and the activation that follows it in
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

static void start_at(struct event_struct *ev, ktime_t expires, u64 slack)
{
	aem_job_start_timer(ev, expires, slack, HRTIMER_MODE_ABS);
}

/* How many expiries there are up to @now, the one that is due among them. */
static u64 expiries_until(struct event_struct *ev, ktime_t now)
{
	const struct aem_timer *t = aem_event_private(ev);

	return aem_period_expiries(hrtimer_get_softexpires(&ev->job.timer), t->interval, now);
}

static bool clock_was_set(const struct aem_timer *t)
{
	lockdep_assert_held(&t->lock);
	return (t->state & TIMER_SET) && aem_timer_watch_saw(t->watch);
}

/* Nanoseconds to the next expiry, at least 1; 0: there is none. */
static u64 time_left(struct event_struct *ev)
{
	const struct aem_timer *t = aem_event_private(ev);
	u64 left;

	if (!(t->state & TIMER_SET) || clock_was_set(t))
		return 0;
	left = aem_period_left(hrtimer_get_softexpires(&ev->job.timer), t->interval, now_of(ev));
	/* It is due, and on its way. */
	if (!left && (t->state & (TIMER_STARTED | TIMER_FIRED)) == TIMER_STARTED)
		left = 1;
	return left;
}

static u64 interval_of(const struct aem_timer *t)
{
	return (t->state & TIMER_SET) && !clock_was_set(t) ? t->interval : 0;
}

static void unset(struct aem_timer *t)
{
	lockdep_assert_held(&t->lock);
	t->state &= ~(TIMER_SET | TIMER_FIRED | TIMER_CANCELLED);
	t->interval = 0;
	aem_timer_watch_stop(t->watch);
}

/*
 * The clock was set: what came before is counted by the time that the clock showed then, and
 * the hrtimer is left at the first expiry that did not come.
 */
static void cancel(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	ktime_t expiry = hrtimer_get_softexpires(&ev->job.timer);
	u64 untold = 0;

	lockdep_assert_held(&t->lock);
	aem_job_try_cancel_timer(ev);
	if (t->state & TIMER_FIRED)
		untold = expiries_until(ev, ktime_add(ktime_get(), t->watch->offset));
	if (untold) {
		expiry = aem_period_last(expiry, t->interval, untold);
		hrtimer_set_expires(&ev->job.timer, aem_period_next(expiry, t->interval));
	}
	unset(t);
	t->interval = untold;
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

/*
 * A timer that is set, not armed and not known to have fired is the one that the callback
 * was called for; otherwise the setting changed while it was on its way.
 */
static enum aem_verdict job(struct event_struct *ev, unsigned long key)
{
	struct aem_timer *t = aem_event_private(ev);
	enum aem_verdict verdict = AEM_SLEEP;
	unsigned long flags;

	raw_spin_lock_irqsave(&t->lock, flags);
	if ((t->state & (TIMER_SET | TIMER_FIRED)) == TIMER_SET &&
	    !hrtimer_is_queued(&ev->job.timer)) {
		t->state |= TIMER_FIRED;
		verdict = AEM_ACTIVATE;
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
	else if ((t->state & TIMER_SET) && !hrtimer_is_queued(&ev->job.timer))
		start_at(ev, hrtimer_get_softexpires(&ev->job.timer),
			 aem_period_slack(&ev->job.timer));
	raw_spin_unlock_irq(&t->lock);
	return ret;
}

/* The expiry stays in the hrtimer: time goes on for a stopped timer. */
static void disarm(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);

	raw_spin_lock_irq(&t->lock);
	t->state &= ~TIMER_STARTED;
	aem_job_try_cancel_timer(ev);
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

	d->arg[0] = t->interval;
	d->arg[1] = hrtimer_get_softexpires(&ev->job.timer);
	d->arg[2] = ECANCELED;
	d->count = clamp_t(u64, t->interval, 1, U32_MAX);
	unset(t);
}

/*
 * One record for all expiries up to now; the next one is armed, for it may come while the
 * handler runs. A clock that was set back meanwhile does not undo the one that fired.
 */
static void tell_expiries(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_timer *t = aem_event_private(ev);
	ktime_t last = hrtimer_get_softexpires(&ev->job.timer);
	u64 count = t->interval ? max_t(u64, 1, expiries_until(ev, now_of(ev))) : 1;

	last = aem_period_last(last, t->interval, count);
	d->arg[0] = count - 1;
	d->arg[1] = told_time(t, last);
	d->count = min_t(u64, count, U32_MAX);
	if (!t->interval) {
		unset(t);
		return;
	}
	t->state &= ~TIMER_FIRED;
	last = aem_period_next(last, t->interval);
	if (t->state & TIMER_STARTED)
		start_at(ev, last, aem_period_slack(&ev->job.timer));
	else
		hrtimer_set_expires_range_ns(&ev->job.timer, last,
					     aem_period_slack(&ev->job.timer));
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
		expiry = told_time(t, hrtimer_get_softexpires(&ev->job.timer));
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

/* CLOCK_REALTIME and CLOCK_TAI jump when the clock is set; a distance from now must not. */
static u8 base_for(const struct aem_timer *t, const struct aem_timer_setting *setting)
{
	bool jumps = t->clock == CLOCK_REALTIME || t->clock == CLOCK_TAI;

	return jumps && !setting->absolute ? TIMER_MONOTONIC : 0;
}

static bool base_fits(const struct aem_timer *t, const struct aem_timer_setting *setting)
{
	return !setting->value || (t->state & TIMER_MONOTONIC) == base_for(t, setting);
}

static clockid_t clock_of_base(const struct aem_timer *t, u8 base)
{
	return base ? CLOCK_MONOTONIC : t->clock;
}

static ktime_t expiry_of(struct event_struct *ev, const struct aem_timer_setting *setting)
{
	return aem_period_start(setting->value, setting->absolute, now_of(ev));
}

/**
 * aem_timer_init() - fill a new event
 * @ev:      not committed; with a @setting that arms, it must be started by the commit
 * @clock:   CLOCK_*
 * @setting: the first one
 *
 * Return: 0 or -ENOMEM.
 */
int aem_timer_init(struct event_struct *ev, clockid_t clock,
		   const struct aem_timer_setting *setting)
{
	struct aem_timer *t = aem_event_private(ev);
	int ret = 0;

	raw_spin_lock_init(&t->lock);
	t->clock = clock;
	t->state = base_for(t, setting);
	aem_job_init_timer(ev, clock_of_base(t, t->state));
	if (!setting->value)
		return 0;
	if (setting->watch)
		ret = aem_timer_watch_attach(ev);
	if (ret)
		return ret;
	raw_spin_lock_irq(&t->lock);
	if (setting->watch)
		aem_timer_watch_start(t->watch);
	t->state |= TIMER_SET;
	t->interval = setting->interval;
	hrtimer_set_expires_range_ns(&ev->job.timer, expiry_of(ev, setting), setting->slack);
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

static bool is_settled(struct event_struct *ev, const struct aem_timer_setting *setting)
{
	const struct aem_timer *t = aem_event_private(ev);

	lockdep_assert_held(&t->lock);
	return (!(t->state & TIMER_FIRED) && base_fits(t, setting)) ||
	       aem_job_try_cancel_timer(ev) >= 0;
}

/*
 * Take the lock, with no activation of the present setting on its way and, if the base is to
 * change, the hrtimer unused. To be undone by unsettle() with what this returns.
 */
static bool settle(struct event_struct *ev, const struct aem_timer_setting *setting)
	__acquires(lock)
{
	struct aem_timer *t = aem_event_private(ev);

	raw_spin_lock_irq(&t->lock);
	if (base_fits(t, setting) && is_settled(ev, setting))
		return false;
	raw_spin_unlock_irq(&t->lock);
	mutex_lock(&settle_lock);
	raw_spin_lock_irq(&t->lock);
	while (!is_settled(ev, setting)) {
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

static int change_base(struct event_struct *ev, const struct aem_timer_setting *setting)
{
	struct aem_timer *t = aem_event_private(ev);
	int ret = 0;

	if (base_fits(t, setting))
		return 0;
	ret = aem_job_switch_timer(ev, clock_of_base(t, base_for(t, setting)));
	if (!ret)
		t->state ^= TIMER_MONOTONIC;
	return ret;
}

static void start_anew(struct event_struct *ev, const struct aem_timer_setting *setting)
{
	struct aem_timer *t = aem_event_private(ev);

	if (!(t->state & TIMER_STARTED))
		aem_event_start(ev);
	t->state |= TIMER_STARTED | TIMER_SET;
	t->interval = setting->interval;
	if (setting->watch)
		aem_timer_watch_start(t->watch);
	aem_job_start_timer(ev, ns_to_ktime(setting->value), setting->slack,
			    setting->absolute ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL);
}

/* The settled timer leaves its old setting and takes the new one. */
static int replace(struct event_struct *ev, const struct aem_timer_setting *setting)
{
	struct aem_timer *t = aem_event_private(ev);
	bool told;
	int ret;

	lockdep_assert_held(&t->lock);
	if (clock_was_set(t))
		cancel(ev);
	told = setting->watch && setting->value && (t->state & TIMER_CANCELLED);
	if (t->state & TIMER_FIRED)
		aem_event_withdraw(ev);
	unset(t);
	if (!setting->value || told) {
		aem_job_try_cancel_timer(ev);
		return told ? -ECANCELED : 0;
	}
	ret = change_base(ev, setting);
	if (!ret)
		start_anew(ev, setting);
	return ret;
}

/**
 * aem_timer_set() - arm, re-arm or disarm
 * @ev:           referenced
 * @setting:      the new one
 * @old_value:    nanoseconds that were left
 * @old_interval: the period it had
 *
 * Return: 0; -ECANCELED: the clock was set and nobody was told yet; -ENOMEM; -ENOENT: the
 * event is unregistered.
 */
int aem_timer_set(struct event_struct *ev, const struct aem_timer_setting *setting,
		  u64 *old_value, u64 *old_interval)
{
	struct aem_timer *t = aem_event_private(ev);
	bool slow;
	int ret;

	if (setting->watch && setting->value) {
		ret = aem_timer_watch_attach(ev);
		if (ret)
			return ret;
	}
	slow = settle(ev, setting);
	*old_value = time_left(ev);
	*old_interval = interval_of(t);
	ret = replace(ev, setting);
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
