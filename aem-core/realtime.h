/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hint at its strongest: moments in the real-time class.
 */
#ifndef _AEM_CORE_REALTIME_H
#define _AEM_CORE_REALTIME_H

#include "process.h"
#include "ring.h"

/** AEM_REALTIME_FROM: The lowest priority that is worth it. */
#define AEM_REALTIME_FROM	(AEM_PRIORITIES / 2)

int aem_realtime_start(void);
void aem_realtime_stop(void);
void aem_realtime_init(struct aem_process *proc);
bool aem_realtime_may(const struct aem_process *proc);
void aem_realtime_call(struct aem_process *proc);
void aem_realtime_look(struct aem_process *proc);
void aem_realtime_bind(struct aem_process *proc);
void aem_realtime_end(struct aem_process *proc);

/** aem_realtime_is_urgent() - are there such among the priorities of @mask? */
static inline bool aem_realtime_is_urgent(u32 mask)
{
	return mask >> AEM_REALTIME_FROM;
}

/**
 * aem_realtime_left() - the process leaves the kernel
 * @proc: it
 * @mask: priorities at which events are active
 *
 * If nothing urgent is left, its time in the class is over. If it could not get any, it gets who
 * lends it some.
 *
 * Context: may sleep, with none of our locks held. A load, mostly.
 */
static inline void aem_realtime_left(struct aem_process *proc, u32 mask)
{
	if (unlikely(READ_ONCE(proc->realtime.on)) && !aem_realtime_is_urgent(mask) &&
	    aem_ring_is_empty(proc))
		aem_realtime_look(proc);
	if (unlikely(READ_ONCE(proc->realtime.lacks)) && current == proc->owner)
		aem_realtime_bind(proc);
}

#endif /* _AEM_CORE_REALTIME_H */
