/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ranges: services as the core sees them.
 */
#ifndef _AEM_CORE_RANGE_H
#define _AEM_CORE_RANGE_H

#include <linux/percpu-rwsem.h>
#include <aem/service.h>
#include "process.h"

/**
 * struct aem_range - a service and its call numbers
 * @service: the module's description; constant while registered
 * @index:   numbers are index * AEM_RANGE_CALLS + call; constant
 * @rwsem:   readers run the service's code; a writer finds none running. Never held
 *           while waiting for events
 * @cache:   of its events, private part included; constant
 * @users:   contexts that are bound
 * @events:  registered events
 * @cache_name: what /proc/slabinfo calls @cache
 *
 * Each bound context holds a reference on the module, and by that the range.
 */
struct aem_range {
	struct aem_service *service;
	unsigned int index;
	struct percpu_rw_semaphore rwsem;
	struct kmem_cache *cache;
	atomic_t users;
	atomic_t events;
	char cache_name[AEM_NAME_MAX + 16];
};

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

/** aem_range_call() - the entry of the table for a number of this range, or NULL. */
static inline const struct aem_call_op *
aem_range_call(const struct aem_range *range, u32 nr)
{
	u32 call = nr % AEM_RANGE_CALLS;

	return call < range->service->n_calls ? &range->service->calls[call] :
						NULL;
}

/** aem_event_ops() - what serves an event; under RCU or the range's lock. */
static inline const struct aem_event_ops *
aem_event_ops(const struct event_struct *ev, const struct aem_range *range)
{
	return range->service->calls[ev->nr % AEM_RANGE_CALLS].events;
}

/**
 * aem_event_lock() - hold an event's service, whichever serves it now
 * @ev: the event
 *
 * A process keeps every range that it was ever bound to, so the pointer stays good
 * while a swap exchanges it.
 */
static inline struct aem_range *aem_event_lock(struct event_struct *ev)
{
	struct aem_range *range;

	for (;;) {
		range = rcu_access_pointer(ev->range);
		percpu_down_read(&range->rwsem);
		if (likely(range == rcu_access_pointer(ev->range)))
			return range;
		percpu_up_read(&range->rwsem);
	}
}

static inline void aem_event_unlock(struct aem_range *range)
{
	percpu_up_read(&range->rwsem);
}

#endif /* _AEM_CORE_RANGE_H */
