// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <sys/select.h>
#include <sys/socket.h>
#include "streams.h"

static fd_set watched;
static int highest;

static void accept_all(struct bench *b, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		bench_assert(b, fd < FD_SETSIZE);
		FD_SET(fd, &watched);
		if (fd > highest)
			highest = fd;
	}
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	fd_set ready;
	int fd, left;

	(void)plan;
	FD_SET(listener, &watched);
	highest = listener;
	for (;;) {
		ready = watched;
		left = bench_try(b, select(highest + 1, &ready, NULL, NULL, NULL), "select");
		for (fd = 0; left && fd <= highest; fd++) {
			if (!FD_ISSET(fd, &ready))
				continue;
			left--;
			if (fd == listener)
				accept_all(b, listener);
			else if (!stream_turn(b, fd))
				FD_CLR(fd, &watched);
		}
	}
}

const struct stream_system stream_select = { .name = "select", .serve = serve, .limit = 1000 };
