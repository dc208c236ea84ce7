// SPDX-License-Identifier: GPL-2.0
/*
 * aem-timer: timers without a descriptor each. The pseudo-system calls; what a timer does
 * is in timer.c, AEM_TIMER_CANCEL_ON_SET in watch.c.
 */
#include <linux/limits.h>
#include <linux/time.h>
#include <aem/service.h>
#include "timer.h"
#include "watch.h"

#define TIMER_FLAGS	(AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET)

static bool clock_is_good(u32 clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		return true;
	}
	return false;
}

/* ktime_t is signed: no sum of two checked numbers wraps as u64. */
static bool time_is_good(u64 value, u64 interval, u64 slack)
{
	return value <= S64_MAX && interval <= S64_MAX && slack <= S64_MAX;
}

static bool flags_are_good(u32 flags, u32 clock)
{
	if (flags & ~TIMER_FLAGS)
		return false;
	return !(flags & AEM_TIMER_CANCEL_ON_SET) ||
	       ((flags & AEM_TIMER_ABSTIME) && clock == CLOCK_REALTIME);
}

/* An event that ends after its first record has no period. */
static bool period_is_good(u64 interval, u32 event_flags)
{
	return !interval || !(event_flags & EVF_ONESHOT);
}

static long timer_create(const struct aem_caller *caller, void *argument)
{
	struct aem_timer_create *arg = argument;
	struct aem_timer_settime set = {
		.flags = arg->flags,
		.value = arg->value,
		.interval = arg->interval,
		.slack = arg->slack,
	};
	struct aem_registration reg = arg->reg;
	struct event_struct *ev;
	int ret;

	if (arg->pad || !clock_is_good(arg->clockid) ||
	    !flags_are_good(arg->flags, arg->clockid) ||
	    !time_is_good(arg->value, arg->interval, arg->slack) ||
	    !period_is_good(arg->interval, reg.flags))
		return -EINVAL;
	if (arg->value)
		reg.flags |= EVF_START;
	ev = aem_event_create(caller, AEM_TIMER_CREATE, &reg);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	ret = aem_timer_init(ev, arg->clockid, &set);
	if (ret) {
		aem_event_abort(ev);
		return ret;
	}
	return aem_event_commit(ev, NULL, &arg->reg.id);
}

static long settime(struct event_struct *ev, struct aem_timer_settime *arg)
{
	const struct aem_timer *t = aem_event_private(ev);

	if (!flags_are_good(arg->flags, t->clock) || !period_is_good(arg->interval, ev->flags))
		return -EINVAL;
	return aem_timer_set(ev, arg);
}

static long timer_settime(const struct aem_caller *caller, void *argument)
{
	struct aem_timer_settime *arg = argument;
	struct event_struct *ev;
	long ret;

	if ((arg->flags & ~TIMER_FLAGS) || !time_is_good(arg->value, arg->interval, arg->slack))
		return -EINVAL;
	ev = aem_event_find(caller, arg->id, AEM_TIMER_CREATE);
	if (!ev)
		return -ENOENT;
	ret = settime(ev, arg);
	aem_event_put(ev);
	return ret;
}

static long timer_gettime(const struct aem_caller *caller, void *argument)
{
	struct aem_timer_gettime *arg = argument;
	struct event_struct *ev;

	if (arg->pad)
		return -EINVAL;
	ev = aem_event_find(caller, arg->id, AEM_TIMER_CREATE);
	if (!ev)
		return -ENOENT;
	aem_timer_get(ev, &arg->value, &arg->interval);
	aem_event_put(ev);
	return 0;
}

static const struct aem_call_op calls[] = {
	AEM_CALL_OP(AEM_TIMER_CREATE, struct aem_timer_create, slack, timer_create,
		    &aem_timer_events),
	AEM_CALL_OP(AEM_TIMER_SETTIME, struct aem_timer_settime, old_interval, timer_settime, NULL,
		    .out = offsetof(struct aem_timer_settime, old_value)),
	AEM_CALL_OP(AEM_TIMER_GETTIME, struct aem_timer_gettime, interval, timer_gettime, NULL,
		    .out = offsetof(struct aem_timer_gettime, value)),
};

static struct aem_service service = {
	.name = AEM_TIMER_SERVICE,
	.version = AEM_SERVICE_BUILT_AS(AEM_TIMER_VERSION),
	.owner = THIS_MODULE,
	.calls = calls,
	.n_calls = ARRAY_SIZE(calls),
	.event_size = sizeof(struct aem_timer),
	.layout = AEM_TIMER_LAYOUT,
	.oldest_layout = AEM_TIMER_OLDEST,
};

static int __init aem_timer_module_init(void)
{
	int ret;

	BUILD_BUG_ON(ARRAY_SIZE(calls) != AEM_TIMER_CALLS);
	BUILD_BUG_ON(offsetof(struct aem_timer_create, reg) != AEM_REGISTRATION);
	ret = aem_timer_watch_init();
	if (ret)
		return ret;
	ret = aem_service_register(&service);
	if (ret)
		aem_timer_watch_exit();
	return ret;
}
module_init(aem_timer_module_init);

static void __exit aem_timer_module_exit(void)
{
	aem_service_unregister(&service);
	aem_timer_watch_exit();
}
module_exit(aem_timer_module_exit);

MODULE_ALIAS("aem-service-" AEM_TIMER_SERVICE);
MODULE_DESCRIPTION("Timers of the Asynchronous Event Mechanism");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
