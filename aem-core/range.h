/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges: the call numbers that contexts are bound to, and the services behind them.
 */
#ifndef _AEM_CORE_RANGE_H
#define _AEM_CORE_RANGE_H

#include <aem/service.h>
#include "gate.h"
#include "process.h"

/**
 * struct aem_range - call numbers
 * @index:   numbers are index * AEM_RANGE_CALLS + call; constant
 * @service: who serves the calls, NULL: nobody any more. Changes only under the
 *           registry's mutex and while @gate is closed
 * @gate:    the way into the code of @service, and of whoever serves an event of this
 *           range. Nobody waits for events inside
 * @layer:   sits above @service, NULL: nobody does; written under the registry's mutex, read
 *           under RCU, or the SRCU of layer.c
 * @users:   contexts that are bound; the registry's mutex
 * @room:    bytes of the smallest event that it may have; the registry's mutex
 *
 * A range is there as long as a context is bound to it, or a service is offered by it. Each
 * bound context holds a reference on the module of @service, and so does each event
 * that another one serves.
 */
struct aem_range {
	unsigned int index;
	struct aem_service *service;
	struct aem_gate gate;
	struct aem_layer __rcu *layer;
	unsigned int users;
	unsigned int room;
};

bool aem_service_name_is_good(const char *name);
int aem_range_bind(struct aem_process *proc, struct aem_bind *bind);
void aem_range_unbind_all(struct aem_process *proc);
int aem_range_info(struct aem_service_info *info);

static inline u32 aem_range_base(const struct aem_range *range)
{
	return range->index * AEM_RANGE_CALLS;
}

/** aem_range_of() - the bound range of a call number, or NULL. */
static inline struct aem_range *aem_range_of(struct aem_process *proc, u32 nr)
{
	u32 index = nr / AEM_RANGE_CALLS;

	if (index >= AEM_RANGES)
		return NULL;
	/* Pairs with bind_range(). */
	return smp_load_acquire(&proc->ranges[index]);
}

/**
 * aem_range_pass() - be behind the gate of one range, for what a burst does there
 * @inside: the range behind whose gate the caller is, NULL: of none. Updated
 * @range:  pass this one's gate instead, if it is another. NULL: of none
 *
 * Whoever wants to shut the gate is let go first, and does not wait for the whole burst.
 *
 * Context: process context, may sleep.
 */
static inline void aem_range_pass(struct aem_range **inside, struct aem_range *range)
{
	if (likely(*inside == range) && (!range || !aem_gate_is_shut(&range->gate)))
		return;
	if (*inside)
		aem_gate_leave(&(*inside)->gate);
	if (range)
		aem_gate_pass(&range->gate);
	*inside = range;
}

/** aem_service_answer() - a service's answer, or -EPROTO if it is negative and no errno. */
static inline long aem_service_answer(long answer)
{
	if (likely(answer > -ERESTARTSYS))
		return answer;
	/* What begins there is the kernel's own. */
	return answer == -ERESTARTSYS ? -EINTR : -EPROTO;
}

/** aem_service_call() - the entry of the table for a number, or NULL. */
static inline const struct aem_call_op *
aem_service_call(const struct aem_service *service, u32 nr)
{
	u32 call = nr % AEM_RANGE_CALLS;

	return call < service->n_calls ? &service->calls[call] : NULL;
}

/** aem_event_ops() - what serves an event; under RCU or behind the gate of its range. */
static inline const struct aem_event_ops *
aem_event_ops(const struct event_struct *ev, const struct aem_service *service)
{
	return service->calls[ev->nr % AEM_RANGE_CALLS].events;
}

/** aem_event_range() - its numbers; constant. */
static inline struct aem_range *aem_event_range(const struct event_struct *ev)
{
	return ev->proc->ranges[ev->nr / AEM_RANGE_CALLS];
}

/** aem_event_service() - who serves it; behind the gate of its range. */
static inline struct aem_service *aem_event_service(const struct event_struct *ev)
{
	return rcu_dereference_protected(ev->service, 1);
}

/** aem_event_lock() - pass the gate to an event's service, whichever serves it now. */
static inline struct aem_service *aem_event_lock(struct event_struct *ev)
{
	aem_gate_pass(&aem_event_range(ev)->gate);
	return aem_event_service(ev);
}

/** aem_event_unlock() - undo aem_event_lock(). */
static inline void aem_event_unlock(struct event_struct *ev)
{
	aem_gate_leave(&aem_event_range(ev)->gate);
}

/** aem_event_is_astray() - does another serve it than its range? Behind the gate. */
static inline bool aem_event_is_astray(const struct event_struct *ev)
{
	return aem_event_service(ev) != aem_event_range(ev)->service;
}

#endif /* _AEM_CORE_RANGE_H */
