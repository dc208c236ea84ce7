// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: knows in advance which connection has a request next, and only reads and writes. No
 * server can know that; what others take above it is what finding out costs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include "streams.h"

static int accept_one(struct bench *b, int listener)
{
	return bench_try(b, accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept4");
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	static int fds[STREAM_SLOTS];
	unsigned long i;

	bench_try(b, fcntl(listener, F_SETFL, 0), "fcntl");
	while (plan->closes)
		stream_turn(b, accept_one(b, listener));
	for (i = 0; i < plan->open; i++)
		fds[i] = accept_one(b, listener);
	for (;;)
		for (i = 0; i < plan->busy; i++)
			stream_turn(b, fds[i]);
}

const struct stream_system stream_floor = { .name = "floor", .serve = serve };
