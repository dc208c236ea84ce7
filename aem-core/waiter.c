// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that sleep in AEM_IOC_ENTER, and which of them is woken for an event.
 *
 * An event wakes one of them, however many sleep: who has found work for one has woken nobody
 * in vain. It is not handed the event, for it might be killed, or need long to wake: who
 * comes first takes what is there, and who was woken and finds nothing sleeps on in its old place.
 * Who leaves AEM_IOC_ENTER and leaves something there wakes another, so nothing waits for a
 * thread that does not come again.
 *
 * The owner is not interrupted while it is in AEM_IOC_ENTER, nor while another thread is that will
 * look before it leaves; while that one sleeps, for what is below the level of its sleep, it is.
 *
 * All of it is under aem_process.lock. AEM_WAITERS bounds what an activation looks at.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>
#include "active.h"
#include "doorbell.h"
#include "waiter.h"

/**
 * struct aem_waiter - a thread in aem_waiter_wait(), on its stack
 * @node:  in aem_process.waiters since it first went to sleep, who began first is first
 * @task:  who; constant
 * @want:  wake it when so many events are active; constant
 * @level: ... at priorities from this one; constant
 * @revocations: aem_process.revocations when it began; constant
 * @woken: it does not sleep any more, or will not for long
 * @called: by an event with EVF_WAKE_ALL: it returns although it may find nothing
 */
struct aem_waiter {
	struct list_head node;
	struct task_struct *task;
	u32 want;
	u32 level;
	u32 revocations;
	bool woken;
	bool called;
};

/**
 * struct candidate - who may be woken
 * @waiter:   who; NULL: nobody
 * @distance: from where the event wants to be handled, see distance()
 * @load:     of those who are as near
 */
struct candidate {
	struct aem_waiter *waiter;
	u32 distance;
	u64 load;
};

static void wake(struct aem_waiter *waiter)
{
	waiter->woken = true;
	wake_up_process(waiter->task);
}

/* Nearly all want one. */
static bool has_enough(const struct aem_process *proc, const struct aem_waiter *waiter)
{
	if (likely(waiter->want == 1))
		return aem_active_from(proc, waiter->level, true);
	return aem_active_count(proc, waiter->level) >= waiter->want;
}

/* Processor time so far, of a thread that sleeps: what its CPU clock says. Else the same choice. */
static u64 load_of(const struct event_struct *ev, const struct aem_waiter *waiter)
{
	return ev->flags & EVF_WAKE_LEAST ? READ_ONCE(waiter->task->se.sum_exec_runtime) : 0;
}

/*
 * Of the processor where the thread ran last, which its affinity and its cpuset allowed, and where
 * its cache is still warm: 0: the one; 1: of the same node; 2: farther.
 */
static u32 distance(int cpu, const struct aem_waiter *waiter)
{
	int last = task_cpu(waiter->task);

	if (last == cpu)
		return 0;
	return cpu_to_node(last) == cpu_to_node(cpu) ? 1 : 2;
}

static u32 distance_of(const struct event_struct *ev, const struct aem_waiter *waiter)
{
	if (ev->flags & EVF_NEAR_CPU)
		return distance(ev->flags & EVF_CPU, waiter);
	/* Where the stimulus came: we are called from there. */
	return ev->flags & EVF_NEAR ? distance(raw_smp_processor_id(), waiter) : 0;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (a->distance != b->distance)
		return a->distance < b->distance;
	return a->load < b->load;
}

/* Of equals the first, who has waited longer. */
static void consider(struct candidate *best, const struct event_struct *ev,
		     struct aem_waiter *waiter)
{
	struct candidate next = {
		.waiter = waiter,
		.distance = distance_of(ev, waiter),
		.load = load_of(ev, waiter),
	};

	if (!best->waiter || is_better(&next, best))
		*best = next;
}

/**
 * aem_waiter_tell() - an event has joined its list: wake who is to take it
 * @ev: the event, under its process's lock
 *
 * Return: whether a thread sleeps that takes it with it when it wakes, be it later because it
 * wants more than one.
 */
bool aem_waiter_tell(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;
	struct candidate best = { 0 };
	struct aem_waiter *waiter;
	bool sleeps = false;

	lockdep_assert_held(&proc->lock);
	list_for_each_entry(waiter, &proc->waiters, node) {
		if (ev->prio < waiter->level)
			continue;
		sleeps |= !waiter->woken;
		if (waiter->want > 1 && !has_enough(proc, waiter))
			continue;
		if (ev->flags & EVF_WAKE_ALL) {
			waiter->called = true;
			wake(waiter);
		} else if (!waiter->woken) {
			consider(&best, ev, waiter);
		}
	}
	if (best.waiter)
		wake(best.waiter);
	return sleeps;
}

static void wake_all(struct aem_process *proc)
{
	struct aem_waiter *waiter;

	lockdep_assert_held(&proc->lock);
	list_for_each_entry(waiter, &proc->waiters, node)
		wake(waiter);
}

/**
 * aem_waiter_tell_revoked() - a service was revoked: who waits for events returns
 * @proc: the process, under its lock
 */
void aem_waiter_tell_revoked(struct aem_process *proc)
{
	lockdep_assert_held(&proc->lock);
	WRITE_ONCE(proc->revocations, proc->revocations + 1);
	wake_all(proc);
}

/** aem_waiter_wake_all() - whoever sleeps finds that the context is not ready any more. */
void aem_waiter_wake_all(struct aem_process *proc)
{
	raw_spin_lock_irq(&proc->lock);
	wake_all(proc);
	raw_spin_unlock_irq(&proc->lock);
}

/**
 * aem_waiter_pass_on() - the caller leaves AEM_IOC_ENTER: what it leaves there wakes another
 * @proc: the process
 *
 * Without the lock first: who began to wait before the caller last had the lock is counted
 * already, and who does so later sees what is active.
 */
void aem_waiter_pass_on(struct aem_process *proc)
{
	struct aem_waiter *waiter;

	if (likely(!READ_ONCE(proc->n_waiters)))
		return;
	raw_spin_lock_irq(&proc->lock);
	list_for_each_entry(waiter, &proc->waiters, node) {
		if (!waiter->woken && has_enough(proc, waiter)) {
			wake(waiter);
			break;
		}
	}
	raw_spin_unlock_irq(&proc->lock);
}

static bool was_revoked(const struct aem_process *proc, const struct aem_waiter *waiter)
{
	return proc->revocations != waiter->revocations;
}

/* True: there is no point in waiting any more. */
static bool wait_is_over(struct aem_process *proc, const struct aem_waiter *waiter)
{
	return !proc->ready || proc->revoked || was_revoked(proc, waiter) || waiter->called ||
	       has_enough(proc, waiter);
}

/* Be one of those who wait. Priorities for which the owner's bell is to ring now. */
static u32 join(struct aem_process *proc, struct aem_waiter *waiter)
{
	lockdep_assert_held(&proc->lock);
	list_add_tail(&waiter->node, &proc->waiters);
	WRITE_ONCE(proc->n_waiters, proc->n_waiters + 1);
	return aem_doorbell_lie_down(proc, waiter->level);
}

/* Be none of them any more: 0, or -ENODEV: a service was revoked. */
static int leave(struct aem_process *proc, struct aem_waiter *waiter)
{
	lockdep_assert_held(&proc->lock);
	if (!list_empty(&waiter->node)) {
		list_del(&waiter->node);
		WRITE_ONCE(proc->n_waiters, proc->n_waiters - 1);
	}
	return was_revoked(proc, waiter) ? -ENODEV : 0;
}

/* Before it sleeps: 1; or leave() since there is no need, or -EBUSY. */
static int prepare(struct aem_process *proc, struct aem_waiter *waiter)
{
	u32 due = 0;
	int ret = 1;

	raw_spin_lock_irq(&proc->lock);
	waiter->woken = false;
	if (wait_is_over(proc, waiter)) {
		ret = leave(proc, waiter);
	} else if (list_empty(&waiter->node)) {
		if (proc->n_waiters == AEM_WAITERS)
			ret = -EBUSY;
		else
			due = join(proc, waiter);
	}
	raw_spin_unlock_irq(&proc->lock);
	if (due)
		aem_doorbell_ring(proc, fls(due) - 1);
	return ret;
}

/* Leave with @err, but what came at the last moment counts. */
static int give_up(struct aem_process *proc, struct aem_waiter *waiter, int err)
{
	int ret;

	raw_spin_lock_irq(&proc->lock);
	ret = leave(proc, waiter);
	if (!wait_is_over(proc, waiter))
		ret = err;
	raw_spin_unlock_irq(&proc->lock);
	return ret;
}

/**
 * aem_waiter_wait() - sleep until events are active
 * @proc:    the process
 * @level:   lowest priority that counts
 * @want:    how many
 * @timeout: nanoseconds; negative: no limit
 *
 * Return: 0, -EINTR, -ETIME, -EBUSY, or -ENODEV: a service was revoked.
 */
int aem_waiter_wait(struct aem_process *proc, u32 level, u32 want, s64 timeout)
{
	ktime_t until = timeout < 0 ? KTIME_MAX : ktime_add_safe(ktime_get(), timeout);
	struct aem_waiter waiter = {
		.task = current, .want = want, .level = level,
		.revocations = READ_ONCE(proc->revocations),
	};
	int ret;

	might_sleep();
	INIT_LIST_HEAD(&waiter.node);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		ret = prepare(proc, &waiter);
		if (ret <= 0)
			break;
		if (signal_pending(current)) {
			ret = give_up(proc, &waiter, -EINTR);
			break;
		}
		if (!schedule_hrtimeout_range(timeout < 0 ? NULL : &until,
					      current->timer_slack_ns,
					      HRTIMER_MODE_ABS)) {
			ret = give_up(proc, &waiter, -ETIME);
			break;
		}
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}
