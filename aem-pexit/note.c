// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of a process that ends, forks or begins another program.
 *
 * Facts are gathered once, however many watches there are; each watch gets what its owner may
 * know, in the numbers of its namespaces.
 */
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>
#include "pexit.h"

/**
 * aem_pexit_is_over() - has the last thread ended?
 * @task: any thread of the process
 *
 * The status is settled then: what wait(2) will tell.
 */
bool aem_pexit_is_over(struct task_struct *task)
{
	return !atomic_read(&task->signal->live);
}

/* Threads that have gone, and those that have not: once, without a lock. */
static void add_up(struct task_struct *task, u64 *user, u64 *system, u64 *total)
{
	struct signal_struct *signal = task->signal;
	struct task_struct *t;

	*user = signal->utime;
	*system = signal->stime;
	*total = signal->sum_sched_runtime;
	for_each_thread(task, t) {
		*user += t->utime;
		*system += t->stime;
		*total += READ_ONCE(t->se.sum_exec_runtime);
	}
}

/*
 * A thread that goes while we count would be missed or counted twice. The kernel waits for it
 * under a lock, which a tracepoint cannot; a few attempts do.
 */
static void sample_times(struct task_struct *task, u64 *user, u64 *system, u64 *total)
{
	seqcount_t *count = &task->signal->stats_lock.seqcount.seqcount;
	unsigned int seq;
	int attempts = 4;

	do {
		seq = raw_read_seqcount(count);
		add_up(task, user, system, total);
	} while ((seq & 1 || read_seqcount_retry(count, seq)) && --attempts);
}

/* The scheduler knows the sum exactly, ticks how it divides: as wait(2) does it. */
static void fill_times(struct aem_pexit_note *note, struct task_struct *task)
{
	u64 user, system, total;

	sample_times(task, &user, &system, &total);
	if (!system)
		note->system = 0;
	else if (!user)
		note->system = total;
	else
		note->system = mul_u64_u64_div_u64(system, total, user + system);
	note->user = total - note->system;
}

static void fill_end(struct aem_pexit_facts *facts)
{
	struct aem_pexit_note *note = &facts->note;
	struct signal_struct *signal = facts->task->signal;

	note->status = signal->group_exit_code;
	note->peak = (u64)signal->maxrss << PAGE_SHIFT;
	fill_times(note, facts->task);
	aem_pexit_fault_find(facts->task, facts);
}

static struct pid *parent_of(struct task_struct *task)
{
	struct task_struct *parent = rcu_dereference(task->group_leader->real_parent);

	return parent ? task_tgid(parent) : NULL;
}

/**
 * aem_pexit_facts_init() - who it is; the rest is gathered when somebody wants to know
 * @facts: filled
 * @kind:  what happened
 * @task:  the process, or any thread of it
 *
 * Context: RCU read side, as long as the facts are used.
 */
void aem_pexit_facts_init(struct aem_pexit_facts *facts, enum aem_pexit_kind kind,
			  struct task_struct *task)
{
	facts->note.kind = kind;
	facts->task = task;
	facts->process = task_tgid(task);
	facts->parent = NULL;
	facts->known = false;
}
EXPORT_SYMBOL_GPL(aem_pexit_facts_init);

static void gather(struct aem_pexit_facts *facts)
{
	struct aem_pexit_note *note = &facts->note;
	u32 kind = note->kind;

	memset(note, 0, sizeof(*note));
	note->kind = kind;
	note->time = ktime_get_ns();
	facts->parent = facts->parent ?: parent_of(facts->task);
	facts->cred = __task_cred(facts->task);
	facts->dumpable = false;
	/* A thread may change it at this moment: then it is some of both, never too long. */
	memcpy(note->comm, facts->task->group_leader->comm, sizeof(note->comm));
	note->comm[sizeof(note->comm) - 1] = '\0';
	if (kind == AEM_PEXIT_END)
		fill_end(facts);
	facts->known = true;
}

static void hide_fault(struct aem_pexit_note *note)
{
	note->flags &= ~(AEM_PEXIT_F_FAULT | AEM_PEXIT_F_ADDRESS);
	note->code = 0;
	note->address = 0;
	note->ip = 0;
}

static void hide_all(struct aem_pexit_note *note)
{
	*note = (struct aem_pexit_note){
		.kind = note->kind, .pid = note->pid, .time = note->time,
	};
}

/**
 * aem_pexit_facts_write() - what the owner of a watch may know
 * @facts: of a process
 * @w:     the watch
 * @note:  filled; @pid 0: the process cannot be seen from there
 */
void aem_pexit_facts_write(struct aem_pexit_facts *facts,
			   const struct aem_pexit_watch_state *w, struct aem_pexit_note *note)
{
	struct pid_namespace *ns = ns_of_pid(w->owner);

	BUILD_BUG_ON(sizeof(note->comm) != TASK_COMM_LEN);
	if (!facts->known)
		gather(facts);
	*note = facts->note;
	note->pid = pid_nr_ns(facts->process, ns);
	if (facts->parent != w->owner && !aem_cred_may_signal(w->cred, facts->cred)) {
		hide_all(note);
		return;
	}
	note->flags |= AEM_PEXIT_F_STATUS;
	note->parent = pid_nr_ns(facts->parent, ns);
	note->uid = from_kuid_munged(w->cred->user_ns, facts->cred->uid);
	if (!aem_pexit_may_trace(w->cred, facts->cred, facts->dumpable))
		hide_fault(note);
}
