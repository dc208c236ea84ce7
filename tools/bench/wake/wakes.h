/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that one thread causes and another waits for: what the benchmarks wake and priority ask of
 * every system.
 */
#ifndef BENCH_WAKES_H
#define BENCH_WAKES_H

#include "bench.h"

/**
 * struct wake_system - one way to wait for many sources
 * @name:    of it
 * @open:    makes so many sources; in the thread that will wait
 * @fire:    causes an event; in any thread
 * @collect: waits, and handles what there is: how many events
 * @run:     the same for ever, counting in @handled; NULL: @collect, over and over
 */
struct wake_system {
	const char *name;
	void (*open)(struct bench *b, unsigned long n);
	void (*fire)(struct bench *b, unsigned long i);
	unsigned long (*collect)(struct bench *b);
	void (*run)(struct bench *b, volatile unsigned long *handled);
};

extern const struct wake_system wake_aem, wake_select, wake_poll, wake_epoll, wake_io_uring,
	wake_signalfd, wake_sigwait;

/* So many eventfds, from @fds on; the others fire them. */
void wake_eventfds(struct bench *b, unsigned long n);
void wake_eventfd_fire(struct bench *b, unsigned long i);
extern int *wake_fds;

#endif /* BENCH_WAKES_H */
