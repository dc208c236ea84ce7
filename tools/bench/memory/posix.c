// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "memories.h"

static void prepare(struct bench *b, unsigned long n)
{
	struct rlimit limit = { n + 1024, n + 1024 };

	bench_try(b, setrlimit(RLIMIT_SIGPENDING, &limit), "RLIMIT_SIGPENDING");
}

static void add(struct bench *b, unsigned long n)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec spec = { .it_value.tv_sec = 3600 };
	int timer;

	while (n--) {
		bench_try(b, syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer),
			  "timer_create");
		bench_try(b, syscall(SYS_timer_settime, timer, 0, &spec, NULL), "timer_settime");
	}
}

const struct memory_system memory_posix[] = {
	{ "POSIX timer", "timer", prepare, add, 1 },
	{ 0 }
};
