// SPDX-License-Identifier: GPL-2.0
/* The floor: blocks for the next datagram, and sends it back. */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "datagrams.h"

static void serve(struct bench *b, int fd, size_t length)
{
	static char data[DATAGRAM_MAX];
	struct sockaddr_in from;
	ssize_t n;

	bench_try(b, fcntl(fd, F_SETFL, 0), "fcntl");
	for (;;) {
		socklen_t from_length = sizeof(from);

		n = bench_try(b, recvfrom(fd, data, length, 0, (struct sockaddr *)&from,
					  &from_length), "recvfrom");
		bench_assert(b, sendto(fd, data, n, 0, (struct sockaddr *)&from, from_length) == n);
	}
}

const struct datagram_system datagram_floor = { "floor", serve };
