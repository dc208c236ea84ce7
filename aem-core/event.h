/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events inside the core: their life, their state, their jobs.
 */
#ifndef _AEM_CORE_EVENT_H
#define _AEM_CORE_EVENT_H

#include <aem/event.h>
#include "process.h"

/**
 * enum aem_event_state - bits of event_struct.state, under the process's lock
 * @EV_STARTED:      activations count
 * @EV_ACTIVE:       in an active list
 * @EV_STARVED:      in the list of those that wait for memory
 * @EV_CONSTRUCTING: its constructor runs
 * @EV_AGAIN:        it happened while the event could not join its list
 * @EV_MULTI:        may have several records in the ring; constant
 * @EV_ENDING:       is unregistered after the handler; no more activations
 * @EV_DEAD:         is unregistered
 * @EV_NOTED:        something happened while it was held
 * @EV_NESTED:       its job may be called by somebody whom telling the process would
 *                   come back to; constant
 */
enum aem_event_state {
	EV_STARTED	= 1 << 0,
	EV_ACTIVE	= 1 << 1,
	EV_STARVED	= 1 << 2,
	EV_CONSTRUCTING	= 1 << 3,
	EV_AGAIN	= 1 << 4,
	EV_MULTI	= 1 << 5,
	EV_ENDING	= 1 << 6,
	EV_DEAD		= 1 << 7,
	EV_NESTED	= 1 << 8,
	EV_NOTED	= 1 << 9,
};

/** EVF_SUPPORTED: The flags that this core knows. */
#define EVF_SUPPORTED	(EVF_ONESHOT | EVF_SAFEPOINT | EVF_START | EVF_WAKE_LEAST | \
		       EVF_WAKE_ALL | EVF_NEAR)
/** EVF_KNOWN: The flags that have a meaning. */
#define EVF_KNOWN (EVF_SUPPORTED | EVF_FORK | EVF_NOCLDWAIT | EVF_CAPSULE | EVF_KEEPALIVE)

int aem_event_control(struct aem_process *proc, struct aem_event *arg);
void aem_event_unregister(struct event_struct *ev);
void aem_event_undo(struct aem_process *proc, u64 id);
void aem_event_unregister_all(struct aem_process *proc);
void aem_event_bury(struct aem_process *proc);
struct event_struct *aem_event_get(struct aem_process *proc, u64 id);

void aem_job_detach(struct event_struct *ev);

#endif /* _AEM_CORE_EVENT_H */
