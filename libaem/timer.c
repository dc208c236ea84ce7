// SPDX-License-Identifier: GPL-2.0
/*
 * Timers.
 */
#include "internal.h"

static void run_timer(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_timer_fn handler = (aem_timer_fn)(uintptr_t)r->handler;
	int error = r->flags & AEM_RECORD_F_REVOKED ? ENODEV : (int)r->arg[2];

	(void)block;
	handler(aem, (void *)(uintptr_t)r->cookie, r->id, r->arg[0], r->arg[1], error);
}

static const struct aem_thunk thunks[AEM_TIMER_CALLS] = {
	[AEM_TIMER_CREATE] = { .run = run_timer },
};

static int timer_base(struct aem *aem)
{
	return base_of(aem, BASE_TIMER, AEM_TIMER_SERVICE, AEM_TIMER_VERSION, thunks,
		       AEM_TIMER_CALLS);
}

int aem_timer_create(struct aem *aem, aem_id *timer, int clockid, uint32_t how,
		     const struct aem_timer_spec *spec, aem_timer_fn handler,
		     void *user)
{
	struct aem_timer_create arg = {
		.size = sizeof(arg), .clockid = (uint32_t)clockid,
	};
	int base = timer_base(aem);
	int64_t ret;

	if (base < 0)
		return base;
	/* Arming starts a timer, and nothing else does. */
	aem_registration_init(&arg.reg, (void (*)(void))handler, user, how | AEM_STOPPED);
	if (spec) {
		arg.flags = spec->flags;
		arg.value = spec->value;
		arg.interval = spec->interval;
		arg.slack = spec->slack;
	}
	ret = aem_call(aem, base + AEM_TIMER_CREATE, &arg);
	if (ret < 0)
		return (int)ret;
	if (timer)
		*timer = arg.reg.id;
	return 0;
}

int aem_timer_adopt(struct aem *aem, aem_id *timer, uint32_t how, aem_timer_fn handler, void *user)
{
	struct aem_timer_spec spec = { .flags = AEM_TIMER_ABSTIME };
	int ret = timer_base(aem);
	uint64_t clockid = 0;
	char text[512];

	if (ret < 0)
		return ret;
	ret = aem_saved_take(AEM_TIMER_SERVICE, (uintptr_t)user, text, sizeof(text));
	ret = ret ? ret : aem_saved_number(text, "clock", &clockid);
	ret = ret ? ret : aem_saved_number(text, "expiry", &spec.value);
	ret = ret ? ret : aem_saved_number(text, "interval", &spec.interval);
	return ret ? ret : aem_timer_create(aem, timer, (int)clockid, how, &spec, handler, user);
}

static void fill_settime(struct aem_timer_settime *arg, aem_id timer,
			 const struct aem_timer_spec *spec)
{
	arg->size = sizeof(*arg);
	arg->flags = spec->flags;
	arg->id = timer;
	arg->value = spec->value;
	arg->interval = spec->interval;
	arg->slack = spec->slack;
	arg->old_value = 0;
	arg->old_interval = 0;
}

int aem_timer_settime(struct aem *aem, aem_id timer,
		      const struct aem_timer_spec *spec,
		      struct aem_timer_spec *old)
{
	struct aem_timer_settime arg;
	int base = timer_base(aem);
	int64_t ret;

	if (base < 0)
		return base;
	fill_settime(&arg, timer, spec);
	ret = aem_call(aem, base + AEM_TIMER_SETTIME, &arg);
	if (ret < 0)
		return (int)ret;
	if (old)
		*old = (struct aem_timer_spec){
			.value = arg.old_value, .interval = arg.old_interval,
		};
	return 0;
}

int aem_timer_settime_queued(struct aem *aem, aem_id timer,
			     const struct aem_timer_spec *spec,
			     aem_done_fn done, void *user)
{
	struct aem_timer_settime arg;
	int base = timer_base(aem);

	if (base < 0)
		return base;
	fill_settime(&arg, timer, spec);
	return aem_queue(aem, base + AEM_TIMER_SETTIME, &arg, done, user);
}

int aem_timer_gettime(struct aem *aem, aem_id timer, struct aem_timer_spec *spec)
{
	struct aem_timer_gettime arg = { .size = sizeof(arg), .id = timer };
	int base = timer_base(aem);
	int64_t ret;

	if (base < 0)
		return base;
	ret = aem_call(aem, base + AEM_TIMER_GETTIME, &arg);
	if (ret < 0)
		return (int)ret;
	*spec = (struct aem_timer_spec){ .value = arg.value, .interval = arg.interval };
	return 0;
}

int aem_timer_delete(struct aem *aem, aem_id timer)
{
	return aem_event_shutdown(aem, timer);
}
