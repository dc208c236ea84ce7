/* SPDX-License-Identifier: GPL-2.0 */
/* Servers of UDP that send each datagram back: one socket, many peers. */
#ifndef BENCH_DATAGRAMS_H
#define BENCH_DATAGRAMS_H

#include "bench.h"

#define DATAGRAM_MAX 4096

/**
 * struct datagram_system - one way to serve
 * @name:  of it
 * @serve: for ever, on a socket that does not block, @length bytes a datagram
 */
struct datagram_system {
	const char *name;
	void (*serve)(struct bench *b, int fd, size_t length);
};

extern const struct datagram_system datagram_aem, datagram_epoll, datagram_epoll_many,
	datagram_io_uring, datagram_floor;

/* Measures a system under so many peers. */
void datagram_measure(struct bench *b, const struct datagram_system *system, unsigned long peers,
		      size_t length, unsigned long datagrams);

#endif /* BENCH_DATAGRAMS_H */
