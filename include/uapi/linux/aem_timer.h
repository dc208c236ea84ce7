/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aem-timer: timers without a descriptor each. Service "timer", version 1.
 */
#ifndef _UAPI_LINUX_AEM_TIMER_H
#define _UAPI_LINUX_AEM_TIMER_H

#include <linux/aem.h>

#define AEM_TIMER_SERVICE	"timer"
#define AEM_TIMER_VERSION	1

/**
 * enum aem_timer_call - pseudo-system calls, counted from the range's base
 * @AEM_TIMER_CREATE:  struct aem_timer_create; registers an event
 * @AEM_TIMER_SETTIME: struct aem_timer_settime
 * @AEM_TIMER_GETTIME: struct aem_timer_gettime
 * @AEM_TIMER_CALLS:   how many there are
 *
 * A timer is deleted with AEM_EVENT_SHUTDOWN.
 */
enum aem_timer_call {
	AEM_TIMER_CREATE	= 0,
	AEM_TIMER_SETTIME	= 1,
	AEM_TIMER_GETTIME	= 2,
	AEM_TIMER_CALLS
};

/**
 * DOC: what a timer promises
 *
 * ``values``     @value, @interval and @slack are nanoseconds, at most 2^63 - 1
 *                (EINVAL above). A sum past the end of time expires at the end of time.
 *                An absolute @value in the past expires at once
 * ``relative``   a relative @value is a distance from the call. It does not change
 *                when the clock is set, nor does the period that follows it; absolute
 *                values of CLOCK_REALTIME and CLOCK_TAI follow the clock
 * ``expiries``   a timer expires at @value, and then once per @interval. Its first expiry
 *                after a record makes the next record, which stands for all expiries
 *                up to the moment it is made: the sum of 1 + overruns (arg[0]) over all
 *                records is the number of expiries. No period, however short, is
 *                an interrupt more often than there are records
 * ``EVF_ONESHOT`` the event ends with its first record; EINVAL together with a period
 * ``EVF_START``  is implied by arming: AEM_TIMER_CREATE with a value and
 *                AEM_TIMER_SETTIME start the event if it is stopped
 * ``stop``       AEM_EVENT_STOP holds the timer's records back, not its time: it stays
 *                set. AEM_EVENT_START makes one record at once of all expiries
 *                that came in between, undelivered ones from before the stop among
 *                them, and goes on with the original times
 * ``cancel``     AEM_TIMER_CANCEL_ON_SET: once the clock was set (by a step: also by a
 *                leap second and by waking up from suspend), the timer is disarmed and
 *                the handler is called with ECANCELED in arg[2], once
 */

/**
 * struct aem_timer_create - register a timer, optionally armed in the same call
 * @size:     sizeof(struct aem_timer_create)
 * @clockid:  CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME or CLOCK_TAI
 * @reg:      handler, cookie, flags, priority; out: id
 * @flags:    AEM_TIMER_ABSTIME, AEM_TIMER_CANCEL_ON_SET
 * @pad:      0
 * @value:    first expiry in nanoseconds, relative or absolute; 0: not armed
 * @interval: period in nanoseconds; 0: expires once. Without a value it has no effect
 * @slack:    how late an expiry may be, in nanoseconds, to share an interrupt
 *
 * Handler's arguments: arg[0] expiries since the last record beyond the first
 * (the overrun count), arg[1] the time in nanoseconds of its clock for which the
 * last expiry was set, arg[2] 0. If the clock was set
 * (AEM_TIMER_CANCEL_ON_SET): arg[0] expiries that came before and have no record,
 * arg[1] the time for which the next was set, arg[2] ECANCELED.
 * Errors: EINVAL, those of the registration (ENOSPC, EDQUOT, ENOMEM,
 * EOPNOTSUPP).
 */
struct aem_timer_create {
	__u32 size;
	__u32 clockid;
	struct aem_registration reg;
	__u32 flags;
	__u32 pad;
	__aligned_u64 value;
	__aligned_u64 interval;
	__aligned_u64 slack;
};

/**
 * struct aem_timer_settime - arm, re-arm or disarm a timer
 * @size:         sizeof(struct aem_timer_settime)
 * @flags:        AEM_TIMER_ABSTIME, AEM_TIMER_CANCEL_ON_SET
 * @id:           the timer
 * @value:        as in struct aem_timer_create; 0 disarms
 * @interval:     as in struct aem_timer_create
 * @slack:        as in struct aem_timer_create
 * @old_value:    out: as @value of struct aem_timer_gettime
 * @old_interval: out: as @interval of struct aem_timer_gettime
 *
 * After it returns no expiry of the earlier setting makes a record; one that
 * was active already is withdrawn unless its record is delivered.
 *
 * With AEM_TIMER_CANCEL_ON_SET and a value, it fails with ECANCELED if the clock was set
 * since the earlier setting with that flag, and no record tells so yet: @value was perhaps
 * computed from the clock as it was. The timer is then disarmed, and the handler is
 * not called for it: the setting of the clock is told once, here or there. Look at the
 * clock and try again.
 * Errors: ENOENT, EINVAL, ECANCELED, ENOMEM (AEM_TIMER_CANCEL_ON_SET only).
 */
struct aem_timer_settime {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 value;
	__aligned_u64 interval;
	__aligned_u64 slack;
	__aligned_u64 old_value;
	__aligned_u64 old_interval;
};

/**
 * struct aem_timer_gettime - ask a timer
 * @size:     sizeof(struct aem_timer_gettime)
 * @pad:      0
 * @id:       the timer
 * @value:    out: nanoseconds left to the next expiry, at least 1, also while the timer
 *            is stopped; 0: none will come, since the timer is not set, has
 *            expired, or was cancelled, whether a record told so or not
 * @interval: out: its period; 0 if no expiry will come or there is one only
 *
 * Errors: ENOENT, EINVAL.
 */
struct aem_timer_gettime {
	__u32 size;
	__u32 pad;
	__aligned_u64 id;
	__aligned_u64 value;
	__aligned_u64 interval;
};

/** AEM_TIMER_ABSTIME: @value is a time of the clock, not a distance from now. */
#define AEM_TIMER_ABSTIME	(1U << 0)
/**
 * AEM_TIMER_CANCEL_ON_SET: If the clock is set, disarm and run the handler with ECANCELED.
 * Only with AEM_TIMER_ABSTIME and CLOCK_REALTIME, otherwise EINVAL.
 */
#define AEM_TIMER_CANCEL_ON_SET	(1U << 1)

#endif /* _UAPI_LINUX_AEM_TIMER_H */
