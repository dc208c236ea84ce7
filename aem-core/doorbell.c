// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: which one a process has, and the portable one, a signal to the owner, whose
 * handler in libaem enters the kernel and runs what is due. The signal says only that
 * something is; so it does not matter that signals merge, nor that one without a queue
 * entry (memory was short) has no siginfo.
 */
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include "doorbell.h"
#include "redirect.h"
#include "trace.h"

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
