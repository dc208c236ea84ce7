/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Active lists: which events are due, and in which order.
 */
#ifndef _AEM_CORE_ACTIVE_H
#define _AEM_CORE_ACTIVE_H

#include <linux/bitops.h>
#include "event.h"

/**
 * struct aem_turn - an event's turn, between its leaving the active list and the
 *                   end of its constructor
 * @ev:    the event, with a reference for the record
 * @count: occurrences since its last record
 * @lost:  those that were lost
 * @frees: aem_process.frees at that time
 */
struct aem_turn {
	struct event_struct *ev;
	u32 count;
	u32 lost;
	u32 frees;
};

void aem_active_init(struct aem_process *proc);
void aem_active_sync(struct aem_process *proc);
bool aem_active_pop(struct aem_process *proc, u32 level, u32 top, bool safepoint, u32 room,
		    struct aem_turn *turn);
void aem_active_built(const struct aem_turn *turn, bool more, bool stop, bool end);
void aem_active_nothing(const struct aem_turn *turn);
void aem_active_starve(const struct aem_turn *turn);
void aem_active_lose(const struct aem_turn *turn);
bool aem_active_finished(struct event_struct *ev, bool again);
void aem_active_feed(struct aem_process *proc);
void aem_active_set_prio(struct event_struct *ev, u8 prio);
void aem_active_set_near(struct event_struct *ev, u32 near);
bool aem_active_stop(struct event_struct *ev);
bool aem_active_kill(struct event_struct *ev);
void aem_active_revoke(struct event_struct *ev);
void aem_active_tell_revoked(struct aem_process *proc);
bool aem_active_was_revoked(struct aem_process *proc);
u32 aem_active_mask(struct aem_process *proc);

/** aem_active_is_due() - is anything active from priority @level (0 to 32) on? Needs no lock. */
static inline bool aem_active_is_due(struct aem_process *proc, u32 level)
{
	return (u64)aem_active_mask(proc) >> level;
}

/** aem_active_from() - priorities at or above @level that have active events. Under the lock. */
static inline u32 aem_active_from(const struct aem_process *proc, u32 level, bool safepoint)
{
	u32 mask = proc->queues[AEM_QUEUE_INTERRUPT].mask;

	if (safepoint)
		mask |= proc->queues[AEM_QUEUE_SAFEPOINT].mask;
	return mask & (u32)(~0ULL << level);
}

/** aem_active_count() - events at or above @level; 32 additions at most. Under the lock. */
static inline u32 aem_active_count(const struct aem_process *proc, u32 level)
{
	unsigned long mask = aem_active_from(proc, level, true);
	u32 count = 0;
	int prio;

	for_each_set_bit(prio, &mask, AEM_PRIORITIES)
		count += proc->at[prio];
	return count;
}

#endif /* _AEM_CORE_ACTIVE_H */
