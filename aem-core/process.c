// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a context: opened, set up, shut down when its address space or its file
 * goes, freed with the last reference.
 */
#include <linux/cred.h>
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "active.h"
#include "doorbell.h"
#include "hint.h"
#include "memory.h"
#include "pool.h"
#include "range.h"
#include "ring.h"
#include "user.h"
#include "waiter.h"

#define RING_DEFAULT	256
#define RING_MIN	64
#define RING_MAX	4096
#define VMT_DEFAULT	BIT_ULL(20)
#define VMT_MAX		BIT_ULL(30)

/* Shuts contexts down whose address space went before their file did. */
static struct workqueue_struct *orphanage;

/** aem_process_init() - at load. Return: 0 or -ENOMEM. */
int aem_process_init(void)
{
	orphanage = alloc_workqueue("aem-orphans", WQ_UNBOUND, 0);
	return orphanage ? 0 : -ENOMEM;
}

/** aem_process_exit() - at unload: no context is left but in the work queue. */
void aem_process_exit(void)
{
	destroy_workqueue(orphanage);
	/* Events are freed by RCU; their caches must see the last of them. */
	rcu_barrier();
	aem_pool_exit();
}

static void feed(struct work_struct *work)
{
	aem_active_feed(container_of(to_delayed_work(work), struct aem_process, feeder));
}

static void shutdown_orphan(struct work_struct *work)
{
	struct aem_process *proc = container_of(work, struct aem_process, shutdown);

	aem_process_shutdown(proc);
	aem_process_put(proc);
}

/** aem_process_create() - for open(). Return: the context or ERR_PTR: -EDQUOT, -ENOMEM. */
struct aem_process *aem_process_create(void)
{
	struct aem_process *proc = kvzalloc(sizeof(*proc), GFP_KERNEL_ACCOUNT);

	if (!proc)
		return ERR_PTR(-ENOMEM);
	proc->user = aem_user_get_context();
	if (IS_ERR(proc->user)) {
		long err = PTR_ERR(proc->user);

		kvfree(proc);
		return ERR_PTR(err);
	}
	kref_init(&proc->refs);
	mutex_init(&proc->enter_lock);
	xa_init_flags(&proc->events, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&proc->bound);
	init_llist_head(&proc->dying);
	init_waitqueue_head(&proc->poll_queue);
	init_waitqueue_head(&proc->idle_queue);
	INIT_WORK(&proc->shutdown, shutdown_orphan);
	INIT_DELAYED_WORK(&proc->feeder, feed);
	aem_active_init(proc);
	aem_doorbell_init(proc);
	aem_hint_init(proc);
	return proc;
}

static int check_setup(struct aem_setup *setup)
{
	int err = aem_doorbell_check(setup);

	if (err)
		return err;
	setup->ring_entries = setup->ring_entries ?: RING_DEFAULT;
	if (!is_power_of_2(setup->ring_entries) || setup->ring_entries < RING_MIN ||
	    setup->ring_entries > RING_MAX)
		return -EINVAL;
	setup->vmt_size = setup->vmt_size ?: VMT_DEFAULT;
	if (setup->vmt_size % AEM_BLOCK_MAX)
		return -EINVAL;
	return setup->vmt_size > min_t(u64, VMT_MAX, READ_ONCE(aem_vmt_max)) ? -ENOSPC : 0;
}

/**
 * aem_process_check_setup() - would AEM_IOC_SETUP do?
 * @proc:  the context
 * @setup: what is wanted; out: what would be taken
 *
 * Once a context is set up it cannot be taken back, for another thread may use it: so the
 * caller is told first what will have been taken.
 *
 * Return: 0, -EBUSY, -EINVAL, -EOPNOTSUPP or -ENOSPC.
 */
int aem_process_check_setup(struct aem_process *proc, struct aem_setup *setup)
{
	int err;

	mutex_lock(&proc->enter_lock);
	err = proc->was_set_up ? -EBUSY : check_setup(setup);
	mutex_unlock(&proc->enter_lock);
	return err;
}

/**
 * aem_process_setup() - AEM_IOC_SETUP
 * @proc:  the context
 * @setup: what aem_process_check_setup() made of it
 *
 * Return: 0, -EBUSY or -ENOMEM.
 */
int aem_process_setup(struct aem_process *proc, const struct aem_setup *setup)
{
	int err;

	mutex_lock(&proc->enter_lock);
	err = proc->was_set_up ? -EBUSY : 0;
	err = err ?: aem_memory_init(proc, setup->ring_entries, setup->vmt_size);
	if (!err) {
		proc->was_set_up = true;
		proc->flags = setup->flags;
		aem_doorbell_setup(proc, setup);
		proc->mm = current->mm;
		mmgrab(proc->mm);
		proc->owner = get_task_struct(current);
		aem_hint_setup(proc);
		/* Pairs with aem_process_check(): all of the above is seen. */
		smp_store_release(&proc->ready, true);
	}
	mutex_unlock(&proc->enter_lock);
	if (!err && proc->flags & AEM_SETUP_HINT)
		aem_realtime_bind(proc);
	return err;
}

/* Whoever sleeps finds that the context is not ready any more. */
static void wake_all(struct aem_process *proc)
{
	aem_waiter_wake_all(proc);
	wake_up_all(&proc->idle_queue);
	wake_up_interruptible_poll(&proc->poll_queue, EPOLLHUP | EPOLLERR);
}

/**
 * aem_process_shutdown() - unregister every event, let go of every record
 * @proc: the context. Doing it again does no harm
 *
 * Context: process context.
 */
void aem_process_shutdown(struct aem_process *proc)
{
	mutex_lock(&proc->enter_lock);
	if (proc->ready) {
		WRITE_ONCE(proc->ready, false);
		aem_event_unregister_all(proc);
		aem_ring_clear(proc);
	}
	mutex_unlock(&proc->enter_lock);
	aem_event_bury(proc);
	aem_doorbell_stop(proc);
	aem_hint_end(proc);
	wake_all(proc);
}

/**
 * aem_process_orphan() - the control page was unmapped: there is nobody to call any more
 * @proc: the context
 *
 * Context: mmap_lock of the process is held, so the rest is left to a work.
 */
void aem_process_orphan(struct aem_process *proc)
{
	WRITE_ONCE(proc->orphan, true);
	kref_get(&proc->refs);
	if (!queue_work(orphanage, &proc->shutdown))
		aem_process_put(proc);
}

static void free_process(struct kref *refs)
{
	struct aem_process *proc = container_of(refs, struct aem_process, refs);

	aem_process_shutdown(proc);
	cancel_delayed_work_sync(&proc->feeder);
	aem_active_sync(proc);
	aem_memory_destroy(proc);
	xa_destroy(&proc->events);
	aem_range_unbind_all(proc);
	if (proc->was_set_up) {
		put_cred(proc->hint.cred);
		put_task_struct(proc->owner);
		mmdrop(proc->mm);
	}
	aem_user_put(proc->user);
	kvfree(proc);
}

/** aem_process_put() - give a reference back. Process context, may sleep. */
void aem_process_put(struct aem_process *proc)
{
	kref_put(&proc->refs, free_process);
}

/**
 * aem_process_close() - the last descriptor has gone
 * @proc: the context, with the file's reference
 *
 * When it returns nothing of the context is left, and whoever waited for the process to
 * end can unload the services. So it does not leave that to the work.
 *
 * Context: process context, may sleep.
 */
void aem_process_close(struct aem_process *proc)
{
	if (cancel_work_sync(&proc->shutdown))
		aem_process_put(proc);
	aem_process_shutdown(proc);
	aem_process_put(proc);
}
