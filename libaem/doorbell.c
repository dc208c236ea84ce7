// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbell's signal, and which contexts of a thread it may mean.
 *
 * The list of a thread is changed only by the thread itself, by single stores, so
 * that its signal handler finds a whole list at any time.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

/* initial-exec: a signal handler must not be the one to allocate it. */
static __thread struct aem *thread_contexts
	__attribute__((tls_model("initial-exec")));

/** aem_doorbell_anchor() - a value that tells the calling thread from all others. */
const void *aem_doorbell_anchor(void)
{
	return &thread_contexts;
}

/*
 * Between lowering the level at the end of the signal handler and sigreturn() the next signal may
 * come. It is served on top of what has ended but for the return; were its own handler to end
 * alike, a storm would let the stack grow without bound. So a handler that has another below it
 * blocks the signal before it lowers the level, and sigreturn() brings the mask back. That costs a
 * system call, which what interrupts the program itself need not make.
 *
 * @inside says too little only in the handler's last instructions, which @left helps
 * out with, and too much only after jumps out of handlers that nobody has told of; that costs time.
 */
static __thread unsigned int inside __attribute__((tls_model("initial-exec")));
/* Address of what the last one to end restores, if it did not block the signal. */
static __thread uintptr_t left __attribute__((tls_model("initial-exec")));

/* Where the interrupted program's stack ended, and how far below @left that may be at the end. */
#if defined(__x86_64__)
#define SP(context)	((uintptr_t)(context)->uc_mcontext.gregs[REG_RSP])
#define NEAR		1024
#elif defined(__i386__)
#define SP(context)	((uintptr_t)(context)->uc_mcontext.gregs[REG_ESP])
#define NEAR		1024
#else
/* Not far above our own context. */
#define SP(context)	((uintptr_t)(context))
#define NEAR		16384
#endif

/** aem_doorbell_depth() - how many calls of the signal handler the thread is in. */
unsigned int aem_doorbell_depth(void)
{
	return LOAD(inside);
}

/** aem_doorbell_unwind() - all but so many of them were left by a jump. */
void aem_doorbell_unwind(unsigned int depth)
{
	STORE(inside, depth);
}

static void mask_signal(int signo, int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	pthread_sigmask(how, &set, NULL);
}

/**
 * struct ending - how a call of the signal handler ends
 * @blocking: the signal must not come before sigreturn()
 * @blocked:  it is blocked
 */
struct ending {
	bool blocking;
	bool blocked;
};

static void set_blocked(const struct aem *aem, struct ending *ending, bool blocked)
{
	if (!ending->blocking || ending->blocked == blocked)
		return;
	mask_signal(aem->signo, blocked ? SIG_BLOCK : SIG_UNBLOCK);
	ending->blocked = blocked;
}

/* As the trampoline does. While handlers run, what is more urgent may interrupt them. */
static void dispatch(struct aem *aem, unsigned int level, struct ending *ending)
{
	uint32_t fruitless = 0;
	int look;

	do {
		mask_all(aem);
		set_blocked(aem, ending, false);
		look = aem_dispatch_interrupt(aem, level, &fruitless);
		set_blocked(aem, ending, true);
	} while (lower_and_look(aem, level, look < 0 ? level : (unsigned int)look) && look >= 0);
}

/*
 * Enter even if nothing seems pending: what the bell rang for may have been
 * withdrawn, and the bell stays silent until somebody enters.
 */
static void answer(struct aem *aem, struct ending *ending)
{
	unsigned int level = level_of(aem);

	if (level >= AEM_LEVEL_ALL)
		STORE(aem->swallowed, true);
	else
		dispatch(aem, level, ending);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	unsigned int outer = LOAD(inside);
	struct ending ending = {
		.blocking = outer || LOAD(left) - SP((const ucontext_t *)context) < NEAR,
	};
	int saved = errno;
	struct aem *aem;

	(void)info;
	STORE(inside, outer + 1);
	for (aem = LOAD(thread_contexts); aem; aem = LOAD(aem->next))
		/* The pages are gone in a child after fork. */
		if (aem->control && aem->signo == signo)
			answer(aem, &ending);
	errno = saved;
	if (!ending.blocking)
		STORE(left, (uintptr_t)context);
	STORE(inside, outer);
}

/** aem_doorbell_look() - do as if the bell had rung for every context of the thread. */
void aem_doorbell_look(void)
{
	struct ending ending = { .blocking = false };
	struct aem *aem;

	for (aem = LOAD(thread_contexts); aem; aem = LOAD(aem->next))
		if (aem->control)
			answer(aem, &ending);
}

/* 1: nobody has a handler, 0: we have it already, -EBUSY: somebody has. */
static int is_free(int signo)
{
	struct sigaction old;

	if (sigaction(signo, NULL, &old))
		return -errno;
	if (old.sa_flags & SA_SIGINFO && old.sa_sigaction == on_signal)
		return 0;
	return !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL ? 1 : -EBUSY;
}

/*
 * SA_NODEFER: more urgent interrupts interrupt handlers; the level holds the others
 * back. The handler stays for good: other threads may use the same signal.
 */
static int take_signal(int signo)
{
	struct sigaction action;
	int ret = is_free(signo);

	if (ret <= 0)
		return ret;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_signal;
	action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK;
	return sigaction(signo, &action, NULL) ? -errno : 0;
}

/* Programs tend to count up from SIGRTMIN. */
static int pick_signal(void)
{
	int signo;

	for (signo = SIGRTMAX - 1; signo > SIGRTMIN; signo--)
		if (!take_signal(signo))
			return signo;
	return -EBUSY;
}

/**
 * aem_doorbell_attach() - let the kernel interrupt the calling thread for a context
 * @aem:   not yet set up
 * @signo: 0: pick one
 *
 * Return: the signal or -errno.
 */
int aem_doorbell_attach(struct aem *aem, int signo)
{
	int ret;

	if (!signo) {
		ret = pick_signal();
		signo = ret;
	} else {
		ret = signo > 0 && signo <= SIGRTMAX ? take_signal(signo) : -EINVAL;
	}
	if (ret < 0)
		return ret;
	mask_signal(signo, SIG_UNBLOCK);
	aem->signo = signo;
	aem->next = thread_contexts;
	STORE(thread_contexts, aem);
	return signo;
}

/**
 * aem_doorbell_detach() - undo aem_doorbell_attach(), if that was in this thread
 *
 * In a child after fork, contexts that it inherited are wiped, so one of them ends the
 * list: nothing behind it is of this process.
 */
void aem_doorbell_detach(struct aem *aem)
{
	struct aem *at = thread_contexts;

	if (at == aem) {
		STORE(thread_contexts, aem->next);
		return;
	}
	for (; at; at = at->next)
		if (at->next == aem) {
			STORE(at->next, aem->next);
			return;
		}
}
