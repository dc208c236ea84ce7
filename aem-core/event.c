// SPDX-License-Identifier: GPL-2.0
/*
 * The life of an event: made by a service's call, found by its id, started, stopped,
 * unregistered, and buried when its last reference goes.
 */
#include <linux/cpumask.h>
#include <linux/slab.h>
#include "active.h"
#include "event.h"
#include "range.h"
#include "ring.h"
#include "trace.h"
#include "user.h"

static int check_registration(const struct aem_registration *reg)
{
	if (reg->flags & ~EVF_KNOWN || reg->prio >= AEM_PRIORITIES ||
	    (reg->flags & EVF_WAKE_LEAST && reg->flags & EVF_WAKE_ALL))
		return -EINVAL;
	if (reg->flags & ~EVF_SUPPORTED)
		return -EOPNOTSUPP;
	return 0;
}

/* Memory and its accounting: 0, -ENOSPC, -EDQUOT. */
static int charge(struct aem_process *proc)
{
	int err;

	if (atomic_inc_return(&proc->n_events) > READ_ONCE(aem_max_events)) {
		atomic_dec(&proc->n_events);
		return -ENOSPC;
	}
	err = aem_user_charge_event(proc->user);
	if (err)
		atomic_dec(&proc->n_events);
	return err;
}

static void uncharge(struct aem_process *proc)
{
	aem_user_uncharge(proc->user);
	atomic_dec(&proc->n_events);
}

static void init_event(struct event_struct *ev, const struct aem_caller *caller,
		       u32 call, const struct aem_registration *reg)
{
	const struct aem_call_op *op = &caller->service->calls[call];

	INIT_LIST_HEAD(&ev->active);
	ev->proc = caller->proc;
	RCU_INIT_POINTER(ev->service, caller->service);
	ev->handler = reg->handler;
	ev->cookie = reg->cookie;
	ev->flags = reg->flags;
	if (caller->proc->flags & AEM_SETUP_SAFEPOINT)
		ev->flags |= EVF_SAFEPOINT;
	ev->prio = reg->prio;
	ev->nr = aem_range_base(caller->range) + call;
	ev->generation = atomic_inc_return(&caller->proc->generation);
	if (op->events->multi)
		ev->state = EV_MULTI;
	refcount_set(&ev->refs, 1);
	atomic_inc(&caller->service->events);
	if (aem_event_is_astray(ev))
		__module_get(caller->service->owner);
}

struct event_struct *aem_event_create(const struct aem_caller *caller, u32 call,
				      const struct aem_registration *reg)
{
	struct event_struct *ev;
	int err;

	if (WARN_ON_ONCE(call >= caller->service->n_calls ||
			 !caller->service->calls[call].events))
		return ERR_PTR(-EINVAL);
	/*
	 * Without the mapping nothing would end a context whose event holds a file that
	 * holds the context.
	 */
	if (!READ_ONCE(caller->proc->mappings))
		return ERR_PTR(-ENXIO);
	err = check_registration(reg) ?: charge(caller->proc);
	if (err)
		return ERR_PTR(err);
	ev = kmem_cache_zalloc(caller->service->cache, GFP_KERNEL);
	if (!ev) {
		uncharge(caller->proc);
		return ERR_PTR(-ENOMEM);
	}
	init_event(ev, caller, call, reg);
	return ev;
}
EXPORT_SYMBOL_GPL(aem_event_create);

static void free_event_rcu(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct event_struct, rcu));
}

/* One that another version serves than its range holds that module by itself. */
static void leave_service(struct event_struct *ev)
{
	struct aem_service *service = aem_event_service(ev);

	atomic_dec(&service->events);
	if (aem_event_is_astray(ev))
		module_put(service->owner);
}

/* Nobody refers to it any more. Behind the gate of its range. */
static void destroy(struct event_struct *ev)
{
	const struct aem_event_ops *ops = aem_event_ops(ev, aem_event_service(ev));

	/* A call that found the event before it was unregistered may have armed it. */
	aem_job_detach(ev);
	if (ops->release)
		ops->release(ev);
	if (ev->index)
		xa_erase(&ev->proc->events, ev->index);
	leave_service(ev);
	uncharge(ev->proc);
	call_rcu(&ev->rcu, free_event_rcu);
}

void aem_event_abort(struct event_struct *ev)
{
	destroy(ev);
}
EXPORT_SYMBOL_GPL(aem_event_abort);

/*
 * The last reference may go under locks that @release must not run under, so the event
 * is put aside here and buried when the core holds none.
 */
void aem_event_put(struct event_struct *ev)
{
	struct llist_node *node = (struct llist_node *)&ev->active;

	BUILD_BUG_ON(sizeof(*node) > sizeof(ev->active));
	if (refcount_dec_and_test(&ev->refs))
		llist_add(node, &ev->proc->dying);
}
EXPORT_SYMBOL_GPL(aem_event_put);

/**
 * aem_event_bury() - release the events whose last reference has gone
 * @proc: the process
 *
 * At the end of every call into the core that can give references back.
 *
 * Context: process context, no locks held.
 */
void aem_event_bury(struct aem_process *proc)
{
	struct llist_node *node, *next;

	if (llist_empty(&proc->dying))
		return;
	llist_for_each_safe(node, next, llist_del_all(&proc->dying)) {
		struct event_struct *ev = container_of((struct list_head *)node,
						       struct event_struct, active);
		struct aem_range *range = aem_event_range(ev);

		aem_gate_pass(&range->gate);
		destroy(ev);
		aem_gate_leave(&range->gate);
	}
}

/* Give it a place in the table and an id: 0, -ENOMEM, -ENOSPC, or -ENXIO: the context closes. */
static int publish(struct event_struct *ev)
{
	struct xarray *events = &ev->proc->events;
	int err;

	err = xa_alloc(events, &ev->index, NULL, XA_LIMIT(1, U32_MAX), GFP_KERNEL_ACCOUNT);
	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	xa_lock(events);
	if (ev->proc->closing) {
		__xa_erase(events, ev->index);
		ev->index = 0;
		err = -ENXIO;
	} else {
		/* The slot is reserved: storing allocates nothing. */
		__xa_store(events, ev->index, ev, GFP_NOWAIT);
	}
	xa_unlock(events);
	return err;
}

/* Arm, behind the gate: 0 or an errno. */
static int start(struct event_struct *ev, const struct aem_event_ops *ops)
{
	int ret;

	aem_event_start(ev);
	ret = ops->arm ? aem_service_answer(ops->arm(ev)) : 0;
	if (ret < 0)
		aem_active_stop(ev);
	else if (ret == AEM_READY)
		aem_event_activate(ev);
	return min(ret, 0);
}

int aem_event_commit(struct event_struct *ev, struct event_struct *parent,
		     u64 *id)
{
	const struct aem_event_ops *ops = aem_event_ops(ev, aem_event_service(ev));
	int err;

	if (parent)
		ev->parent = parent->index;
	refcount_inc(&ev->refs);
	err = publish(ev);
	if (err) {
		aem_event_abort(ev);
		return err;
	}
	*id = aem_event_id(ev);
	trace_aem_register(ev);
	if (ev->flags & EVF_START)
		err = start(ev, ops);
	if (err && aem_active_kill(ev))
		aem_event_put(ev);
	aem_event_put(ev);
	return err;
}
EXPORT_SYMBOL_GPL(aem_event_commit);

/* xa_load(), for who is in an RCU section already. A place that is only reserved holds none. */
static struct event_struct *load(struct xa_state *xas)
{
	struct event_struct *ev;

	do {
		ev = xas_load(xas);
		if (xa_is_zero(ev))
			ev = NULL;
	} while (xas_retry(xas, ev));
	return ev;
}

/** aem_event_get() - the event with this id and a reference, or NULL. */
struct event_struct *aem_event_get(struct aem_process *proc, u64 id)
{
	XA_STATE(xas, &proc->events, (u32)id);
	struct event_struct *ev;

	rcu_read_lock();
	ev = load(&xas);
	if (ev && (ev->generation != id >> 32 || READ_ONCE(ev->state) & EV_DEAD ||
		   !refcount_inc_not_zero(&ev->refs)))
		ev = NULL;
	rcu_read_unlock();
	return ev;
}

struct event_struct *aem_event_find(const struct aem_caller *caller, u64 id, int call)
{
	struct event_struct *ev = aem_event_get(caller->proc, id);

	if (!ev)
		return NULL;
	if (aem_event_range(ev) != caller->range ||
	    (call >= 0 && ev->nr % AEM_RANGE_CALLS != call))
		goto put;
	if (aem_event_service(ev) == caller->service)
		return ev;
	/* The core made @caller. */
	((struct aem_caller *)caller)->other = aem_event_service(ev);
put:
	aem_event_put(ev);
	return NULL;
}
EXPORT_SYMBOL_GPL(aem_event_find);

static void disarm(struct event_struct *ev)
{
	const struct aem_event_ops *ops = aem_event_ops(ev, aem_event_lock(ev));

	if (ops->disarm)
		ops->disarm(ev);
	aem_event_unlock(ev);
}

/* It cannot be found any more: no activation, no job, no record that could still be taken. */
static void end(struct event_struct *ev)
{
	lockdep_assert_held(&ev->proc->enter_lock);
	trace_aem_unregister(ev);
	disarm(ev);
	aem_job_detach(ev);
	aem_ring_cancel(ev);
}

/**
 * aem_event_unregister() - end an event whose handler has returned
 * @ev: referenced by the caller; nothing happens if it was unregistered already
 */
void aem_event_unregister(struct event_struct *ev)
{
	if (!aem_active_kill(ev))
		return;
	end(ev);
	aem_event_put(ev);
}

/**
 * aem_event_undo() - end an event that its process could not be told of
 * @proc: the process
 * @id:   of the event, which may have ended already
 *
 * Context: process context, no locks held.
 */
void aem_event_undo(struct aem_process *proc, u64 id)
{
	struct event_struct *ev = aem_event_get(proc, id);

	if (!ev)
		return;
	mutex_lock(&proc->enter_lock);
	aem_event_unregister(ev);
	mutex_unlock(&proc->enter_lock);
	aem_event_put(ev);
	aem_event_bury(proc);
}

/**
 * aem_event_unregister_all() - end every event, none may join
 * @proc: under its enter_lock
 */
void aem_event_unregister_all(struct aem_process *proc)
{
	struct event_struct *ev;
	unsigned long index;

	lockdep_assert_held(&proc->enter_lock);
	xa_lock(&proc->events);
	proc->closing = true;
	xa_unlock(&proc->events);
	xa_for_each(&proc->events, index, ev) {
		aem_event_unregister(ev);
		cond_resched();
	}
}

static int control_start(struct event_struct *ev)
{
	int err;

	if (READ_ONCE(ev->state) & EV_STARTED)
		return 0;
	err = start(ev, aem_event_ops(ev, aem_event_lock(ev)));
	aem_event_unlock(ev);
	return err;
}

static int control_stop(struct event_struct *ev)
{
	if (aem_active_stop(ev))
		disarm(ev);
	return 0;
}

static int control_prio(struct event_struct *ev, u64 prio)
{
	if (prio >= AEM_PRIORITIES)
		return -EINVAL;
	aem_active_set_prio(ev, prio);
	return 0;
}

static int control_near(struct event_struct *ev, u64 cpu)
{
	u32 near = EVF_NEAR_CPU | (cpu & EVF_CPU);

	BUILD_BUG_ON(CONFIG_NR_CPUS > EVF_CPU + 1);
	if (cpu == AEM_NEAR_ANY)
		near = 0;
	else if (cpu == AEM_NEAR_STIMULUS)
		near = EVF_NEAR;
	else if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return -EINVAL;
	aem_active_set_near(ev, near);
	return 0;
}

static u32 state_for_user(const struct event_struct *ev)
{
	u32 state = READ_ONCE(ev->state);

	return (state & EV_STARTED ? AEM_EVENT_S_STARTED : 0) |
	       (state & EV_ACTIVE ? AEM_EVENT_S_ACTIVE : 0) |
	       (state & EV_STARVED ? AEM_EVENT_S_STARVED : 0) |
	       (READ_ONCE(ev->inflight) ? AEM_EVENT_S_BUSY : 0);
}

static void fill_info(const struct event_struct *ev, struct aem_event *arg)
{
	arg->prio = READ_ONCE(ev->prio);
	arg->state = state_for_user(ev);
	arg->nr = ev->nr;
	arg->flags = READ_ONCE(ev->flags);
	arg->activations = READ_ONCE(ev->activations);
	arg->starved = READ_ONCE(ev->starved);
	arg->parent = ev->parent;
}

/*
 * Unregister, then wait for a handler that another thread runs. Whoever comes second, or
 * again after a signal, only waits.
 */
static int control_shutdown(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;

	mutex_lock(&proc->enter_lock);
	aem_event_unregister(ev);
	mutex_unlock(&proc->enter_lock);
	return aem_ring_wait_idle(ev);
}

/* Start, stop, priority and place, one at a time, and not for an event that is gone. */
static int control_locked(struct event_struct *ev, const struct aem_event *arg)
{
	lockdep_assert_held(&ev->proc->enter_lock);
	if (READ_ONCE(ev->state) & EV_DEAD)
		return -ENOENT;
	switch (arg->op) {
	case AEM_EVENT_START:
		return control_start(ev);
	case AEM_EVENT_STOP:
		return control_stop(ev);
	case AEM_EVENT_PRIO:
		return control_prio(ev, arg->arg);
	case AEM_EVENT_NEAR:
		return control_near(ev, arg->arg);
	default:
		return 0;
	}
}

static bool control_is_good(const struct aem_event *arg)
{
	return arg->op >= AEM_EVENT_START && arg->op <= AEM_EVENT_NEAR && !arg->pad &&
	       (arg->op == AEM_EVENT_PRIO || arg->op == AEM_EVENT_NEAR || !arg->arg);
}

/* One that is unregistered can still be waited for while its handler runs. */
static struct event_struct *find(struct aem_process *proc, const struct aem_event *arg)
{
	struct event_struct *ev = aem_event_get(proc, arg->id);

	if (!ev && arg->op == AEM_EVENT_SHUTDOWN)
		ev = aem_ring_find_running(proc, arg->id);
	return ev;
}

/**
 * aem_event_control() - AEM_IOC_EVENT
 * @proc: the process
 * @arg:  what to do; out: the state after it
 *
 * Return: 0, -EINVAL, -ENOENT, -EINTR, or what the service's @arm said.
 */
int aem_event_control(struct aem_process *proc, struct aem_event *arg)
{
	struct event_struct *ev;
	int err;

	if (!control_is_good(arg))
		return -EINVAL;
	ev = find(proc, arg);
	if (!ev)
		return -ENOENT;
	if (arg->op == AEM_EVENT_SHUTDOWN) {
		err = control_shutdown(ev);
	} else {
		mutex_lock(&proc->enter_lock);
		err = control_locked(ev, arg);
		mutex_unlock(&proc->enter_lock);
	}
	if (!err)
		fill_info(ev, arg);
	aem_event_put(ev);
	aem_event_bury(proc);
	return err;
}
