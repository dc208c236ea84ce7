// SPDX-License-Identifier: GPL-2.0
/* POSIX timers with a real-time signal, taken many at a time from a signalfd. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "timers.h"

#define BURST 256

/* The kernel's own ids: glibc wraps them only for SIGEV_THREAD. */
static int *ids;
static int signals;

static void open_all(struct bench *b, unsigned long n)
{
	struct rlimit limit = { n + 1024, n + 1024 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	unsigned long i;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	bench_try(b, sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	bench_try(b, setrlimit(RLIMIT_SIGPENDING, &limit), "RLIMIT_SIGPENDING");
	signals = bench_try(b, signalfd(-1, &set, SFD_CLOEXEC), "signalfd");
	ids = bench_memory(b, n, sizeof(*ids));
	for (i = 0; i < n; i++) {
		event.sigev_value.sival_int = i;
		bench_try(b, syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &ids[i]),
			  "timer_create");
	}
}

static void set(struct bench *b, unsigned long i, int64_t when)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 },
	};

	bench_try(b, syscall(SYS_timer_settime, ids[i], TIMER_ABSTIME, &spec, NULL),
		  "timer_settime");
}

static void cancel(struct bench *b, unsigned long i)
{
	set(b, i, 0);
}

static unsigned long collect(struct bench *b)
{
	static struct signalfd_siginfo infos[BURST];
	unsigned long handled = 0;
	ssize_t i, n;

	n = bench_try(b, read(signals, infos, sizeof(infos)), "read of the signalfd");
	for (i = 0; i < n / (ssize_t)sizeof(infos[0]); i++)
		handled += 1 + infos[i].ssi_overrun;
	return handled;
}

const struct timer_system timer_posix = {
	.name = "POSIX timer",
	.open = open_all,
	.arm = set,
	.cancel = cancel,
	.collect = collect,
};
