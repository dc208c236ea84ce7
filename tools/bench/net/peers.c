// SPDX-License-Identifier: GPL-2.0
/*
 * The peers of a server of UDP: all send, then all receive, over and over; the last first, as the
 * clients in clients.c.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "datagrams.h"

#define BUFFER (32 << 20)

static struct sockaddr_in server;

static int make_server(struct bench *b)
{
	int fd = bench_try(b, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
			   "socket");
	socklen_t length = sizeof(server);
	int size = BUFFER;

	/* A burst of all peers fits. */
	bench_try(b, setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), "SO_RCVBUF");
	bench_try(b, setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)), "SO_SNDBUF");
	server = (struct sockaddr_in){ .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bench_try(b, bind(fd, (struct sockaddr *)&server, sizeof(server)), "bind");
	bench_try(b, getsockname(fd, (struct sockaddr *)&server, &length), "getsockname");
	return fd;
}

static void start(struct bench *b, const struct datagram_system *system, size_t length)
{
	int fd = make_server(b);
	pid_t pid;

	bench_share(b);
	pid = bench_try(b, fork(), "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		system->serve(b, fd, length);
		bench_skip(b, "%s: the server ended", system->name);
	}
	close(fd);
	bench_target(b, pid);
}

static void exchange(struct bench *b, const int *fds, unsigned long peers, size_t length)
{
	static char to[DATAGRAM_MAX], from[DATAGRAM_MAX + 1];
	unsigned long i;

	for (i = 0; i < peers; i++) {
		memset(to, 'a' + i % 26, length);
		bench_assert(b, send(fds[i], to, length, 0) == (ssize_t)length);
	}
	for (i = peers; i-- > 0;) {
		bench_assert(b, recv(fds[i], from, sizeof(from), 0) == (ssize_t)length);
		bench_assert(b, from[0] == (char)('a' + i % 26) && from[length - 1] == from[0]);
	}
}

void datagram_measure(struct bench *b, const struct datagram_system *system, unsigned long peers,
		      size_t length, unsigned long datagrams)
{
	int *fds = bench_memory(b, peers, sizeof(*fds));
	struct timeval patience = { .tv_sec = 20 };
	unsigned long i, done;

	bench_rounds(b, 3);
	start(b, system, length);
	bench_descriptors(b, peers);
	for (i = 0; i < peers; i++) {
		fds[i] = bench_try(b, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
		/* A datagram that is lost shall not be waited for. */
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		bench_try(b, connect(fds[i], (struct sockaddr *)&server, sizeof(server)),
			  "connect");
	}
	while (bench_next(b)) {
		bench_begin(b);
		for (done = 0; done < datagrams; done += peers)
			exchange(b, fds, peers, length);
		bench_end(b, done);
	}
}
