// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_EXCHANGE: answers that handlers leave in the block are sent as records are taken back;
 * what the socket has no room for goes later, in order, or the handler hears why not.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

/* Fills a block of 4096 bytes. */
#define PIECE	4080
#define BIG	32768

static struct raw raw;
static int fd[2];
static uint64_t id;

/* What the handler heard, and what it is to leave in the block. */
static struct {
	uint32_t records;
	uint64_t bytes;
	uint32_t error;
	uint32_t ended;
	uint32_t at;
	uint32_t length;
	uint32_t flags;
	bool echo;
	bool garbage;
	bool stop;
	uint64_t offset;
	uint32_t room;
} t;

/* The bytes of all answers are one stream, as are those of all requests. */
static void leave(struct aem_ip_answer *head, uint32_t bytes)
{
	uint8_t *room = (uint8_t *)(head + 1);

	if (!t.echo && !t.garbage) {
		ASSERT_LE(t.at + t.length, head->room);
		ip_fill(room + t.at, t.length, t.offset);
		t.offset += t.length;
	}
	head->at = t.at;
	head->bytes = t.echo ? bytes : t.length;
	head->flags = t.flags;
}

static void hear(struct raw *context, struct aem_record *record)
{
	struct aem_ip_answer *head = (struct aem_ip_answer *)(context->vmt + record->arg[1]);
	uint8_t expected[BIG];
	uint32_t word[6];

	memcpy(word, record->arg, sizeof(word));
	EXPECT_EQ(record->nr, ip_base + AEM_IP_EXCHANGE);
	t.records++;
	t.error = word[1];
	if (!word[4]) {
		EXPECT_EQ(word[5], word[1] ? 0 : AEM_IP_F_END);
		t.ended++;
		return;
	}
	EXPECT_EQ(word[1], 0);
	EXPECT_EQ(head->at | head->bytes | head->flags, 0);
	ASSERT_LE(word[4], head->room);
	ASSERT_LE(record->arg[1] + sizeof(*head) + head->room, context->setup.vmt_size);
	t.room = head->room;
	ip_fill(expected, word[4], t.bytes);
	EXPECT_EQ(memcmp(head + 1, expected, word[4]), 0);
	t.bytes += word[4];
	leave(head, word[4]);
	if (t.stop)
		ASSERT_OK(raw_event(context, AEM_EVENT_STOP, record->id, 0));
}

static uint64_t add(uint32_t length)
{
	struct aem_ip_socket request = ip_on(fd[0], 0, EVF_START);

	request.length = length;
	request.reg.handler = (uintptr_t)hear;
	ASSERT_OK(ip_call(&raw, AEM_IP_EXCHANGE, &request));
	return request.reg.id;
}

static void start(int family, uint32_t length)
{
	ip_start(&raw, 0, 0);
	ip_pair(family, fd);
	memset(&t, 0, sizeof(t));
	id = add(length);
}

static uint64_t asked;

static void ask(size_t length)
{
	uint8_t bytes[BIG];

	ip_fill(bytes, length, asked);
	ip_write(fd[1], bytes, length);
	asked += length;
}

/* Until a handler has run, and its record was taken back. */
static void run(uint32_t records)
{
	while (t.records < records)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(t.records, records);
}

/* So many bytes of the stream of answers from @offset on, on the peer's side. */
static void expect(uint64_t offset, size_t length)
{
	static uint8_t got[BIG], expected[BIG];
	ssize_t n;

	while (length) {
		ASSERT(ip_poll(fd[1], POLLIN, 10000));
		n = recv(fd[1], got, length < BIG ? length : BIG, 0);
		ASSERT_GT(n, 0);
		ip_fill(expected, n, offset);
		if (!EXPECT_EQ(memcmp(got, expected, n), 0))
			return;
		offset += n;
		length -= n;
	}
}

static void expect_silence(void)
{
	char byte;

	ip_settle();
	EXPECT_EQ(recv(fd[1], &byte, 1, MSG_DONTWAIT), -1);
	EXPECT_EQ(errno, EAGAIN);
}

/* How the stream of answers ends: 0 or an errno. */
static int end_of_stream(void)
{
	char byte;

	ASSERT(ip_poll(fd[1], POLLIN, 10000));
	return recv(fd[1], &byte, 1, 0) ? errno : 0;
}

static bool is_registered(void)
{
	struct aem_event event = { .size = sizeof(event), .op = AEM_EVENT_INFO, .id = id };

	if (!ioctl(raw.fd, AEM_IOC_EVENT, &event))
		return true;
	EXPECT_EQ(errno, ENOENT);
	return false;
}

static void echo(int family)
{
	enum { N = 40 };
	uint64_t got = 0;
	int i;

	start(family, 0);
	EXPECT_EQ(raw_drain(&raw), 0);
	t.echo = true;
	for (i = 1; i <= N; i++) {
		ask(i * 100);
		run(i);
		EXPECT_EQ(t.room, PIECE);
		expect(got, i * 100);
		got += i * 100;
	}
	EXPECT_EQ(t.bytes, asked);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	ASSERT_OK(shutdown(fd[1], SHUT_WR));
	run(N + 1);
	EXPECT_EQ(t.ended, 1);
	EXPECT_EQ(t.error, 0);
	raw_end(&raw);
}

TEST(echo_v4) { echo(AF_INET); }
TEST(echo_v6) { echo(AF_INET6); }

/* Anywhere in the block, more than came, all of it, one byte at its end, or nothing. */
TEST(places)
{
	static const uint32_t places[][2] = {
		{ 0, 1 }, { 100, 1000 }, { 0, PIECE }, { PIECE - 1, 1 }, { 1, PIECE - 1 },
		{ 0, 0 }, { PIECE, 0 },
	};
	uint64_t got = 0;
	size_t i;

	start(AF_INET, 100);
	t.room = 0;
	ask(10);
	run(1);
	EXPECT_EQ(t.room, 128 - sizeof(struct aem_ip_answer));
	ip_shut(&raw, id);
	id = add(PIECE);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		t.at = places[i][0];
		t.length = places[i][1];
		ask(10);
		run(2 + i);
		EXPECT_EQ(t.room, PIECE);
		expect(got, t.length);
		got += t.length;
	}
	expect_silence();
	raw_end(&raw);
}

TEST(longest)
{
	start(AF_INET6, AEM_IP_EXCHANGE_MAX);
	t.length = AEM_IP_EXCHANGE_MAX / 2;
	t.at = AEM_IP_EXCHANGE_MAX - t.length;
	ask(1);
	run(1);
	EXPECT_EQ(t.room, AEM_IP_EXCHANGE_MAX);
	expect(0, t.length);
	raw_end(&raw);
}

/* Wrong ones send nothing, and are told of. */
static void wrong(uint32_t at, uint32_t bytes, uint32_t flags)
{
	start(AF_INET, PIECE);
	t.garbage = true;
	t.at = at;
	t.length = bytes;
	t.flags = flags;
	ask(10);
	/* Its own record, and the one that tells. */
	run(2);
	EXPECT_EQ(t.ended, 1);
	EXPECT_EQ(t.error, EINVAL);
	expect_silence();
	ask(10);
	ip_expect_quiet(&raw);
	EXPECT(!(raw_state_of(&raw, id) & AEM_EVENT_S_STARTED));
	raw_end(&raw);
}

TEST(wrong_bytes) { wrong(0, PIECE + 1, 0); }
TEST(wrong_place) { wrong(PIECE + 1, 0, 0); }
TEST(wrong_end) { wrong(1, PIECE, 0); }
TEST(wrong_by_far) { wrong(16, UINT32_MAX, 0); }
TEST(wrong_way_round) { wrong(UINT32_MAX, 16, 0); }
TEST(wrong_in_front) { wrong(UINT32_MAX - 15, 16, 0); }
TEST(wrong_flag) { wrong(0, 1, AEM_IP_ANSWER_END << 1); }
TEST(wrong_flags) { wrong(0, 1, UINT32_MAX); }

/*
 * A socket that is full, and a peer that reads nothing: most of the answer stays behind. It is much
 * longer than what may find room later, when what was sent has arrived.
 */
static void fill_socket(uint32_t flags)
{
	uint8_t bytes[PIECE];
	int quiet = 0;
	long long n;

	start(AF_INET, AEM_IP_EXCHANGE_MAX);
	ip_set(fd[0], SOL_SOCKET, SO_SNDBUF, 1);
	while (quiet < 3) {
		ip_fill(bytes, sizeof(bytes), t.offset);
		n = ip_send(&raw, id, bytes, sizeof(bytes), 0);
		if (n < 0) {
			ASSERT_EQ(errno, EAGAIN);
			ip_settle();
			quiet++;
			continue;
		}
		t.offset += n;
		quiet = 0;
	}
	t.length = AEM_IP_EXCHANGE_MAX;
	t.flags = flags;
	ask(10);
	run(1);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), EBUSY);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
}

/* What there is of the answers' stream on the peer's side, from @offset on: bytes. */
static size_t take(uint64_t offset)
{
	uint8_t bytes[PIECE], expected[PIECE];
	ssize_t n;

	if (!ip_poll(fd[1], POLLIN, 10))
		return 0;
	n = recv(fd[1], bytes, sizeof(bytes), 0);
	ASSERT_GT(n, 0);
	ip_fill(expected, n, offset);
	ASSERT_EQ(memcmp(bytes, expected, n), 0);
	return n;
}

/* The peer reads, from @got on, until it has all answers to all that it asked. */
static void take_all(uint64_t got)
{
	uint64_t before;
	int idle = 0;

	while (got < t.offset || t.bytes < asked) {
		raw_round(&raw);
		before = got;
		got += take(got);
		ASSERT_LE(got, t.offset);
		idle = got == before ? idle + 1 : 0;
		ASSERT_LT(idle, 1000);
	}
}

/* As the peer reads, the answer arrives whole; what it asked meanwhile comes then. */
TEST(the_rest_goes_when_there_is_room)
{
	int i;

	fill_socket(0);
	for (i = 0; i < 3; i++) {
		ask(10);
		ip_expect_silence(&raw);
		EXPECT_EQ(t.records, 1);
	}
	take_all(0);
	EXPECT_GT(t.records, 1);
	expect_silence();
	raw_end(&raw);
}

/* A stopped event goes on with the rest when it is started. */
TEST(the_rest_of_a_stopped_event)
{
	uint64_t got = 0, n;

	fill_socket(0);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	while ((n = take(got)))
		got += n;
	ip_expect_quiet(&raw);
	EXPECT_LT(got, t.offset);
	expect_silence();
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	take_all(got);
	EXPECT_EQ(t.records, 1);
	raw_end(&raw);
}

/* Who ends the event ends the connection, and the peer can tell that this was no good end. */
TEST(the_rest_is_dropped_with_a_reset)
{
	char bytes[PIECE];
	ssize_t n;

	fill_socket(0);
	ASSERT_OK(close(fd[0]));
	ip_shut(&raw, id);
	do {
		ASSERT(ip_poll(fd[1], POLLIN, 10000));
		n = recv(fd[1], bytes, sizeof(bytes), 0);
	} while (n > 0);
	EXPECT_EQ(n, -1);
	EXPECT_EQ(errno, ECONNRESET);
	raw_end(&raw);
}

/* So does the context. */
TEST(the_rest_of_a_context_that_ends)
{
	fill_socket(0);
	raw_end(&raw);
	ASSERT_OK(close(fd[0]));
}

TEST(the_peer_goes_while_a_rest_is_left)
{
	fill_socket(0);
	ip_reset(fd[1]);
	while (!t.ended)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT(t.error == ECONNRESET || t.error == EPIPE);
	raw_drain(&raw);
	EXPECT_EQ(t.ended, 1);
	raw_end(&raw);
}

/* Behind the answer, and not without it. */
TEST(last)
{
	start(AF_INET, PIECE);
	t.length = 100;
	t.flags = AEM_IP_SEND_LAST;
	ask(10);
	run(1);
	expect(0, 100);
	EXPECT_EQ(end_of_stream(), 0);
	EXPECT(is_registered());
	/* The other direction is as it was, but there is no way back. */
	ask(10);
	while (!t.ended)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(t.bytes, asked);
	EXPECT_EQ(t.error, EPIPE);
	raw_end(&raw);
}

TEST(more)
{
	start(AF_INET, PIECE);
	t.length = 100;
	t.flags = AEM_IP_SEND_MORE;
	ask(10);
	run(1);
	t.flags = 0;
	ask(10);
	run(2);
	expect(0, 200);
	raw_end(&raw);
}

static void ends(uint32_t length)
{
	start(AF_INET6, PIECE);
	t.length = length;
	t.flags = AEM_IP_ANSWER_END;
	ask(10);
	while (!t.records)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT(is_registered());
	/* The event has the socket. */
	ASSERT_OK(close(fd[0]));
	raw_drain(&raw);
	EXPECT(!is_registered());
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	expect(0, length);
	EXPECT_EQ(end_of_stream(), 0);
	EXPECT_EQ(t.records, 1);
	raw_end(&raw);
}

TEST(answer_and_end) { ends(1000); }
TEST(end_without_an_answer) { ends(0); }

/* Not before all of the answer is sent, and then without a record. */
TEST(end_behind_the_rest)
{
	fill_socket(AEM_IP_ANSWER_END);
	ASSERT_OK(close(fd[0]));
	EXPECT(is_registered());
	take_all(0);
	EXPECT_EQ(end_of_stream(), 0);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT(!is_registered());
	EXPECT_EQ(t.records, 1);
	raw_end(&raw);
}

TEST(last_behind_the_rest)
{
	fill_socket(AEM_IP_SEND_LAST);
	take_all(0);
	EXPECT_EQ(end_of_stream(), 0);
	EXPECT(is_registered());
	raw_end(&raw);
}

/* The handler has run, but its record was not taken back when the event ended. */
TEST(ended_before_it_was_sent)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };

	start(AF_INET, PIECE);
	t.length = 100;
	ask(10);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(raw_dispatch(&raw, &enter), 1);
	ip_shut(&raw, id);
	raw_drain(&raw);
	expect(0, 100);
	raw_end(&raw);
}

/* The handler never ran. */
TEST(cancelled)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };
	struct aem_ip_answer *head;
	struct aem_record *record;

	start(AF_INET, PIECE);
	ask(10);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	record = raw_record(&raw, enter.first);
	head = (struct aem_ip_answer *)(raw.vmt + record->arg[1]);
	head->bytes = 10;
	ip_shut(&raw, id);
	raw_drain(&raw);
	expect_silence();
	raw_end(&raw);
}

TEST(by_a_template)
{
	int listener = ip_listen(AF_INET);
	struct aem_ip_accept request = ip_accept_on(listener, 0, EVF_START);
	uint32_t before;

	ip_start(&raw, 0, 0);
	memset(&t, 0, sizeof(t));
	ip_template(&request, 0, EVF_START);
	request.data.handler = (uintptr_t)hear;
	request.data.call = AEM_IP_EXCHANGE;
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	fd[1] = ip_dial(listener, SOCK_STREAM);
	ip_wait(&raw, 1);
	t.echo = true;
	ask(100);
	before = t.records;
	run(before + 1);
	EXPECT_EQ(t.room, PIECE);
	expect(0, 100);
	raw_end(&raw);
}

KTAP_MAIN()
