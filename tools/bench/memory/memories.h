/* SPDX-License-Identifier: GPL-2.0 */
/* Registrations that wait for something: what the benchmark memory asks of every system. */
#ifndef BENCH_MEMORIES_H
#define BENCH_MEMORIES_H

#include "bench.h"

/**
 * struct memory_system - one way to register for one kind of event
 * @name:    of it
 * @object:  what is waited for
 * @prepare: makes what a registration needs and does not count as its part; NULL: nothing
 * @add:     registers so many
 * @share:   of the usual number of objects, as 1/@share, where they are costly to prepare
 */
struct memory_system {
	const char *name;
	const char *object;
	void (*prepare)(struct bench *b, unsigned long n);
	void (*add)(struct bench *b, unsigned long n);
	unsigned int share;
};

/* All in order, ending with an empty one each. */
extern const struct memory_system memory_aem[], memory_epoll[], memory_io_uring[], memory_posix[],
	memory_inotify[], memory_pidfd[];

/* UDP sockets, bound to nothing: each registration watches one. */
extern int *memory_sockets;
void memory_make_sockets(struct bench *b, unsigned long n);

/* Files /tmp/watched/0 and so on. */
void memory_make_files(struct bench *b, unsigned long n);

#endif /* BENCH_MEMORIES_H */
