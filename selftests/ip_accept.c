// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_ACCEPT: connections, their peers and their data events, and what happens when
 * something that they need is short.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

/* One connection without a template: everything in its record. */
static void accept_one(int family, int sockflags)
{
	int listener = ip_listen(family), client, fd;
	struct aem_ip_accept request = ip_accept_on(listener, 0x1234, EVF_START);
	union address name;
	struct heard *h;
	struct raw raw;

	ip_start(&raw, 0, 0);
	request.sockflags = sockflags;
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	ip_expect_quiet(&raw);
	client = ip_dial(listener, SOCK_STREAM);
	name = ip_name(client);
	ip_wait(&raw, 1);
	h = &heard[0];
	fd = h->word[0];
	EXPECT_EQ(h->record.nr, ip_base + AEM_IP_ACCEPT);
	EXPECT_EQ(h->record.id, request.reg.id);
	EXPECT_EQ(h->record.cookie, 0x1234);
	EXPECT_EQ(h->record.prio, 9);
	EXPECT_EQ(h->record.count, 1);
	EXPECT_EQ(h->record.lost, 0);
	EXPECT_EQ(h->word[1], 0);
	EXPECT_EQ(h->record.arg[2], 0);
	EXPECT_EQ(h->from.length, ip_size(family));
	EXPECT_EQ(memcmp(h->from.address, &name, ip_size(family)), 0);
	EXPECT_EQ(fcntl(fd, F_GETFD), sockflags & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
	EXPECT_EQ(fcntl(fd, F_GETFL), O_RDWR | (sockflags & SOCK_NONBLOCK ? O_NONBLOCK : 0));
	ip_write(client, "hello", 5);
	EXPECT_EQ(ip_poll(fd, POLLIN, 1000), POLLIN);
	ip_expect_quiet(&raw);
	raw_end(&raw);
	ip_write(fd, "it lives on", 11);
	EXPECT_EQ(ip_poll(client, POLLIN, 1000), POLLIN);
}

TEST(accept_v4) { accept_one(AF_INET, 0); }
TEST(accept_v6) { accept_one(AF_INET6, 0); }
TEST(accept_nonblock) { accept_one(AF_INET, SOCK_NONBLOCK); }
TEST(accept_cloexec) { accept_one(AF_INET, SOCK_CLOEXEC); }
TEST(accept_both_flags) { accept_one(AF_INET6, SOCK_NONBLOCK | SOCK_CLOEXEC); }

/* A listening IPv6 socket takes IPv4 as well: the peer's address is a mapped one. */
TEST(mapped_peer)
{
	union address address;
	int listener = ip_socket(AF_INET6, SOCK_STREAM), client;
	struct sockaddr_in6 *peer;
	struct raw raw;

	ip_start(&raw, 0, 0);
	memset(&address, 0, sizeof(address));
	address.v6.sin6_family = AF_INET6;
	ASSERT_OK(bind(listener, &address.any, sizeof(address.v6)));
	ASSERT_OK(listen(listener, 8));
	ip_new_accept(&raw, listener, false);
	address = ip_loopback(AF_INET, ntohs(ip_name(listener).v6.sin6_port));
	client = ip_socket(AF_INET, SOCK_STREAM);
	ASSERT_OK(connect(client, &address.any, sizeof(address.v4)));
	ip_wait(&raw, 1);
	peer = (struct sockaddr_in6 *)heard[0].from.address;
	EXPECT_EQ(heard[0].from.length, sizeof(*peer));
	EXPECT_EQ(IN6_IS_ADDR_V4MAPPED(&peer->sin6_addr), 1);
	EXPECT_EQ(peer->sin6_port, ip_name(client).v4.sin_port);
	raw_end(&raw);
}

/* The data event comes with the connection: no call in between. */
static void template(int family)
{
	int listener = ip_listen(family), client;
	struct aem_ip_accept request = ip_accept_on(listener, 1, EVF_START);
	struct aem_event event;
	struct heard *h;
	struct raw raw;

	ip_start(&raw, 0, 0);
	ip_template(&request, 2, EVF_START);
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	client = ip_dial(listener, SOCK_STREAM);
	ip_wait(&raw, 1);
	EXPECT_NE(heard[0].record.arg[2], 0);
	ASSERT_OK(raw_event_out(&raw, AEM_EVENT_INFO, heard[0].record.arg[2], 0, &event));
	EXPECT_EQ(event.parent, (uint32_t)request.reg.id);
	EXPECT_EQ(event.prio, 8);
	EXPECT_EQ(event.nr, ip_base + AEM_IP_DATA);
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED);
	ip_expect_quiet(&raw);
	ip_write(client, "hello", 5);
	ip_wait(&raw, 2);
	h = &heard[1];
	EXPECT_EQ(h->record.id, heard[0].record.arg[2]);
	EXPECT_EQ(h->record.cookie, 2);
	EXPECT_EQ(h->word[0], heard[0].word[0]);
	EXPECT_EQ(h->word[1], 0);
	ASSERT_EQ(h->length, 5);
	EXPECT_EQ(memcmp(h->data, "hello", 5), 0);
	raw_end(&raw);
}

TEST(template_v4) { template(AF_INET); }
TEST(template_v6) { template(AF_INET6); }

/* Data that is there before the connection is taken comes in the same crossing. */
TEST(template_active_at_once)
{
	int listener = ip_listen(AF_INET), client;
	struct aem_enter enter = { 0 };
	struct raw raw;

	ip_start(&raw, 0, 0);
	client = ip_dial(listener, SOCK_STREAM);
	ip_write(client, "early", 5);
	ip_new_accept(&raw, listener, true);
	ip_settle();
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 2);
	raw_dispatch(&raw, &enter);
	ASSERT_EQ(n_heard, 2);
	EXPECT_EQ(heard[0].record.nr, ip_base + AEM_IP_ACCEPT);
	EXPECT_EQ(heard[1].record.nr, ip_base + AEM_IP_DATA);
	EXPECT_EQ(heard[1].length, 5);
	raw_end(&raw);
}

/* Without EVF_START the data event waits to be started; what came before counts. */
TEST(template_stopped)
{
	int listener = ip_listen(AF_INET), client;
	struct aem_ip_accept request = ip_accept_on(listener, 1, EVF_START);
	struct raw raw;

	ip_start(&raw, 0, 0);
	ip_template(&request, 2, 0);
	request.data.length = 3;
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	client = ip_dial(listener, SOCK_STREAM);
	ip_write(client, "hello", 5);
	ip_wait(&raw, 1);
	ip_expect_quiet(&raw);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, heard[0].record.arg[2], 0));
	ip_wait(&raw, 3);
	EXPECT_EQ(heard[1].length, 3);
	EXPECT_EQ(heard[1].word[5], AEM_IP_F_MORE);
	EXPECT_EQ(heard[2].length, 2);
	EXPECT_EQ(heard[2].word[5], 0);
	raw_end(&raw);
}

/* A connection that was reset before it was taken is told so. */
TEST(reset_in_queue)
{
	int listener = ip_listen(AF_INET), client;
	union address name;
	struct raw raw;

	ip_start(&raw, 0, 0);
	client = ip_dial(listener, SOCK_STREAM);
	name = ip_name(client);
	ip_write(client, "hello", 5);
	ip_reset(client);
	ip_new_accept(&raw, listener, true);
	ip_wait(&raw, 3);
	EXPECT_EQ(heard[0].record.nr, ip_base + AEM_IP_ACCEPT);
	EXPECT_EQ(heard[0].word[1], 0);
	EXPECT_EQ(memcmp(heard[0].from.address, &name, sizeof(name.v4)), 0);
	EXPECT_EQ(heard[1].length, 5);
	ip_expect_end(&heard[2], heard[0].record.arg[2], heard[0].word[0], ECONNRESET);
	raw_end(&raw);
}

/* 500 connections at once, through a ring of 64: each is told once, with its peer. */
TEST(burst)
{
	enum { N = 500 };
	int listener = ip_listen(AF_INET), client[N];
	static uint8_t seen[65536], descriptor[4096];
	struct sockaddr_in *peer;
	struct raw raw;
	int i, rounds = 0;

	ip_start(&raw, 64, 0);
	ip_new_accept(&raw, listener, false);
	for (i = 0; i < N; i++)
		client[i] = ip_dial(listener, SOCK_STREAM);
	while (n_heard < N) {
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
		rounds++;
	}
	/* Many records of one event in each crossing, not a crossing for each. */
	EXPECT_LE(rounds, N / 32);
	for (i = 0; i < N; i++) {
		peer = (struct sockaddr_in *)heard[i].from.address;
		EXPECT_EQ(heard[i].word[1], 0);
		EXPECT_EQ(heard[i].record.count, 1);
		EXPECT_EQ(seen[ntohs(peer->sin_port)]++, 0);
		ASSERT_LT(heard[i].word[0], sizeof(descriptor));
		EXPECT_EQ(descriptor[heard[i].word[0]]++, 0);
	}
	for (i = 0; i < N; i++)
		EXPECT_EQ(seen[ntohs(ip_name(client[i]).v4.sin_port)], 1);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* One record, one connection; the others stay for whoever accepts next. */
TEST(oneshot)
{
	int listener = ip_listen(AF_INET), i;
	struct aem_ip_accept request = ip_accept_on(listener, 0, EVF_START | EVF_ONESHOT);
	struct raw raw;

	ip_start(&raw, 0, 0);
	for (i = 0; i < 3; i++)
		ip_dial(listener, SOCK_STREAM);
	ip_settle();
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	ip_wait(&raw, 1);
	ip_expect_quiet(&raw);
	EXPECT_EQ(heard[0].record.flags, AEM_RECORD_F_LAST);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, request.reg.id, 0), ENOENT);
	ASSERT_OK(fcntl(listener, F_SETFL, O_NONBLOCK));
	EXPECT_GE(accept(listener, NULL, NULL), 0);
	EXPECT_GE(accept(listener, NULL, NULL), 0);
	EXPECT_ERRNO(accept(listener, NULL, NULL), EAGAIN);
	raw_end(&raw);
}

/*
 * A shortage is told once, does not make the process run in circles, and ends by itself: no
 * further connection comes.
 */
static void expect_shortage(struct raw *raw, uint64_t id, uint32_t error)
{
	struct aem_event before, after;
	struct heard *h = &heard[n_heard];

	ip_wait(raw, n_heard + 1);
	EXPECT_EQ(h->record.id, id);
	EXPECT_EQ((int)h->word[0], -1);
	EXPECT_EQ(h->word[1], error);
	EXPECT_EQ(h->record.arg[1], 0);
	EXPECT_EQ(h->record.arg[2], 0);
	ASSERT_OK(raw_event_out(raw, AEM_EVENT_INFO, id, 0, &before));
	while (raw_wait(raw, 500 * MS) == 0)
		EXPECT_EQ(h + 1 - heard, n_heard);
	ASSERT_OK(raw_event_out(raw, AEM_EVENT_INFO, id, 0, &after));
	/* After 10, 30, 70 ... 1270 ms, 2270, 3270: a guest may be slow, circles are thousands. */
	EXPECT_GE(after.activations, before.activations + 3);
	EXPECT_LE(after.activations, before.activations + 50);
	EXPECT_EQ(raw_query(raw).vmt_used, 0);
}

TEST(emfile)
{
	int listener = ip_listen(AF_INET), late = ip_socket(AF_INET, SOCK_STREAM), client;
	union address address;
	struct rlimit limit;
	struct raw raw;
	uint64_t id;

	ip_start(&raw, 0, 0);
	client = ip_dial(listener, SOCK_STREAM);
	ip_dial(listener, SOCK_STREAM);
	ip_write(client, "hello", 5);
	ip_limit_fds(&limit);
	id = ip_new_accept(&raw, listener, true);
	expect_shortage(&raw, id, EMFILE);
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
	ip_wait(&raw, 4);
	EXPECT_EQ(heard[1].word[1], 0);
	EXPECT_EQ(heard[2].word[1], 0);
	EXPECT_EQ(heard[3].length, 5);
	ip_expect_quiet(&raw);

	/* The next shortage is told again. */
	ip_limit_fds(&limit);
	address = ip_name(listener);
	ASSERT_OK(connect(late, &address.any, sizeof(address.v4)));
	ip_wait(&raw, 5);
	EXPECT_EQ(heard[4].word[1], EMFILE);
	raw_end(&raw);
}

/* A further connection, or a start, tries again at once; the same shortage is not told twice. */
TEST(emfile_again)
{
	int listener = ip_listen(AF_INET), spare = dup(listener), client[2], i;
	union address address = ip_name(listener);
	struct rlimit before;
	struct raw raw;
	uint64_t id;

	ip_start(&raw, 0, 0);
	for (i = 0; i < 2; i++)
		client[i] = ip_socket(AF_INET, SOCK_STREAM);
	ip_limit_fds(&before);
	id = ip_new_accept(&raw, listener, false);
	ASSERT_OK(connect(client[0], &address.any, sizeof(address.v4)));
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].word[1], EMFILE);
	ASSERT_OK(connect(client[1], &address.any, sizeof(address.v4)));
	for (i = 0; i < 5; i++)
		raw_wait(&raw, 20 * MS);
	EXPECT_EQ(n_heard, 1);
	ASSERT_OK(close(spare));
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	/* One descriptor for two connections. */
	ip_wait(&raw, 3);
	EXPECT_EQ(heard[1].word[0], spare);
	EXPECT_EQ(heard[2].word[1], EMFILE);
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &before));
	ip_wait(&raw, 4);
	EXPECT_EQ(heard[3].word[1], 0);
	raw_end(&raw);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	ASSERT_OK(close(fd));
}

/*
 * No file is to be had in the whole system. The kernel first looks at a sum that may lag behind by
 * some dozens on each processor: only a limit of 0 is reached for certain.
 */
TEST(enfile)
{
	int listener = ip_listen(AF_INET);
	struct raw raw;
	uint64_t id;

	ip_start(&raw, 0, 0);
	ip_dial(listener, SOCK_STREAM);
	write_file("/proc/sys/fs/file-max", "0");
	ASSERT_OK(seteuid(1000));
	id = ip_new_accept(&raw, listener, true);
	expect_shortage(&raw, id, ENFILE);
	ASSERT_OK(seteuid(0));
	write_file("/proc/sys/fs/file-max", "4000000");
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[1].word[1], 0);
	EXPECT_NE(heard[1].record.arg[2], 0);
	raw_end(&raw);
}

/* A connection whose data event would be one too many stays in the queue. */
TEST(enospc)
{
	int listener = ip_listen(AF_INET);
	unsigned long limit;
	struct raw raw;
	uint64_t id;

	ip_start(&raw, 0, 0);
	limit = raw_parameter("max_events");
	id = ip_new_accept(&raw, listener, true);
	raw_set_parameter("max_events", 1);
	ip_dial(listener, SOCK_STREAM);
	expect_shortage(&raw, id, ENOSPC);
	raw_set_parameter("max_events", limit);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[1].word[1], 0);
	EXPECT_NE(heard[1].record.arg[2], 0);
	raw_end(&raw);
}

/* The event goes in the middle of a shortage. */
TEST(shutdown_in_shortage)
{
	int listener = ip_listen(AF_INET), i;
	struct rlimit limit;
	struct raw raw;

	for (i = 0; i < 20; i++) {
		uint64_t id;

		ip_start(&raw, 0, 0);
		ip_dial(listener, SOCK_STREAM);
		ip_limit_fds(&limit);
		id = ip_new_accept(&raw, listener, true);
		ip_wait(&raw, 1);
		EXPECT_EQ(heard[0].word[1], EMFILE);
		raw_sleep_ms(i);
		if (i % 2)
			ip_shut(&raw, id);
		raw_end(&raw);
		ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
	}
}

/* A socket that stops to listen says so, once. */
TEST(listener_shut)
{
	int listener = ip_listen(AF_INET);
	struct raw raw;
	uint64_t id;

	ip_start(&raw, 0, 0);
	id = ip_new_accept(&raw, listener, false);
	ASSERT_OK(shutdown(listener, SHUT_RD));
	ip_wait(&raw, 1);
	EXPECT_EQ((int)heard[0].word[0], -1);
	EXPECT_EQ(heard[0].word[1], EINVAL);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	/* It may listen again. */
	ASSERT_OK(listen(listener, 8));
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	ip_dial(listener, SOCK_STREAM);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[1].word[1], 0);
	raw_end(&raw);
}

/* close() does not end listening, shutting the event down does. */
TEST(close_and_shutdown)
{
	int listener = ip_listen(AF_INET), client;
	union address address = ip_name(listener);
	struct raw raw;
	uint64_t id;

	ip_start(&raw, 0, 0);
	id = ip_new_accept(&raw, listener, false);
	ASSERT_OK(close(listener));
	client = ip_socket(AF_INET, SOCK_STREAM);
	ASSERT_OK(connect(client, &address.any, sizeof(address.v4)));
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].word[1], 0);
	ip_expect_quiet(&raw);
	ip_shut(&raw, id);
	client = ip_socket(AF_INET, SOCK_STREAM);
	EXPECT_ERRNO(connect(client, &address.any, sizeof(address.v4)), ECONNREFUSED);
	raw_end(&raw);
}

/* Two events on one listening socket: each connection goes to one of them. */
TEST(two_events)
{
	enum { N = 100 };
	int listener = ip_listen(AF_INET), i, good = 0;
	struct raw raw;

	ip_start(&raw, 0, 0);
	ip_new_accept(&raw, listener, false);
	ip_new_accept(&raw, listener, false);
	for (i = 0; i < N; i++)
		ip_dial(listener, SOCK_STREAM);
	ip_wait(&raw, N);
	ip_expect_quiet(&raw);
	for (i = 0; i < N; i++)
		good += !heard[i].word[1];
	EXPECT_EQ(good, N);
	raw_end(&raw);
}

KTAP_MAIN()
