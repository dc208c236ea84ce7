// SPDX-License-Identifier: GPL-2.0
/*
 * The portable doorbell: a signal to the owner, whose handler in libaem enters the kernel and
 * runs what is due. The signal says only that something is; so it does not matter
 * that signals merge, nor that one without a queue entry (memory was short) has no siginfo.
 */
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include "doorbell.h"
#include "trace.h"

/** aem_doorbell_signal_is_good() - a signal that a program can handle. */
bool aem_doorbell_signal_is_good(u32 signo)
{
	return valid_signal(signo) && signo && !sig_kernel_only(signo);
}

/**
 * aem_doorbell_ring() - interrupt the owner
 * @proc: the process; the caller sees to it that it stays
 * @prio: of the event that rings, for the trace
 *
 * Context: any, with none of our locks held; takes the owner's siglock.
 */
void aem_doorbell_ring(struct aem_process *proc, u32 prio)
{
	if (READ_ONCE(proc->orphan))
		return;
	trace_aem_doorbell(proc, prio);
	send_sig_info(proc->signo, SEND_SIG_PRIV, proc->owner);
}
