// SPDX-License-Identifier: GPL-2.0
/*
 * All at once: 5,000 open connections, 100 of them busy, and 100,000 periodic timers that run
 * meanwhile beside 20,000 that expire once; far fewer on a kernel that checks itself. Nothing is
 * lost: every sum matches.
 *
 * vm: load=core,timer,ip mem=2048 timeout=900 alone
 */
#include "raw.h"
#include <arpa/inet.h>
#include <linux/aem_ip.h>
#include <linux/aem_timer.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define MAX_CONNECTIONS	5000
#define BUSY		100
#define MAX_MESSAGES	200
#define MAX_PERIODIC	100000
#define MAX_ONCE	20000
#define MAX_TIMERS	(MAX_PERIODIC + MAX_ONCE)
#define BATCH		200
#define FDS		(4 * MAX_CONNECTIONS)

/**
 * struct stream - what went over a connection
 * @index: of the connection, its first four bytes
 * @bytes: how many
 * @sum:   of all bytes, each weighted with its place
 * @ended: its end was seen
 */
struct stream {
	uint32_t index;
	uint32_t ended;
	uint64_t bytes;
	uint64_t sum;
};

/**
 * struct ticker - a timer, and what it told
 * @id:       of its event
 * @first:    when it is due first
 * @interval: 0: once
 * @expiries: how many the records told of
 * @expiry:   when the last of them was due
 */
struct ticker {
	uint64_t id;
	uint64_t first;
	uint64_t interval;
	uint64_t expiries;
	uint64_t expiry;
};

static struct raw raw;
static uint32_t ip, timer;
static struct stream *sent;		/* by index; shared with the client */
static struct stream got[FDS];		/* by descriptor */
static struct ticker tickers[MAX_TIMERS];
static uint64_t accepted, ended, once_seen, bad;
static uint32_t connections = MAX_CONNECTIONS, messages = MAX_MESSAGES;
static uint32_t periodic = MAX_PERIODIC, once = MAX_ONCE;
static unsigned long long seed;

static void add(struct stream *stream, const uint8_t *data, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < length; i++) {
		if (stream->bytes < 4)
			stream->index |= (uint32_t)data[i] << 8 * stream->bytes;
		stream->sum += data[i] * (stream->bytes % 65521 + 1);
		stream->bytes++;
	}
}

/* The client: plain sockets, no AEM. */

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ASSERT_GE(fd, 0);
	ASSERT_OK(connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static void put(int fd, struct stream *stream, const uint8_t *data, uint32_t length)
{
	ssize_t n;

	add(stream, data, length);
	for (; length; data += n, length -= n) {
		n = send(fd, data, length, MSG_NOSIGNAL);
		ASSERT_GT(n, 0);
	}
}

static void be_client(uint16_t port)
{
	static int fd[MAX_CONNECTIONS];
	uint8_t data[4096];
	uint32_t i, k, n, first;

	for (i = 0; i < connections; i++) {
		fd[i] = connect_to(port);
		first = htole32(i);
		put(fd[i], &sent[i], (uint8_t *)&first, sizeof(first));
	}
	for (n = 0; n < messages; n++) {
		for (i = 0; i < BUSY; i++) {
			first = ktap_random(&seed) % 2000 + 1;
			for (k = 0; k < first; k++)
				data[k] = ktap_random(&seed);
			put(fd[i * (connections / BUSY)], &sent[i * (connections / BUSY)], data,
			    first);
		}
	}
	/* All stay open to the end, the idle ones with them. */
	_exit(0);
}

/* Handlers. */

static void on_accept(struct raw *r, struct aem_record *record)
{
	const uint32_t *word = (const uint32_t *)record->arg;

	(void)r;
	bad += word[1] != 0 || word[0] >= FDS || !record->arg[2];
	accepted++;
}

static void on_data(struct raw *r, struct aem_record *record)
{
	const uint32_t *word = (const uint32_t *)record->arg;
	struct stream *stream = &got[word[0] % FDS];

	bad += word[1] != 0 || record->lost != 0 || stream->ended;
	if (word[4]) {
		add(stream, r->vmt + record->arg[1], word[4]);
		return;
	}
	stream->ended = 1;
	ended++;
	bad += raw_event(r, AEM_EVENT_SHUTDOWN, record->id, 0) != 0;
}

static void on_timer(struct raw *r, struct aem_record *record)
{
	struct ticker *ticker = &tickers[record->cookie];

	(void)r;
	bad += record->id != ticker->id || record->lost != 0 || record->arg[2] != 0;
	ticker->expiries += 1 + record->arg[0];
	ticker->expiry = record->arg[1];
	once_seen += !ticker->interval;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void fill_timer(struct aem_timer_create *create, uint32_t i)
{
	struct ticker *ticker = &tickers[i];

	ticker->first = now() + 1000000000ULL + ktap_random(&seed) % 8000000000ULL;
	ticker->interval = i < periodic ? 4000000000ULL + ktap_random(&seed) % 8000000000ULL : 0;
	memset(create, 0, sizeof(*create));
	create->size = sizeof(*create);
	create->clockid = CLOCK_MONOTONIC;
	create->reg.handler = (uintptr_t)on_timer;
	create->reg.cookie = i;
	create->reg.prio = i % 8;
	create->flags = AEM_TIMER_ABSTIME;
	create->value = ticker->first;
	create->interval = ticker->interval;
}

/* In batches; what has expired already is delivered by the same crossing. */
static void start_timers(void)
{
	static struct aem_timer_create create[BATCH];
	static struct aem_call calls[BATCH];
	struct aem_enter enter = { .calls = (uintptr_t)calls, .n_calls = BATCH, .level = 32 };
	uint32_t i, k;

	for (i = 0; i < periodic + once; i += BATCH) {
		for (k = 0; k < BATCH; k++) {
			fill_timer(&create[k], i + k);
			calls[k] = (struct aem_call){
				.size = sizeof(calls[k]), .nr = timer + AEM_TIMER_CREATE,
				.arg = (uintptr_t)&create[k],
			};
		}
		ASSERT_OK(raw_enter(&raw, &enter));
		ASSERT_EQ(enter.done, BATCH);
		for (k = 0; k < BATCH; k++) {
			ASSERT_EQ(calls[k].result, 0);
			tickers[i + k].id = create[k].reg.id;
		}
	}
}

static uint16_t start_listening(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	struct aem_ip_accept accept;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ASSERT_GE(fd, 0);
	ASSERT_OK(bind(fd, (struct sockaddr *)&address, length));
	ASSERT_OK(getsockname(fd, (struct sockaddr *)&address, &length));
	ASSERT_OK(listen(fd, 1024));
	memset(&accept, 0, sizeof(accept));
	accept.size = sizeof(accept);
	accept.fd = fd;
	accept.reg.handler = (uintptr_t)on_accept;
	accept.reg.flags = EVF_START;
	accept.reg.prio = 20;
	accept.data.handler = (uintptr_t)on_data;
	accept.data.flags = EVF_START;
	accept.data.prio = 10;
	accept.sockflags = SOCK_NONBLOCK | SOCK_CLOEXEC;
	ASSERT_OK(raw_call(&raw, ip + AEM_IP_ACCEPT, &accept));
	return address.sin_port;
}

static uint32_t running_timers(void)
{
	struct aem_timer_gettime get = { .size = sizeof(get) };
	uint32_t i, running = 0;

	for (i = 0; i < periodic; i++) {
		get.id = tickers[i].id;
		ASSERT_OK(raw_call(&raw, timer + AEM_TIMER_GETTIME, &get));
		running += get.value > 0;
	}
	return running;
}

static void stop_timers(void)
{
	struct aem_timer_settime set = { .size = sizeof(set) };
	uint32_t i;

	for (i = 0; i < periodic; i++) {
		set.id = tickers[i].id;
		set.value = 0;
		set.interval = 0;
		ASSERT_OK(raw_call(&raw, timer + AEM_TIMER_SETTIME, &set));
		ASSERT_EQ(set.old_interval, tickers[i].interval);
	}
}

static void begin(void)
{
	struct rlimit limit = { FDS, FDS };

	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
	if (ktap_is_slow()) {
		connections /= 20;
		messages /= 20;
		periodic /= 100;
		once /= 100;
	}
	seed = ktap_seed();
	sent = mmap(NULL, connections * sizeof(*sent), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(sent != MAP_FAILED);
	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.ring_entries = 4096;
	raw.setup.vmt_size = 16 << 20;
	raw_begin(&raw);
	ip = raw_service(&raw, AEM_IP_SERVICE);
	timer = raw_service(&raw, AEM_TIMER_SERVICE);
}

static void expect_streams(void)
{
	static uint8_t seen[MAX_CONNECTIONS];
	uint64_t bytes = 0;
	int fd;

	for (fd = 0; fd < FDS; fd++) {
		if (!got[fd].bytes)
			continue;
		ASSERT_LT(got[fd].index, connections);
		EXPECT_EQ(seen[got[fd].index]++, 0);
		EXPECT_EQ(got[fd].bytes, sent[got[fd].index].bytes);
		EXPECT_EQ(got[fd].sum, sent[got[fd].index].sum);
		bytes += got[fd].bytes;
	}
	for (fd = 0; fd < (int)connections; fd++)
		EXPECT_EQ(seen[fd], 1);
	NOTE("%llu bytes over %u connections", (unsigned long long)bytes, connections);
}

static void expect_tickers(void)
{
	uint64_t expiries = 0, i;

	for (i = 0; i < periodic + once; i++) {
		ASSERT_GT(tickers[i].expiries, 0);
		ASSERT_EQ(tickers[i].first + (tickers[i].expiries - 1) * tickers[i].interval,
			  tickers[i].expiry);
		if (!tickers[i].interval)
			ASSERT_EQ(tickers[i].expiries, 1);
		expiries += tickers[i].expiries;
	}
	NOTE("%llu expiries of %u timers", (unsigned long long)expiries, periodic + once);
}

static bool all_ticked(void)
{
	static uint32_t next;

	while (next < periodic && tickers[next].expiries)
		next++;
	return next == periodic && once_seen == once;
}

TEST_TIMEOUT(connections_and_timers, 850)
{
	struct aem_query query;
	uint16_t port;
	pid_t child;
	int status;

	begin();
	start_timers();
	port = start_listening();
	EXPECT_EQ(running_timers(), periodic);
	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0)
		be_client(port);
	while (accepted < connections)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	query = raw_query(&raw);
	EXPECT_EQ(query.events, periodic + once + connections + 1 - ended);
	while (ended < connections || !all_ticked())
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(running_timers(), periodic);
	stop_timers();
	raw_drain(&raw);
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(accepted, connections);
	expect_streams();
	expect_tickers();
	query = raw_query(&raw);
	NOTE("%llu activations, %llu records, %llu waits for memory",
	     (unsigned long long)query.activations, (unsigned long long)query.records,
	     (unsigned long long)query.starvations);
	EXPECT_EQ(query.events, periodic + once + 1);
	EXPECT_EQ(query.vmt_used, 0);
	raw_end(&raw);
}

KTAP_MAIN()
