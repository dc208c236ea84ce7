// SPDX-License-Identifier: GPL-2.0
/*
 * Remembers faults until the process has ended.
 *
 * The thread that a fault kills knows where; the one that ends the process later may be
 * another. Between the two, a core dump may be written. The table is small: what it forgets is
 * told without details.
 */
#include <linux/hash.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <aem/compat/dumpable.h>
#include "pexit.h"

#define BUCKET_BITS	6
#define BUCKET_FAULTS	4

/**
 * struct fault - one that a process is ending from
 * @process:  whose: the address of what its threads share, compared only
 * @start:    when that began: an address can be used again, the two together cannot
 * @address:  of the fault
 * @ip:       instruction pointer
 * @sig:      the signal that it became
 * @code:     its si_code
 * @dumpable: the process's core might be dumped by its user
 */
struct fault {
	const struct signal_struct *process;
	u64 start;
	unsigned long address;
	unsigned long ip;
	int sig;
	int code;
	bool dumpable;
};

/* Protects all of it; taken under the siglock, a leaf. */
static DEFINE_RAW_SPINLOCK(faults_lock);
static struct fault faults[1 << BUCKET_BITS][BUCKET_FAULTS];
static u8 next[1 << BUCKET_BITS];

static u32 bucket_of(const struct task_struct *task)
{
	return hash_ptr(task->signal, BUCKET_BITS);
}

static bool is_of(const struct fault *fault, const struct task_struct *task)
{
	return fault->process == task->signal &&
	       fault->start == task->group_leader->start_boottime;
}

/**
 * aem_pexit_fault_note() - a fault kills the current process
 * @sig:     the signal
 * @code:    si_code
 * @address: where
 */
void aem_pexit_fault_note(int sig, int code, unsigned long address)
{
	struct fault fault = {
		.process = current->signal,
		.start = current->group_leader->start_boottime,
		.address = address,
		.ip = instruction_pointer(task_pt_regs(current)),
		.sig = sig,
		.code = code,
		.dumpable = aem_current_is_dumpable(),
	};
	u32 bucket = bucket_of(current);
	unsigned long flags;

	raw_spin_lock_irqsave(&faults_lock, flags);
	faults[bucket][next[bucket]++ % BUCKET_FAULTS] = fault;
	raw_spin_unlock_irqrestore(&faults_lock, flags);
}

/* SI_KERNEL and what is above it say nothing of an address. */
static bool has_address(const struct fault *fault)
{
	return fault->code < SI_KERNEL;
}

static void tell(const struct fault *fault, struct aem_pexit_facts *facts)
{
	facts->note.flags |= AEM_PEXIT_F_FAULT;
	facts->note.code = fault->code;
	facts->note.ip = fault->ip;
	facts->dumpable = fault->dumpable;
	if (has_address(fault)) {
		facts->note.flags |= AEM_PEXIT_F_ADDRESS;
		facts->note.address = fault->address;
	}
}

/**
 * aem_pexit_fault_find() - the fault that a process ended from
 * @task:  of the process
 * @facts: its status is filled; gets the details, if they are known
 */
void aem_pexit_fault_find(struct task_struct *task, struct aem_pexit_facts *facts)
{
	struct fault *row = faults[bucket_of(task)];
	int sig = facts->note.status & 0x7f;
	bool found = false;
	unsigned long flags;
	int i;

	if (!sig)
		return;
	raw_spin_lock_irqsave(&faults_lock, flags);
	for (i = 0; i < BUCKET_FAULTS && !found; i++) {
		found = is_of(&row[i], task) && row[i].sig == sig;
		if (found)
			tell(&row[i], facts);
	}
	raw_spin_unlock_irqrestore(&faults_lock, flags);
}
