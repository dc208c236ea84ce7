// SPDX-License-Identifier: GPL-2.0
/*
 * The hint at its strongest: while urgent events wait for it or are handled, their owner is in the
 * real-time class, at its lowest priority, for moments. How it gets there: booster.c.
 *
 * A nice value is not enough: it says how much of the processor a task gets in the long run, not
 * that it gets it now; and a program that computes has mostly used up its share.
 *
 * What goes into the class comes out again, by the first of these: the process leaves the kernel
 * with nothing urgent active or in the ring; it sleeps when SLICE is over, after which it is looked
 * again and again; what it may use has been used, which is hint_realtime percent of a processor in
 * the long run and SAVED at a time; the rights are gone; the context ends. One thread for all, a
 * little more urgent than those it looks after, does what an interrupt cannot.
 */
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <uapi/linux/sched/types.h>
#include <aem/compat/hrtimer.h>
#include <aem/compat/sched.h>
#include "active.h"
#include "booster.h"
#include "hint.h"
#include "realtime.h"
#include "trace.h"

/* Of SCHED_FIFO: what boosters have, and the thread that must be able to end it. */
#define PRIORITY	1
#define OUR_PRIORITY	2

/* How long an owner stays in the class without being looked at, and may have saved up. */
#define SLICE		(1 * NSEC_PER_MSEC)
#define SAVED		((s64)(2 * NSEC_PER_MSEC))
/* What it may owe, where nobody came to end it in time. */
#define DEBT		((s64)(50 * NSEC_PER_MSEC))
/* Less is not worth beginning with. */
#define LEAST		((s64)(SLICE / 4))
/* Who runs when its event comes is about to handle it, and gets so long. */
#define PATIENCE	(100 * NSEC_PER_USEC)
/* Whatever the parameter says: others are to have their share. */
#define PERCENT_MAX	50U

static uint hint_realtime = 10;
module_param(hint_realtime, uint, 0644);
MODULE_PARM_DESC(hint_realtime,
		 "percent of a processor that AEM_SETUP_HINT may have in real time; 0: nice only");

static struct kthread_worker *worker;

/** aem_realtime_start() - at load. 0 or -errno. */
int aem_realtime_start(void)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_FIFO,
		.sched_priority = OUR_PRIORITY,
	};
	int err;

	worker = kthread_run_worker(0, "aem_hint");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	err = sched_setattr_nocheck(worker->task, &attr);
	if (err)
		kthread_destroy_worker(worker);
	return err;
}

/** aem_realtime_stop() - at unload: no context is left. */
void aem_realtime_stop(void)
{
	kthread_destroy_worker(worker);
	aem_booster_exit();
}

static u32 percent(void)
{
	return min(READ_ONCE(hint_realtime), PERCENT_MAX);
}

/**
 * aem_realtime_may() - would sched_setscheduler() allow the owner what we do?
 * @proc: the process
 *
 * RLIMIT_RTTIME is for programs that are in the class by their own choice: it would end them by a
 * signal. Groups that have time of the class of their own may have none.
 *
 * Context: any.
 */
bool aem_realtime_may(const struct aem_process *proc)
{
	const struct task_struct *owner = proc->owner;

	if (!percent() || IS_ENABLED(CONFIG_RT_GROUP_SCHED) ||
	    task_rlimit(owner, RLIMIT_RTTIME) != RLIM_INFINITY)
		return false;
	return aem_hint_is_capable(proc) || task_rlimit(owner, RLIMIT_RTPRIO) >= PRIORITY;
}

/* Time was used while in the class, and comes back all the time. */
static void account(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;
	u64 now = ktime_get_ns(), ran = READ_ONCE(proc->owner->se.sum_exec_runtime), used = 0;

	lockdep_assert_held(&rt->lock);
	if (rt->on) {
		used = now - rt->since;
		/* While it runs elsewhere the scheduler's own count is behind. */
		if (!task_is_running(proc->owner))
			used = min(used, ran - rt->ran);
		rt->used += used;
	}
	rt->left = min_t(s64, SAVED, rt->left + (now - rt->since) * percent() / 100);
	rt->left = max_t(s64, -DEBT, rt->left - used);
	rt->since = now;
	rt->ran = ran;
}

/* Only who has chosen no class of its own. */
static void enter_class(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;
	unsigned int policy = READ_ONCE(proc->owner->policy);

	if (policy != SCHED_NORMAL && policy != SCHED_BATCH)
		return;
	if (aem_booster_on(proc)) {
		WRITE_ONCE(rt->on, true);
		trace_aem_realtime(proc, true, rt->left);
	} else {
		/* The owner sees to it when it comes by. */
		WRITE_ONCE(rt->lacks, true);
	}
}

static void leave_class(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;

	aem_booster_off(proc);
	WRITE_ONCE(rt->on, false);
	trace_aem_realtime(proc, false, rt->left);
}

/* Is there something urgent to do? Sees to it that what becomes active from now on calls us. */
static bool is_wanted(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;

	WRITE_ONCE(rt->felt, false);
	/* Pairs with aem_hint_raise(). */
	smp_mb();
	return !READ_ONCE(proc->hint.over) && aem_realtime_may(proc) &&
	       (aem_realtime_is_urgent(aem_active_mask(proc)) ||
		(rt->on && !aem_ring_is_empty(proc)));
}

static void look_again_in(struct aem_realtime *rt, u64 ns)
{
	hrtimer_start(&rt->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
}

/* Until there is enough to begin with; or the owner may have woken up, or changed its mind. */
static u64 wait_time(const struct aem_realtime *rt)
{
	if (rt->left >= LEAST)
		return 10 * SLICE;
	return (LEAST - rt->left) * 100 / max(percent(), 1U);
}

/**
 * aem_realtime_look() - is the owner to be in the class?
 * @proc: the process
 *
 * Context: may sleep, with none of our locks held.
 */
void aem_realtime_look(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;
	bool wanted;

	rt_mutex_lock(&rt->lock);
	account(proc);
	wanted = is_wanted(proc);
	if (rt->on && (!wanted || rt->left <= 0 || !task_is_running(proc->owner)))
		leave_class(proc);
	else if (!rt->on && wanted && rt->left >= LEAST)
		enter_class(proc);
	/* Further ones change nothing before the next look. */
	WRITE_ONCE(rt->felt, wanted && (rt->on || rt->lacks || rt->left < LEAST));
	if (rt->on)
		look_again_in(rt, min_t(u64, SLICE, rt->left));
	else if (wanted)
		look_again_in(rt, wait_time(rt));
	rt_mutex_unlock(&rt->lock);
}

/**
 * aem_realtime_bind() - the owner, who is the caller, may want a booster
 * @proc: the context
 *
 * Context: may sleep, with none of our locks held.
 */
void aem_realtime_bind(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;

	WRITE_ONCE(rt->lacks, false);
	if (aem_realtime_may(proc) && !aem_booster_bind(proc))
		aem_realtime_look(proc);
}

static void look(struct kthread_work *work)
{
	aem_realtime_look(container_of(work, struct aem_process, realtime.work));
}

static enum hrtimer_restart time_is_over(struct hrtimer *timer)
{
	struct aem_process *proc = container_of(timer, struct aem_process, realtime.timer);

	/* Whoever was told that it need not call is called for, even if its event was handled. */
	if (READ_ONCE(proc->realtime.on) || READ_ONCE(proc->realtime.felt) ||
	    aem_realtime_is_urgent(aem_active_mask(proc)))
		kthread_queue_work(worker, &proc->realtime.work);
	return HRTIMER_NORESTART;
}

/**
 * aem_realtime_call() - something urgent has become active
 * @proc: the process
 *
 * Context: any, under the hint's lock, where it is not over.
 */
void aem_realtime_call(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;

	lockdep_assert_held(&proc->hint.lock);
	if (!aem_realtime_may(proc))
		return;
	if (current != proc->owner)
		kthread_queue_work(worker, &rt->work);
	else if (!hrtimer_is_queued(&rt->timer))
		look_again_in(rt, PATIENCE);
}

/** aem_realtime_init() - for a new context. */
void aem_realtime_init(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;

	rt_mutex_init(&rt->lock);
	aem_booster_init(proc);
	kthread_init_work(&rt->work, look);
	/* In hard interrupts: on PREEMPT_RT who is in the class could hold others up for ever. */
	aem_hrtimer_setup(&rt->timer, time_is_over, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
}

/**
 * aem_realtime_end() - the context ends: nobody calls any more
 * @proc: the context, with its hint over
 *
 * Context: may sleep.
 */
void aem_realtime_end(struct aem_process *proc)
{
	struct aem_realtime *rt = &proc->realtime;

	/* Whoever looks from now on finds that it is over, and starts no timer. */
	aem_realtime_look(proc);
	hrtimer_cancel(&rt->timer);
	kthread_cancel_work_sync(&rt->work);
	aem_booster_end(proc);
}
