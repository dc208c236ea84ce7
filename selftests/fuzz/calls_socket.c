// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets, and what others do with them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "run.h"

static const uint64_t families[] = { AF_INET, AF_INET, AF_INET6 };

static const uint64_t send_flags[] = {
	0, MSG_DONTWAIT, MSG_DONTWAIT | MSG_OOB, MSG_DONTWAIT | MSG_MORE,
	MSG_DONTWAIT | MSG_ZEROCOPY,
};

static const uint64_t receive_flags[] = {
	MSG_DONTWAIT, MSG_DONTWAIT | MSG_PEEK, MSG_DONTWAIT | MSG_ERRQUEUE, MSG_DONTWAIT | MSG_OOB,
	MSG_DONTWAIT | MSG_TRUNC,
};

/** struct option - of setsockopt() */
struct option {
	int level;
	int name;
	int value;
};

static const struct option options[] = {
	{ SOL_SOCKET, SO_SNDBUF, 1 },
	{ SOL_SOCKET, SO_RCVBUF, 1 },
	{ SOL_SOCKET, SO_OOBINLINE, 1 },
	{ SOL_SOCKET, SO_RCVLOWAT, 100 },
	{ SOL_SOCKET, SO_ZEROCOPY, 1 },
	{ SOL_SOCKET, SO_BUSY_POLL, 50 },
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
	{ IPPROTO_TCP, TCP_CORK, 1 },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT, 1 },
	{ IPPROTO_TCP, TCP_REPAIR, 1 },
	{ IPPROTO_TCP, TCP_FASTOPEN, 5 },
	{ IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1 },
	{ IPPROTO_IP, IP_RECVERR, 1 },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1 },
	{ IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET },
};

/* Closing resets the connection: an option that has a struct. */
#define LINGER	ARRAY_SIZE(options)

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static socklen_t loopback(struct sockaddr_storage *address, int family)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_addr = in6addr_loopback;
	return sizeof(*v6);
}

static int bound(int family, int type)
{
	struct sockaddr_storage address;
	socklen_t length = loopback(&address, family);
	int fd = socket(family, type, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_to(int fd, int to)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(to, (struct sockaddr *)&address, &length))
		return -1;
	return connect(fd, (struct sockaddr *)&address, length);
}

/* Something to receive is there from the beginning, as for a server that is slow to accept. */
static void queue(int from, uint64_t length)
{
	if (length)
		send(from, self->arena->good, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static long system_listen(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int fd = bound(arg[0], SOCK_STREAM | (arg[2] ? SOCK_NONBLOCK : 0));

	(void)run;
	if (fd < 0)
		return -errno;
	made[0] = fd;
	return result(listen(fd, arg[1]));
}

/* Two ends of a connection. */
static long system_stream(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int listener = bound(arg[0], SOCK_STREAM), fd, error;

	(void)run;
	if (listener < 0)
		return -errno;
	fd = socket(arg[0], SOCK_STREAM, 0);
	if (fd < 0 || listen(listener, 1) || connect_to(fd, listener)) {
		error = errno;
		close(listener);
		close(fd);
		return -error;
	}
	made[0] = fd;
	made[1] = accept4(listener, NULL, NULL, arg[1] ? SOCK_NONBLOCK : 0);
	close(listener);
	queue(made[1], arg[2]);
	return 0;
}

static long system_socket(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	made[0] = socket(arg[0], SOCK_STREAM | (arg[1] ? SOCK_NONBLOCK : 0), 0);
	return result((int)made[0]);
}

static long system_connect(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int fd = socket(arg[1], SOCK_STREAM | SOCK_NONBLOCK, 0), ret;

	(void)run;
	if (fd < 0)
		return -errno;
	made[0] = fd;
	ret = connect_to(fd, arg[0]);
	return ret && errno != EINPROGRESS ? -errno : 0;
}

/* What connect(2) does to a socket that is one already. */
static long system_reconnect(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	(void)run;
	(void)made;
	if (arg[2])
		return result(connect(arg[0], &nowhere, sizeof(nowhere)));
	return result(connect_to(arg[0], arg[1]));
}

static long system_accept(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	made[0] = accept4(arg[0], NULL, NULL, arg[1] ? SOCK_NONBLOCK : 0);
	return result((int)made[0]);
}

static long system_relisten(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(listen(arg[0], arg[1]));
}

/* Two sockets, of which the second sends to the first. */
static long system_datagrams(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int a = bound(arg[0], SOCK_DGRAM), b = bound(arg[0], SOCK_DGRAM);

	(void)run;
	if (a < 0 || b < 0)
		return -errno;
	made[0] = a;
	made[1] = b;
	if (arg[1])
		connect_to(a, b);
	if (connect_to(b, a))
		return -errno;
	queue(b, arg[2]);
	return 0;
}

static long system_local(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int fds[2];

	(void)run;
	if (socketpair(AF_UNIX, arg[0] ? SOCK_DGRAM : SOCK_STREAM, 0, fds))
		return -errno;
	made[0] = fds[0];
	made[1] = fds[1];
	queue(fds[1], arg[1]);
	return 0;
}

static long system_send(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(send(arg[0], self->arena->good, arg[1], arg[2] | MSG_NOSIGNAL));
}

static long system_receive(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(recv(arg[0], self->arena->good, arg[1], arg[2] | MSG_DONTWAIT));
}

static long system_shut(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(shutdown(arg[0], arg[1]));
}

static long system_option(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct linger now = { 1, 0 };
	const struct option *option;

	(void)run;
	(void)made;
	if (arg[1] >= LINGER)
		return result(setsockopt(arg[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	option = &options[arg[1]];
	return result(setsockopt(arg[0], option->level, option->name, &option->value,
				 sizeof(option->value)));
}

#define TCP	(RES_STREAM | RES_LISTENER | RES_FRESH)

static const struct field listen_fields[] = {
	ARGUMENT_CHOICE(0, "family", families), ARGUMENT(1, "backlog", NUMBER, 0, 4),
	ARGUMENT(2, "nonblock", NUMBER, 0, 1),
};

static const struct field stream_fields[] = {
	ARGUMENT_CHOICE(0, "family", families), ARGUMENT(1, "nonblock", NUMBER, 0, 1),
	ARGUMENT(2, "queued", BOUNDED, 0, 2000),
};

static const struct field socket_fields[] = {
	ARGUMENT_CHOICE(0, "family", families), ARGUMENT(1, "nonblock", NUMBER, 0, 1),
};

static const struct field connect_fields[] = {
	ARGUMENT(0, "to", WANT, RES_LISTENER, 0), ARGUMENT_CHOICE(1, "family", families),
};

static const struct field reconnect_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_SOCKET, 0),
	ARGUMENT(1, "to", WANT, RES_LISTENER | RES_DATAGRAM, 0),
	ARGUMENT(2, "nowhere", NUMBER, 0, 1),
};

static const struct field accept_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_LISTENER, 0), ARGUMENT(1, "nonblock", NUMBER, 0, 1),
};

static const struct field relisten_fields[] = {
	ARGUMENT(0, "fd", WANT, TCP, 0), ARGUMENT(1, "backlog", NUMBER, 0, 4),
};

static const struct field datagrams_fields[] = {
	ARGUMENT_CHOICE(0, "family", families), ARGUMENT(1, "both", NUMBER, 0, 1),
	ARGUMENT(2, "queued", BOUNDED, 0, 2000),
};

static const struct field local_fields[] = {
	ARGUMENT(0, "datagram", NUMBER, 0, 1), ARGUMENT(1, "queued", BOUNDED, 0, 2000),
};

static const struct field send_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_SOCKET, 0), ARGUMENT(1, "length", BOUNDED, 0, 20000),
	ARGUMENT_CHOICE(2, "flags", send_flags),
};

static const struct field receive_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_SOCKET, 0), ARGUMENT(1, "length", BOUNDED, 0, 20000),
	ARGUMENT_CHOICE(2, "flags", receive_flags),
};

static const struct field shut_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_SOCKET, 0), ARGUMENT(1, "how", NUMBER, 0, 2),
};

static const struct field option_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_SOCKET, 0), ARGUMENT(1, "which", BOUNDED, 0, LINGER),
};

static const struct call calls[] = {
	SYSTEM(listen, listen_fields, .makes = { RES_LISTENER }, .rare = 1),
	SYSTEM(stream, stream_fields, .makes = { RES_STREAM, RES_STREAM }, .rare = 1),
	SYSTEM(socket, socket_fields, .makes = { RES_FRESH }, .rare = 1),
	SYSTEM(connect, connect_fields, .makes = { RES_STREAM }, .weight = 6, .rare = 1),
	SYSTEM(reconnect, reconnect_fields),
	SYSTEM(accept, accept_fields, .makes = { RES_STREAM }, .poor = 1),
	SYSTEM(relisten, relisten_fields),
	SYSTEM(datagrams, datagrams_fields, .makes = { RES_DATAGRAM, RES_DATAGRAM }, .rare = 1),
	SYSTEM(local, local_fields, .makes = { RES_UNIX, RES_UNIX }, .rare = 1),
	SYSTEM(send, send_fields, .weight = 10),
	SYSTEM(receive, receive_fields),
	SYSTEM(shut, shut_fields, .weight = 3, .rare = 1),
	SYSTEM(option, option_fields, .weight = 3),
};

const struct call_table socket_table = { calls, ARRAY_SIZE(calls) };
