/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of timers: expiries, periods, and what is left. Times are those of one clock, in
 * nanoseconds; nothing here knows what a timer is, or what time it is.
 */
#ifndef _AEM_TIMER_PERIOD_H
#define _AEM_TIMER_PERIOD_H

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>

/**
 * aem_period_expiries() - how many expiries there were, up to a time
 * @expiry:   the first one
 * @interval: between two, at most S64_MAX; 0: there is only one
 * @now:      that time
 *
 * One that is due exactly now counts.
 */
static inline u64 aem_period_expiries(ktime_t expiry, u64 interval, ktime_t now)
{
	if (now < expiry)
		return 0;
	return interval ? div64_u64(ktime_sub(now, expiry), interval) + 1 : 1;
}

/**
 * aem_period_last() - when the last of some expiries was
 * @expiry:   the first one
 * @interval: between two
 * @count:    how many, at least 1, and as many as aem_period_expiries() counted
 */
static inline ktime_t aem_period_last(ktime_t expiry, u64 interval, u64 count)
{
	return ktime_add_ns(expiry, (count - 1) * interval);
}

/**
 * aem_period_next() - the expiry after one
 * @last:     that one
 * @interval: between the two
 *
 * Past the end of time there is none: KTIME_MAX.
 */
static inline ktime_t aem_period_next(ktime_t last, u64 interval)
{
	return ktime_add_safe(last, ns_to_ktime(interval));
}

/**
 * aem_period_left() - nanoseconds to the next expiry
 * @expiry:   the first one
 * @interval: between two, at most S64_MAX; 0: there is only one
 * @now:      the time
 *
 * Return: at least 1; 0: there is no further one.
 */
static inline u64 aem_period_left(ktime_t expiry, u64 interval, ktime_t now)
{
	u64 rest;

	if (now < expiry)
		return ktime_sub(expiry, now);
	if (!interval)
		return 0;
	div64_u64_rem(ktime_sub(now, expiry), interval, &rest);
	return interval - rest;
}

/**
 * aem_period_start() - the first expiry
 * @value:    nanoseconds, at most S64_MAX
 * @absolute: they are a time, else a distance from now
 * @now:      the time, if they are a distance
 *
 * Past the end of time: KTIME_MAX.
 */
static inline ktime_t aem_period_start(u64 value, bool absolute, ktime_t now)
{
	return absolute ? ns_to_ktime(value) : ktime_add_safe(now, ns_to_ktime(value));
}

/** aem_period_slack() - how much later than its expiry a timer may come, in nanoseconds */
static inline u64 aem_period_slack(const struct hrtimer *timer)
{
	return ktime_sub(hrtimer_get_expires(timer), hrtimer_get_softexpires(timer));
}

#endif /* _AEM_TIMER_PERIOD_H */
