// SPDX-License-Identifier: GPL-2.0
/* epoll, edge-triggered; one datagram at a time, or many with recvmmsg() and sendmmsg(). */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "datagrams.h"

#define MANY 64

static int make_epoll(struct bench *b, int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };
	int epoll = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");

	bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
	return epoll;
}

static void serve(struct bench *b, int fd, size_t length)
{
	static char data[DATAGRAM_MAX];
	int epoll = make_epoll(b, fd);
	struct epoll_event event;
	struct sockaddr_in from;
	ssize_t n;

	for (;;) {
		socklen_t from_length = sizeof(from);

		n = recvfrom(fd, data, length, 0, (struct sockaddr *)&from, &from_length);
		if (n < 0)
			bench_try(b, epoll_wait(epoll, &event, 1, -1), "epoll_wait");
		else
			bench_assert(b, sendto(fd, data, n, 0, (struct sockaddr *)&from,
					       from_length) == n);
	}
}

static char data[MANY][DATAGRAM_MAX];
static struct sockaddr_in from[MANY];
static struct iovec vecs[MANY];
static struct mmsghdr messages[MANY];

static void prepare(int n, size_t length)
{
	int i;

	for (i = 0; i < n; i++) {
		vecs[i] = (struct iovec){ data[i], length };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof(from[i]),
			.msg_iov = &vecs[i], .msg_iovlen = 1,
		};
	}
}

static void serve_many(struct bench *b, int fd, size_t length)
{
	int i, n, epoll = make_epoll(b, fd);
	struct epoll_event event;

	prepare(MANY, length);
	for (;;) {
		n = recvmmsg(fd, messages, MANY, 0, NULL);
		if (n < 0) {
			bench_try(b, epoll_wait(epoll, &event, 1, -1), "epoll_wait");
			continue;
		}
		for (i = 0; i < n; i++)
			vecs[i].iov_len = messages[i].msg_len;
		bench_assert(b, sendmmsg(fd, messages, n, 0) == n);
		for (i = 0; i < n; i++) {
			vecs[i].iov_len = length;
			messages[i].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		/* Fewer than there was room for: there are no more, and an edge follows. */
		if (n < MANY)
			bench_try(b, epoll_wait(epoll, &event, 1, -1), "epoll_wait");
	}
}

const struct datagram_system datagram_epoll = { "epoll, one by one", serve };
const struct datagram_system datagram_epoll_many = { "epoll", serve_many };
