// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_DATAGRAMS and AEM_IP_SEND_MANY: many datagrams in one record, and by one call.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

#define MESSAGES	512
/* The smallest zone: one largest block. */
#define ZONE		65536

static struct raw raw;

/* What the records had, one message after the other. */
static struct {
	uint32_t n;
	uint32_t records;
	uint32_t lost;
	uint64_t id;
	struct aem_ip_message head[MESSAGES];
	uint8_t bytes[MESSAGES][64];
	uint32_t more;
	bool answer;
} many;

static struct aem_ip_send_many request_of(const void *messages, uint32_t bytes)
{
	struct aem_ip_send_many request = ip_send_many(many.id, messages, bytes);

	request.at = 77;
	request.error = 77;
	return request;
}

static void hear(struct raw *context, struct aem_record *record)
{
	const uint8_t *block = context->vmt + record->arg[1], *at = block;
	struct aem_ip_send_many request;
	struct aem_ip_message *m;
	uint32_t word[6], i;

	memcpy(word, record->arg, sizeof(word));
	ASSERT_EQ(record->nr, ip_base + AEM_IP_DATAGRAMS);
	ASSERT_LE(word[1], AEM_IP_MANY);
	EXPECT_EQ(record->count, word[1]);
	many.records++;
	many.lost += record->lost;
	many.more = word[5];
	for (i = 0; i < word[1]; i++, at += m->length) {
		m = (struct aem_ip_message *)at;
		ASSERT_LT(many.n, MESSAGES);
		ASSERT_EQ(m->length % 8, 0);
		ASSERT_LE(sizeof(*m) + m->bytes, m->length);
		EXPECT_LT(m->length, sizeof(*m) + m->bytes + 8);
		EXPECT_EQ(!!(m->flags & AEM_IP_F_NEXT), i + 1 < word[1]);
		EXPECT_EQ(m->peer.pad, 0);
		many.head[many.n] = *m;
		memcpy(many.bytes[many.n], m->data, m->bytes < 64 ? m->bytes : 64);
		many.n++;
	}
	EXPECT_EQ(at - block, word[4]);
	if (!many.answer)
		return;
	request = request_of(block, word[4]);
	EXPECT_EQ(ip_call(context, AEM_IP_SEND_MANY, &request), word[1]);
	EXPECT_EQ(request.at, word[4]);
	EXPECT_EQ(request.error, 0);
}

static void start_in(uint64_t zone, int fd, uint32_t length, uint32_t flags)
{
	struct aem_ip_socket request = ip_on(fd, 0, flags);

	raw_pin(0);
	ip_start(&raw, 0, zone);
	memset(&many, 0, sizeof(many));
	request.length = length;
	request.reg.handler = (uintptr_t)hear;
	ASSERT_OK(ip_call(&raw, AEM_IP_DATAGRAMS, &request));
	many.id = request.reg.id;
}

static void start(int fd, uint32_t length, uint32_t flags)
{
	start_in(0, fd, length, flags);
}

static void await(uint32_t n)
{
	while (many.n < n)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(many.n, n);
}

static void expect(uint32_t i, const union address *from, const void *bytes, uint32_t length)
{
	ASSERT_LT(i, many.n);
	EXPECT_EQ(many.head[i].error, 0);
	EXPECT_EQ(many.head[i].peer.length, ip_size(from->any.sa_family));
	EXPECT_EQ(memcmp(many.head[i].peer.address, from, many.head[i].peer.length), 0);
	if (EXPECT_EQ(many.head[i].bytes, length))
		EXPECT_EQ(memcmp(many.bytes[i], bytes, length), 0);
}

/* All that waits is one record, up to so many, in order, each with its sender. */
static void burst(int family)
{
	enum { N = AEM_IP_MANY + 36 };
	int fd = ip_bound(family, SOCK_DGRAM), peer[2], i;
	union address from[2];
	uint8_t bytes[64];

	for (i = 0; i < 2; i++) {
		peer[i] = ip_dial(fd, SOCK_DGRAM);
		from[i] = ip_name(peer[i]);
	}
	start(fd, 64, 0);
	for (i = 0; i < N; i++) {
		memset(bytes, i, sizeof(bytes));
		ip_write(peer[i % 2], bytes, 1 + i % 64);
	}
	ip_settle();
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, many.id, 0));
	ip_settle();
	EXPECT_EQ(raw_round(&raw), 2);
	EXPECT_EQ(many.records, 2);
	EXPECT_EQ(many.more, 0);
	ASSERT_EQ(many.n, N);
	for (i = 0; i < N; i++) {
		memset(bytes, i, sizeof(bytes));
		expect(i, &from[i % 2], bytes, 1 + i % 64);
	}
	EXPECT_EQ(many.lost, 0);
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

TEST(burst_v4) { burst(AF_INET); }
TEST(burst_v6) { burst(AF_INET6); }

TEST(empty_and_truncated)
{
	int fd = ip_bound(AF_INET6, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	union address from = ip_name(peer);

	start(fd, 5, EVF_START);
	ASSERT_EQ(send(peer, "", 0, 0), 0);
	ip_write(peer, "123456", 6);
	ip_write(peer, "12345", 5);
	await(3);
	expect(0, &from, "", 0);
	expect(1, &from, "12345", 5);
	EXPECT(many.head[1].flags & AEM_IP_F_TRUNCATED);
	expect(2, &from, "12345", 5);
	EXPECT(!(many.head[2].flags & AEM_IP_F_TRUNCATED));
	raw_end(&raw);
}

/* As many as the largest block holds, when not so many of that length do. */
TEST(long_ones)
{
	enum { LENGTH = 20000, N = 6 };
	static uint8_t bytes[LENGTH];
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM), i;
	union address from = ip_name(peer);

	ip_set(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
	start(fd, LENGTH, 0);
	for (i = 0; i < N; i++) {
		memset(bytes, i, sizeof(bytes));
		ASSERT_EQ(send(peer, bytes, LENGTH, 0), LENGTH);
	}
	ip_settle();
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, many.id, 0));
	await(N);
	EXPECT_EQ(many.records, N / 3);
	for (i = 0; i < N; i++) {
		EXPECT_EQ(many.head[i].bytes, LENGTH);
		EXPECT_EQ(many.bytes[i][0], i);
		EXPECT_EQ(memcmp(many.head[i].peer.address, &from, sizeof(from.v4)), 0);
	}
	raw_end(&raw);
}

TEST(drops_are_counted)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	uint32_t sent;

	ip_set(fd, SOL_SOCKET, SO_RCVBUF, 1);
	start(fd, 64, 0);
	for (sent = 0; sent < 100; sent++)
		ip_write(peer, "x", 1);
	ip_settle();
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, many.id, 0));
	ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	raw_drain(&raw);
	EXPECT_GT(many.lost, 0);
	EXPECT_EQ(many.n + many.lost, sent);
	raw_end(&raw);
}

static void send_numbers(int peer, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		ip_write(peer, &from, sizeof(from));
	ip_settle();
}

static void expect_numbers(uint32_t n)
{
	uint32_t i;

	ASSERT_EQ(many.n, n);
	for (i = 0; i < n; i++)
		EXPECT_EQ(memcmp(many.bytes[i], &i, sizeof(i)), 0);
	EXPECT_EQ(many.lost, 0);
}

/* No block at all: what comes stays in the socket, and is told with the first that comes back. */
TEST(waits_for_memory)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	long long all;

	start_in(ZONE, fd, 64, EVF_START);
	all = raw_take(&raw, ZONE);
	send_numbers(peer, 0, 10);
	raw_expect_starving(&raw, 1);
	send_numbers(peer, 10, 20);
	raw_expect_starving(&raw, 1);
	raw_give(&raw, all);
	raw_drain(&raw);
	EXPECT_EQ(many.records, 1);
	expect_numbers(20);
	EXPECT_EQ(raw_query(&raw).starved, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* What the socket drops while there is no memory is counted, once. */
TEST(drops_while_there_is_no_memory)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	uint32_t sent = 0, round;
	long long all;

	ip_set(fd, SOL_SOCKET, SO_RCVBUF, 1);
	start_in(ZONE, fd, 64, EVF_START);
	for (round = 1; round < 4; round++) {
		all = raw_take(&raw, ZONE);
		ASSERT_GE(all, 0);
		send_numbers(peer, sent, sent + 30);
		sent += 30;
		raw_expect_starving(&raw, round);
		raw_give(&raw, all);
		raw_drain(&raw);
		EXPECT_EQ(many.records, round);
		EXPECT_GT(many.lost, 0);
		EXPECT_EQ(many.n + many.lost, sent);
	}
	raw_end(&raw);
}

/* All that is free are small blocks: a record takes what one of them holds. */
TEST(small_blocks_will_do)
{
	enum { BLOCK = 1024, BLOCKS = ZONE / BLOCK, N = 50 };
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	uint64_t block[BLOCKS];

	start_in(ZONE, fd, 64, EVF_START);
	EXPECT_EQ(raw_take_all(&raw, block, BLOCKS, BLOCK), BLOCKS);
	send_numbers(peer, 0, N);
	raw_expect_starving(&raw, 1);
	raw_give(&raw, block[5]);
	await(N);
	expect_numbers(N);
	EXPECT_GE(many.records, N / (BLOCK / sizeof(struct aem_ip_message)));
	EXPECT_LT(many.records, N / 4);
	raw_end(&raw);
}

/* One datagram needs more than the blocks that there are: it waits until others join them. */
TEST(too_small_for_one)
{
	enum { BLOCK = 128, BLOCKS = ZONE / BLOCK };
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM);
	uint64_t block[BLOCKS];
	uint32_t i;

	start_in(ZONE, fd, 1000, EVF_START);
	EXPECT_EQ(raw_take_all(&raw, block, BLOCKS, BLOCK), BLOCKS);
	send_numbers(peer, 0, 1);
	raw_expect_starving(&raw, 1);
	raw_give(&raw, block[0]);
	raw_expect_starving(&raw, 2);
	for (i = 1; i < BLOCKS; i++)
		raw_give(&raw, block[i]);
	await(1);
	expect_numbers(1);
	raw_end(&raw);
}

/* An error is a message among others: told once, and what came goes on. */
TEST(refused)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_bound(AF_INET, SOCK_DGRAM);
	union address there = ip_name(peer), here = ip_name(fd);
	int again;

	ASSERT_OK(connect(fd, &there.any, sizeof(there.v4)));
	start(fd, 64, EVF_START);
	ASSERT_OK(close(peer));
	ip_write(fd, "x", 1);
	await(1);
	EXPECT_EQ(many.head[0].error, ECONNREFUSED);
	EXPECT_EQ(many.head[0].bytes, 0);
	EXPECT_EQ(many.head[0].peer.length, 0);
	again = ip_socket(AF_INET, SOCK_DGRAM);
	ASSERT_OK(bind(again, &there.any, sizeof(there.v4)));
	ASSERT_EQ(sendto(again, "y", 1, 0, &here.any, sizeof(here.v4)), 1);
	await(2);
	expect(1, &there, "y", 1);
	raw_end(&raw);
}

static void expect_answers(int peer, uint32_t n)
{
	uint32_t i, got;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(recv(peer, &got, sizeof(got), 0), sizeof(got));
		EXPECT_EQ(got, i);
	}
}

TEST(echo)
{
	enum { N = 50, PEERS = 3 };
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer[PEERS], p;
	uint32_t i;

	start(fd, 64, EVF_START);
	many.answer = true;
	for (p = 0; p < PEERS; p++)
		peer[p] = ip_dial(fd, SOCK_DGRAM);
	for (i = 0; i < N; i++)
		for (p = 0; p < PEERS; p++)
			ip_write(peer[p], &i, sizeof(i));
	await(N * PEERS);
	for (p = 0; p < PEERS; p++)
		expect_answers(peer[p], N);
	raw_end(&raw);
}

/* Messages of the test's own. */

static uint8_t space[AEM_IP_MANY_BYTES + 64] __attribute__((aligned(8)));

static struct aem_ip_message *put(uint32_t *at, const union address *to, const void *data,
				  uint32_t bytes)
{
	struct aem_ip_message *m = (struct aem_ip_message *)(space + *at);

	memset(m, 0, sizeof(*m));
	m->bytes = bytes;
	m->length = (sizeof(*m) + bytes + 7) & ~7U;
	if (to) {
		m->peer.length = ip_size(to->any.sa_family);
		memcpy(m->peer.address, to, m->peer.length);
	}
	memcpy(m->data, data, bytes);
	*at += m->length;
	return m;
}

/* The third of five is spoilt: two are sent, the call says why and where, and no more go. */
static void stops(void (*spoil)(struct aem_ip_message *m), int error)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_bound(AF_INET, SOCK_DGRAM);
	union address to = ip_name(peer);
	struct aem_ip_send_many request;
	uint32_t at = 0, third = 0, i;

	start(fd, 64, EVF_START);
	for (i = 0; i < 5; i++) {
		if (i == 2)
			third = at;
		put(&at, &to, &i, sizeof(i));
	}
	spoil((struct aem_ip_message *)(space + third));
	request = request_of(space, at);
	EXPECT_EQ(ip_call(&raw, AEM_IP_SEND_MANY, &request), 2);
	EXPECT_EQ(request.error, error);
	EXPECT_EQ(request.at, third);
	expect_answers(peer, 2);
	EXPECT_EQ(recv(peer, &i, sizeof(i), MSG_DONTWAIT), -1);
	raw_end(&raw);
}

static void too_short(struct aem_ip_message *m) { m->length = sizeof(*m) - 8; }
static void no_length(struct aem_ip_message *m)
{
	m->length = 0;
}

static void not_aligned(struct aem_ip_message *m) { m->length += 4; }
static void too_far(struct aem_ip_message *m) { m->length = 0xfffffff8; }
static void more_than_there_is(struct aem_ip_message *m) { m->bytes = m->length - sizeof(*m) + 1; }
static void all_the_world(struct aem_ip_message *m) { m->bytes = 0xffffffff; }
static void short_address(struct aem_ip_message *m) { m->peer.length = 8; }
static void long_address(struct aem_ip_message *m) { m->peer.length = 33; }
static void no_family(struct aem_ip_message *m) { m->peer.address[0] = AF_UNIX; }

static void nobody(struct aem_ip_message *m)
{
	m->peer.length = 0;
}

TEST(stops_at_a_length_too_short) { stops(too_short, EINVAL); }
TEST(stops_at_no_length) { stops(no_length, EINVAL); }
TEST(stops_at_an_odd_length) { stops(not_aligned, EINVAL); }
TEST(stops_at_a_length_too_far) { stops(too_far, EINVAL); }
TEST(stops_at_too_many_bytes) { stops(more_than_there_is, EINVAL); }
TEST(stops_at_all_bytes) { stops(all_the_world, EINVAL); }
TEST(stops_at_a_short_address) { stops(short_address, EINVAL); }
TEST(stops_at_a_long_address) { stops(long_address, EINVAL); }
TEST(stops_at_another_family) { stops(no_family, EINVAL); }
TEST(stops_at_no_address) { stops(nobody, EDESTADDRREQ); }

TEST(those_with_an_error_are_left_out)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_bound(AF_INET, SOCK_DGRAM);
	union address to = ip_name(peer);
	struct aem_ip_send_many request;
	uint32_t at = 0, i, n = 0;

	start(fd, 64, EVF_START);
	for (i = 0; i < 10; i++) {
		struct aem_ip_message *m = put(&at, &to, &n, sizeof(n));

		m->error = i % 2;
		n += !m->error;
	}
	request = request_of(space, at);
	EXPECT_EQ(ip_call(&raw, AEM_IP_SEND_MANY, &request), n);
	EXPECT_EQ(request.error, 0);
	EXPECT_EQ(request.at, at);
	expect_answers(peer, n);
	EXPECT_EQ(recv(peer, &i, sizeof(i), MSG_DONTWAIT), -1);
	raw_end(&raw);
}

TEST(what_is_refused)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), pair[2];
	struct aem_ip_socket on = ip_on(fd, 0, 0);
	struct aem_ip_send_many request;
	uint32_t at = 0;

	start(fd, 64, EVF_START);
	on.length = AEM_IP_MESSAGE_MAX + 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATAGRAMS, &on), EINVAL);
	on.length = AEM_IP_MESSAGE_MAX;
	EXPECT_OK(ip_call(&raw, AEM_IP_DATAGRAMS, &on));
	on.flags = 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATAGRAMS, &on), EINVAL);
	ip_pair(AF_INET, pair);
	on = ip_on(pair[0], 0, 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_DATAGRAMS, &on), EPROTONOSUPPORT);
	ASSERT_OK(ip_call(&raw, AEM_IP_DATA, &on));

#define REFUSED(_field, _value, _errno) do {					\
	request = request_of(space, 0);						\
	request._field = _value;						\
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_SEND_MANY, &request), _errno);	\
} while (0)
	REFUSED(flags, 1, EINVAL);
	REFUSED(pad, 1, EINVAL);
	REFUSED(bytes, AEM_IP_MANY_BYTES + 1, EINVAL);
	REFUSED(id, many.id + 77, ENOENT);
	REFUSED(id, on.reg.id, EINVAL);
	/* Nothing to send. */
	request = request_of(NULL, 0);
	EXPECT_OK(ip_call(&raw, AEM_IP_SEND_MANY, &request));
	EXPECT_EQ(request.at | request.error, 0);
	/* Nothing there, the kernel's, or less than a head. */
	request = request_of((void *)8, 4096);
	EXPECT_OK(ip_call(&raw, AEM_IP_SEND_MANY, &request));
	EXPECT_EQ(request.error, EFAULT);
	request = request_of((void *)(uintptr_t)-4096, 4096);
	EXPECT_OK(ip_call(&raw, AEM_IP_SEND_MANY, &request));
	EXPECT_EQ(request.error, EFAULT);
	put(&at, NULL, "", 0);
	request = request_of(space, at - 8);
	EXPECT_OK(ip_call(&raw, AEM_IP_SEND_MANY, &request));
	EXPECT_EQ(request.error, EINVAL);
	raw_end(&raw);
}

KTAP_MAIN()
