/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KUnit suites share: a context with no process behind it, and events that no service
 * made. All of it goes with the test.
 */
#ifndef _AEM_CORE_TEST_PROCESS_H
#define _AEM_CORE_TEST_PROCESS_H

#include <kunit/test.h>
#include <linux/sched.h>
#include "active.h"
#include "doorbell.h"
#include "hint.h"

/* An orphan: the bell would interrupt the thread that runs the tests. */
static inline struct aem_process *test_process(struct kunit *test)
{
	struct aem_process *proc = kunit_kzalloc(test, sizeof(*proc), GFP_KERNEL);
	struct aem_setup setup = { 0 };

	KUNIT_ASSERT_NOT_NULL(test, proc);
	proc->control = kunit_kzalloc(test, sizeof(*proc->control), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, proc->control);
	proc->owner = current;
	proc->orphan = true;
	aem_doorbell_setup(proc, &setup);
	proc->ready = true;
	mutex_init(&proc->enter_lock);
	xa_init_flags(&proc->events, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&proc->bound);
	init_llist_head(&proc->dying);
	init_waitqueue_head(&proc->poll_queue);
	init_waitqueue_head(&proc->idle_queue);
	aem_active_init(proc);
	aem_hint_init(proc);
	return proc;
}

/* Started, and referenced by the test; @size bytes are its private part. */
static inline struct event_struct *test_event(struct kunit *test, struct aem_process *proc,
					      u8 prio, u32 flags, size_t size)
{
	struct event_struct *ev = kunit_kzalloc(test, sizeof(*ev) + size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ev);
	INIT_LIST_HEAD(&ev->active);
	refcount_set(&ev->refs, 1);
	ev->proc = proc;
	ev->prio = prio;
	ev->flags = flags;
	ev->state = EV_STARTED;
	return ev;
}

#endif /* _AEM_CORE_TEST_PROCESS_H */
