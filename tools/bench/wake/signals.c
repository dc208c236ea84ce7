// SPDX-License-Identifier: GPL-2.0
/* Queued real-time signals to one thread: many at a time from a signalfd, or one by one. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "wakes.h"

#define BURST 64

static pid_t waiter;
static int fd;
static sigset_t signals;

static void open_all(struct bench *b, unsigned long n)
{
	struct rlimit limit = { n + 1024, n + 1024 };

	bench_try(b, setrlimit(RLIMIT_SIGPENDING, &limit), "RLIMIT_SIGPENDING");
	sigemptyset(&signals);
	sigaddset(&signals, SIGRTMIN);
	bench_try(b, pthread_sigmask(SIG_BLOCK, &signals, NULL), "pthread_sigmask");
	fd = bench_try(b, signalfd(-1, &signals, SFD_CLOEXEC), "signalfd");
	waiter = syscall(SYS_gettid);
}

static void fire(struct bench *b, unsigned long i)
{
	siginfo_t info = { .si_code = SI_QUEUE, .si_signo = SIGRTMIN };

	info.si_pid = getpid();
	info.si_value.sival_int = i;
	bench_try(b, syscall(SYS_rt_tgsigqueueinfo, getpid(), waiter, SIGRTMIN, &info),
		  "rt_tgsigqueueinfo");
}

static unsigned long collect_fd(struct bench *b)
{
	static struct signalfd_siginfo infos[BURST];

	return bench_try(b, read(fd, infos, sizeof(infos)), "read of the signalfd") /
		sizeof(infos[0]);
}

static unsigned long collect_one(struct bench *b)
{
	siginfo_t info;

	bench_try(b, sigwaitinfo(&signals, &info), "sigwaitinfo");
	return 1;
}

const struct wake_system wake_signalfd = {
	.name = "signalfd", .open = open_all, .fire = fire, .collect = collect_fd,
};

const struct wake_system wake_sigwait = {
	.name = "sigwaitinfo", .open = open_all, .fire = fire, .collect = collect_one,
};
