// SPDX-License-Identifier: GPL-2.0
/*
 * Many connections, and everything at once: wakeups on one processor while events are stopped, shut
 * down or lose their context on another.
 *
 * vm: load=core,ip timeout=300
 */
#include "ip.h"
#include <pthread.h>

/* A thousand connections are held; each gets its data, and all end when the context does. */
TEST_TIMEOUT(thousand, 200)
{
	enum { MANY = 1000 };
	int listener = ip_listen(AF_INET), i, n = ktap_rounds(MANY);
	static int client[MANY];
	static uint64_t id[MANY];
	uint64_t bytes = 0;
	uint32_t value;
	struct raw raw;

	ip_start(&raw, 4096, 0);
	ip_new_accept(&raw, listener, true);
	for (i = 0; i < n; i++) {
		client[i] = ip_dial(listener, SOCK_STREAM);
		if (i % 100 == 99)
			ip_wait(&raw, i + 1);
	}
	ip_wait(&raw, n);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(heard[i].word[1], 0);
		id[i] = heard[i].record.arg[2];
		ASSERT_NE(id[i], 0);
		/* Only the event holds it from now on. */
		ASSERT_OK(close(heard[i].word[0]));
	}
	EXPECT_EQ(raw_query(&raw).events, n + 1);
	for (i = 0; i < n; i++) {
		ip_write(client[i], &i, sizeof(i));
		if (i % 100 == 99)
			raw_drain(&raw);
	}
	ip_wait(&raw, 2 * n);
	for (i = n; i < 2 * n; i++) {
		ASSERT_EQ(heard[i].length, sizeof(value));
		memcpy(&value, heard[i].data, sizeof(value));
		bytes += value;
		EXPECT_EQ(ip_send(&raw, heard[i].record.id, &value, sizeof(value), 0),
			  sizeof(value));
	}
	EXPECT_EQ(bytes, (uint64_t)n * (n - 1) / 2);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(recv(client[i], &value, sizeof(value), 0), sizeof(value));
		EXPECT_EQ(value, i);
	}
	ip_expect_quiet(&raw);
	raw_end(&raw);
	/* The context has gone, and with it the last that held them. */
	for (i = 0; i < n; i++)
		EXPECT_EQ(recv(client[i], &value, sizeof(value), 0), 0);
}

/* The process is killed: its connections end, though nobody has closed anything. */
TEST(killed_owner)
{
	int listener = ip_listen(AF_INET), client[200], i, n = ktap_rounds(200);
	struct raw raw;
	pid_t pid = fork();
	char byte;

	ASSERT_GE(pid, 0);
	if (!pid) {
		ip_start(&raw, 0, 0);
		ip_new_accept(&raw, listener, true);
		for (;;) {
			uint32_t k = n_heard;

			raw_wait(&raw, RAW_LONG);
			for (; k < n_heard; k++)
				ip_send(&raw, heard[k].record.arg[2], "x", 1, 0);
		}
	}
	for (i = 0; i < n; i++) {
		client[i] = ip_dial(listener, SOCK_STREAM);
		ASSERT_EQ(recv(client[i], &byte, 1, 0), 1);
	}
	ASSERT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	for (i = 0; i < n; i++)
		EXPECT_EQ(recv(client[i], &byte, 1, 0), 0);
}

struct storm {
	struct raw *raw;
	int fd;
	volatile bool stop;
};

/* Writes small pieces for as long as somebody takes them. */
static void *write_always(void *arg)
{
	struct storm *storm = (struct storm *)arg;
	static const uint8_t zeros[100];

	while (!storm->stop)
		if (send(storm->fd, zeros, sizeof(zeros), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN)
			break;
	return NULL;
}

/* Runs handlers, as main() of a program would. */
static void *dispatch_always(void *arg)
{
	struct storm *storm = (struct storm *)arg;

	while (!storm->stop) {
		struct aem_enter enter = { .min_events = 1, .timeout = 5 * MS };

		if (!raw_enter(storm->raw, &enter))
			raw_dispatch(storm->raw, &enter);
	}
	return NULL;
}

static volatile uint64_t gone;
static volatile uint32_t late, calls;

/* No handler of an event starts after it was shut down. */
static void watch_id(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	calls++;
	if (record->id == gone)
		late++;
}

/* Events come and go on a connection that never rests. */
TEST_TIMEOUT(shutdown_under_fire, 120)
{
	struct aem_ip_socket request;
	pthread_t writer, runner;
	struct storm storm;
	struct raw raw;
	int fd[2], i;

	ip_start(&raw, 0, 0);
	ip_pair(AF_INET, fd);
	storm = (struct storm){ .raw = &raw, .fd = fd[1] };
	ASSERT_EQ(pthread_create(&writer, NULL, write_always, &storm), 0);
	ASSERT_EQ(pthread_create(&runner, NULL, dispatch_always, &storm), 0);
	for (i = 0; ktap_more(i, 2000); i++) {
		request = ip_on(fd[0], 0, EVF_START);
		request.reg.handler = (uintptr_t)watch_id;
		ASSERT_OK(ip_call(&raw, AEM_IP_DATA, &request));
		if (i % 3 == 0)
			ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, request.reg.id, 0));
		if (i % 3 == 1)
			sched_yield();
		ip_shut(&raw, request.reg.id);
		gone = request.reg.id;
	}
	storm.stop = true;
	ASSERT_EQ(pthread_join(writer, NULL), 0);
	ASSERT_EQ(pthread_join(runner, NULL), 0);
	EXPECT_EQ(late, 0);
	NOTE("%u handlers ran", calls);
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* Contexts are closed with events active, records delivered and blocks in use. */
TEST_TIMEOUT(close_under_fire, 120)
{
	pthread_t writer;
	struct storm storm;
	struct raw raw;
	int fd[2], i, j;

	ip_pair(AF_INET, fd);
	storm = (struct storm){ .fd = fd[1] };
	ASSERT_EQ(pthread_create(&writer, NULL, write_always, &storm), 0);
	for (i = 0; ktap_more(i, 200); i++) {
		ip_start(&raw, 0, 65536);
		for (j = 0; j < 5; j++) {
			ip_new(&raw, AEM_IP_DATA, fd[0], j, 1000);
			ip_new(&raw, AEM_IP_ROOM, fd[0], j, 0);
		}
		for (j = 0; j < i % 4; j++) {
			struct aem_enter enter = { 0 };

			ASSERT_OK(raw_enter(&raw, &enter));
			if (j % 2)
				raw_dispatch(&raw, &enter);
		}
		raw_end(&raw);
	}
	storm.stop = true;
	ASSERT_EQ(pthread_join(writer, NULL), 0);
}

/* Connections that are reset all the time while they are accepted, read and sent to. */
static void *reset_always(void *arg)
{
	struct storm *storm = (struct storm *)arg;
	int fd;

	while (!storm->stop) {
		fd = ip_dial(storm->fd, SOCK_STREAM);
		send(fd, "hello", 5, MSG_NOSIGNAL);
		ip_reset(fd);
	}
	return NULL;
}

static uint32_t accepted, resets;

static void serve_storm(struct raw *raw, struct aem_record *record)
{
	uint32_t word[6];

	memcpy(word, record->arg, sizeof(word));
	if (record->nr == ip_base + AEM_IP_ACCEPT) {
		ASSERT_EQ(word[1], 0);
		accepted++;
		return;
	}
	if (word[4]) {
		ip_send(raw, record->id, "world", 5, 0);
		return;
	}
	EXPECT(word[1] == ECONNRESET);
	resets++;
	ASSERT_OK(raw_event(raw, AEM_EVENT_SHUTDOWN, record->id, 0));
	ASSERT_OK(close(word[0]));
}

TEST_TIMEOUT(resets, 120)
{
	int listener = ip_listen(AF_INET), i;
	struct aem_ip_accept request = ip_accept_on(listener, 0, EVF_START);
	struct storm storm = { .fd = listener };
	pthread_t thread[2];
	struct raw raw;

	ip_start(&raw, 0, 0);
	ip_template(&request, 0, EVF_START);
	request.reg.handler = (uintptr_t)serve_storm;
	request.data.handler = (uintptr_t)serve_storm;
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, reset_always, &storm), 0);
	while (ktap_more(accepted, 3000))
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	storm.stop = true;
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_join(thread[i], NULL), 0);
	ip_settle();
	raw_drain(&raw);
	NOTE("%u connections, %u resets", accepted, resets);
	EXPECT_EQ(resets, accepted);
	EXPECT_EQ(raw_query(&raw).events, 1);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

KTAP_MAIN()
