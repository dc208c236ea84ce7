// SPDX-License-Identifier: GPL-2.0
/*
 * Signals: a fault ends the statement, a tick ends what blocks, and all others answer the doorbell.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "run.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define TICK	SIGALRM

static void fault(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	/* A doorbell or a kill: a fault of ours has another code. */
	if (info->si_code <= 0 || info->si_code == SI_KERNEL)
		return;
	if (!self || !self->armed)
		_exit(3);
	siglongjmp(self->guard, 1);
}

static void answer(int signo, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (self && info->si_code == SI_KERNEL && signo != TICK && self->left < 0)
		context_answer(self->run, signo);
	errno = saved;
}

/* @how: 0 the default action, 1 ignored, else ours. */
int signals_set(int signo, unsigned int how)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_flags = SA_SIGINFO | SA_NODEFER | (signo % 3 ? 0 : SA_RESTART);
	action.sa_sigaction = signo == SIGSEGV || signo == SIGBUS ? fault : answer;
	if (signo == TICK)
		action.sa_flags = SA_SIGINFO;
	else if (how < 2 && signo != SIGSEGV && signo != SIGBUS)
		action.sa_handler = how ? SIG_IGN : SIG_DFL;
	return sigaction(signo, &action, NULL);
}

void signals_init(void)
{
	int signo;

	for (signo = 1; signo <= SIGRTMAX; signo++)
		signals_set(signo, 2);
}

/* The calling thread is interrupted again and again, until it ends. */
void signals_tick(unsigned int ms)
{
	struct itimerspec often = { { 0, ms * 1000000L }, { 0, ms * 1000000L } };
	struct sigevent event;
	int timer;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = TICK;
	event.sigev_notify_thread_id = syscall(SYS_gettid);
	if (!syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer))
		syscall(SYS_timer_settime, timer, 0, &often, NULL);
}
