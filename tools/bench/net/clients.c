// SPDX-License-Identifier: GPL-2.0
/*
 * The clients of a server of TCP: they send on all busy connections, then take all answers, over
 * and over. They do as little as they can, for the whole guest is measured too, and wait for the
 * last answer first: clients elsewhere would not take the processor from the server either.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "streams.h"

#define BACKLOG 16384

stream_work_fn stream_work;
size_t stream_largest = STREAM_PIECE;

static struct sockaddr_in server;

/* What the FIN takes along is one segment with it. */
static ssize_t answer_one(int fd, const void *out, size_t length, bool last)
{
	return last ? send(fd, out, length, MSG_MORE) : write(fd, out, length);
}

bool stream_turn(struct bench *b, int fd)
{
	char in[STREAM_PIECE], out[STREAM_ANSWER];
	bool last = false;
	ssize_t n = read(fd, in, sizeof(in));
	size_t length;

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		close(fd);
		return false;
	}
	length = stream_work(fd, in, n, out, &last);
	if (length)
		bench_assert(b, answer_one(fd, out, length, last) == (ssize_t)length);
	if (last)
		close(fd);
	return !last;
}

static int listen_anywhere(struct bench *b)
{
	int fd = bench_try(b, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
			   "socket");
	socklen_t length = sizeof(server);

	server = (struct sockaddr_in){ .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bench_try(b, bind(fd, (struct sockaddr *)&server, sizeof(server)), "bind");
	bench_try(b, listen(fd, BACKLOG), "listen");
	bench_try(b, getsockname(fd, (struct sockaddr *)&server, &length), "getsockname");
	return fd;
}

static void start_server(struct bench *b, const struct stream_system *system,
			 const struct stream_plan *plan)
{
	int listener = listen_anywhere(b);
	pid_t pid;

	bench_share(b);
	pid = bench_try(b, fork(), "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		system->serve(b, listener, plan);
		bench_skip(b, "%s: the server ended", system->name);
	}
	close(listener);
	bench_target(b, pid);
}

static int connect_one(struct bench *b)
{
	int fd = bench_try(b, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	int one = 1;

	bench_try(b, connect(fd, (struct sockaddr *)&server, sizeof(server)), "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_one(struct bench *b, const struct stream_clients *c, int fd)
{
	ssize_t n = write(fd, c->request, c->length);

	bench_assert(b, n == (ssize_t)c->length);
}

static void take_one(struct bench *b, const struct stream_clients *c, int fd)
{
	static char answer[STREAM_ANSWER];
	size_t length = 0;
	ssize_t n;

	while (length < c->answer) {
		n = read(fd, answer + length, sizeof(answer) - length);
		bench_assert(b, n > 0);
		length += n;
	}
	bench_assert(b, length == c->answer);
	bench_assert(b, !memcmp(answer, c->begins, strlen(c->begins)));
}

static unsigned long burst(struct bench *b, const struct stream_clients *c, const int *fds)
{
	unsigned long i;

	for (i = 0; i < c->plan.busy; i++)
		send_one(b, c, fds[i]);
	for (i = c->plan.busy; i > 0; i--)
		take_one(b, c, fds[i - 1]);
	return c->plan.busy;
}

static unsigned long burst_of_connections(struct bench *b, const struct stream_clients *c,
					  int *fds)
{
	unsigned long i;
	char byte;

	for (i = 0; i < c->plan.busy; i++) {
		fds[i] = connect_one(b);
		send_one(b, c, fds[i]);
	}
	for (i = c->plan.busy; i > 0; i--) {
		take_one(b, c, fds[i - 1]);
		bench_assert(b, read(fds[i - 1], &byte, 1) == 0);
		close(fds[i - 1]);
	}
	return c->plan.busy;
}

void stream_measure(struct bench *b, const struct stream_system *system,
		    const struct stream_clients *clients)
{
	const struct stream_plan *plan = &clients->plan;
	unsigned long i, done;
	int *fds;

	if (system->limit && plan->open > system->limit)
		bench_skip(b, "%s takes no more than %lu connections", system->name, system->limit);
	signal(SIGPIPE, SIG_IGN);
	bench_descriptors(b, STREAM_SLOTS - 64);
	bench_rounds(b, 3);
	fds = bench_memory(b, plan->open, sizeof(*fds));
	start_server(b, system, plan);
	for (i = 0; !plan->closes && i < plan->open; i++)
		fds[i] = connect_one(b);
	while (bench_next(b)) {
		bench_begin(b);
		for (done = 0; done < clients->requests;)
			done += plan->closes ? burst_of_connections(b, clients, fds) :
					       burst(b, clients, fds);
		bench_end(b, done);
	}
}
