// SPDX-License-Identifier: GPL-2.0
/*
 * aem-ip is exchanged, or taken away, while datagrams come many in a record and are answered by
 * AEM_IP_SEND_MANY: each is told once, in order, or counted as lost, whichever version serves the
 * event then. Version 3 has another layout of the private part.
 *
 * vm: load=core,ip,ip_2,ip_3 smp=2 mem=768 timeout=240
 */
#include "ip.h"
#include "swap.h"
#include <pthread.h>
#include <sched.h>

#define LENGTH		16
#define ROUNDS_MS	1500
/* Datagrams on their way: what no socket drops. */
#define WINDOW		64
/* The smallest zone: one largest block. */
#define ZONE		65536

/*
 * struct many - what is told of the datagrams, each of which has its number
 * @id:      of the event
 * @fd:      its socket
 * @records: how many
 * @next:    the least number that may come
 * @heard:   how many
 * @lost:    summed up
 * @longer:  that were longer than LENGTH
 * @ends:    records that say that the service was taken away
 * @answer:  send them back
 */
static struct {
	uint64_t id;
	int fd;
	uint32_t records;
	uint32_t next;
	uint32_t heard;
	uint32_t lost;
	uint32_t longer;
	uint32_t ends;
	bool answer;
} many;

static struct raw raw;

/* The service may be taken away in the middle of it, or the socket be full. */
static void answer(const void *messages, uint32_t bytes, uint32_t n)
{
	struct aem_ip_send_many request = ip_send_many(many.id, messages, bytes);
	long long sent = ip_call(&raw, AEM_IP_SEND_MANY, &request);

	if (sent < 0) {
		EXPECT_EQ(errno, ENODEV);
		return;
	}
	EXPECT_EQ(request.error, sent == n ? 0 : EAGAIN);
	EXPECT_EQ(request.at == bytes, sent == n);
}

static void hear_one(const struct aem_ip_message *m)
{
	uint32_t number;

	EXPECT_EQ(m->error, 0);
	ASSERT_GE(m->bytes, sizeof(number));
	ASSERT_LE(m->bytes, LENGTH);
	memcpy(&number, m->data, sizeof(number));
	EXPECT_GE(number, many.next);
	many.next = number + 1;
	many.longer += !!(m->flags & AEM_IP_F_TRUNCATED);
	many.heard++;
}

static void hear(struct raw *context, struct aem_record *record)
{
	const uint8_t *block = context->vmt + record->arg[1], *at = block;
	uint32_t word[6], i;

	if (record->flags & AEM_RECORD_F_REVOKED) {
		EXPECT_EQ(record->flags, AEM_RECORD_F_LAST | AEM_RECORD_F_REVOKED);
		many.ends++;
		return;
	}
	EXPECT_EQ(many.ends, 0);
	memcpy(word, record->arg, sizeof(word));
	EXPECT_EQ(record->nr, ip_base + AEM_IP_DATAGRAMS);
	EXPECT_EQ((int)word[0], many.fd);
	many.records++;
	many.lost += record->lost;
	for (i = 0; i < word[1]; i++) {
		hear_one((const struct aem_ip_message *)at);
		at += ((const struct aem_ip_message *)at)->length;
	}
	EXPECT_EQ(at - block, word[4]);
	if (many.answer)
		answer(block, word[4], word[1]);
}

static uint64_t make_event(int fd, uint32_t prio, uint32_t flags)
{
	struct aem_ip_socket request = ip_on(fd, 0, flags);

	request.length = LENGTH;
	request.reg.handler = (uintptr_t)hear;
	request.reg.prio = prio;
	ASSERT_OK(ip_call(&raw, AEM_IP_DATAGRAMS, &request));
	return request.reg.id;
}

/* Bound to version 1, with one event. Return: a socket that sends to it. */
static int begin(uint64_t zone, uint32_t flags)
{
	struct aem_bind bind;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.vmt_size = zone;
	raw_begin(&raw);
	ASSERT_OK(raw_bind(raw.fd, &bind, AEM_IP_SERVICE, 1, 1));
	ip_base = bind.base;
	many.fd = ip_bound(AF_INET, SOCK_DGRAM);
	many.id = make_event(many.fd, 8, flags);
	return ip_dial(many.fd, SOCK_DGRAM);
}

static void move(uint32_t from, uint32_t to)
{
	struct aem_manage done = swap_to(raw.fd, AEM_IP_SERVICE, from, to);

	EXPECT_EQ(done.moved, done.events);
	EXPECT_GE(done.moved, 1);
	EXPECT_EQ(done.refused, 0);
}

/* Nobody holds any version. All are offered again, as they were loaded. */
static void end(void)
{
	static const char *const modules[] = { "aem_ip", "aem_ip_2", "aem_ip_3" };
	static const char *const files[] = { "aem-ip", "aem-ip_2", "aem-ip_3" };
	int i;

	raw_end(&raw);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(swap_unload(modules[i]), 0);
		swap_load(files[i], "");
	}
}

static void send_numbers(int peer, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		ip_write(peer, &from, sizeof(from));
	ip_settle();
}

static void await(uint32_t n)
{
	while (many.heard < n)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(many.heard, n);
	EXPECT_EQ(many.next, n);
	EXPECT_EQ(many.lost, 0);
}

/* Some wait when the service goes, some come after it; socket, number and length stay known. */
TEST(datagrams_before_and_after)
{
	static const uint32_t versions[] = { 1, 3, 2, 1 };
	int peer = begin(0, EVF_START), i;
	uint32_t n = 0, got;
	char bytes[2 * LENGTH];

	many.answer = true;
	for (i = 0; i < 3; i++, n += 10) {
		send_numbers(peer, n, n + 5);
		move(versions[i], versions[i + 1]);
		send_numbers(peer, n + 5, n + 10);
		await(n + 10);
		EXPECT_EQ(many.records, i + 1);
	}
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &n, sizeof(n));
	ip_write(peer, bytes, sizeof(bytes));
	await(n + 1);
	EXPECT_EQ(many.longer, 1);
	for (i = 0; i < (int)many.heard; i++) {
		ASSERT_GE(recv(peer, &got, sizeof(got), 0), (ssize_t)sizeof(got));
		EXPECT_EQ((int)got, i);
	}
	end();
}

/* What the socket has dropped is told by the next record, whichever version makes it, and once. */
TEST(drops_before_and_after)
{
	static const uint32_t versions[] = { 1, 3, 2, 1 };
	int peer = begin(0, 0), i;
	uint32_t sent = 0, lost = 0;

	ip_set(many.fd, SOL_SOCKET, SO_RCVBUF, 1);
	for (i = 0; i < 3; i++) {
		send_numbers(peer, sent, sent + 30);
		sent += 30;
		move(versions[i], versions[i + 1]);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_START, many.id, 0));
		raw_drain(&raw);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, many.id, 0));
		EXPECT_GT(many.lost, lost);
		lost = many.lost;
		EXPECT_EQ(many.heard + lost, sent);
	}
	end();
}

/* There, back, and by way of the other layout. */
static void *swap_all(void *count)
{
	unsigned long *n = (unsigned long *)count;

	for (; !swap_stopped(); *n += 3) {
		move(1, 3);
		move(3, 2);
		move(2, 1);
	}
	return NULL;
}

/*
 * struct sender - one that sends until told to stop
 * @fd:       by which socket
 * @answered: waits for answers, so that nothing is dropped
 * @sent:     how many
 * @got:      answers
 */
struct sender {
	int fd;
	bool answered;
	uint32_t sent;
	uint32_t got;
};

static void take_answers(struct sender *s, uint32_t window)
{
	uint32_t number;

	while (s->sent - s->got > window) {
		if (!(ip_poll(s->fd, POLLIN, 30000) & POLLIN)) {
			EXPECT(!"an answer");
			s->got = s->sent;
			return;
		}
		ASSERT_EQ(recv(s->fd, &number, sizeof(number), 0), sizeof(number));
		EXPECT_EQ(number, s->got);
		s->got++;
	}
}

static void *send_until_stopped(void *sender)
{
	struct sender *s = (struct sender *)sender;

	raw_pin(1);
	while (!swap_stopped()) {
		ip_write(s->fd, &s->sent, sizeof(s->sent));
		s->sent++;
		if (s->answered)
			take_answers(s, WINDOW);
	}
	if (s->answered)
		take_answers(s, 0);
	return NULL;
}

static bool is_over(const struct timespec *first, unsigned int ms)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (time.tv_sec - first->tv_sec) * 1000 +
	       (time.tv_nsec - first->tv_nsec) / 1000000 >= ms;
}

/* Until the last one that was sent is heard: then all drops are told. */
static void flush(struct sender *s)
{
	raw_drain(&raw);
	while (many.next != s->sent) {
		send_numbers(s->fd, s->sent, s->sent + 1);
		s->sent++;
		raw_drain(&raw);
	}
}

/* With an answer to each nothing is dropped; without, and slow to hear, most of it is. */
static void under_swaps(bool answered, long pause_ms)
{
	struct sender sender = { .fd = begin(0, EVF_START), .answered = answered };
	pthread_t swapper, thread;
	unsigned long swaps = 0;
	struct timespec first;

	many.answer = answered;
	if (!answered)
		ip_set(many.fd, SOL_SOCKET, SO_RCVBUF, 1);
	raw_pin(0);
	ASSERT_EQ(pthread_create(&thread, NULL, send_until_stopped, &sender), 0);
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_all, &swaps), 0);
	clock_gettime(CLOCK_MONOTONIC, &first);
	while (!is_over(&first, ROUNDS_MS / 2)) {
		raw_sleep_ms(pause_ms);
		raw_wait(&raw, RAW_SECOND / 10);
	}
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	while (pthread_tryjoin_np(thread, NULL))
		raw_wait(&raw, RAW_SECOND / 100);
	pthread_join(swapper, NULL);
	flush(&sender);
	NOTE("%lu swaps, %u datagrams in %u records, %u lost", swaps, many.heard, many.records,
	     many.lost);
	EXPECT_GT(swaps, 0);
	EXPECT_GT(many.heard, 0);
	EXPECT_EQ(!many.lost, answered);
	EXPECT_EQ(many.heard + many.lost, sender.sent);
	end();
}

TEST_TIMEOUT(datagrams_under_swaps, 200) { under_swaps(true, 0); }
TEST_TIMEOUT(drops_under_swaps, 200) { under_swaps(false, 5); }

static void expect_to_starve(void)
{
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(raw_query(&raw).starved, 1);
}

/* It waits for memory when the one version goes, and has it when the other serves it. */
TEST(a_swap_while_there_is_no_memory)
{
	int peer = begin(ZONE, EVF_START);
	long long all = raw_take(&raw, ZONE);

	send_numbers(peer, 0, 5);
	expect_to_starve();
	move(1, 3);
	send_numbers(peer, 5, 10);
	expect_to_starve();
	raw_give(&raw, all);
	await(10);
	EXPECT_EQ(many.records, 1);
	end();
}

static void take_away(uint32_t events)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_REVOKE, AEM_IP_SERVICE, 1, 0);

	ASSERT_OK(swap_manage(raw.fd, &arg));
	EXPECT_EQ(arg.moved, events);
	EXPECT_EQ(swap_unload("aem_ip"), 0);
	swap_load("aem-ip", "");
}

/* One's record is delivered, another's datagrams wait, a third is stopped. */
TEST(revoked)
{
	struct aem_enter enter = { .max_events = 1 };
	struct aem_ip_send_many request;
	int peer = begin(0, EVF_START), second = ip_bound(AF_INET, SOCK_DGRAM);
	union address name = ip_name(many.fd);
	uint32_t number;

	make_event(second, 1, EVF_START);
	make_event(second, 1, 0);
	send_numbers(peer, 0, 5);
	send_numbers(ip_dial(second, SOCK_DGRAM), 0, 5);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	ASSERT(raw_claim(raw_record(&raw, enter.first)));
	take_away(3);
	request = ip_send_many(many.id, NULL, 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_SEND_MANY, &request), ENODEV);
	raw_finish(raw_record(&raw, enter.first), AEM_RECORD_DONE);
	raw_drain(&raw);
	EXPECT_EQ(many.ends, 3);
	EXPECT_EQ(many.heard, 0);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	/* What waits is the socket's, and the socket is held by the program only. */
	ASSERT_EQ(recv(second, &number, sizeof(number), MSG_DONTWAIT), sizeof(number));
	EXPECT_EQ(number, 0);
	ASSERT_OK(close(many.fd));
	ASSERT_OK(bind(ip_socket(AF_INET, SOCK_DGRAM), &name.any, sizeof(name.v4)));
	end();
}

/* The last record needs no block. */
TEST(revoked_while_there_is_no_memory)
{
	int peer = begin(ZONE, EVF_START);

	ASSERT_GE(raw_take(&raw, ZONE), 0);
	send_numbers(peer, 0, 5);
	expect_to_starve();
	take_away(1);
	raw_drain(&raw);
	EXPECT_EQ(many.ends, 1);
	EXPECT_EQ(raw_query(&raw).events, 0);
	end();
}

static void *revoke_soon(void *unused)
{
	raw_sleep_ms(100);
	take_away(1);
	return unused;
}

/* In the middle of records and answers. */
TEST(revoked_while_datagrams_come)
{
	struct sender sender = { .fd = begin(0, EVF_START) };
	pthread_t thread, revoker;

	many.answer = true;
	raw_pin(0);
	ASSERT_EQ(pthread_create(&thread, NULL, send_until_stopped, &sender), 0);
	ASSERT_EQ(pthread_create(&revoker, NULL, revoke_soon, NULL), 0);
	while (!many.ends)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	pthread_join(revoker, NULL);
	raw_drain(&raw);
	EXPECT_EQ(many.ends, 1);
	EXPECT_LE(many.heard + many.lost, sender.sent);
	EXPECT_EQ(raw_query(&raw).events, 0);
	end();
}

KTAP_MAIN()
