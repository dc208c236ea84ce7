// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: which one a process has, and the portable one, a signal to the owner, whose
 * handler in libaem enters the kernel and runs what is due. The signal says only that
 * something is; so it does not matter that signals merge, nor that one without a queue
 * entry (memory was short) has no siginfo.
 */
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <aem/compat/hrtimer.h>
#include "active.h"
#include "doorbell.h"
#include "realtime.h"
#include "redirect.h"
#include "trace.h"

/* After a pause that ended while the level was raised: how long until the next look, in ns. */
#define LOOK_AGAIN	NSEC_PER_MSEC

/** aem_doorbell_signal() - ring by signal. Any context, takes the owner's siglock. */
void aem_doorbell_signal(struct aem_process *proc)
{
	send_sig_info(proc->signo, SEND_SIG_PRIV, proc->owner);
}

/* What is pending cannot be taken back: the handler finds nothing to do. */
static const struct aem_doorbell by_signal = {
	.name = "signal",
	.ring = aem_doorbell_signal,
};

/* A signal that a program can handle. */
static bool signal_is_good(u32 signo)
{
	return valid_signal(signo) && signo && !sig_kernel_only(signo);
}

/**
 * aem_doorbell_check() - can the owner be interrupted as it wishes?
 * @setup: the wish
 *
 * Return: 0, -EINVAL or -EOPNOTSUPP.
 */
int aem_doorbell_check(const struct aem_setup *setup)
{
	bool safepoint = setup->flags & AEM_SETUP_SAFEPOINT;

	if (setup->flags & ~(AEM_SETUP_SAFEPOINT | AEM_SETUP_REDIRECT | AEM_SETUP_HINT))
		return -EINVAL;
	if (safepoint ? setup->signo : !signal_is_good(setup->signo))
		return -EINVAL;
	if (setup->flags & AEM_SETUP_REDIRECT)
		return safepoint ? -EINVAL : aem_redirect_check(&setup->trampoline);
	return memchr_inv(&setup->trampoline, 0, sizeof(setup->trampoline)) ? -EINVAL : 0;
}

/**
 * aem_doorbell_setup() - hang the bell
 * @proc:  not ready yet
 * @setup: as aem_doorbell_check() found it good
 */
void aem_doorbell_setup(struct aem_process *proc, const struct aem_setup *setup)
{
	proc->signo = setup->signo;
	proc->trampoline = setup->trampoline;
	proc->bell = setup->flags & AEM_SETUP_REDIRECT ? aem_redirect_doorbell(proc) : &by_signal;
}

/** aem_doorbell_features() - AEM_FEATURE_*: the doorbells that there are. */
u32 aem_doorbell_features(void)
{
	return AEM_FEATURE_SIGNAL | (aem_redirect_is_there() ? AEM_FEATURE_REDIRECT : 0);
}

/**
 * aem_doorbell_ring() - interrupt the owner
 * @proc: the process; the caller sees to it that it stays
 * @prio: of the event that rings, for the trace
 *
 * Context: any, with none of our locks held.
 */
void aem_doorbell_ring(struct aem_process *proc, u32 prio)
{
	if (READ_ONCE(proc->orphan))
		return;
	trace_aem_doorbell(proc, prio);
	proc->bell->ring(proc);
}

/** aem_doorbell_redirected() - the owner's registers were redirected: count it. */
void aem_doorbell_redirected(struct aem_process *proc)
{
	raw_spin_lock_irq(&proc->lock);
	proc->counters.redirects++;
	raw_spin_unlock_irq(&proc->lock);
}

/* What interrupts at the level that the process has put into its control page. */
static u32 due_now(const struct aem_process *proc, u32 *level)
{
	lockdep_assert_held(&proc->lock);
	*level = min_t(u32, READ_ONCE(proc->control->level), AEM_PRIORITIES);
	return aem_active_from(proc, *level, false);
}

/* All of its events wait for safe points. */
static bool never_rings(const struct aem_process *proc)
{
	return proc->flags & AEM_SETUP_SAFEPOINT;
}

/**
 * aem_doorbell_hush() - no bell, the process is in the kernel and will look
 * @proc: the process
 *
 * Every aem_doorbell_hush() is followed by aem_doorbell_unhush().
 */
void aem_doorbell_hush(struct aem_process *proc)
{
	if (never_rings(proc))
		return;
	raw_spin_lock_irq(&proc->lock);
	proc->silence = AEM_SILENCE_HUSHED;
	raw_spin_unlock_irq(&proc->lock);
	aem_doorbell_withdraw(proc);
}

/* Let it ring from priority @from on, or tell the owner now. Bits of those that are active. */
static u32 let_ring(struct aem_process *proc, u32 from)
{
	u32 mask, due, level;

	raw_spin_lock_irq(&proc->lock);
	mask = aem_active_from(proc, 0, true);
	due = due_now(proc, &level) & (u32)(~0ULL << from);
	proc->silence = from;
	if (due && current != proc->owner) {
		proc->silence = AEM_SILENCE_RUNG;
		proc->counters.doorbells++;
	} else {
		due = 0;
	}
	raw_spin_unlock_irq(&proc->lock);
	if (due)
		aem_doorbell_ring(proc, fls(due) - 1);
	return mask;
}

/**
 * aem_doorbell_unhush() - the process leaves: what becomes active from now on may ring
 * @proc: the process
 * @from: the lowest priority that may; those below it wait for aem_doorbell_resume_after()
 *
 * The bell was silent for what became active meanwhile. The caller is told, and
 * delivers it; if it is not the owner, the owner's bell rings all the same.
 *
 * Return: bit p is set while events of priority p are active.
 */
u32 aem_doorbell_unhush(struct aem_process *proc, u32 from)
{
	u32 mask = never_rings(proc) ? aem_active_mask(proc) : let_ring(proc, from);

	aem_realtime_left(proc, mask);
	return mask;
}

/**
 * aem_doorbell_lie_down() - the caller goes to sleep in AEM_IOC_ENTER
 * @proc:  the process, under its lock
 * @level: the caller is woken for events from this priority on
 *
 * For the others it is the owner's bell that rings, unless it is the owner who sleeps.
 *
 * Return: priorities for which the caller is to ring, without the lock.
 */
u32 aem_doorbell_lie_down(struct aem_process *proc, u32 level)
{
	u32 due, owners_level;

	lockdep_assert_held(&proc->lock);
	if (current == proc->owner || proc->silence != AEM_SILENCE_HUSHED)
		return 0;
	due = due_now(proc, &owners_level) & ~(u32)(~0ULL << level);
	proc->silence = due ? AEM_SILENCE_RUNG : 0;
	proc->counters.doorbells += !!due;
	return due;
}

/*
 * The pause is over, unless the bell has rung or somebody is in AEM_IOC_ENTER, which ends it. Who
 * asked for it does not look for what it silences as it lowers its level; that may be still to
 * come, so what the level holds back now is looked for again.
 */
static enum hrtimer_restart resume(struct hrtimer *timer)
{
	struct aem_process *proc = container_of(timer, struct aem_process, pause);
	u32 due, held_back, level;
	unsigned long flags;

	raw_spin_lock_irqsave(&proc->lock, flags);
	due = due_now(proc, &level);
	held_back = aem_active_from(proc, 0, false) & ~due;
	if (proc->silence <= AEM_PRIORITIES) {
		proc->silence = due ? AEM_SILENCE_RUNG : 0;
		proc->counters.doorbells += !!due;
	} else {
		due = 0;
	}
	raw_spin_unlock_irqrestore(&proc->lock, flags);
	if (due)
		aem_doorbell_ring(proc, fls(due) - 1);
	/* Whoever starts it at the same time may do so. */
	if (held_back)
		hrtimer_start(timer, LOOK_AGAIN, HRTIMER_MODE_REL_SOFT);
	return HRTIMER_NORESTART;
}

/** aem_doorbell_init() - for a new process. */
void aem_doorbell_init(struct aem_process *proc)
{
	aem_hrtimer_setup(&proc->pause, resume, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
}

/**
 * aem_doorbell_resume_after() - end the silence of aem_doorbell_unhush() after a while
 * @proc: the process
 * @ns:   nanoseconds
 *
 * Context: process context, after aem_doorbell_unhush(): a timer that came before it would find
 * nothing to end.
 */
void aem_doorbell_resume_after(struct aem_process *proc, u64 ns)
{
	mutex_lock(&proc->enter_lock);
	/* Else aem_doorbell_stop() may have been here already. */
	if (proc->ready)
		hrtimer_start(&proc->pause, ns_to_ktime(ns), HRTIMER_MODE_REL_SOFT);
	mutex_unlock(&proc->enter_lock);
}

/**
 * aem_doorbell_stop() - the context is not ready any more: no pause begins or ends
 * @proc: the context
 *
 * Context: may sleep. The caller has a reference, so that the timer's is not the last.
 */
void aem_doorbell_stop(struct aem_process *proc)
{
	hrtimer_cancel(&proc->pause);
}

/**
 * aem_doorbell_is_due() - the owner is about to be interrupted: is there still reason to?
 * @proc:  the process
 * @level: filled with the level that was found
 *
 * If there is none, the bell may ring anew: what is held back now is seen by the process
 * itself when it lowers its level.
 *
 * Context: the owner's, so that the level does not change meanwhile.
 * Return: whether an event may interrupt.
 */
bool aem_doorbell_is_due(struct aem_process *proc, u32 *level)
{
	u32 due;

	raw_spin_lock_irq(&proc->lock);
	due = due_now(proc, level);
	if (!due && proc->silence != AEM_SILENCE_HUSHED)
		proc->silence = 0;
	raw_spin_unlock_irq(&proc->lock);
	return due;
}
