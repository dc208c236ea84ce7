// SPDX-License-Identifier: GPL-2.0
/*
 * Turns between connections, priorities, and what happens when the vmtable is empty: events wait,
 * counted, and go on when blocks come back, and not a byte is lost.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

#define PIECE 4096
#define PIECES 16

static uint8_t bytes[PIECE * PIECES];

/* A connection to which all of @bytes have come already. */
static void busy_pair(int fd[2])
{
	ip_pair(AF_INET, fd);
	ip_set(fd[0], SOL_SOCKET, SO_RCVBUF, 1 << 20);
	ip_set(fd[1], SOL_SOCKET, SO_SNDBUF, 1 << 20);
	ip_fill(bytes, sizeof(bytes), 0);
	ip_write(fd[1], bytes, sizeof(bytes));
	ip_await_bytes(fd[0], sizeof(bytes));
}

/* Two that both have more alternate, piece by piece. */
TEST(alternate)
{
	int a[2], b[2], i;
	uint64_t id[2];
	struct raw raw;

	ip_start(&raw, 0, 0);
	busy_pair(a);
	busy_pair(b);
	id[0] = ip_new(&raw, AEM_IP_DATA, a[0], 0, PIECE);
	id[1] = ip_new(&raw, AEM_IP_DATA, b[0], 0, PIECE);
	ip_wait(&raw, 2 * PIECES);
	for (i = 0; i < 2 * PIECES; i++) {
		EXPECT_EQ(heard[i].record.id, id[i % 2]);
		EXPECT_EQ(heard[i].length, PIECE);
	}
	for (i = 0; i < 2; i++)
		EXPECT_EQ(ip_expect_stream(id[i], 0, 0), sizeof(bytes));
	raw_end(&raw);
}

/* One that always has more does not keep another from its turn. */
TEST(no_starvation)
{
	int busy[2], other[2], i;
	uint64_t id, last = 0;
	struct raw raw;

	ip_start(&raw, 0, 0);
	busy_pair(busy);
	ip_pair(AF_INET, other);
	ip_new(&raw, AEM_IP_DATA, busy[0], 0, 512);
	id = ip_new(&raw, AEM_IP_DATA, other[0], 0, 512);
	for (i = 0; i < 20; i++) {
		raw_round(&raw);
		/* Keep the busy one busy. */
		ip_write(busy[1], bytes, 512);
		ip_write(other[1], "hello", 5);
		ip_await_bytes(other[0], 5);
		ip_wait(&raw, n_heard + 2);
		EXPECT(heard[n_heard - 1].record.id == id || heard[n_heard - 2].record.id == id);
	}
	for (i = 0; i < (int)n_heard; i++)
		last += heard[i].record.id == id ? heard[i].length : 0;
	EXPECT_EQ(last, 20 * 5);
	raw_end(&raw);
}

/* A flood of datagrams takes turns, too: one record each before the next. */
TEST(datagrams_take_turns)
{
	int a = ip_bound(AF_INET, SOCK_DGRAM), b = ip_bound(AF_INET, SOCK_DGRAM), i;
	int to_a = ip_dial(a, SOCK_DGRAM), to_b = ip_dial(b, SOCK_DGRAM);
	uint64_t id[2];
	struct raw raw;

	ip_start(&raw, 0, 0);
	id[0] = ip_new(&raw, AEM_IP_DATAGRAM, a, 0, 64);
	id[1] = ip_new(&raw, AEM_IP_DATAGRAM, b, 0, 64);
	for (i = 0; i < 20; i++)
		ip_write(to_a, &i, sizeof(i));
	for (i = 0; i < 20; i++)
		ip_write(to_b, &i, sizeof(i));
	ip_settle();
	ip_wait(&raw, 40);
	for (i = 0; i < 40; i++)
		EXPECT_EQ(heard[i].record.id, id[i % 2]);
	raw_end(&raw);
}

/* The more urgent connection has all its turns before the other has its first. */
TEST(priority)
{
	int low[2], high[2], i;
	struct aem_ip_socket request;
	struct raw raw;

	ip_start(&raw, 0, 0);
	busy_pair(low);
	busy_pair(high);
	ip_new(&raw, AEM_IP_DATA, low[0], 0, PIECE);
	request = ip_on(high[0], 0, EVF_START);
	request.length = PIECE;
	request.reg.prio = 20;
	ASSERT_OK(ip_call(&raw, AEM_IP_DATA, &request));
	/* One record each in a crossing: the event that has a record waits for its handler. */
	for (i = 0; i < PIECES; i++) {
		struct aem_enter enter = { .max_events = 1 };

		ASSERT_OK(raw_enter(&raw, &enter));
		EXPECT_EQ(raw_dispatch(&raw, &enter), 1);
		EXPECT_EQ(heard[i].record.id, request.reg.id);
	}
	ip_wait(&raw, 2 * PIECES);
	EXPECT_EQ(ip_expect_stream(request.reg.id, 0, 0), sizeof(bytes));
	raw_end(&raw);
}

static struct aem_event info(struct raw *raw, uint64_t id)
{
	struct aem_event event;

	ASSERT_OK(raw_event_out(raw, AEM_EVENT_INFO, id, 0, &event));
	return event;
}

/* No block at all: the event waits, counted, without turning in circles; one comes back. */
TEST(empty_pool)
{
	uint64_t offset[64], id;
	struct aem_event event;
	uint8_t rest[100];
	int fd[2], n, i;
	struct raw raw;

	ip_start(&raw, 0, 65536);
	n = raw_take_all(&raw, offset, 64, PIECE);
	EXPECT_EQ(n, 16);
	busy_pair(fd);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, PIECE);
	EXPECT_EQ(raw_round(&raw), 0);
	event = info(&raw, id);
	EXPECT_EQ(event.starved, 1);
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED | AEM_EVENT_S_STARVED);
	EXPECT_EQ(raw_query(&raw).starved, 1);
	EXPECT_EQ(raw_query(&raw).starvations, 1);
	for (i = 0; i < 5; i++)
		ip_expect_quiet(&raw);
	/* More data does not wake it, for it could not be taken either. */
	ip_fill(rest, sizeof(rest), sizeof(bytes));
	ip_write(fd[1], rest, sizeof(rest));
	ip_expect_quiet(&raw);
	EXPECT_EQ(info(&raw, id).starved, 1);
	raw_give(&raw, offset[0]);
	ip_wait(&raw, PIECES + 1);
	EXPECT_EQ(ip_expect_stream(id, 0, 0), sizeof(bytes) + sizeof(rest));
	EXPECT_EQ(raw_query(&raw).starved, 0);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* Blocks that the program keeps run out; each that it gives back is one piece more. */
TEST(kept_blocks)
{
	uint64_t kept[PIECES * 2], id, sum = 0;
	static uint8_t piece[PIECE];
	int fd[2], n = 0, given = 0;
	struct raw raw;

	ip_start(&raw, 0, 65536);
	ip_pair(AF_INET, fd);
	ip_set(fd[0], SOL_SOCKET, SO_RCVBUF, 1 << 20);
	ip_fill(bytes, sizeof(bytes), 0);
	ip_write(fd[1], bytes, sizeof(bytes));
	ip_write(fd[1], bytes, sizeof(bytes));
	ip_await_bytes(fd[0], 2 * sizeof(bytes));
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, PIECE);
	while (n < 2 * PIECES) {
		struct aem_enter enter = { .max_events = 1 };
		struct aem_record *record;

		ASSERT_OK(raw_enter(&raw, &enter));
		if (!enter.count) {
			EXPECT_EQ(info(&raw, id).state, AEM_EVENT_S_STARTED | AEM_EVENT_S_STARVED);
			EXPECT_EQ(n - given, 16);
			raw_give(&raw, kept[given++]);
			continue;
		}
		record = raw_record(&raw, enter.first);
		ASSERT(raw_claim(record));
		ip_fill(piece, PIECE, sum % sizeof(bytes));
		EXPECT_EQ(memcmp(raw.vmt + record->arg[1], piece, PIECE), 0);
		kept[n++] = record->arg[1];
		sum += PIECE;
		raw_finish(record, AEM_RECORD_KEEP);
	}
	EXPECT_EQ(given, PIECES);
	EXPECT_EQ(info(&raw, id).starved, PIECES);
	raw_drain(&raw);
	while (given < n)
		raw_give(&raw, kept[given++]);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* Ten connections share the one block that there is: all get through, by turns. */
TEST(one_block)
{
	enum { N = 10 };
	uint64_t offset[64], id[N];
	int fd[N][2], i, n;
	struct raw raw;

	ip_start(&raw, 0, 65536);
	n = raw_take_all(&raw, offset, 64, PIECE);
	raw_give(&raw, offset[n - 1]);
	for (i = 0; i < N; i++) {
		busy_pair(fd[i]);
		ASSERT_OK(close(fd[i][1]));
		id[i] = ip_new(&raw, AEM_IP_DATA, fd[i][0], i, PIECE);
	}
	/* And the end of each. */
	ip_wait(&raw, N * (PIECES + 1));
	for (i = 0; i < N; i++)
		EXPECT_EQ(ip_expect_stream(id[i], 0, 0), sizeof(bytes));
	EXPECT_GT(raw_query(&raw).starvations, 0);
	for (i = 0; i < (int)n_heard; i++)
		EXPECT_EQ(heard[i].word[1], 0);
	/* Nobody is a round behind: by the time one ends, all have had nearly all. */
	for (i = 0; i < N * (PIECES - 2); i++)
		EXPECT_GT(heard[i].length, 0);
	raw_end(&raw);
}

/* Datagrams and connections stay in the socket while there is no memory for their records. */
TEST(others_wait_too)
{
	int udp = ip_bound(AF_INET, SOCK_DGRAM), to_udp = ip_dial(udp, SOCK_DGRAM);
	int listener = ip_listen(AF_INET), n, i;
	uint64_t offset[600], datagram, accepting;
	struct raw raw;

	ip_start(&raw, 0, 65536);
	n = raw_take_all(&raw, offset, 600, 128);
	EXPECT_EQ(n, 512);
	datagram = ip_new(&raw, AEM_IP_DATAGRAM, udp, 0, 64);
	accepting = ip_new_accept(&raw, listener, false);
	for (i = 0; i < 3; i++) {
		ip_write(to_udp, &i, sizeof(i));
		ip_dial(listener, SOCK_STREAM);
	}
	ip_settle();
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(info(&raw, datagram).state, AEM_EVENT_S_STARTED | AEM_EVENT_S_STARVED);
	EXPECT_EQ(info(&raw, accepting).state, AEM_EVENT_S_STARTED | AEM_EVENT_S_STARVED);
	EXPECT_EQ(raw_query(&raw).starved, 2);
	raw_give(&raw, offset[0]);
	ip_wait(&raw, 6);
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(heard[i].word[1], 0);
		EXPECT_EQ(heard[i].record.lost, 0);
	}
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* An event that waits for memory can be stopped, started and shut down. */
TEST(starved_control)
{
	uint64_t offset[64], id;
	int fd[2];
	struct raw raw;

	ip_start(&raw, 0, 65536);
	raw_take_all(&raw, offset, 64, PIECE);
	busy_pair(fd);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, PIECE);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(raw_query(&raw).starved, 1);
	ip_shut(&raw, id);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).starved, 0);

	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, PIECE);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(raw_query(&raw).starved, 1);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	EXPECT_EQ(raw_query(&raw).starved, 0);
	raw_give(&raw, offset[0]);
	ip_expect_quiet(&raw);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].length, PIECE);
	raw_end(&raw);
}

KTAP_MAIN()
