/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gates: the way into the code of services.
 */
#ifndef _AEM_CORE_GATE_H
#define _AEM_CORE_GATE_H

#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/percpu-refcount.h>
#include <linux/wait.h>

/**
 * struct aem_gate - a reader lock whose writer does not wait for ever
 * @inside: one for each thread that has passed, and one while the gate is open
 * @moved:  those who wait for the gate to open, and who waits for everybody to leave
 * @map:    for lockdep
 *
 * Passing costs what percpu_down_read() costs. What differs is the closing: a call may be
 * held up for as long as its caller likes (its argument may lie in a file system or under a
 * userfaultfd of the caller's own), and then whoever closes gives up and opens again
 * instead of stopping every other user of the service.
 */
struct aem_gate {
	struct percpu_ref inside;
	wait_queue_head_t moved;
	struct lockdep_map map;
};

int aem_gate_init(struct aem_gate *gate);
void aem_gate_destroy(struct aem_gate *gate);
void aem_gate_wait(struct aem_gate *gate);
void aem_gate_announce(struct aem_gate *gate);
void aem_gate_prepare(struct aem_gate *gate);
void aem_gate_shut(struct aem_gate *gate, struct mutex *outer);
bool aem_gate_is_empty(struct aem_gate *gate, unsigned long deadline);
void aem_gate_open(struct aem_gate *gate);

/**
 * aem_gate_pass() - enter the code behind the gate
 * @gate: the gate
 *
 * Waits while it is closed, which is for a bounded time. Not to be done again by a thread that
 * is inside.
 *
 * Context: process context, may sleep.
 */
static inline void aem_gate_pass(struct aem_gate *gate)
{
	might_sleep();
	lock_acquire_shared(&gate->map, 0, 0, NULL, _THIS_IP_);
	while (unlikely(!percpu_ref_tryget_live(&gate->inside)))
		aem_gate_wait(gate);
}

/** aem_gate_is_shut() - who is inside should leave soon, and come back later. */
static inline bool aem_gate_is_shut(struct aem_gate *gate)
{
	return percpu_ref_is_dying(&gate->inside);
}

/** aem_gate_leave() - undo aem_gate_pass(). Any context. */
static inline void aem_gate_leave(struct aem_gate *gate)
{
	lock_release(&gate->map, _THIS_IP_);
	percpu_ref_put(&gate->inside);
}

#endif /* _AEM_CORE_GATE_H */
