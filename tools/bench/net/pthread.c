// SPDX-License-Identifier: GPL-2.0
/* A thread for each connection, which blocks. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include "streams.h"

#define STACK (64 << 10)

static struct bench *row;

static void *serve_one(void *user)
{
	while (stream_turn(row, (int)(intptr_t)user))
		;
	return NULL;
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	pthread_attr_t attr;
	pthread_t thread;
	int fd;

	(void)plan;
	row = b;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	bench_try(b, fcntl(listener, F_SETFL, 0), "fcntl");
	for (;;) {
		fd = bench_try(b, accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept4");
		if (pthread_create(&thread, &attr, serve_one, (void *)(intptr_t)fd))
			bench_skip(b, "no further thread");
	}
}

const struct stream_system stream_pthread = { .name = "pthread", .serve = serve, .limit = 1000 };
