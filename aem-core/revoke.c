// SPDX-License-Identifier: GPL-2.0
/*
 * Revoking a service: taking it away from those who use it.
 *
 * While it is held (hold.c), the service lets go of each of its events, as if it had been
 * unregistered, and a service of the core's own takes the event: its only constructor makes
 * the last record, with AEM_RECORD_F_REVOKED. The ranges are left without a service, so that
 * calls end in ENODEV, and threads that wait for events return.
 */
#include "active.h"
#include "hold.h"
#include "swap.h"
#include "trace.h"

static int last_record(struct event_struct *ev, struct aem_delivery *d)
{
	d->count = 1;
	d->end = true;
	d->revoked = true;
	return 0;
}

static const struct aem_event_ops revoked_events = { .construct = last_record };

static const struct aem_call_op revoked_calls[AEM_RANGE_CALLS] = {
	[0 ... AEM_RANGE_CALLS - 1] = { .name = "revoked", .events = &revoked_events },
};

/* Serves events whose service was revoked. */
static struct aem_service revoked = {
	.name = "revoked",
	.calls = revoked_calls,
	.n_calls = AEM_RANGE_CALLS,
};

/* An event that ends on another thread may be disarmed and detached twice, which is harmless. */
static void take_away(struct event_struct *ev, void *data)
{
	struct aem_service *service = data;
	const struct aem_event_ops *ops = aem_event_ops(ev, service);

	if (ops->disarm)
		ops->disarm(ev);
	aem_job_detach(ev);
	if (ops->release)
		ops->release(ev);
	atomic_dec(&service->events);
	aem_hold_let_go(ev, &revoked);
	aem_active_revoke(ev);
}

/* A layer has nothing to sit above any more. */
static void leave_empty(struct aem_range *range)
{
	range->service = NULL;
	RCU_INIT_POINTER(range->layer, NULL);
}

static void take_ranges(struct aem_service *service)
{
	int i;

	for (i = 1; i < AEM_RANGES; i++)
		if (aem_ranges[i] && aem_ranges[i]->service == service)
			leave_empty(aem_ranges[i]);
	service->range = NULL;
}

static bool is_concerned(const struct aem_process *proc, const struct aem_hold *hold)
{
	int i;

	for_each_set_bit(i, hold->closed, AEM_RANGES)
		if (proc->ranges[i] && !proc->ranges[i]->service)
			return true;
	return false;
}

static void wake_those_concerned(const struct aem_hold *hold)
{
	struct aem_process *proc;

	list_for_each_entry(proc, &aem_bound, bound)
		if (is_concerned(proc, hold))
			aem_active_tell_revoked(proc);
}

/**
 * aem_revoke() - AEM_MANAGE_REVOKE
 * @service: registered
 * @arg:     what is asked for; out: what was done
 *
 * Return: 0, and its module can be unloaded; -ETIMEDOUT: somebody is held up in a call, and
 * nothing has changed.
 */
int aem_revoke(struct aem_service *service, struct aem_manage *arg)
{
	struct aem_hold hold;
	u32 astray, held;
	int err;

	lockdep_assert_held(&aem_registry);
	arg->moved = arg->events;
	arg->contexts = aem_registry_users(service);
	if (arg->flags & AEM_MANAGE_DRY_RUN)
		return 0;
	err = aem_hold_begin(&hold, service, arg->timeout);
	if (err)
		return err;
	astray = aem_hold_events(&hold);
	take_ranges(service);
	aem_hold_visit(take_away, service);
	for (held = arg->contexts + astray; held; held--)
		module_put(service->owner);
	arg->pause = aem_hold_end(&hold);
	wake_those_concerned(&hold);
	aem_registry_drop_unused();
	trace_aem_revoke(service, NULL, arg);
	return 0;
}
