// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's tracepoints for the lives of processes, and what they are called for.
 *
 * They call with preemption off, and newer kernels do not even that: so each takes RCU for itself.
 */
#include <linux/binfmts.h>
#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <aem/compat/exit.h>
#include <aem/probe.h>
#include "pexit.h"

#define TOLD_BITS	6
#define TOLD_ENDS	16

/**
 * struct told - the end of a process with several threads, that was told
 * @process: the address of what its threads share, compared only
 * @start:   when it began: an address can be used again, the two together cannot
 */
struct told {
	const struct signal_struct *process;
	u64 start;
};

static DEFINE_RAW_SPINLOCK(told_lock);
static struct told told[1 << TOLD_BITS][TOLD_ENDS];
static u8 told_next[1 << TOLD_BITS];

/* Was it told already? If not, remember it, if there are others who may come by. */
static bool was_told(struct task_struct *task, bool others)
{
	struct told me = { task->signal, task->group_leader->start_boottime };
	u32 bucket = hash_ptr(task->signal, TOLD_BITS);
	struct told *row = told[bucket];
	bool found = false;
	unsigned long flags;
	int i;

	raw_spin_lock_irqsave(&told_lock, flags);
	for (i = 0; i < TOLD_ENDS && !found; i++)
		found = row[i].process == me.process && row[i].start == me.start;
	if (!found && others)
		row[told_next[bucket]++ % TOLD_ENDS] = me;
	raw_spin_unlock_irqrestore(&told_lock, flags);
	return found;
}

/*
 * For kernels that do not say whether the process ends with this thread: several may find
 * that no thread is alive. Those who have let go of their memory are those who have seen
 * to the process's totals before, so the end is told by the first that finds
 * all others to have done so.
 */
static bool is_last(struct task_struct *task)
{
	bool others = false;
	struct task_struct *t;

	if (!aem_pexit_is_over(task))
		return false;
	for_each_thread(task, t) {
		if (t == task)
			continue;
		if (READ_ONCE(t->mm))
			return false;
		others = true;
	}
	return !was_told(task, others);
}

static bool __maybe_unused ends_process(struct task_struct *task)
{
	bool last;

	if (!aem_pexit_anybody(0))
		return false;
	rcu_read_lock();
	last = is_last(task);
	rcu_read_unlock();
	return last;
}

static void process_ended(struct task_struct *task)
{
	if (!aem_pexit_anybody(0))
		return;
	rcu_read_lock();
	aem_pexit_ended(task);
	rcu_read_unlock();
}

AEM_EXIT_PROBE(probe_exit, ends_process, process_ended)

static void probe_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	if (!thread_group_leader(child) || !aem_pexit_anybody(AEM_PEXIT_FORKS))
		return;
	rcu_read_lock();
	aem_pexit_forked(parent, child);
	rcu_read_unlock();
}

static void probe_exec(void *data, struct task_struct *task, pid_t old_pid,
		       struct linux_binprm *bprm)
{
	if (!aem_pexit_anybody(AEM_PEXIT_EXECS))
		return;
	rcu_read_lock();
	aem_pexit_execed(task);
	rcu_read_unlock();
}

/* A signal that the kernel made of a fault, and that nobody handles. Under the siglock. */
static void probe_signal(void *data, int sig, struct kernel_siginfo *info,
			 struct k_sigaction *action)
{
	if (action->sa.sa_handler != SIG_DFL || !aem_pexit_anybody(0) ||
	    !sig_specific_sicodes(sig) || sig == SIGCHLD || sig == SIGPOLL || sig == SIGSYS)
		return;
	/* Sent by somebody. */
	if (info->si_code <= 0)
		return;
	aem_pexit_fault_note(sig, info->si_code, (unsigned long)info->si_addr);
}

static struct aem_probe probes[] = {
	{ "sched_process_exit", probe_exit },
	{ "sched_process_fork", probe_fork },
	{ "sched_process_exec", probe_exec },
	{ "signal_deliver", probe_signal },
};

/** aem_pexit_probes_attach() - from now on the tracepoints call us. Return: 0 or an errno. */
int aem_pexit_probes_attach(void)
{
	int i, err = aem_probes_attach(probes, ARRAY_SIZE(probes));

	for (i = 0; err && i < ARRAY_SIZE(probes); i++)
		if (!probes[i].point)
			pr_err("aem-pexit: this kernel has no tracepoint %s\n", probes[i].name);
	return err;
}

/** aem_pexit_probes_detach() - no probe runs any more. */
void aem_pexit_probes_detach(void)
{
	aem_probes_detach(probes, ARRAY_SIZE(probes));
}
