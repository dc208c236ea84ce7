// SPDX-License-Identifier: GPL-2.0
/*
 * The soft real-time hint: while events are active, their owner is nicer to itself, by as much
 * as the most urgent of them is urgent, and never by more than it could be by itself. Where it
 * might enter the real-time class by itself, urgent events bring it there instead: realtime.c.
 *
 * The value is composed in O(1) from the active lists: 1 + the highest priority in them. It
 * goes up at once and comes down only when it is looked at, some milliseconds later, so that
 * a burst costs one boost. While it is up it is looked at again and again: rights that the
 * owner has lost meanwhile are gone with the next look.
 */
#include <linux/cred.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include "active.h"
#include "booster.h"
#include "hint.h"
#include "realtime.h"
#include "trace.h"

/* How long a boost stays at least, and how often it is looked at. */
#define LOOK	msecs_to_jiffies(8)

static uint hint_ceiling = 10;
module_param(hint_ceiling, uint, 0644);
MODULE_PARM_DESC(hint_ceiling, "steps of nice that AEM_SETUP_HINT may boost by; 0: none");

/* 1 + a priority; 0: none. */
static bool is_urgent(u32 value)
{
	return value > AEM_REALTIME_FROM;
}

static int steps_of(const struct aem_process *proc, u32 value)
{
	if (is_urgent(value) && aem_booster_is_there(proc) && aem_realtime_may(proc))
		return 0;
	return DIV_ROUND_UP(min_t(u32, READ_ONCE(hint_ceiling), NICE_WIDTH) * value,
			    AEM_PRIORITIES);
}

/**
 * aem_hint_is_capable() - has the owner CAP_SYS_NICE?
 * @proc: the process
 *
 * Activations come in anybody's context, so what was found at setup counts, for as long as the
 * owner's credentials are those of then.
 */
bool aem_hint_is_capable(const struct aem_process *proc)
{
	bool capable;

	rcu_read_lock();
	capable = proc->hint.cred && __task_cred(proc->owner) == proc->hint.cred;
	rcu_read_unlock();
	return capable;
}

/* What setpriority() would allow the owner. */
static int lowest_nice(const struct aem_process *proc)
{
	if (aem_hint_is_capable(proc))
		return MIN_NICE;
	return MAX_NICE + 1 - (int)min_t(unsigned long, task_rlimit(proc->owner, RLIMIT_NICE),
					 NICE_WIDTH);
}

/* Somebody else's change of the nice value while we boosted it stays. */
static void apply(struct aem_process *proc, u32 value)
{
	struct aem_hint *hint = &proc->hint;
	int now = task_nice(proc->owner), want;

	lockdep_assert_held(&hint->lock);
	if (!hint->steps || now != hint->nice)
		hint->base = now;
	want = max(hint->base - steps_of(proc, value), lowest_nice(proc));
	want = value ? min(want, hint->base) : hint->base;
	WRITE_ONCE(hint->value, value);
	if (want == now && hint->steps == hint->base - want)
		return;
	set_user_nice(proc->owner, want);
	hint->nice = want;
	WRITE_ONCE(hint->steps, hint->base - want);
	trace_aem_hint(proc, value, want);
}

/**
 * aem_hint_boost() - let the owner feel what is active
 * @proc:  the process
 * @value: 1 + the priority of what has become active
 *
 * Context: any, with none of our locks held.
 */
void aem_hint_boost(struct aem_process *proc, u32 value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&proc->hint.lock, flags);
	if (!proc->hint.over) {
		if (value > proc->hint.value) {
			apply(proc, value);
			schedule_delayed_work(&proc->hint.look, LOOK);
		}
		if (is_urgent(value))
			aem_realtime_call(proc);
	}
	raw_spin_unlock_irqrestore(&proc->hint.lock, flags);
}

static void look(struct work_struct *work)
{
	struct aem_process *proc = container_of(to_delayed_work(work), struct aem_process,
						hint.look);

	raw_spin_lock_irq(&proc->hint.lock);
	while (!proc->hint.over) {
		apply(proc, fls(aem_active_mask(proc)));
		/* What becomes active sees the value lowered, or is seen. Pairs with the raise. */
		smp_mb();
		if (fls(aem_active_mask(proc)) <= proc->hint.value)
			break;
	}
	if (proc->hint.value)
		schedule_delayed_work(&proc->hint.look, LOOK);
	raw_spin_unlock_irq(&proc->hint.lock);
}

/** aem_hint_init() - for a new context. */
void aem_hint_init(struct aem_process *proc)
{
	raw_spin_lock_init(&proc->hint.lock);
	INIT_DELAYED_WORK(&proc->hint.look, look);
	aem_realtime_init(proc);
}

/** aem_hint_setup() - what may the owner, who is the caller? */
void aem_hint_setup(struct aem_process *proc)
{
	if (!(proc->flags & AEM_SETUP_HINT))
		return;
	if (ns_capable_noaudit(&init_user_ns, CAP_SYS_NICE))
		proc->hint.cred = get_current_cred();
	aem_booster_setup(proc);
}

/**
 * aem_hint_end() - give back what was taken: the context ends
 * @proc: the context. Doing it again does no harm
 *
 * Context: process context, may sleep.
 */
void aem_hint_end(struct aem_process *proc)
{
	if (!(proc->flags & AEM_SETUP_HINT))
		return;
	raw_spin_lock_irq(&proc->hint.lock);
	if (!proc->hint.over)
		apply(proc, 0);
	WRITE_ONCE(proc->hint.over, true);
	raw_spin_unlock_irq(&proc->hint.lock);
	cancel_delayed_work_sync(&proc->hint.look);
	aem_realtime_end(proc);
}
