/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Servers of TCP: each is a process of its own, and all do the same work with what comes. What the
 * benchmarks http and echo ask of every system.
 */
#ifndef BENCH_STREAMS_H
#define BENCH_STREAMS_H

#include "bench.h"

/* A request at most, and its answer. */
#define STREAM_PIECE	4096
#define STREAM_ANSWER	8192
/* Descriptors, or places of connections. */
#define STREAM_SLOTS	32768

/**
 * struct stream_plan - what the clients will do
 * @open:   connections at a time
 * @busy:   of these, those that have requests: the first of them
 * @closes: each connection has one request
 */
struct stream_plan {
	unsigned long open;
	unsigned long busy;
	bool closes;
};

/**
 * struct stream_system - one way to serve
 * @name:  of it
 * @serve: for ever, on a listening socket that does not block; only the floor may look at the plan
 * @limit: most connections, 0: any number
 */
struct stream_system {
	const char *name;
	void (*serve)(struct bench *b, int listener, const struct stream_plan *plan);
	unsigned long limit;
};

extern const struct stream_system stream_aem, stream_epoll, stream_io_uring, stream_poll,
	stream_select, stream_pthread, stream_floor;

/*
 * The work: @data came on the connection that has this slot. Writes the answer, and sets @last if
 * the connection ends after it. Returns its bytes; 0: not all is there yet.
 */
typedef size_t (*stream_work_fn)(unsigned int slot, const char *data, size_t length,
				 char to[STREAM_ANSWER], bool *last);
extern stream_work_fn stream_work;
/* The largest request and answer of the benchmark, for those that take memory ahead. */
extern size_t stream_largest;

/* For those that wait until a descriptor is readable: read, work, write; false: it was closed. */
bool stream_turn(struct bench *b, int fd);

/**
 * struct stream_clients - all clients, in one process
 * @plan:     what they do
 * @request:  that each sends
 * @length:   of it
 * @answer:   bytes of each answer, and how it begins
 * @begins:   NUL-terminated
 * @requests: of a round, at least
 */
struct stream_clients {
	struct stream_plan plan;
	const char *request;
	size_t length;
	size_t answer;
	const char *begins;
	unsigned long requests;
};

/* Measures a system under these clients, all rounds. */
void stream_measure(struct bench *b, const struct stream_system *system,
		    const struct stream_clients *clients);

#endif /* BENCH_STREAMS_H */
