/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The soft real-time hint: what is active is felt by the scheduler.
 */
#ifndef _AEM_CORE_HINT_H
#define _AEM_CORE_HINT_H

#include "realtime.h"

void aem_hint_init(struct aem_process *proc);
void aem_hint_setup(struct aem_process *proc);
void aem_hint_boost(struct aem_process *proc, u32 value);
void aem_hint_end(struct aem_process *proc);
bool aem_hint_is_capable(const struct aem_process *proc);

/**
 * aem_hint_raise() - an event has become active
 * @proc: its process
 * @prio: its priority
 *
 * Context: any, with none of our locks held. O(1), and a load if nothing changes.
 */
static inline void aem_hint_raise(struct aem_process *proc, u32 prio)
{
	if (!(proc->flags & AEM_SETUP_HINT))
		return;
	/* The event is in its list before the value is read. Pairs with either look. */
	smp_mb();
	if (prio >= READ_ONCE(proc->hint.value) ||
	    (prio >= AEM_REALTIME_FROM && !READ_ONCE(proc->realtime.felt)))
		aem_hint_boost(proc, prio + 1);
}

#endif /* _AEM_CORE_HINT_H */
