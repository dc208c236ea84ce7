// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>
#include "streams.h"

static struct pollfd polled[STREAM_SLOTS];
static unsigned int count;

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		polled[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	unsigned int i;
	int left;

	(void)plan;
	polled[count++] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (;;) {
		left = bench_try(b, poll(polled, count, -1), "poll");
		for (i = count - 1; left && i > 0; i--) {
			if (!polled[i].revents)
				continue;
			left--;
			if (!stream_turn(b, polled[i].fd))
				polled[i] = polled[--count];
		}
		if (polled[0].revents)
			accept_all(listener);
	}
}

const struct stream_system stream_poll = { .name = "poll", .serve = serve, .limit = 2000 };
