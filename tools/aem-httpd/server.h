/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <aem/aem.h>
#include <aem/ip.h>
#include <aem/timer.h>
#include "connection.h"
#include "files.h"
#include "options.h"

/*
 * Everything that touches connections runs at one priority, the highest in use, so that none of it
 * is ever interrupted by another: handlers may share lists and call malloc(). The rest is below.
 */
#define PRIO_HTTP	20
#define PRIO_TICK	10

/**
 * struct counters - what has happened
 * @connections: accepted
 * @peak:        open at a time
 * @requests:    answered
 * @answers:     of these, by the first digit of the status
 * @bytes:       sent
 * @rooms:       times that a full socket had to be waited for
 * @timeouts:    connections that took too long
 * @resets:      connections that the client broke off
 * @refused:     times that a connection could not be accepted
 * @failures:    answers that could not be finished, for a file changed or memory ran out
 */
struct counters {
	uint64_t connections;
	uint64_t peak;
	uint64_t requests;
	uint64_t answers[6];
	uint64_t bytes;
	uint64_t rooms;
	uint64_t timeouts;
	uint64_t resets;
	uint64_t refused;
	uint64_t failures;
};

/**
 * struct server - the one that there is
 * @spares:    buffers that are not in use
 * @aem:       its context
 * @options:   the command line
 * @files:     what it serves
 * @listener:  socket
 * @accept:    event of @listener
 * @sweep:     timer that looks for what takes too long
 * @accepting: there is room for more connections
 * @closing:   the end has begun
 * @table:     connections by descriptor
 * @size:      of @table
 * @phases:    connections by what they wait for, those that have waited longest first
 * @dead:      connections that are closed, until nobody can look at them any more
 * @n_spares:  how many @spares
 * @open:      connections that are open
 * @counters:  what has happened
 */
struct server {
	SLIST_HEAD(, buffer) spares;
	struct aem *aem;
	const struct options *options;
	struct files files;
	int listener;
	aem_id accept;
	aem_id sweep;
	bool accepting;
	bool closing;
	struct connection **table;
	size_t size;
	struct connections phases[PHASES];
	struct connections dead;
	unsigned int n_spares;
	volatile unsigned int open;
	struct counters counters;
};

/*
 * Opens files, socket and events, with all events held back. Ends the program if it cannot,
 * saying why.
 */
void server_open(struct server *server, struct aem *aem, const struct options *options);

/* The port that the server has got. */
unsigned int server_port(const struct server *server);

/* Lets the answers in work reach their clients, then closes everything. */
void server_close(struct server *server);

/* A connection is gone: there may be room for another. */
void server_resume(struct server *server);

#endif /* SERVER_H */
