// SPDX-License-Identifier: GPL-2.0
/*
 * Every call of the service "ip" with what it must refuse, and the errno that says why. A call
 * that failed leaves no event, and no hold on the socket.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/un.h>

static int tcp[2], udp, listener, fresh;

static void begin(struct raw *raw)
{
	ip_start(raw, 0, 0);
	ip_pair(AF_INET, tcp);
	udp = ip_bound(AF_INET6, SOCK_DGRAM);
	listener = ip_listen(AF_INET);
	fresh = ip_socket(AF_INET, SOCK_STREAM);
}

/*
 * Nothing was registered, and nobody else holds the sockets: the peer of a closed one sees its
 * end, and one that listened is there no more.
 */
static void end(struct raw *raw)
{
	union address address = ip_name(listener);

	EXPECT_EQ(raw_query(raw).events, 0);
	ASSERT_OK(close(tcp[0]));
	EXPECT_EQ(ip_poll(tcp[1], POLLIN, 1000), POLLIN);
	ASSERT_OK(close(listener));
	EXPECT_ERRNO(connect(ip_socket(AF_INET, SOCK_STREAM), &address.any, sizeof(address.v4)),
		     ECONNREFUSED);
	EXPECT_EQ(raw_round(raw), 0);
	raw_end(raw);
}

static void refuse_fd(struct raw *raw, uint32_t call, int fd, int error)
{
	struct aem_ip_accept accept = ip_accept_on(fd, 0, EVF_START);
	struct aem_ip_connect connect = ip_connect_to(fd, NULL, EVF_START);
	struct aem_ip_socket other = ip_on(fd, 0, EVF_START);
	union address address = ip_loopback(AF_INET, 9);
	void *request = &other;

	connect.address = (uintptr_t)&address;
	connect.length = sizeof(address.v4);
	if (call == AEM_IP_ACCEPT)
		request = &accept;
	if (call == AEM_IP_CONNECT)
		request = &connect;
	if (!EXPECT_ERRNO(ip_call(raw, call, request), error))
		NOTE("call %u, descriptor %d", call, fd);
}

/* Descriptors that are none, and those that are no TCP or UDP sockets. */
TEST(descriptors)
{
	int pipe_fd[2], other[8], n = 0, i;
	struct raw raw;
	uint32_t call;

	begin(&raw);
	ASSERT_OK(pipe(pipe_fd));
	other[n++] = ip_socket(AF_UNIX, SOCK_STREAM);
	other[n++] = ip_socket(AF_UNIX, SOCK_DGRAM);
	other[n++] = socket(AF_NETLINK, SOCK_RAW, 0);
	other[n++] = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	other[n++] = socket(AF_INET6, SOCK_RAW, IPPROTO_UDP);
	/* Where the kernel has it. */
	other[n] = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	n += other[n] >= 0;
	for (call = AEM_IP_ACCEPT; call <= AEM_IP_CONNECT; call++) {
		refuse_fd(&raw, call, -1, EBADF);
		refuse_fd(&raw, call, INT32_MAX, EBADF);
		refuse_fd(&raw, call, 1000, EBADF);
		refuse_fd(&raw, call, pipe_fd[0], ENOTSOCK);
		refuse_fd(&raw, call, raw.fd, ENOTSOCK);
		refuse_fd(&raw, call, eventfd(0, 0), ENOTSOCK);
		refuse_fd(&raw, call, epoll_create(1), ENOTSOCK);
		refuse_fd(&raw, call, open("/dev/null", O_RDWR), ENOTSOCK);
		refuse_fd(&raw, call, open("/", O_PATH), EBADF);
		for (i = 0; i < n; i++) {
			ASSERT_GE(other[i], 0);
			refuse_fd(&raw, call, other[i], EPROTONOSUPPORT);
		}
	}
	end(&raw);
}

/* Sockets of the service's kind, in the wrong state or of the wrong type. */
TEST(states)
{
	struct raw raw;

	begin(&raw);
	refuse_fd(&raw, AEM_IP_ACCEPT, udp, EPROTONOSUPPORT);
	refuse_fd(&raw, AEM_IP_DATA, udp, EPROTONOSUPPORT);
	refuse_fd(&raw, AEM_IP_DATAGRAM, tcp[0], EPROTONOSUPPORT);
	refuse_fd(&raw, AEM_IP_CONNECT, udp, EPROTONOSUPPORT);
	refuse_fd(&raw, AEM_IP_ACCEPT, fresh, EINVAL);
	refuse_fd(&raw, AEM_IP_ACCEPT, tcp[0], EINVAL);
	refuse_fd(&raw, AEM_IP_DATA, fresh, ENOTCONN);
	refuse_fd(&raw, AEM_IP_DATA, listener, ENOTCONN);
	refuse_fd(&raw, AEM_IP_ROOM, fresh, ENOTCONN);
	refuse_fd(&raw, AEM_IP_ROOM, listener, ENOTCONN);
	end(&raw);
}

static void refuse_socket(struct raw *raw, uint32_t call, struct aem_ip_socket bad, int error)
{
	EXPECT_ERRNO(ip_call(raw, call, &bad), error);
	EXPECT_EQ(raw_query(raw).events, 0);
}

/* Sizes, flags, lengths and registrations of the calls that share a struct. */
TEST(socket_arguments)
{
	static const uint32_t calls[] = {
		AEM_IP_DATA, AEM_IP_DATAGRAM, AEM_IP_ROOM, AEM_IP_EXCHANGE,
	};
	struct aem_ip_socket good, bad;
	struct raw raw;
	uint32_t call, i;

	begin(&raw);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		call = calls[i];
		good = ip_on(call == AEM_IP_DATAGRAM ? udp : tcp[0], 0, EVF_START);
#define REFUSE(_field, _value, _errno) do {				\
		bad = good;						\
		bad._field = _value;					\
		refuse_socket(&raw, call, bad, _errno);			\
	} while (0)
		REFUSE(size, 0, EINVAL);
		REFUSE(size, 4, EINVAL);
		REFUSE(size, sizeof(bad) - 1, EINVAL);
		REFUSE(size, UINT32_MAX, E2BIG);
		REFUSE(flags, 1, EINVAL);
		REFUSE(flags, UINT32_MAX, EINVAL);
		REFUSE(length, UINT32_MAX, EINVAL);
		REFUSE(length, 65537, EINVAL);
		REFUSE(reg.prio, 32, EINVAL);
		REFUSE(reg.prio, UINT32_MAX, EINVAL);
		REFUSE(reg.flags, 1, EINVAL);
		REFUSE(reg.flags, EVF_FORK, EOPNOTSUPP);
#undef REFUSE
	}
	bad = ip_on(udp, 0, 0);
	bad.length = AEM_IP_DATAGRAM_MAX + 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATAGRAM, &bad), EINVAL);
	bad = ip_on(tcp[0], 0, 0);
	bad.length = 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ROOM, &bad), EINVAL);
	bad.length = AEM_IP_EXCHANGE_MAX + 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_EXCHANGE, &bad), EINVAL);
	bad = ip_on(tcp[0], 0, EVF_ONESHOT);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_EXCHANGE, &bad), EINVAL);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATA, NULL), EFAULT);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CALLS, &bad), ENOSYS);
	end(&raw);
}

TEST(accept_arguments)
{
	struct aem_ip_accept good, bad;
	struct raw raw;

	begin(&raw);
	good = ip_accept_on(listener, 0, EVF_START);
	ip_template(&good, 0, EVF_START);
#define REFUSE(_field, _value, _errno) do {				\
		bad = good;						\
		bad._field = _value;					\
		EXPECT_ERRNO(ip_call(&raw, AEM_IP_ACCEPT, &bad), _errno);	\
		EXPECT_EQ(raw_query(&raw).events, 0);			\
	} while (0)
	REFUSE(size, sizeof(bad) - 4, EINVAL);
	REFUSE(flags, 1, EINVAL);
	REFUSE(sockflags, 1, EINVAL);
	REFUSE(sockflags, SOCK_NONBLOCK | SOCK_CLOEXEC | 2, EINVAL);
	REFUSE(sockflags, UINT32_MAX, EINVAL);
	REFUSE(reg.prio, 32, EINVAL);
	REFUSE(reg.flags, 2, EINVAL);
	REFUSE(data.flags, 1, EINVAL);
	REFUSE(data.flags, EVF_FORK, EOPNOTSUPP);
	REFUSE(data.prio, 32, EINVAL);
	REFUSE(data.length, 65537, EINVAL);
	REFUSE(data.call, AEM_IP_DATA, EINVAL);
	REFUSE(data.call, UINT32_MAX, EINVAL);
#undef REFUSE
	bad = good;
	bad.data.call = AEM_IP_EXCHANGE;
	bad.data.length = AEM_IP_EXCHANGE_MAX + 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ACCEPT, &bad), EINVAL);
	bad.data.length = 0;
	bad.data.flags = EVF_START | EVF_ONESHOT;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ACCEPT, &bad), EINVAL);
	/* Without a handler there is no data event, and what is no call is none nevertheless. */
	bad = good;
	bad.data.handler = 0;
	bad.data.call = 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ACCEPT, &bad), EINVAL);
	/* Too many events for the template's trial, and for the accept event. */
	raw_set_parameter("max_events", 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ACCEPT, &good), ENOSPC);
	bad = ip_accept_on(listener, 0, EVF_START);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ACCEPT, &bad), ENOSPC);
	raw_set_parameter("max_events", 65536);
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &good));
	ip_shut(&raw, good.reg.id);
	end(&raw);
}

/* A limit of events refuses each kind, and lets go of the socket. */
TEST(limit)
{
	union address address;
	struct aem_ip_connect connect;
	struct aem_ip_socket request;
	unsigned long before;
	struct raw raw;

	begin(&raw);
	before = raw_parameter("max_events");
	raw_set_parameter("max_events", 0);
	request = ip_on(tcp[0], 0, 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATA, &request), ENOSPC);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_ROOM, &request), ENOSPC);
	request = ip_on(udp, 0, 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATAGRAM, &request), ENOSPC);
	/* Nothing was connected. */
	address = ip_name(listener);
	connect = ip_connect_to(fresh, &address, 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &connect), ENOSPC);
	EXPECT_EQ(ip_poll(listener, POLLIN, 50), 0);
	raw_set_parameter("max_events", before);
	end(&raw);
}

TEST(send_arguments)
{
	union address address = ip_loopback(AF_INET, 9), v6 = ip_loopback(AF_INET6, 9);
	uint64_t stream, datagram, listening;
	struct aem_ip_send good, bad;
	char byte;
	struct raw raw;

	begin(&raw);
	stream = ip_new(&raw, AEM_IP_DATA, tcp[0], 0, 0);
	datagram = ip_new(&raw, AEM_IP_DATAGRAM, udp, 0, 0);
	listening = ip_new_accept(&raw, listener, false);
	good = ip_bytes(stream, "x", 1, 0);
#define REFUSE(_field, _value, _errno) do {				\
		bad = good;						\
		bad._field = _value;					\
		EXPECT_ERRNO(ip_call(&raw, AEM_IP_SEND, &bad), _errno);	\
	} while (0)
	REFUSE(size, sizeof(bad) - 8, EINVAL);
	REFUSE(flags, 4, EINVAL);
	REFUSE(flags, UINT32_MAX, EINVAL);
	REFUSE(pad, 1, EINVAL);
	REFUSE(id, 0, ENOENT);
	REFUSE(id, stream ^ 1ULL << 32, ENOENT);
	REFUSE(id, UINT64_MAX, ENOENT);
	REFUSE(data, 8, EFAULT);
	REFUSE(data, UINT64_MAX, EFAULT);
	REFUSE(address, (uintptr_t)&address, EINVAL);
	REFUSE(addrlen, 16, EINVAL);
	REFUSE(id, listening, EPIPE);
	good = ip_bytes(datagram, "x", 1, 0);
	REFUSE(flags, AEM_IP_SEND_LAST, EINVAL);
	REFUSE(addrlen, 16, EINVAL);
	REFUSE(length, 70000, EDESTADDRREQ);
	good.address = (uintptr_t)&v6;
	good.addrlen = sizeof(v6.v6);
	REFUSE(length, 70000, EMSGSIZE);
	REFUSE(data, 8, EFAULT);
	REFUSE(address, 8, EFAULT);
	REFUSE(addrlen, 0, EINVAL);
	REFUSE(addrlen, 15, EINVAL);
	REFUSE(addrlen, 27, EINVAL);
	REFUSE(addrlen, 129, EINVAL);
	REFUSE(addrlen, UINT32_MAX, EINVAL);
	v6.any.sa_family = AF_UNIX;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_SEND, &good), EINVAL);
#undef REFUSE
	/* All of that sent nothing. */
	EXPECT_ERRNO(recv(tcp[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
	/* An event of another service is none of these. */
	ip_shut(&raw, stream);
	EXPECT_ERRNO(ip_send(&raw, stream, "x", 1, 0), ENOENT);
	ip_shut(&raw, datagram);
	ip_shut(&raw, listening);
	end(&raw);
}

/* Bytes of which a part cannot be read: what could is sent, and counted. */
TEST(send_half_readable)
{
	char *half = raw_guarded(100), got[256];
	uint64_t id;
	struct raw raw;

	begin(&raw);
	memset(half, 'x', 100);
	id = ip_new(&raw, AEM_IP_DATA, tcp[0], 0, 0);
	EXPECT_ERRNO(ip_send(&raw, id, half + 100, 1, 0), EFAULT);
	EXPECT_ERRNO(ip_send(&raw, id, NULL, 1, 0), EFAULT);
	EXPECT_EQ(recv(tcp[1], got, sizeof(got), MSG_DONTWAIT), -1);
	EXPECT_EQ(ip_send(&raw, id, half, 100, 0), 100);
	EXPECT_EQ(recv(tcp[1], got, sizeof(got), 0), 100);
	ip_shut(&raw, id);
	end(&raw);
}

/* A length beyond everything: as many bytes as can be read and taken, never more. */
TEST(send_huge)
{
	uint64_t id;
	long long n;
	struct raw raw;

	begin(&raw);
	id = ip_new(&raw, AEM_IP_DATA, tcp[0], 0, 0);
	n = ip_send(&raw, id, raw_guarded(100), SIZE_MAX, 0);
	EXPECT(n == -1 && errno == EFAULT);
	ip_shut(&raw, id);
	end(&raw);
}

/* Each event of a context is that context's: ids mean nothing to another. */
TEST(another_context)
{
	struct raw raw, other;
	uint64_t id;

	begin(&raw);
	id = ip_new(&raw, AEM_IP_DATA, tcp[0], 0, 0);
	ip_start(&other, 0, 0);
	EXPECT_ERRNO(ip_send(&other, id, "x", 1, 0), ENOENT);
	EXPECT_ERRNO(raw_event(&other, AEM_EVENT_SHUTDOWN, id, 0), ENOENT);
	raw_end(&other);
	EXPECT_EQ(ip_send(&raw, id, "x", 1, 0), 1);
	ip_shut(&raw, id);
	end(&raw);
}

KTAP_MAIN()
