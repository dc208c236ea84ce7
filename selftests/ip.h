/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the service "ip" share: sockets, requests, and a list of all records heard.
 */
#ifndef SELFTESTS_IP_H
#define SELFTESTS_IP_H

#include "raw.h"
#include <arpa/inet.h>
#include <linux/aem_ip.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define MS		1000000LL
#define HEARD_MAX	65536

/**
 * struct heard - a record that ip_hear() got, and a copy of its block
 * @record: the record
 * @word:   its arguments as words
 * @from:   the address in its block (accept, datagram)
 * @data:   the bytes in its block (data, datagram)
 * @length: how many
 */
struct heard {
	struct aem_record record;
	uint32_t word[6];
	struct aem_ip_address from;
	uint8_t *data;
	uint32_t length;
};

/**
 * union address - an address of either family
 */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static uint32_t ip_base;
static struct heard heard[HEARD_MAX];
static uint32_t n_heard;

static inline void ip_copy_data(struct heard *h, const uint8_t *data)
{
	h->length = h->word[4];
	h->data = (uint8_t *)malloc(h->length + 1);
	ASSERT(h->data);
	memcpy(h->data, data, h->length);
}

/* The handler of all events, unless a test needs one of its own. */
static inline void ip_hear(struct raw *raw, struct aem_record *record)
{
	struct heard *h = &heard[n_heard];
	uint32_t call = record->nr - ip_base;
	uint64_t offset = record->arg[1];

	ASSERT_LT(n_heard, HEARD_MAX);
	memset(h, 0, sizeof(*h));
	h->record = *record;
	memcpy(h->word, record->arg, sizeof(h->word));
	n_heard++;
	if (h->word[1] || record->flags & AEM_RECORD_F_REVOKED)
		return;
	if (call == AEM_IP_ACCEPT || call == AEM_IP_DATAGRAM) {
		ASSERT_LE(offset + sizeof(h->from), raw->setup.vmt_size);
		memcpy(&h->from, raw->vmt + offset, sizeof(h->from));
		offset += sizeof(h->from);
	}
	if (call == AEM_IP_DATA || call == AEM_IP_DATAGRAM) {
		ASSERT_LE(offset + h->word[4], raw->setup.vmt_size);
		ip_copy_data(h, raw->vmt + offset);
	}
}

/* A context with safe points only, bound to the service. 0: the default. */
static inline void ip_start(struct raw *raw, uint32_t ring, uint64_t vmt)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw->setup.ring_entries = ring;
	raw->setup.vmt_size = vmt;
	raw_begin(raw);
	ip_base = raw_service(raw, AEM_IP_SERVICE);
	n_heard = 0;
}

/* Until so many records were heard in all. */
static inline void ip_wait(struct raw *raw, uint32_t n)
{
	while (n_heard < n)
		ASSERT_EQ(raw_wait(raw, RAW_LONG), 0);
}

/* Nothing is due, and nothing comes for a while. Takes the last records back too. */
static inline void ip_expect_quiet(struct raw *raw)
{
	uint32_t n = n_heard;

	EXPECT_EQ(raw_wait(raw, 20 * MS), ETIME);
	EXPECT_EQ(n_heard, n);
}

/* The same where the event may be active now and then without anything to tell. */
static inline void ip_expect_silence(struct raw *raw)
{
	uint32_t n = n_heard, rounds = 0;

	while (raw_wait(raw, 20 * MS) == 0)
		if (!EXPECT_LT(++rounds, 50))
			break;
	EXPECT_EQ(n_heard, n);
}

/* Sockets. */

static inline socklen_t ip_size(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static inline union address ip_loopback(int family, uint16_t port)
{
	union address address;

	memset(&address, 0, sizeof(address));
	address.any.sa_family = family;
	if (family == AF_INET) {
		address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		address.v4.sin_port = htons(port);
	} else {
		address.v6.sin6_addr = in6addr_loopback;
		address.v6.sin6_port = htons(port);
	}
	return address;
}

static inline union address ip_name(int fd)
{
	union address address;
	socklen_t length = sizeof(address);

	memset(&address, 0, sizeof(address));
	ASSERT_OK(getsockname(fd, &address.any, &length));
	return address;
}

static inline int ip_socket(int family, int type)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	ASSERT_GE(fd, 0);
	return fd;
}

/* Bound to a free port of the loopback. */
static inline int ip_bound(int family, int type)
{
	union address address = ip_loopback(family, 0);
	int fd = ip_socket(family, type);

	ASSERT_OK(bind(fd, &address.any, ip_size(family)));
	return fd;
}

static inline int ip_listen(int family)
{
	int fd = ip_bound(family, SOCK_STREAM);

	ASSERT_OK(listen(fd, 4096));
	return fd;
}

/* A new socket, connected to the one that @to is the name of. */
static inline int ip_dial(int to, int type)
{
	union address address = ip_name(to);
	int fd = ip_socket(address.any.sa_family, type);

	ASSERT_OK(connect(fd, &address.any, ip_size(address.any.sa_family)));
	return fd;
}

/* A TCP connection: fd[0] accepted, fd[1] connected. */
static inline void ip_pair(int family, int fd[2])
{
	int listener = ip_listen(family);

	fd[1] = ip_dial(listener, SOCK_STREAM);
	fd[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_GE(fd[0], 0);
	ASSERT_OK(close(listener));
}

static inline void ip_write(int fd, const void *data, size_t length)
{
	const char *at = (const char *)data;
	ssize_t n;

	while (length) {
		n = send(fd, at, length, MSG_NOSIGNAL);
		ASSERT_GT(n, 0);
		at += n;
		length -= n;
	}
}

/* close() that resets the connection. */
static inline void ip_reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	ASSERT_OK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	ASSERT_OK(close(fd));
}

static inline void ip_set(int fd, int level, int option, int value)
{
	ASSERT_OK(setsockopt(fd, level, option, &value, sizeof(value)));
}

/* The loopback delivers soon, not at once: until so many bytes can be read. */
static inline void ip_await_bytes(int fd, int bytes)
{
	int now = 0;

	while (now < bytes) {
		ASSERT_OK(ioctl(fd, FIONREAD, &now));
		raw_sleep_ms(1);
	}
}

static inline void ip_settle(void)
{
	raw_sleep_ms(50);
}

static inline short ip_poll(int fd, short events, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	ASSERT_GE(poll(&poll_fd, 1, timeout), 0);
	return poll_fd.revents;
}

/* A limit of descriptors that are in use already: none can be had. */
static inline void ip_limit_fds(struct rlimit *before)
{
	struct rlimit limit;
	int fd = dup(STDIN_FILENO);

	ASSERT_GE(fd, 0);
	ASSERT_OK(close(fd));
	ASSERT_OK(getrlimit(RLIMIT_NOFILE, before));
	limit = *before;
	limit.rlim_cur = fd;
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Requests. */

static inline struct aem_registration ip_registration(uint64_t cookie, uint32_t flags,
						      uint32_t prio)
{
	struct aem_registration reg;

	memset(&reg, 0, sizeof(reg));
	reg.handler = (uintptr_t)ip_hear;
	reg.cookie = cookie;
	reg.flags = flags;
	reg.prio = prio;
	return reg;
}

static inline struct aem_ip_socket ip_on(int fd, uint64_t cookie, uint32_t flags)
{
	struct aem_ip_socket request;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	request.fd = fd;
	request.reg = ip_registration(cookie, flags, 8);
	return request;
}

static inline struct aem_ip_send_many ip_send_many(uint64_t id, const void *messages,
						   uint32_t bytes)
{
	return (struct aem_ip_send_many){
		.size = sizeof(struct aem_ip_send_many), .id = id,
		.messages = (uintptr_t)messages, .bytes = bytes,
	};
}

static inline struct aem_ip_accept ip_accept_on(int fd, uint64_t cookie, uint32_t flags)
{
	struct aem_ip_accept request;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	request.fd = fd;
	request.reg = ip_registration(cookie, flags, 9);
	return request;
}

static inline void ip_template(struct aem_ip_accept *request, uint64_t cookie, uint32_t flags)
{
	request->data.handler = (uintptr_t)ip_hear;
	request->data.cookie = cookie;
	request->data.flags = flags;
	request->data.prio = 8;
}

static inline struct aem_ip_connect ip_connect_to(int fd, const union address *address,
						  uint32_t flags)
{
	struct aem_ip_connect request;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	request.fd = fd;
	request.reg = ip_registration(0, flags, 8);
	if (address) {
		request.address = (uintptr_t)address;
		request.length = ip_size(address->any.sa_family);
	}
	return request;
}

static inline long long ip_call(const struct raw *raw, uint32_t call, void *request)
{
	return raw_call(raw, ip_base + call, request);
}

/* A started event of kind data, datagram or room. */
static inline uint64_t ip_new(const struct raw *raw, uint32_t call, int fd, uint64_t cookie,
			      uint32_t length)
{
	struct aem_ip_socket request = ip_on(fd, cookie, EVF_START);

	request.length = length;
	ASSERT_OK(ip_call(raw, call, &request));
	ASSERT_NE(request.reg.id, 0);
	return request.reg.id;
}

static inline uint64_t ip_new_accept(const struct raw *raw, int fd, bool template)
{
	struct aem_ip_accept request = ip_accept_on(fd, 0, EVF_START);

	if (template)
		ip_template(&request, 0, EVF_START);
	ASSERT_OK(ip_call(raw, AEM_IP_ACCEPT, &request));
	ASSERT_NE(request.reg.id, 0);
	return request.reg.id;
}

static inline struct aem_ip_send ip_bytes(uint64_t id, const void *data, size_t length,
					  uint32_t flags)
{
	struct aem_ip_send request;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	request.flags = flags;
	request.id = id;
	request.data = (uintptr_t)data;
	request.length = length;
	return request;
}

/* Bytes taken, or -1 and errno. */
static inline long long ip_send(const struct raw *raw, uint64_t id, const void *data, size_t length,
				uint32_t flags)
{
	struct aem_ip_send request = ip_bytes(id, data, length, flags);

	return ip_call(raw, AEM_IP_SEND, &request);
}

static inline void ip_shut(const struct raw *raw, uint64_t id)
{
	ASSERT_OK(raw_event(raw, AEM_EVENT_SHUTDOWN, id, 0));
}

/* The bytes at @offset of the stream that every test sends. */
static inline void ip_fill(void *data, size_t length, uint64_t offset)
{
	uint8_t *bytes = (uint8_t *)data;
	size_t i;

	for (i = 0; i < length; i++)
		bytes[i] = (offset + i) * 2654435761U >> 13;
}

/* What was heard of one event, from the @first record on, is the stream from @offset on. */
static inline uint64_t ip_expect_stream(uint64_t id, uint32_t first, uint64_t offset)
{
	uint8_t *expected;
	uint32_t i;

	for (i = first; i < n_heard; i++) {
		struct heard *h = &heard[i];

		if (h->record.id != id || !h->length)
			continue;
		expected = (uint8_t *)malloc(h->length);
		ASSERT(expected);
		ip_fill(expected, h->length, offset);
		EXPECT_EQ(memcmp(h->data, expected, h->length), 0);
		offset += h->length;
		free(expected);
	}
	return offset;
}

/* The record is the end of a stream: the peer's FIN (@error 0), or an error. */
static inline void ip_expect_end(const struct heard *h, uint64_t id, int fd, uint32_t error)
{
	EXPECT_EQ(h->record.id, id);
	EXPECT_EQ(h->record.nr, ip_base + AEM_IP_DATA);
	EXPECT_EQ((int)h->word[0], fd);
	EXPECT_EQ(h->word[1], error);
	EXPECT_EQ(h->record.arg[1], 0);
	EXPECT_EQ(h->word[4], 0);
	EXPECT_EQ(h->word[5], error ? 0 : AEM_IP_F_END);
}

#endif /* SELFTESTS_IP_H */
