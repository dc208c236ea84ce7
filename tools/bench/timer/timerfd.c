// SPDX-License-Identifier: GPL-2.0
/* A timerfd each, in one edge-triggered epoll descriptor. */
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "timers.h"

#define BURST 1024

static int epoll;
static int *fds;

static void open_all(struct bench *b, unsigned long n)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	unsigned long i;

	bench_descriptors(b, n);
	bench_sysctl(b, "/proc/sys/fs/epoll/max_user_watches", "2000000");
	fds = bench_memory(b, n, sizeof(*fds));
	epoll = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	for (i = 0; i < n; i++) {
		fds[i] = bench_try(b, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
				   "timerfd_create");
		event.data.fd = fds[i];
		bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event), "epoll_ctl");
	}
}

static void arm(struct bench *b, unsigned long i, int64_t when)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 },
	};

	bench_try(b, timerfd_settime(fds[i], TFD_TIMER_ABSTIME, &spec, NULL), "timerfd_settime");
}

static void cancel(struct bench *b, unsigned long i)
{
	struct itimerspec spec = { 0 };

	bench_try(b, timerfd_settime(fds[i], 0, &spec, NULL), "timerfd_settime");
}

static unsigned long collect(struct bench *b)
{
	static struct epoll_event events[BURST];
	unsigned long handled = 0;
	uint64_t expiries;
	int i, n;

	n = bench_try(b, epoll_wait(epoll, events, BURST, -1), "epoll_wait");
	for (i = 0; i < n; i++)
		if (read(events[i].data.fd, &expiries, sizeof(expiries)) == sizeof(expiries))
			handled += expiries;
	return handled;
}

const struct timer_system timer_timerfd = {
	.name = "timerfd",
	.open = open_all,
	.arm = arm,
	.cancel = cancel,
	.collect = collect,
};
