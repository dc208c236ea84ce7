// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_DATAGRAM: datagrams with their senders, one record each, and what is not one.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

static void expect_datagram(const struct heard *h, uint64_t id, const union address *from,
			    const void *data, uint32_t length)
{
	EXPECT_EQ(h->record.id, id);
	EXPECT_EQ(h->record.nr, ip_base + AEM_IP_DATAGRAM);
	EXPECT_EQ(h->record.count, 1);
	EXPECT_EQ(h->record.lost, 0);
	EXPECT_EQ(h->word[1], 0);
	EXPECT_EQ(h->from.length, ip_size(from->any.sa_family));
	EXPECT_EQ(h->from.pad, 0);
	EXPECT_EQ(memcmp(h->from.address, from, h->from.length), 0);
	if (EXPECT_EQ(h->length, length) && length)
		EXPECT_EQ(memcmp(h->data, data, length), 0);
}

/* What is sent comes in order. */
static void start(struct raw *raw)
{
	raw_pin(0);
	ip_start(raw, 0, 0);
}

static void one_by_one(int family)
{
	int fd = ip_bound(family, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	union address from = ip_name(peer);
	struct raw raw;
	uint64_t id;

	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 3, 0);
	ip_expect_quiet(&raw);
	ip_write(peer, "hello", 5);
	ip_wait(&raw, 1);
	expect_datagram(&heard[0], id, &from, "hello", 5);
	EXPECT_EQ((int)heard[0].word[0], fd);
	EXPECT_EQ(heard[0].record.cookie, 3);
	EXPECT_EQ(heard[0].word[5], 0);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

TEST(one_v4) { one_by_one(AF_INET); }
TEST(one_v6) { one_by_one(AF_INET6); }

/* A burst is many records of one crossing, in the order in which they were sent. */
static void burst(int family)
{
	enum { N = 100 };
	int fd = ip_bound(family, SOCK_DGRAM), peer[2], i;
	struct aem_enter enter = { 0 };
	union address from[2];
	struct raw raw;
	uint64_t id;

	for (i = 0; i < 2; i++) {
		peer[i] = ip_dial(fd, SOCK_DGRAM);
		from[i] = ip_name(peer[i]);
	}
	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 100);
	for (i = 0; i < N; i++)
		ip_write(peer[i % 2], &i, sizeof(i));
	ip_settle();
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, N);
	raw_dispatch(&raw, &enter);
	ASSERT_EQ(n_heard, N);
	for (i = 0; i < N; i++) {
		expect_datagram(&heard[i], id, &from[i % 2], &i, sizeof(i));
		EXPECT_EQ(heard[i].word[5], i < N - 1 ? AEM_IP_F_MORE : 0);
	}
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

TEST(burst_v4) { burst(AF_INET); }
TEST(burst_v6) { burst(AF_INET6); }

/* What waits already is told at the start. */
TEST(early)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	struct raw raw;

	start(&raw);
	ip_write(peer, "1", 1);
	ip_write(peer, "2", 1);
	ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[0].data[0], '1');
	EXPECT_EQ(heard[1].data[0], '2');
	raw_end(&raw);
}

/* A datagram of no bytes is one, and does not hide the next. */
TEST(empty)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	union address from = ip_name(peer);
	struct raw raw;
	uint64_t id;

	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	ASSERT_EQ(send(peer, "", 0, 0), 0);
	ASSERT_EQ(send(peer, "", 0, 0), 0);
	ip_write(peer, "x", 1);
	ip_wait(&raw, 3);
	expect_datagram(&heard[0], id, &from, "", 0);
	expect_datagram(&heard[1], id, &from, "", 0);
	expect_datagram(&heard[2], id, &from, "x", 1);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

TEST(truncated)
{
	int fd = ip_bound(AF_INET6, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	union address from = ip_name(peer);
	struct raw raw;
	uint64_t id;

	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 4);
	ip_write(peer, "12345", 5);
	ip_write(peer, "1234", 4);
	ip_wait(&raw, 2);
	expect_datagram(&heard[0], id, &from, "1234", 4);
	EXPECT_EQ(heard[0].word[5], AEM_IP_F_TRUNCATED | AEM_IP_F_MORE);
	expect_datagram(&heard[1], id, &from, "1234", 4);
	EXPECT_EQ(heard[1].word[5], 0);
	raw_end(&raw);
}

/* The largest that fits into a block with its sender, and the largest there is. */
TEST(largest)
{
	static uint8_t bytes[65507];
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	union address from = ip_name(peer);
	struct raw raw;
	uint64_t id;

	ip_fill(bytes, sizeof(bytes), 0);
	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, AEM_IP_DATAGRAM_MAX);
	ASSERT_EQ(send(peer, bytes, AEM_IP_DATAGRAM_MAX, 0), AEM_IP_DATAGRAM_MAX);
	ip_wait(&raw, 1);
	expect_datagram(&heard[0], id, &from, bytes, AEM_IP_DATAGRAM_MAX);
	EXPECT_EQ(heard[0].word[5], 0);
	ASSERT_EQ(send(peer, bytes, sizeof(bytes), 0), sizeof(bytes));
	ip_wait(&raw, 2);
	expect_datagram(&heard[1], id, &from, bytes, AEM_IP_DATAGRAM_MAX);
	EXPECT_EQ(heard[1].word[5], AEM_IP_F_TRUNCATED);
	raw_end(&raw);
}

/* What the socket dropped for lack of room is told by the next record, once. */
TEST(lost)
{
	static uint8_t bytes[1000];
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	uint32_t sent = 1000, lost = 0, i;
	struct raw raw;

	start(&raw);
	ip_set(fd, SOL_SOCKET, SO_RCVBUF, 16384);
	ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, sizeof(bytes));
	for (i = 0; i < sent; i++)
		ip_write(peer, bytes, sizeof(bytes));
	/* A slow guest may still be dropping: what a record does not tell, a later one does. */
	for (i = 0; i + lost < sent; sent++) {
		ip_settle();
		ip_write(peer, "x", 1);
		ip_wait(&raw, n_heard + 1);
		raw_drain(&raw);
		for (; i < n_heard; i++)
			lost += heard[i].record.lost;
		ASSERT_LE(i + lost, sent + 1);
	}
	EXPECT_GT(lost, 0);
	EXPECT_GT(i, 1);
	ip_write(peer, "x", 1);
	ip_wait(&raw, i + 1);
	EXPECT_EQ(heard[i].record.lost, 0);
	raw_end(&raw);
}

/* What was dropped before the event was registered is not its loss. */
TEST(lost_before)
{
	static uint8_t bytes[1000];
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM), i;
	struct raw raw;

	start(&raw);
	ip_set(fd, SOL_SOCKET, SO_RCVBUF, 16384);
	for (i = 0; i < 100; i++)
		ip_write(peer, bytes, sizeof(bytes));
	ip_settle();
	ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	raw_drain(&raw);
	EXPECT_GT(n_heard, 0);
	EXPECT_LT(n_heard, 100);
	EXPECT_EQ(heard[0].record.lost, 0);
	raw_end(&raw);
}

/* Nobody listens there: that is told, and the event goes on. */
static void refused(int family)
{
	int fd = ip_bound(family, SOCK_DGRAM), peer = ip_bound(family, SOCK_DGRAM);
	union address address = ip_name(peer), self = ip_name(fd);
	struct raw raw;
	uint64_t id;

	start(&raw);
	ASSERT_OK(connect(fd, &address.any, ip_size(family)));
	ASSERT_OK(close(peer));
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	EXPECT_EQ(ip_send(&raw, id, "x", 1, 0), 1);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].record.id, id);
	EXPECT_EQ((int)heard[0].word[0], fd);
	EXPECT_EQ(heard[0].word[1], ECONNREFUSED);
	EXPECT_EQ(heard[0].record.arg[1], 0);
	EXPECT_EQ(heard[0].word[4], 0);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	peer = ip_socket(family, SOCK_DGRAM);
	ASSERT_OK(bind(peer, &address.any, ip_size(family)));
	ASSERT_EQ(sendto(peer, "alive", 5, 0, &self.any, ip_size(family)), 5);
	ip_wait(&raw, 2);
	expect_datagram(&heard[1], id, &address, "alive", 5);
	raw_end(&raw);
}

TEST(refused_v4) { refused(AF_INET); }
TEST(refused_v6) { refused(AF_INET6); }

/* An error and a datagram wait: both are told. */
TEST(error_and_datagram)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_bound(AF_INET, SOCK_DGRAM);
	union address address = ip_name(peer), self = ip_name(fd);
	struct raw raw;
	uint64_t id;

	start(&raw);
	ASSERT_OK(connect(fd, &address.any, sizeof(address.v4)));
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	ASSERT_EQ(sendto(peer, "first", 5, 0, &self.any, sizeof(self.v4)), 5);
	ASSERT_OK(close(peer));
	EXPECT_EQ(ip_send(&raw, id, "x", 1, 0), 1);
	EXPECT_EQ(ip_poll(fd, 0, 1000) & POLLERR, POLLERR);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[0].word[1], ECONNREFUSED);
	EXPECT_EQ(heard[1].length, 5);
	raw_end(&raw);
}

/* An echo server: replies to whoever sent, in a batch that goes with the next crossing. */
TEST(echo_batch)
{
	enum { N = 16 };
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer[N], i;
	struct aem_enter enter = { .timeout = RAW_LONG };
	struct aem_ip_send sends[N];
	struct aem_call calls[N];
	struct raw raw;
	uint64_t id;
	int got;

	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	for (i = 0; i < N; i++) {
		peer[i] = ip_dial(fd, SOCK_DGRAM);
		ip_write(peer[i], &i, sizeof(i));
	}
	ip_wait(&raw, N);
	for (i = 0; i < N; i++) {
		sends[i] = ip_bytes(id, heard[i].data, heard[i].length, 0);
		sends[i].address = (uintptr_t)heard[i].from.address;
		sends[i].addrlen = heard[i].from.length;
		calls[i] = (struct aem_call){
			.size = sizeof(calls[i]), .nr = ip_base + AEM_IP_SEND,
			.arg = (uintptr_t)&sends[i], .result = -4711,
		};
	}
	/* One of them goes wrong, the others do not mind. */
	sends[5].addrlen = 3;
	enter.calls = (uintptr_t)calls;
	enter.n_calls = N;
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.done, N);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(calls[i].result, i == 5 ? -EINVAL : (int)sizeof(i));
		EXPECT_EQ(ip_poll(peer[i], POLLIN, i == 5 ? 0 : 1000), i == 5 ? 0 : POLLIN);
		if (i == 5)
			continue;
		ASSERT_EQ(recv(peer[i], &got, sizeof(got), 0), sizeof(got));
		EXPECT_EQ(got, i);
	}
	raw_end(&raw);
}

/* AEM_IP_SEND_MORE: one datagram of two sends. */
TEST(send_more)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	union address address = ip_name(peer);
	char bytes[16];
	struct raw raw;
	uint64_t id;

	start(&raw);
	ASSERT_OK(connect(fd, &address.any, sizeof(address.v4)));
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	EXPECT_EQ(ip_send(&raw, id, "he", 2, AEM_IP_SEND_MORE), 2);
	EXPECT_EQ(ip_poll(peer, POLLIN, 20), 0);
	EXPECT_EQ(ip_send(&raw, id, "llo", 3, 0), 3);
	EXPECT_EQ(recv(peer, bytes, sizeof(bytes), 0), 5);
	raw_end(&raw);
}

/* Two events on one socket: each datagram goes to one of them. */
TEST(two_events)
{
	enum { N = 50 };
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM), i, j;
	uint8_t seen[N] = { 0 };
	struct raw raw;

	start(&raw);
	ip_new(&raw, AEM_IP_DATAGRAM, fd, 1, 64);
	ip_new(&raw, AEM_IP_DATAGRAM, fd, 2, 64);
	for (i = 0; i < N; i++)
		ip_write(peer, &i, sizeof(i));
	ip_wait(&raw, N);
	for (i = 0; i < N; i++) {
		ASSERT_EQ(heard[i].length, sizeof(j));
		memcpy(&j, heard[i].data, sizeof(j));
		ASSERT_LT(j, N);
		EXPECT_EQ(seen[j]++, 0);
	}
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

TEST(oneshot)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	struct aem_ip_socket request = ip_on(fd, 0, EVF_START | EVF_ONESHOT);
	char bytes[8];
	struct raw raw;

	start(&raw);
	ip_write(peer, "1", 1);
	ip_write(peer, "2", 1);
	ip_settle();
	ASSERT_OK(ip_call(&raw, AEM_IP_DATAGRAM, &request));
	ip_wait(&raw, 1);
	ip_expect_quiet(&raw);
	EXPECT_EQ(heard[0].record.flags, AEM_RECORD_F_LAST);
	ASSERT_EQ(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 1);
	EXPECT_EQ(bytes[0], '2');
	raw_end(&raw);
}

/* A stopped event leaves datagrams in the socket. */
TEST(stop_and_start)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	struct raw raw;
	uint64_t id;

	start(&raw);
	id = ip_new(&raw, AEM_IP_DATAGRAM, fd, 0, 0);
	ip_write(peer, "1", 1);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	ip_write(peer, "2", 1);
	ip_expect_quiet(&raw);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[0].data[0], '1');
	EXPECT_EQ(heard[1].data[0], '2');
	raw_end(&raw);
}

KTAP_MAIN()
