// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbell that redirects the owner's registers: on its way to user space the owner
 * finds itself in the trampoline of libaem, with what it was doing in a frame on its stack.
 * uapi/linux/aem.h has the contract.
 *
 * All that happens to registers happens in task work, in the owner's own context. A task work
 * outlives what queued it, so it holds a reference on the context and on this module.
 */
#include <linux/compat.h>
#include <linux/module.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>
#include <aem/compat/redirect.h>
#include "doorbell.h"
#include "redirect.h"
#include "trace.h"

#define RED_ZONE	128

/* What a program may set of its flags, as in sigreturn. */
#define USER_FLAGS (X86_EFLAGS_AC | X86_EFLAGS_OF | X86_EFLAGS_DF | X86_EFLAGS_TF |	\
		    X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_AF | X86_EFLAGS_PF |	\
		    X86_EFLAGS_CF | X86_EFLAGS_RF)

/* Bits of aem_process.bell_state: the work is queued; it has something to do. */
enum { BELL_QUEUED, BELL_WANTED };

/* Not linked, so that the module loads where a kernel does not export it after all. */
static typeof(task_work_add) *add_work;
static bool was_used;

/** aem_redirect_init() - at load: is there what it takes? */
void aem_redirect_init(void)
{
	add_work = symbol_get(task_work_add);
}

/** aem_redirect_exit() - at unload: no context is left, but works may be about to return. */
void aem_redirect_exit(void)
{
	if (was_used)
		synchronize_rcu_tasks();
	if (add_work)
		symbol_put(task_work_add);
}

/** aem_redirect_is_there() - can registers be redirected on this kernel? */
bool aem_redirect_is_there(void)
{
	return add_work;
}

/**
 * aem_redirect_check() - is this a trampoline?
 * @t: given by user space
 *
 * Return: 0, -EINVAL, or -EOPNOTSUPP: not on this kernel, or not for a 32-bit program.
 */
int aem_redirect_check(const struct aem_trampoline *t)
{
	if (!add_work || in_compat_syscall())
		return -EOPNOTSUPP;
	if (t->entry >= TASK_SIZE_MAX || t->epilogue >= t->tail || t->tail >= TASK_SIZE_MAX)
		return -EINVAL;
	return 0;
}

/* Of the registers that a frame has, all but flags and stack pointer. */
static void save(struct aem_frame *frame, const struct pt_regs *regs)
{
	frame->bp = regs->bp;
	frame->bx = regs->bx;
	frame->r11 = regs->r11;
	frame->r10 = regs->r10;
	frame->r9 = regs->r9;
	frame->r8 = regs->r8;
	frame->di = regs->di;
	frame->si = regs->si;
	frame->dx = regs->dx;
	frame->cx = regs->cx;
	frame->ax = regs->ax;
	frame->ip = regs->ip;
}

static void restore(struct pt_regs *regs, const struct aem_frame *frame)
{
	regs->bp = frame->bp;
	regs->bx = frame->bx;
	regs->r11 = frame->r11;
	regs->r10 = frame->r10;
	regs->r9 = frame->r9;
	regs->r8 = frame->r8;
	regs->di = frame->di;
	regs->si = frame->si;
	regs->dx = frame->dx;
	regs->cx = frame->cx;
	regs->ax = frame->ax;
	regs->ip = frame->ip;
}

/* Where the frame is that the trampoline's epilogue is bringing back; 0: it is not there. */
static unsigned long frame_of_epilogue(const struct aem_trampoline *t, const struct pt_regs *regs)
{
	if (regs->ip == t->tail)
		return regs->sp - offsetof(struct aem_frame, flags);
	if (regs->ip == t->tail + 1)
		return regs->sp - offsetof(struct aem_frame, ip);
	return regs->ip >= t->epilogue && regs->ip < t->tail ? regs->sp : 0;
}

/*
 * An epilogue that was to be interrupted is completed instead. Nothing in its frame is
 * trusted. What another context's trampoline was bringing back is left alone, since
 * its level would have to be lowered and looked at, too.
 */
static bool finish_epilogue(const struct aem_trampoline *t, struct pt_regs *regs)
{
	unsigned long at = frame_of_epilogue(t, regs);
	struct aem_frame frame;

	if (!at)
		return true;
	if (copy_from_user(&frame, (void __user *)at, sizeof(frame)) ||
	    frame.cookie != t->cookie || frame.ip >= TASK_SIZE_MAX)
		return false;
	restore(regs, &frame);
	regs->flags = (regs->flags & ~USER_FLAGS) | (frame.flags & USER_FLAGS);
	regs->sp = at + sizeof(frame) + RED_ZONE;
	return true;
}

/* As a signal does whose handler has SA_RESTART. */
static void settle(struct pt_regs *regs)
{
	if (syscall_get_nr(current, regs) == -1)
		return;
	switch (syscall_get_error(current, regs)) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
		regs->ax = regs->orig_ax;
		regs->ip -= 2;
		break;
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		regs->ax = -EINTR;
	}
	regs->orig_ax = -1;
}

/*
 * In a system call that is not over? Task work runs in some that wait (io_uring), when
 * the result is not there yet and nobody looks at the registers. Until there is a result,
 * -ENOSYS stands in its place; so a call that has failed with it looks alike.
 *
 * And if another signal waits to interrupt the call, it says whether the call restarts.
 */
static bool is_in_syscall(struct pt_regs *regs)
{
	if (syscall_get_nr(current, regs) == -1)
		return false;
	return regs->ax == -ENOSYS || task_sigpending(current);
}

/* Signals know what to do in all of these, see uapi/linux/aem.h. */
static bool needs_signal(const struct aem_process *proc, struct pt_regs *regs)
{
	return regs->cs != __USER_CS || regs->ss != __USER_DS || current->ptrace ||
	       regs->flags & X86_EFLAGS_TF || is_in_syscall(regs) ||
	       sigismember(&current->blocked, proc->signo) || !sas_ss_flags(regs->sp) ||
	       aem_has_shadow_stack() || aem_is_in_rseq();
}

static bool redirect(struct aem_process *proc, struct pt_regs *regs, u32 level)
{
	struct aem_frame frame = { .cookie = proc->trampoline.cookie, .level = level };
	struct pt_regs next = *regs;

	if (needs_signal(proc, regs) || !finish_epilogue(&proc->trampoline, &next))
		return false;
	settle(&next);
	save(&frame, &next);
	frame.flags = next.flags;
	next.sp -= RED_ZONE + sizeof(frame);
	if (copy_to_user((void __user *)next.sp, &frame, sizeof(frame)))
		return false;
	next.ip = proc->trampoline.entry;
	next.flags &= ~(X86_EFLAGS_DF | X86_EFLAGS_TF | X86_EFLAGS_RF);
	WRITE_ONCE(proc->control->level, AEM_PRIORITIES);
	*regs = next;
	return true;
}

/* Not the address space that handlers are in: the process ends, or has done exec. */
static bool is_gone(const struct aem_process *proc)
{
	return READ_ONCE(proc->orphan) || current->mm != proc->mm;
}

static void deliver(struct aem_process *proc)
{
	struct pt_regs *regs = current_pt_regs();
	unsigned long ip = regs->ip;
	bool done;
	u32 level;

	if (is_gone(proc) || !aem_doorbell_is_due(proc, &level))
		return;
	done = redirect(proc, regs, level);
	trace_aem_redirect(proc, ip, done);
	if (done)
		aem_doorbell_redirected(proc);
	else
		aem_doorbell_signal(proc);
}

static void put(struct aem_process *proc)
{
	aem_process_put(proc);
	module_put(THIS_MODULE);
}

static void answer(struct callback_head *work)
{
	struct aem_process *proc = container_of(work, struct aem_process, bell_work);

	clear_bit(BELL_QUEUED, &proc->bell_state);
	/* From here on it may be queued again. Pairs with ring(). */
	smp_mb__after_atomic();
	if (test_and_clear_bit(BELL_WANTED, &proc->bell_state))
		deliver(proc);
	put(proc);
}

static void ring(struct aem_process *proc)
{
	set_bit(BELL_WANTED, &proc->bell_state);
	/* Before a look at BELL_QUEUED, which is a full barrier. Pairs with answer(). */
	if (test_and_set_bit(BELL_QUEUED, &proc->bell_state))
		return;
	if (!kref_get_unless_zero(&proc->refs))
		return;
	__module_get(THIS_MODULE);
	/* An owner that ends needs no bell. Our caller sees to it that this is not the last. */
	if (add_work(proc->owner, &proc->bell_work, TWA_SIGNAL))
		put(proc);
}

static void withdraw(struct aem_process *proc)
{
	clear_bit(BELL_WANTED, &proc->bell_state);
}

static const struct aem_doorbell by_redirection = {
	.name = "redirect",
	.ring = ring,
	.withdraw = withdraw,
};

/** aem_redirect_doorbell() - for a process that aem_redirect_check() found good. */
const struct aem_doorbell *aem_redirect_doorbell(struct aem_process *proc)
{
	init_task_work(&proc->bell_work, answer);
	was_used = true;
	return &by_redirection;
}
