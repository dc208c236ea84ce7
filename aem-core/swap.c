// SPDX-License-Identifier: GPL-2.0
/*
 * Swapping a service for another version of it while its events live.
 *
 * hold.c keeps everybody out. Meanwhile each event is taken over: the old version yields it in
 * a layout of its private part that both know, and the new one adopts it. If one of them refuses,
 * the event stays with the old version, which works on for it: such an event is *astray*, since
 * another version serves it than its range. Calls find their way to it (aem_call()), it holds
 * the old module by a reference of its own, and the next swap tries again.
 *
 * The ranges change hands as well: what contexts know are numbers, and these stay.
 */
#include <linux/slab.h>
#include "hold.h"
#include "swap.h"
#include "trace.h"

/**
 * struct swap - one that goes on
 * @from:   the old version
 * @to:     the new one
 * @layout: in which they hand private parts over
 * @arg:    counts what happens
 * @pins:   references that @from and @to need more (or less) than before
 */
struct swap {
	struct aem_service *from;
	struct aem_service *to;
	u32 layout;
	struct aem_manage *arg;
	struct {
		long from;
		long to;
	} pins;
};

/* 0: there is none. */
static u32 common_layout(const struct aem_service *a, const struct aem_service *b)
{
	u32 layout = min(a->layout, b->layout);

	return layout >= max(a->oldest_layout, b->oldest_layout) ? layout : 0;
}

static int check(const struct swap *swap)
{
	if (swap->from == swap->to)
		return -EALREADY;
	if (!swap->from->layout || !swap->to->layout)
		return -EOPNOTSUPP;
	if (!swap->layout || swap->to->n_calls < swap->from->n_calls)
		return -EPROTO;
	return 0;
}

/* Why an event cannot move, whatever its version says: 0 or -errno. */
static int obstacle(const struct swap *swap, const struct event_struct *ev)
{
	const struct aem_call_op *op = aem_service_call(swap->to, ev->nr);

	if (!op || !op->events || op->events->multi != !!(READ_ONCE(ev->state) & EV_MULTI))
		return -EPROTO;
	if (kmem_cache_size(swap->to->cache) > aem_event_range(ev)->room)
		return -EMSGSIZE;
	return 0;
}

/* What a service answers is not believed: 0 or -errno. */
static int answer(int ret)
{
	return ret > 0 || ret < -MAX_ERRNO ? -EPROTO : ret;
}

static int hand_over(const struct swap *swap, struct event_struct *ev)
{
	const struct aem_event_ops *old = aem_event_ops(ev, swap->from);
	const struct aem_event_ops *new = aem_event_ops(ev, swap->to);
	int err = obstacle(swap, ev);

	if (!err && old->yield)
		err = answer(old->yield(ev, swap->layout));
	if (err)
		return err;
	if (new->adopt)
		err = answer(new->adopt(ev, swap->layout));
	if (err && old->adopt)
		WARN_ON_ONCE(old->adopt(ev, swap->layout));
	return err;
}

static void move(struct event_struct *ev, void *data)
{
	struct swap *swap = data;
	int err = hand_over(swap, ev);

	if (err) {
		swap->arg->refused++;
		swap->arg->reason = swap->arg->reason ?: -err;
		swap->arg->held += aem_hold_let_go(ev, swap->from);
		swap->pins.from += aem_event_is_astray(ev);
		return;
	}
	swap->arg->moved++;
	atomic_dec(&swap->from->events);
	atomic_inc(&swap->to->events);
	swap->arg->held += aem_hold_let_go(ev, swap->to);
	swap->pins.to += aem_event_is_astray(ev);
}

static void count_astray(struct event_struct *ev, void *count)
{
	*(long *)count += aem_event_is_astray(ev);
}

static long astray(struct aem_service *service)
{
	long count = 0;

	if (atomic_read(&service->events))
		aem_hold_look(service, count_astray, &count);
	return count;
}

/* Numbers of the old version lead to the new one, for those who are bound and for who comes. */
static void take_ranges(struct swap *swap)
{
	int i;

	for (i = 1; i < AEM_RANGES; i++) {
		struct aem_range *range = aem_ranges[i];

		if (!range || range->service != swap->from)
			continue;
		range->service = swap->to;
		range->room = min(range->room, kmem_cache_size(swap->to->cache));
		swap->pins.from -= range->users;
		swap->pins.to += range->users;
		swap->arg->contexts += range->users;
	}
	if (!swap->to->range)
		swap->to->range = swap->from->range;
	swap->from->range = NULL;
}

/* The caller keeps the module from going meanwhile. */
static void pin(struct aem_service *service, long count)
{
	for (; count > 0; count--)
		__module_get(service->owner);
	for (; count < 0; count++)
		module_put(service->owner);
}

static void look(struct event_struct *ev, void *data)
{
	struct swap *swap = data;
	int err = obstacle(swap, ev);

	if (err) {
		swap->arg->refused++;
		swap->arg->reason = swap->arg->reason ?: -err;
	} else {
		swap->arg->moved++;
	}
}

/* Without holding anybody up: what is gone in a moment may be counted. */
static int try_dry(struct swap *swap)
{
	swap->arg->contexts = aem_registry_users(swap->from);
	aem_hold_look(swap->from, look, swap);
	return 0;
}

/* By which the new one is bound from now on: its own, the old one's, or one more. */
static int offer(struct swap *swap)
{
	if (swap->to->range || swap->from->range)
		return 0;
	return aem_registry_offer(swap->to);
}

static int exchange(struct swap *swap)
{
	struct aem_manage *arg = swap->arg;
	struct aem_hold hold;
	int err;

	err = aem_hold_begin(&hold, swap->from, arg->timeout);
	if (err)
		return err;
	swap->pins.to -= astray(swap->to);
	swap->pins.from -= aem_hold_events(&hold);
	take_ranges(swap);
	swap->pins.to += astray(swap->to);
	aem_hold_visit(move, swap);
	pin(swap->to, swap->pins.to);
	pin(swap->from, swap->pins.from);
	arg->pause = aem_hold_end(&hold);
	aem_registry_drop_unused();
	return 0;
}

/**
 * aem_swap() - AEM_MANAGE_SWAP
 * @from: the old version
 * @to:   the new one
 * @arg:  what is asked for; out: what was done
 *
 * Return: 0, also if events stayed with @from; then nothing but they hold its module.
 * Otherwise nothing has changed: -EALREADY: they are the same; -EOPNOTSUPP: one of them declares
 * no layout; -EPROTO: they do not fit together; -ENOENT: the new one is being unloaded;
 * -ETIMEDOUT: somebody is held up in a call; -ENOSPC, -ENOMEM.
 */
int aem_swap(struct aem_service *from, struct aem_service *to, struct aem_manage *arg)
{
	struct swap swap = {
		.from = from, .to = to, .layout = common_layout(from, to), .arg = arg,
	};
	int err;

	lockdep_assert_held(&aem_registry);
	err = check(&swap);
	if (err)
		return err;
	if (arg->flags & AEM_MANAGE_DRY_RUN)
		return try_dry(&swap);
	if (!try_module_get(to->owner))
		return -ENOENT;
	err = offer(&swap) ?: exchange(&swap);
	module_put(to->owner);
	if (!err)
		trace_aem_swap(from, to, arg);
	return err;
}
