// SPDX-License-Identifier: GPL-2.0
/* epoll, edge-triggered: a piece is shorter than the buffer, so no read is made to see EAGAIN. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include "streams.h"

#define BURST 1024

static int epoll;

static void accept_all(struct bench *b, int listener)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		event.data.fd = fd;
		bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	}
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = listener };
	static struct epoll_event events[BURST];
	int i, n;

	(void)plan;
	epoll = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
	for (;;) {
		n = bench_try(b, epoll_wait(epoll, events, BURST, -1), "epoll_wait");
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_all(b, listener);
			else
				stream_turn(b, events[i].data.fd);
		}
	}
}

const struct stream_system stream_epoll = { .name = "epoll", .serve = serve };
