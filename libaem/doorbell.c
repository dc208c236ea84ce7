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
 * Enter even if nothing seems pending: what the bell rang for may have been
 * withdrawn, and the bell stays silent until somebody enters.
 */
static void answer(struct aem *aem)
{
	uint64_t began;

	if (level_of(aem) >= AEM_LEVEL_ALL) {
		STORE(aem->swallowed, true);
		return;
	}
	began = aem_storm_begin(aem);
	aem_dispatch_drain(aem, AEM_ENTER_INTERRUPT);
	aem_storm_end(aem, began);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	int saved = errno;
	struct aem *aem;

	(void)info;
	(void)context;
	for (aem = LOAD(thread_contexts); aem; aem = LOAD(aem->next))
		/* The pages are gone in a child after fork. */
		if (aem->control && aem->signo == signo)
			answer(aem);
	errno = saved;
}

/** aem_doorbell_look() - do as if the bell had rung for every context of the thread. */
void aem_doorbell_look(void)
{
	struct aem *aem;

	for (aem = LOAD(thread_contexts); aem; aem = LOAD(aem->next))
		if (aem->control)
			answer(aem);
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
	sigset_t set;
	int ret;

	if (!signo) {
		ret = pick_signal();
		signo = ret;
	} else {
		ret = signo > 0 && signo <= SIGRTMAX ? take_signal(signo) : -EINVAL;
	}
	if (ret < 0)
		return ret;
	sigemptyset(&set);
	sigaddset(&set, signo);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
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
