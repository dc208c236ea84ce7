/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libaem: timers without a descriptor each.
 */
#ifndef AEM_TIMER_H
#define AEM_TIMER_H

#include <time.h>
#include <aem/aem.h>
#include <linux/aem_timer.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * typedef aem_timer_fn - a timer has expired
 * @aem:      the context
 * @user:     as given to aem_timer_create()
 * @timer:    which
 * @overruns: expiries since the handler's last call beyond the one that it is
 *            called for
 * @expiry:   the time, in nanoseconds of the timer's clock, for which the last
 *            expiry was set
 * @error:    0; ECANCELED: the clock was set (AEM_TIMER_CANCEL_ON_SET), the timer
 *            is disarmed: @overruns expiries came before, @expiry did not;
 *            ENODEV: the service was taken away, the timer is gone
 */
typedef void (*aem_timer_fn)(struct aem *aem, void *user, aem_id timer,
			     uint64_t overruns, uint64_t expiry, int error);

/**
 * struct aem_timer_spec - when a timer expires
 * @value:    first expiry in nanoseconds from now, or as a time of the clock
 *            (AEM_TIMER_ABSTIME); 0: not armed
 * @interval: period in nanoseconds; 0: expires once
 * @slack:    how late an expiry may be, in nanoseconds, to share an interrupt
 * @flags:    AEM_TIMER_ABSTIME, AEM_TIMER_CANCEL_ON_SET
 * @pad:      0
 */
struct aem_timer_spec {
	uint64_t value;
	uint64_t interval;
	uint64_t slack;
	uint32_t flags;
	uint32_t pad;
};

/**
 * aem_timer_create() - make a timer
 * @aem:     the context
 * @timer:   out: its id; may be NULL
 * @clockid: CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME or CLOCK_TAI
 * @how:     priority and flags (AEM_STOPPED means nothing here: arming starts)
 * @spec:    armed so; NULL: not armed
 * @handler: called when it expires
 * @user:    for @handler
 *
 * Return: 0; -EINVAL, -ENOSPC, -EDQUOT, -ENOMEM, or what aem_bind() says.
 */
int aem_timer_create(struct aem *aem, aem_id *timer, int clockid, uint32_t how,
		     const struct aem_timer_spec *spec, aem_timer_fn handler,
		     void *user);

/**
 * aem_timer_settime() - arm, re-arm or disarm a timer at once
 * @aem:   the context
 * @timer: which
 * @spec:  the new setting
 * @old:   out: what was left of the old one; may be NULL
 *
 * Any thread. Return: 0; -ENOENT, -EINVAL, -ECANCELED, -ENOMEM: see struct
 * aem_timer_settime.
 */
int aem_timer_settime(struct aem *aem, aem_id timer,
		      const struct aem_timer_spec *spec,
		      struct aem_timer_spec *old);

/**
 * aem_timer_settime_queued() - the same with the next crossing, see aem_queue()
 * @aem:   the context
 * @timer: which
 * @spec:  the new setting; relative times count from the crossing
 * @done:  told the result, its @arg is a struct aem_timer_settime; may be NULL
 * @user:  for @done
 *
 * Return: as aem_queue().
 */
int aem_timer_settime_queued(struct aem *aem, aem_id timer,
			     const struct aem_timer_spec *spec,
			     aem_done_fn done, void *user);

/**
 * aem_timer_gettime() - ask a timer
 * @aem:   the context
 * @timer: which
 * @spec:  out: nanoseconds left and period; @slack and @flags come back as 0
 *
 * Any thread. Return: 0; -ENOENT.
 */
int aem_timer_gettime(struct aem *aem, aem_id timer, struct aem_timer_spec *spec);

/**
 * aem_timer_adopt() - take a timer up again that aemctl saved and restored
 * @aem:     the context
 * @timer:   out: its new id; may be NULL
 * @how:     priority and flags, as for aem_timer_create()
 * @handler: as for aem_timer_create()
 * @user:    for @handler; and the token by which it was saved: the same value as then. A number
 *           means the same after a restart, an address only in the same process
 *
 * The timer has the clock, period and next expiry that it had, by the time of its clock: expiries
 * that have passed meanwhile come at once, as one record, and are counted as overruns. What is
 * not kept is slack and AEM_TIMER_CANCEL_ON_SET. Each timer that was saved is taken once.
 *
 * Any thread. Return: 0; -ENOENT: none was saved by this token and user, or it was taken:
 * create one; -EACCES; -EPROTO: what was saved tells no timer; that of aem_timer_create(), and
 * what was saved is gone.
 */
int aem_timer_adopt(struct aem *aem, aem_id *timer, uint32_t how, aem_timer_fn handler, void *user);

/** aem_timer_delete() - delete a timer: aem_event_shutdown(). Any thread. */
int aem_timer_delete(struct aem *aem, aem_id timer);

#ifdef __cplusplus
}
#endif

#endif /* AEM_TIMER_H */
