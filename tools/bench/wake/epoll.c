// SPDX-License-Identifier: GPL-2.0
/* eventfds in an edge-triggered epoll descriptor. */
#include <sys/epoll.h>
#include <unistd.h>
#include "wakes.h"

#define BURST 1024

static int epoll;

static void open_all(struct bench *b, unsigned long n)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	unsigned long i;

	wake_eventfds(b, n);
	epoll = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	for (i = 0; i < n; i++) {
		event.data.fd = wake_fds[i];
		bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, wake_fds[i], &event), "epoll_ctl");
	}
}

static unsigned long collect(struct bench *b)
{
	static struct epoll_event events[BURST];
	unsigned long handled = 0;
	uint64_t count;
	int i, n;

	n = bench_try(b, epoll_wait(epoll, events, BURST, -1), "epoll_wait");
	for (i = 0; i < n; i++)
		if (read(events[i].data.fd, &count, sizeof(count)) == sizeof(count))
			handled += count;
	return handled;
}

const struct wake_system wake_epoll = {
	.name = "eventfd + epoll", .open = open_all, .fire = wake_eventfd_fire, .collect = collect,
};
