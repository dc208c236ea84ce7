// SPDX-License-Identifier: GPL-2.0
/*
 * Boosters: threads that lend owners their priority.
 *
 * An owner's policy is never touched. A policy is the task's own: who has one needs no right to
 * it any more, so a call of sched_setscheduler() that has looked while it was lent would set it
 * for good after it was taken back; and a child that is forked while it changes copies a part.
 * What a task inherits from who waits for it is neither its own nor its children's. So an owner
 * holds a mutex that knows inheritance, for as long as its context lives, and a booster sleeps
 * in the attempt to get it. The booster's class is changed; the owner feels the same at once.
 *
 * There are no more boosters than a few per processor, for no more owners than there are
 * processors can use one at a time. Who has had one for a while without using it right now
 * gives it to who has none.
 *
 * A booster begins to wait while the owner sleeps in our call. So it does not spin, as who waits
 * for a running owner does, and finds no chain of futexes behind the owner: one that is too long
 * is a deadlock to the kernel, which ends the thread.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "booster.h"

#define PER_PROCESSOR	2U
/* How long it stays with an owner at least. */
#define TENURE		HZ
/* Its own end of waiting. Only the kernel may send it. */
#define ENOUGH		SIGUSR1

/**
 * struct aem_booster - a thread that waits for an owner
 * @list:     in boosters, the one that came to its owner first in front; under binding
 * @task:     the thread; constant
 * @proc:     whose owner it is to wait for; set under binding, cleared by the thread when it
 *            does not any more
 * @asked:    tells the thread and who waits for it of a change of @proc
 * @begun:    it is about to wait
 * @switches: how often it had given up its processor by itself then
 * @since:    when it came to its owner, in jiffies; under binding
 * @on:       its owner feels it; under using
 */
struct aem_booster {
	struct list_head list;
	struct task_struct *task;
	struct aem_process *proc;
	wait_queue_head_t asked;
	bool begun;
	unsigned long switches;
	unsigned long since;
	bool on;
};

/*
 * Protects who is with whom. A mutex, outside of using, inside of none; held while a booster
 * comes or goes, so whoever ends somebody's boost must not take it.
 */
static DEFINE_MUTEX(binding);
static LIST_HEAD(boosters);
static unsigned int count;

/* Protects whether they are felt, and so may not go. A leaf. */
static DEFINE_SPINLOCK(using);

static void wait_for_owner(struct aem_booster *booster, struct aem_process *proc)
{
	booster->switches = current->nvcsw;
	/* Pairs with has_begun(). */
	smp_store_release(&booster->begun, true);
	if (!rt_mutex_lock_interruptible(&proc->realtime.held)) {
		WARN_ONCE(1, "an owner has let go\n");
		rt_mutex_unlock(&proc->realtime.held);
	}
	flush_signals(current);
	WRITE_ONCE(booster->begun, false);
	/* From here on the context may go. Pairs with part(). */
	smp_store_release(&booster->proc, NULL);
	wake_up_all(&booster->asked);
}

static int boost(void *data)
{
	struct aem_booster *booster = data;
	struct aem_process *proc;

	allow_kernel_signal(ENOUGH);
	for (;;) {
		wait_event_idle(booster->asked,
				kthread_should_stop() || READ_ONCE(booster->proc));
		/* Pairs with meet(). */
		proc = smp_load_acquire(&booster->proc);
		if (!proc)
			return 0;
		wait_for_owner(booster, proc);
	}
}

/* Does it sleep in the mutex? There is nothing else to do for it that sleeps. */
static bool has_begun(const struct aem_booster *booster)
{
	/* Pairs with wait_for_owner(). */
	return smp_load_acquire(&booster->begun) &&
	       READ_ONCE(booster->task->nvcsw) != booster->switches;
}

static struct aem_booster *make(void)
{
	struct aem_booster *booster;

	lockdep_assert_held(&binding);
	if (count >= PER_PROCESSOR * num_online_cpus())
		return NULL;
	booster = kzalloc(sizeof(*booster), GFP_KERNEL);
	if (!booster)
		return NULL;
	init_waitqueue_head(&booster->asked);
	booster->task = kthread_run(boost, booster, "aem_boost/%u", count);
	if (IS_ERR(booster->task)) {
		kfree(booster);
		return NULL;
	}
	list_add(&booster->list, &boosters);
	count++;
	return booster;
}

/* Returns when it waits no more. */
static void part(struct aem_booster *booster)
{
	lockdep_assert_held(&binding);
	/* Others that compute do not keep it from going. Its owner feels no nice value. */
	sched_set_normal(booster->task, MIN_NICE);
	send_sig(ENOUGH, booster->task, 1);
	/* Pairs with wait_for_owner(). */
	wait_event(booster->asked, !smp_load_acquire(&booster->proc));
}

/* No owner finds its booster from now on, if it may go. */
static bool take_away(struct aem_booster *booster)
{
	bool taken;

	lockdep_assert_held(&binding);
	spin_lock(&using);
	taken = !booster->on;
	if (taken)
		WRITE_ONCE(booster->proc->realtime.booster, NULL);
	spin_unlock(&using);
	return taken;
}

/* One that is free, or new, or has been where it is for the longest time. */
static struct aem_booster *find(void)
{
	struct aem_booster *booster;

	lockdep_assert_held(&binding);
	list_for_each_entry(booster, &boosters, list)
		if (!booster->proc)
			return booster;
	booster = make();
	if (booster)
		return booster;
	list_for_each_entry(booster, &boosters, list) {
		if (time_before(jiffies, booster->since + TENURE))
			break;
		if (take_away(booster)) {
			part(booster);
			return booster;
		}
	}
	return NULL;
}

/* As nice as the owner, which so feels nothing. */
static void meet(struct aem_booster *booster, struct aem_process *proc)
{
	lockdep_assert_held(&binding);
	sched_set_normal(booster->task, task_nice(proc->owner));
	/* Pairs with boost(). */
	smp_store_release(&booster->proc, proc);
	wake_up_all(&booster->asked);
	while (!has_begun(booster))
		usleep_range(50, 100);
	sched_set_normal(booster->task, MAX_NICE);
	booster->since = jiffies;
	list_move_tail(&booster->list, &boosters);
	/* Pairs with aem_booster_on(). */
	smp_store_release(&proc->realtime.booster, booster);
}

/**
 * aem_booster_bind() - get the owner a booster
 * @proc: the context of the caller, who is the owner
 *
 * Context: may sleep, with none of our locks held.
 * Return: 0; -EAGAIN: there is none now, try again later.
 */
int aem_booster_bind(struct aem_process *proc)
{
	struct aem_booster *booster;

	mutex_lock(&binding);
	booster = proc->realtime.booster;
	if (!booster && !READ_ONCE(proc->hint.over)) {
		booster = find();
		if (booster)
			meet(booster, proc);
	}
	mutex_unlock(&binding);
	return booster ? 0 : -EAGAIN;
}

/**
 * aem_booster_on() - have the owner feel real time
 * @proc: the context
 *
 * Context: may sleep, under the lock of realtime.
 * Return: whether it does.
 */
bool aem_booster_on(struct aem_process *proc)
{
	struct aem_booster *booster;

	lockdep_assert_held(&proc->realtime.lock);
	spin_lock(&using);
	/* Pairs with meet(). */
	booster = smp_load_acquire(&proc->realtime.booster);
	if (booster)
		booster->on = true;
	spin_unlock(&using);
	if (booster)
		sched_set_fifo_low(booster->task);
	return booster;
}

/**
 * aem_booster_off() - end that. When it returns the owner feels nothing
 * @proc: the context, with aem_booster_on() before
 *
 * Context: may sleep, under the lock of realtime.
 */
void aem_booster_off(struct aem_process *proc)
{
	struct aem_booster *booster = proc->realtime.booster;

	lockdep_assert_held(&proc->realtime.lock);
	sched_set_normal(booster->task, MAX_NICE);
	spin_lock(&using);
	booster->on = false;
	spin_unlock(&using);
}

/** aem_booster_init() - for a new context. */
void aem_booster_init(struct aem_process *proc)
{
	rt_mutex_init(&proc->realtime.held);
}

/**
 * aem_booster_setup() - the owner, who is the caller, can be waited for from now on
 * @proc: the context
 *
 * It never lets go, and nobody but boosters waits. So the mutex may go with the context.
 */
void aem_booster_setup(struct aem_process *proc)
{
	WARN_ON_ONCE(!rt_mutex_trylock(&proc->realtime.held));
	/* It returns to user space with it. */
	mutex_release(&proc->realtime.held.dep_map, _RET_IP_);
}

/**
 * aem_booster_end() - nobody waits for the owner any more
 * @proc: the context, with its hint over, and nothing that could call aem_booster_on()
 *
 * Context: may sleep.
 */
void aem_booster_end(struct aem_process *proc)
{
	struct aem_booster *booster;

	mutex_lock(&binding);
	booster = proc->realtime.booster;
	if (booster && take_away(booster))
		part(booster);
	mutex_unlock(&binding);
}

/** aem_booster_exit() - at unload: no context is left. */
void aem_booster_exit(void)
{
	struct aem_booster *booster, *next;

	list_for_each_entry_safe(booster, next, &boosters, list) {
		kthread_stop(booster->task);
		kfree(booster);
	}
}
