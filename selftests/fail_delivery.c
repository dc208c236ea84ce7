// SPDX-License-Identifier: GPL-2.0
/*
 * Events are delivered while memory is short and addresses go bad: something has happened, and the
 * AEM_IOC_ENTER that delivers it meets a fault, at each place where it can. Whatever comes of
 * that, it is heard of in the end, once.
 *
 * vm: load=core,timer,ip,null timeout=900
 */
#include "faults.h"

/**
 * struct flow - something that is delivered
 * @name:  for who reads the log
 * @begin: makes it happen, in a fresh context
 * @done:  whether all was heard
 * @end:   looks at it
 */
struct flow {
	const char *name;
	void (*begin)(void);
	bool (*done)(void);
	void (*end)(void);
};

static uint64_t occurrences, records;
static uint64_t id;			/* of the event */
static uint64_t other;			/* the event of the connection that came */

static void hear(struct raw *r, struct aem_record *record)
{
	(void)r;
	occurrences += record->count;
	records++;
	EXPECT_EQ(record->lost, 0);
}

static bool heard_of_it(void)
{
	return records;
}

static void expect_once(void)
{
	raw_drain(&raw);
	EXPECT_EQ(records, 1);
	EXPECT_EQ(occurrences, 1);
}

/* With a block, for which the zone has to grow. */
static void begin_null(void)
{
	id = null_new(&raw, NULL_CREATE, hear, 0, 0, 3);
	null_plan(&raw, id, (struct null_plan){ .times = 1, .block = 65536 });
	null_fire(&raw, id, NULL_BY_IRQ, 1);
}

static void begin_timer(void)
{
	struct aem_timer_create create = timer_request(CLOCK_MONOTONIC, 0, 1);

	create.reg.handler = (uintptr_t)hear;
	ASSERT_OK(raw_call(&raw, timer_base + AEM_TIMER_CREATE, &create));
	while (!raw_query(&raw).active)
		raw_sleep_ms(1);
}

static uint8_t stream[3000];

static void begin_data(void)
{
	ip_fill(stream, sizeof(stream), 0);
	ip_write(pair[1], stream, sizeof(stream));
	ip_await_bytes(pair[0], sizeof(stream));
	id = ip_new(&raw, AEM_IP_DATA, pair[0], 0, 1000);
}

static uint64_t bytes_heard(void)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < n_heard; i++)
		bytes += heard[i].length;
	return bytes;
}

static bool heard_the_stream(void)
{
	return bytes_heard() == sizeof(stream);
}

static void expect_stream(void)
{
	EXPECT_EQ(ip_expect_stream(id, 0, 0), sizeof(stream));
}

static void begin_datagrams(void)
{
	union address to = ip_name(udp[0]);
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(sendto(udp[1], stream, 100 + i, 0, &to.any, ip_size(AF_INET)), 100 + i);
	ip_poll(udp[0], POLLIN, 10000);
	ip_settle();
	id = ip_new(&raw, AEM_IP_DATAGRAM, udp[0], 0, 0);
}

static bool heard_three(void)
{
	return n_heard >= 3;
}

static void expect_three(void)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(heard[i].length, 100 + i);
		EXPECT_EQ(heard[i].record.lost, 0);
	}
	EXPECT_EQ(n_heard, 3);
}

static int dialled;

static void begin_accept(void)
{
	dialled = ip_dial(listener, SOCK_STREAM);
	ip_write(dialled, stream, sizeof(stream));
	ip_poll(listener, POLLIN, 10000);
	id = ip_new_accept(&raw, listener, true);
}

/* Its record says so if it is without a data event: then we register one. */
static bool heard_connection_and_data(void)
{
	static uint32_t seen;
	uint32_t i;

	if (!n_heard)
		seen = 0;
	for (i = seen; i < n_heard; i++) {
		const struct heard *h = &heard[i];

		if (h->record.id != id || (int)h->word[0] < 0)
			continue;
		if (!h->record.arg[2])
			other = ip_new(&raw, AEM_IP_DATA, h->word[0], 0, 0);
		else
			other = h->record.arg[2];
	}
	seen = i;
	return heard_the_stream();
}

static void expect_connection(void)
{
	int taken = -1, failures = 0;
	uint32_t i;

	for (i = 0; i < n_heard; i++) {
		if (heard[i].record.id != id)
			continue;
		if ((int)heard[i].word[0] < 0) {
			failures++;
			EXPECT(heard[i].word[1] == ENOMEM || heard[i].word[1] == ENFILE);
			continue;
		}
		EXPECT_EQ(taken, -1);
		taken = heard[i].word[0];
	}
	EXPECT_GE(taken, 0);
	EXPECT_LE(failures, 1);
	EXPECT_EQ(ip_expect_stream(other, 0, 0), sizeof(stream));
	close(taken);
	close(dialled);
}

static void begin_room(void)
{
	id = ip_new(&raw, AEM_IP_ROOM, pair[0], 0, 0);
}

static int dialling;

static void begin_connect(void)
{
	union address address = ip_name(listener);
	struct aem_ip_connect request;

	dialling = ip_socket(AF_INET, SOCK_STREAM);
	request = ip_connect_to(dialling, &address, EVF_START);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	while (!raw_query(&raw).active)
		raw_sleep_ms(1);
}

static bool heard_one(void)
{
	return n_heard;
}

static void expect_one(void)
{
	EXPECT_EQ(n_heard, 1);
	EXPECT_EQ(heard[0].word[1], 0);
}

static void expect_connected(void)
{
	expect_one();
	close(dialling);
}

static const struct flow flows[] = {
	{ "null", begin_null, heard_of_it, expect_once },
	{ "timer", begin_timer, heard_of_it, expect_once },
	{ "data", begin_data, heard_the_stream, expect_stream },
	{ "datagrams", begin_datagrams, heard_three, expect_three },
	{ "accept", begin_accept, heard_connection_and_data, expect_connection },
	{ "room", begin_room, heard_one, expect_one },
	{ "connect", begin_connect, heard_one, expect_connected },
};

static void close_sockets(void)
{
	close(pair[0]);
	close(pair[1]);
	close(udp[0]);
	close(udp[1]);
	close(listener);
}

static bool deliver_once(const struct flow *flow, unsigned int nth)
{
	struct aem_enter enter = { 0 };
	uint32_t fds = open_fds();
	bool injected;
	long ret;

	begin();
	records = 0;
	occurrences = 0;
	flow->begin();
	arm(nth);
	ret = raw_enter(&raw, &enter);
	injected = disarm();
	if (ret)
		EXPECT(injected && (errno == EFAULT || errno == ENOMEM));
	else
		raw_dispatch(&raw, &enter);
	while (!flow->done())
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	raw_drain(&raw);
	flow->end();
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
	close_sockets();
	EXPECT_EQ(open_fds(), fds);
	return injected;
}

TEST(faults)
{
	if (!have_faults())
		SKIP("optional: this kernel injects no faults");
}

TEST_TIMEOUT(delivery, 600)
{
	uint32_t nth;
	size_t i;

	have_faults();
	for (i = 0; i < ARRAY_SIZE(flows); i++) {
		nth = 0;
		do {
			ASSERT_LT(++nth, MANY);
		} while (deliver_once(&flows[i], nth));
		NOTE("delivery of %s: %u faults", flows[i].name, nth - 1);
	}
}

static bool take_bell(const sigset_t *set)
{
	struct timespec none = { 0 };

	return sigtimedwait(set, NULL, &none) > 0;
}

/*
 * The bell needs no memory that could be short. Its signal is blocked, for a frame that
 * could not be written would end us.
 */
TEST_TIMEOUT(doorbell, 120)
{
	uint32_t nth = 0, fired;
	bool injected;
	sigset_t set;

	have_faults();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	raw_start_signal(&raw, SIGUSR1);
	id = null_new(&raw, NULL_CREATE, hear, 0, 0, 3);
	do {
		ASSERT_LT(++nth, MANY);
		fired = null_state(&raw, id).fired;
		records = 0;
		arm(nth);
		null_try_fire(&raw, id, NULL_BY_CALL, 1);
		injected = disarm();
		fired = null_state(&raw, id).fired - fired;
		EXPECT_EQ(take_bell(&set), fired);
		raw_drain(&raw);
		EXPECT_EQ(records, fired);
	} while (injected);
	NOTE("doorbell: %u faults", nth - 1);
	raw_end(&raw);
}

KTAP_MAIN()
