// SPDX-License-Identifier: GPL-2.0
/*
 * Gates: closing and opening them. See gate.h.
 *
 * To be closed, a gate goes through aem_gate_prepare(), which waits for a grace period while
 * everybody still passes, so that aem_gate_shut() needs none; through aem_gate_shut(),
 * aem_gate_is_empty(), and in either case aem_gate_open(). Who does so is alone: a mutex.
 */
#include <linux/jiffies.h>
#include <linux/sched.h>
#include "gate.h"

static struct lock_class_key gate_class;

static void left(struct percpu_ref *inside)
{
	wake_up_all(&container_of(inside, struct aem_gate, inside)->moved);
}

/** aem_gate_init() - a gate that is open. Return: 0 or -ENOMEM. */
int aem_gate_init(struct aem_gate *gate)
{
	init_waitqueue_head(&gate->moved);
	lockdep_init_map(&gate->map, "aem_gate", &gate_class, 0);
	return percpu_ref_init(&gate->inside, left, PERCPU_REF_ALLOW_REINIT, GFP_KERNEL);
}

/** aem_gate_destroy() - nobody passes any more. */
void aem_gate_destroy(struct aem_gate *gate)
{
	percpu_ref_exit(&gate->inside);
}

/** aem_gate_wait() - it is closed: wait until it is not. */
void aem_gate_wait(struct aem_gate *gate)
{
	wait_event(gate->moved, !aem_gate_is_shut(gate));
}

/** aem_gate_announce() - it is about to be prepared: of several, all wait for one grace period. */
void aem_gate_announce(struct aem_gate *gate)
{
	percpu_ref_switch_to_atomic(&gate->inside, NULL);
}

/** aem_gate_prepare() - it is about to be shut: count in one place from now on. May sleep. */
void aem_gate_prepare(struct aem_gate *gate)
{
	percpu_ref_switch_to_atomic_sync(&gate->inside);
}

/**
 * aem_gate_shut() - nobody passes from now on
 * @gate:  prepared
 * @outer: a mutex that the caller holds, and whoever shuts gates
 */
void aem_gate_shut(struct aem_gate *gate, struct mutex *outer)
{
	lock_acquire_exclusive(&gate->map, 0, 0, &outer->dep_map, _THIS_IP_);
	percpu_ref_kill(&gate->inside);
}

/**
 * aem_gate_is_empty() - wait until everybody has left
 * @gate:     shut
 * @deadline: in jiffies
 *
 * Return: whether they have.
 */
bool aem_gate_is_empty(struct aem_gate *gate, unsigned long deadline)
{
	long left = (long)(deadline - jiffies);

	return wait_event_timeout(gate->moved, percpu_ref_is_zero(&gate->inside), max(left, 0L));
}

/** aem_gate_open() - let them in again. May sleep. */
void aem_gate_open(struct aem_gate *gate)
{
	lock_release(&gate->map, _THIS_IP_);
	percpu_ref_resurrect(&gate->inside);
	wake_up_all(&gate->moved);
	percpu_ref_switch_to_percpu(&gate->inside);
}
