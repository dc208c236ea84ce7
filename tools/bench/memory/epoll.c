// SPDX-License-Identifier: GPL-2.0
/* Registrations in epoll, and the descriptors that exist only to be registered there. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include "memories.h"

static int epoll;

static void prepare(struct bench *b, unsigned long n)
{
	bench_descriptors(b, n);
	epoll = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
}

static void prepare_sockets(struct bench *b, unsigned long n)
{
	memory_make_sockets(b, n);
	epoll = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
}

static void add(struct bench *b, int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };

	bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void add_sockets(struct bench *b, unsigned long n)
{
	while (n--)
		add(b, memory_sockets[n]);
}

static void add_timerfds(struct bench *b, unsigned long n)
{
	struct itimerspec spec = { .it_value.tv_sec = 3600 };
	int fd;

	while (n--) {
		fd = bench_try(b, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create");
		bench_try(b, timerfd_settime(fd, 0, &spec, NULL), "timerfd_settime");
		add(b, fd);
	}
}

static void add_eventfds(struct bench *b, unsigned long n)
{
	while (n--)
		add(b, bench_try(b, eventfd(0, EFD_CLOEXEC), "eventfd"));
}

const struct memory_system memory_epoll[] = {
	{ "timerfd + epoll", "timer", prepare, add_timerfds, 1 },
	{ "epoll", "socket", prepare_sockets, add_sockets, 1 },
	{ "eventfd + epoll", "event", prepare, add_eventfds, 1 },
	{ 0 }
};
