// SPDX-License-Identifier: GPL-2.0
/*
 * Timers and sockets through the library's typed functions: every parameter of every
 * handler, who owns the bytes of a send, and what becomes of the rest.
 *
 * vm: load=core,timer,ip timeout=300 m32
 */
#include "ktap.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <aem/ip.h>
#include <aem/timer.h>

#define MS 1000000LL

static struct aem *aem;

static void start(uint32_t flags)
{
	struct aem_options options = { .flags = flags };

	ASSERT_RESULT(aem_open(&aem, &options), 0);
}

static void end(void)
{
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Run handlers until it is so. */
#define AWAIT(_condition) do {						\
	while (!(_condition))						\
		ASSERT_GT(aem_wait(aem, 20000 * MS), 0);		\
} while (0)

/* Timers */

struct ticks {
	aem_id id;
	int n;
	uint64_t expiries, last;
	int error;
};

static void on_tick(struct aem *a, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		    int error)
{
	struct ticks *t = user;

	EXPECT(a == aem);
	EXPECT_EQ(timer, t->id);
	t->n++;
	t->expiries += 1 + overruns;
	t->last = expiry;
	t->error = error;
}

static uint64_t clock_of(int clockid)
{
	struct timespec t;

	clock_gettime(clockid, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

TEST(timer_periodic)
{
	struct aem_timer_spec spec = {
		.interval = 1 * MS, .flags = AEM_TIMER_ABSTIME,
	}, got;
	struct ticks t = { 0 };

	start(AEM_OPEN_SAFEPOINT);
	spec.value = clock_of(CLOCK_MONOTONIC) + 1 * MS;
	EXPECT_RESULT(aem_timer_create(aem, &t.id, CLOCK_MONOTONIC, AEM_PRIO(4), &spec, on_tick,
				       &t), 0);
	AWAIT(t.n >= 20);
	usleep(5000);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(t.last, spec.value + (t.expiries - 1) * spec.interval);
	EXPECT_GE(t.expiries, t.n + 4);
	EXPECT_EQ(t.error, 0);
	EXPECT_RESULT(aem_timer_gettime(aem, t.id, &got), 0);
	EXPECT_EQ(got.interval, 1 * MS);
	EXPECT_GE(got.value, 1);
	EXPECT_LE(got.value, 1 * MS);
	EXPECT_RESULT(aem_timer_delete(aem, t.id), 0);
	EXPECT_RESULT(aem_timer_gettime(aem, t.id, &got), ENOENT);
	end();
}

TEST(timer_settime)
{
	struct aem_timer_spec spec = { .value = 3600000 * MS, .interval = 5 }, old;
	struct ticks t = { 0 };

	start(AEM_OPEN_SAFEPOINT);
	EXPECT_RESULT(aem_timer_create(aem, &t.id, CLOCK_BOOTTIME, 0, NULL, on_tick, &t), 0);
	EXPECT_RESULT(aem_timer_gettime(aem, t.id, &old), 0);
	EXPECT_EQ(old.value, 0);
	EXPECT_RESULT(aem_timer_settime(aem, t.id, &spec, &old), 0);
	EXPECT_EQ(old.value, 0);
	EXPECT_EQ(old.interval, 0);
	spec = (struct aem_timer_spec){ .value = 1 * MS };
	EXPECT_RESULT(aem_timer_settime(aem, t.id, &spec, &old), 0);
	EXPECT_GT(old.value, 3590000 * MS);
	EXPECT_EQ(old.interval, 5);
	AWAIT(t.n);
	EXPECT_EQ(t.expiries, 1);
	EXPECT_RESULT(aem_wait(aem, 20 * MS), ETIME);
	spec.flags = 1U << 30;
	EXPECT_RESULT(aem_timer_settime(aem, t.id, &spec, NULL), EINVAL);
	EXPECT_RESULT(aem_timer_create(aem, NULL, 99, 0, NULL, on_tick, &t), EINVAL);
	EXPECT_RESULT(aem_timer_create(aem, NULL, CLOCK_TAI, AEM_PRIO(32), NULL, on_tick, &t),
		      EINVAL);
	end();
}

static int told;
static int64_t told_result;

static void settime_done(struct aem *a, void *user, const void *arg, int64_t result)
{
	const struct aem_timer_settime *s = arg;

	(void)a;
	EXPECT(user == &told);
	EXPECT_EQ(s->size, sizeof(*s));
	told++;
	told_result = result;
}

TEST(timer_settime_queued)
{
	struct aem_timer_spec spec = { .value = 1 * MS };
	struct ticks t = { 0 };

	start(AEM_OPEN_SAFEPOINT);
	EXPECT_RESULT(aem_timer_create(aem, &t.id, CLOCK_MONOTONIC, 0, NULL, on_tick, &t), 0);
	EXPECT_RESULT(aem_timer_settime_queued(aem, t.id, &spec, settime_done, &told), 0);
	EXPECT_EQ(told, 0);
	AWAIT(t.n);
	EXPECT_EQ(told, 1);
	EXPECT_EQ(told_result, 0);
	EXPECT_RESULT(aem_timer_settime_queued(aem, t.id ^ 1, &spec, settime_done, &told), 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(told, 2);
	EXPECT_EQ(told_result, -ENOENT);
	end();
}

TEST(timer_told_that_the_clock_was_set)
{
	struct aem_timer_spec spec = {
		.flags = AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET,
	};
	struct ticks t = { 0 };
	struct timespec now;

	start(AEM_OPEN_SAFEPOINT);
	spec.value = clock_of(CLOCK_REALTIME) + 3600000 * MS;
	EXPECT_RESULT(aem_timer_create(aem, &t.id, CLOCK_REALTIME, 0, &spec, on_tick, &t), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += 2;
	ASSERT_OK(clock_settime(CLOCK_REALTIME, &now));
	AWAIT(t.n);
	EXPECT_EQ(t.error, ECANCELED);
	end();
}

TEST(timer_interrupts)
{
	struct aem_timer_spec spec = { .value = 1 * MS, .interval = 1 * MS };
	struct ticks t = { 0 };
	unsigned int old;

	start(0);
	old = aem_level_raise(aem, AEM_LEVEL_ALL);
	EXPECT_RESULT(aem_timer_create(aem, &t.id, CLOCK_MONOTONIC, 0, &spec, on_tick, &t), 0);
	aem_level_restore(aem, old);
	while (__atomic_load_n(&t.n, __ATOMIC_SEQ_CST) < 50)
		;
	EXPECT_RESULT(aem_timer_delete(aem, t.id), 0);
	end();
}

/* Sockets */

static int listener(int family, struct sockaddr_storage *at, socklen_t *length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;

	ASSERT_GE(fd, 0);
	memset(at, 0, sizeof(*at));
	at->ss_family = family;
	if (family == AF_INET)
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		v6->sin6_addr = in6addr_loopback;
	*length = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	ASSERT_OK(bind(fd, (struct sockaddr *)at, *length));
	ASSERT_OK(listen(fd, 64));
	ASSERT_OK(getsockname(fd, (struct sockaddr *)at, length));
	return fd;
}

/* One connection, as its handlers see it. */
static struct {
	int accepted, fd, data_calls, ended, error, rooms, connects, connect_error;
	unsigned int flags;
	aem_id accept_id, data_id, room_id;
	struct sockaddr_storage peer;
	socklen_t peer_length;
	char got[256 << 10];
	size_t length, room;
	void *kept;
} conn;

static void on_accept(struct aem *a, void *user, aem_id id, int fd, const struct sockaddr *peer,
		      socklen_t length, aem_id data, int error)
{
	EXPECT(a == aem);
	EXPECT(user == &told);
	EXPECT_EQ(id, conn.accept_id);
	EXPECT_EQ(error, 0);
	conn.accepted++;
	conn.fd = fd;
	conn.data_id = data;
	conn.peer_length = length;
	memcpy(&conn.peer, peer, length);
}

static void on_data(struct aem *a, void *user, aem_id id, int fd, void *data, size_t length,
		    unsigned int flags, int error)
{
	EXPECT(a == aem);
	EXPECT(user == &conn);
	EXPECT_EQ(id, conn.data_id);
	EXPECT_EQ(fd, conn.fd);
	conn.data_calls++;
	conn.flags = flags;
	if (!length) {
		EXPECT(!data);
		conn.ended++;
		conn.error = error;
		return;
	}
	EXPECT_EQ(error, 0);
	if (conn.length + length <= sizeof(conn.got))
		memcpy(conn.got + conn.length, data, length);
	conn.length += length;
	if (!conn.kept && conn.data_calls == 1)
		conn.kept = aem_keep(a);
	else
		memset(data, 0, length);
}

/* A listening event, and a client that is connected to it. */
static int connected(int family, int *listening)
{
	struct aem_ip_stream stream = {
		.handler = on_data, .user = &conn, .how = AEM_PRIO(3), .length = 1000,
	};
	struct sockaddr_storage at;
	socklen_t length;
	int client;

	*listening = listener(family, &at, &length);
	EXPECT_RESULT(aem_ip_accept(aem, &conn.accept_id, *listening, AEM_PRIO(5), &stream,
				    SOCK_NONBLOCK | SOCK_CLOEXEC, on_accept, &told), 0);
	client = socket(family, SOCK_STREAM, 0);
	ASSERT_OK(connect(client, (struct sockaddr *)&at, length));
	AWAIT(conn.accepted);
	EXPECT_EQ(conn.accepted, 1);
	EXPECT_NE(conn.data_id, 0);
	EXPECT_EQ(fcntl(conn.fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQ(fcntl(conn.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	length = sizeof(at);
	ASSERT_OK(getsockname(client, (struct sockaddr *)&at, &length));
	EXPECT_EQ(conn.peer_length, length);
	EXPECT(!memcmp(&conn.peer, &at, length));
	return client;
}

static void stream_both(int family)
{
	int listening, client;

	memset(&conn, 0, sizeof(conn));
	start(AEM_OPEN_SAFEPOINT);
	client = connected(family, &listening);
	EXPECT_EQ(send(client, "hello", 5, 0), 5);
	AWAIT(conn.length == 5);
	EXPECT(!memcmp(conn.got, "hello", 5));
	/* The block of the first data was kept. */
	EXPECT_EQ(send(client, "world", 5, 0), 5);
	AWAIT(conn.length == 10);
	EXPECT(!memcmp(conn.got + 5, "world", 5));
	EXPECT(conn.kept && !memcmp(conn.kept, "hello", 5));
	EXPECT_RESULT(aem_vmt_free(aem, conn.kept), 0);
	EXPECT_OK(shutdown(client, SHUT_WR));
	AWAIT(conn.ended);
	EXPECT_EQ(conn.error, 0);
	EXPECT_EQ(conn.flags & AEM_IP_F_END, AEM_IP_F_END);
	EXPECT_RESULT(aem_ip_close(aem, &conn.data_id, 1, conn.fd), 0);
	EXPECT_RESULT(aem_event_shutdown(aem, conn.data_id), ENOENT);
	EXPECT_ERRNO(fcntl(conn.fd, F_GETFD), EBADF);
	EXPECT_EQ(recv(client, conn.got, 1, 0), 0);
	EXPECT_RESULT(aem_ip_close(aem, &conn.accept_id, 1, listening), 0);
	close(client);
	end();
}

TEST(stream_v4)
{
	stream_both(AF_INET);
}

TEST(stream_v6)
{
	stream_both(AF_INET6);
}

TEST(stream_reset)
{
	struct linger hard = { 1, 0 };
	int listening, client;

	start(AEM_OPEN_SAFEPOINT);
	client = connected(AF_INET, &listening);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(client);
	AWAIT(conn.ended);
	EXPECT_EQ(conn.error, ECONNRESET);
	end();
}

static struct {
	int n, error, quiet;
	size_t left;
	const char *rest;
	char first;
} sent;

static void on_sent(struct aem *a, void *user, aem_id id, const void *rest, size_t left, int error)
{
	EXPECT(a == aem);
	EXPECT(user == &sent);
	EXPECT_EQ(id, conn.data_id);
	EXPECT_EQ(!left, !error);
	sent.n++;
	sent.error = error;
	sent.left = left;
	sent.rest = rest;
	sent.first = left ? *(const char *)rest : 0;
}

static void receive(int fd, char *to, size_t n)
{
	ssize_t got;

	for (; n; n -= got, to += got) {
		got = recv(fd, to, n, 0);
		ASSERT_GT(got, 0);
	}
}

TEST(send_copies)
{
	char text[] = "some bytes", got[30];
	int listening, client;

	start(AEM_OPEN_SAFEPOINT);
	client = connected(AF_INET, &listening);
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, text, 10, AEM_IP_SEND_MORE, on_sent, &sent),
		      0);
	memset(text, 'x', 10);
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, text, 5, AEM_SEND_BORROW, on_sent, &sent), 0);
	text[0] = 'y';
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, "!", 1, AEM_SEND_QUIET, on_sent, &sent), 0);
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, "?", 1, AEM_IP_SEND_LAST, NULL, NULL), 0);
	EXPECT_EQ(recv(client, got, 1, MSG_DONTWAIT), -1);
	EXPECT_EQ(sent.n, 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(sent.n, 2);
	EXPECT_EQ(sent.error, 0);
	receive(client, got, 17);
	EXPECT(!memcmp(got, "some bytesyxxxx!?", 17));
	EXPECT_EQ(recv(client, got, 1, 0), 0);
	/* The sending side is shut. */
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, "z", 1, AEM_SEND_QUIET, on_sent, &sent), 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(sent.n, 3);
	EXPECT_EQ(sent.error, EPIPE);
	EXPECT_EQ(sent.left, 1);
	EXPECT_EQ(sent.first, 'z');
	end();
}

static void on_room(struct aem *a, void *user, aem_id id, int fd, size_t room, int error)
{
	EXPECT(a == aem);
	EXPECT(user == &conn);
	EXPECT_EQ(id, conn.room_id);
	EXPECT_EQ(fd, conn.fd);
	EXPECT_EQ(error, 0);
	conn.rooms++;
	conn.room = room;
}

/* Send all of it through a full socket, by what the callback and the room event tell. */
static void send_through(int client, unsigned int flags, size_t size)
{
	char *bytes = malloc(size), *got = malloc(size);
	size_t from = 0, at = 0, i;
	int n = 0, rooms;

	for (i = 0; i < size; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	rooms = conn.rooms;
	while (from < size) {
		int before = sent.n;

		EXPECT_RESULT(aem_ip_send(aem, conn.data_id, bytes + from, size - from, flags,
					  on_sent, &sent), 0);
		EXPECT_RESULT(aem_flush(aem), 0);
		ASSERT_EQ(sent.n, before + 1);
		if (sent.left) {
			EXPECT_EQ(sent.error, EAGAIN);
			EXPECT_EQ(sent.first, bytes[size - sent.left]);
			if (flags & AEM_SEND_BORROW)
				EXPECT(sent.rest == bytes + size - sent.left);
			n++;
		}
		from = size - sent.left;
		while (at < from) {
			ssize_t r = recv(client, got + at, size - at, 0);

			ASSERT_GT(r, 0);
			at += r;
		}
		if (from < size)
			AWAIT(conn.rooms > rooms);
		rooms = conn.rooms;
	}
	EXPECT_GT(n, 0);
	EXPECT(!memcmp(got, bytes, size));
	free(bytes);
	free(got);
}

TEST_TIMEOUT(send_more_than_fits, 120)
{
	int listening, client, small = 8192, larger = 1 << 16;

	start(AEM_OPEN_SAFEPOINT);
	client = connected(AF_INET, &listening);
	setsockopt(conn.fd, SOL_SOCKET, SO_SNDBUF, &larger, sizeof(larger));
	EXPECT_RESULT(aem_ip_room(aem, &conn.room_id, conn.fd, AEM_PRIO(2), on_room, &conn), 0);
	AWAIT(conn.rooms == 1);
	EXPECT_GT(conn.room, 0);
	/* Too much to copy; copied; borrowed. */
	send_through(client, 0, 1000000);
	setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(conn.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	send_through(client, 0, 100000);
	send_through(client, AEM_SEND_BORROW, 100000);
	end();
}

/* So many that the queue is full several times over; the order stays. */
TEST(many_sends)
{
	static char got[30000];
	int listening, client, i;
	char text[11];

	start(AEM_OPEN_SAFEPOINT);
	client = connected(AF_INET, &listening);
	for (i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "%010d", i);
		EXPECT_RESULT(aem_ip_send(aem, conn.data_id, text, 10, 0, on_sent, &sent), 0);
	}
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(sent.n, 3000);
	EXPECT_EQ(sent.left, 0);
	receive(client, got, sizeof(got));
	for (i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "%010d", i);
		EXPECT(!memcmp(got + 10 * i, text, 10));
	}
	end();
}

TEST(send_now)
{
	int listening, client;
	char got[10];

	start(AEM_OPEN_SAFEPOINT);
	client = connected(AF_INET, &listening);
	EXPECT_EQ(aem_ip_send_now(aem, conn.data_id, "abc", 3, NULL, 0, 0), 3);
	receive(client, got, 3);
	EXPECT(!memcmp(got, "abc", 3));
	EXPECT_RESULT(aem_ip_send_now(aem, conn.data_id ^ 1, "abc", 3, NULL, 0, 0), ENOENT);
	EXPECT_RESULT(aem_ip_send_now(aem, conn.data_id, "abc", 3, NULL, 0, AEM_SEND_QUIET),
		      EINVAL);
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, "abc", 3, 1U << 31, NULL, NULL), EINVAL);
	EXPECT_RESULT(aem_ip_send_now(aem, conn.data_id, NULL, 3, NULL, 0, 0), EFAULT);
	end();
}

TEST(close_sends_first)
{
	int listening, client;
	char got[10];

	start(AEM_OPEN_SAFEPOINT);
	client = connected(AF_INET, &listening);
	EXPECT_RESULT(aem_ip_send(aem, conn.data_id, "last", 4, 0, on_sent, &sent), 0);
	EXPECT_RESULT(aem_ip_close(aem, &conn.data_id, 1, conn.fd), 0);
	EXPECT_EQ(sent.n, 1);
	receive(client, got, 4);
	EXPECT_EQ(recv(client, got, 1, 0), 0);
	end();
}

static void on_connect(struct aem *a, void *user, aem_id id, int fd, int error)
{
	EXPECT(a == aem);
	EXPECT(user == &told);
	EXPECT_NE(id, 0);
	conn.fd = fd;
	conn.connects++;
	conn.connect_error = error;
}

TEST(connecting)
{
	struct sockaddr_storage at;
	int listening, fd;
	socklen_t length;
	aem_id id;

	start(AEM_OPEN_SAFEPOINT);
	listening = listener(AF_INET6, &at, &length);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	EXPECT_RESULT(aem_ip_connect(aem, &id, fd, (struct sockaddr *)&at, length, 0, on_connect,
				     &told), 0);
	AWAIT(conn.connects == 1);
	EXPECT_EQ(conn.connect_error, 0);
	EXPECT_EQ(conn.fd, fd);
	EXPECT_RESULT(aem_event_shutdown(aem, id), ENOENT);
	conn.data_id = 0;
	EXPECT_RESULT(aem_ip_data(aem, &conn.data_id, fd, AEM_PRIO(1), 0, on_data, &conn), 0);
	close(listening);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	EXPECT_RESULT(aem_ip_connect(aem, NULL, fd, (struct sockaddr *)&at, length, 0, on_connect,
				     &told), 0);
	AWAIT(conn.connects == 2);
	EXPECT_EQ(conn.connect_error, ECONNREFUSED);
	EXPECT_RESULT(aem_ip_connect(aem, NULL, -1, (struct sockaddr *)&at, length, 0, on_connect,
				     &told), EBADF);
	end();
}

static int refused, refusal;

static void on_refused(struct aem *a, void *user, aem_id id, int fd, const struct sockaddr *peer,
		       socklen_t length, aem_id data, int error)
{
	if (!error) {
		on_accept(a, user, id, fd, peer, length, data, error);
		return;
	}
	EXPECT_EQ(fd, -1);
	EXPECT(!peer);
	EXPECT_EQ(length, 0);
	EXPECT_EQ(data, 0);
	refused++;
	refusal = error;
}

/* The error comes to the handler, and the connection when there is a descriptor for it. */
TEST(accept_without_descriptors)
{
	struct sockaddr_storage at;
	struct rlimit limit, none;
	int listening, client;
	socklen_t length;

	start(AEM_OPEN_SAFEPOINT);
	listening = listener(AF_INET, &at, &length);
	EXPECT_RESULT(aem_ip_accept(aem, &conn.accept_id, listening, 0, NULL, 0, on_refused,
				    &told), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_OK(getrlimit(RLIMIT_NOFILE, &limit));
	none = limit;
	none.rlim_cur = client + 1;
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &none));
	ASSERT_OK(connect(client, (struct sockaddr *)&at, length));
	AWAIT(refused);
	EXPECT_EQ(refusal, EMFILE);
	EXPECT_EQ(conn.accepted, 0);
	ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
	AWAIT(conn.accepted);
	EXPECT_EQ(conn.data_id, 0);
	end();
}

/* Datagrams */

static struct {
	int n, error;
	unsigned int flags;
	size_t length;
	char got[2000];
	struct sockaddr_storage from;
	socklen_t from_length;
} gram;

static void on_datagram(struct aem *a, void *user, aem_id id, int fd, void *data, size_t length,
			const struct sockaddr *from, socklen_t from_length, unsigned int flags,
			int error)
{
	EXPECT(a == aem);
	EXPECT(user == &gram);
	EXPECT_GE(fd, 0);
	gram.n++;
	gram.error = error;
	gram.flags = flags;
	gram.length = length;
	gram.from_length = from_length;
	if (error) {
		EXPECT(!data && !from);
		return;
	}
	memcpy(gram.got, data, length);
	memcpy(&gram.from, from, from_length);
	/* Back to the sender, twice: queued, and at once. */
	EXPECT_RESULT(aem_ip_send_to(a, id, data, length, from, from_length, 0, NULL, NULL), 0);
	EXPECT_EQ(aem_ip_send_now(a, id, "now", 3, from, from_length, 0), 3);
}

static void datagrams(int family)
{
	int fd = socket(family, SOCK_DGRAM, 0), client = socket(family, SOCK_DGRAM, 0);
	struct sockaddr_storage at, self;
	socklen_t length, self_length = sizeof(self);
	char got[100];
	aem_id id;

	memset(&gram, 0, sizeof(gram));
	start(AEM_OPEN_SAFEPOINT);
	/* Only for an address. */
	close(listener(family, &at, &length));
	if (family == AF_INET)
		((struct sockaddr_in *)&at)->sin_port = 0;
	else
		((struct sockaddr_in6 *)&at)->sin6_port = 0;
	ASSERT_OK(bind(fd, (struct sockaddr *)&at, length));
	ASSERT_OK(getsockname(fd, (struct sockaddr *)&at, &length));
	ASSERT_OK(connect(client, (struct sockaddr *)&at, length));
	ASSERT_OK(getsockname(client, (struct sockaddr *)&self, &self_length));
	EXPECT_RESULT(aem_ip_datagram(aem, &id, fd, AEM_PRIO(1), 10, on_datagram, &gram), 0);
	EXPECT_EQ(send(client, "datagram", 8, 0), 8);
	AWAIT(gram.n == 1);
	EXPECT_EQ(gram.length, 8);
	EXPECT(!memcmp(gram.got, "datagram", 8));
	EXPECT_EQ(gram.from_length, self_length);
	EXPECT(!memcmp(&gram.from, &self, self_length));
	EXPECT_EQ(gram.flags, 0);
	EXPECT_EQ(recv(client, got, sizeof(got), 0), 3);
	EXPECT_EQ(recv(client, got, sizeof(got), 0), 8);
	EXPECT_EQ(send(client, "a long datagram", 15, 0), 15);
	AWAIT(gram.n == 2);
	EXPECT_EQ(gram.length, 10);
	EXPECT_EQ(gram.flags & AEM_IP_F_TRUNCATED, AEM_IP_F_TRUNCATED);
	EXPECT_EQ(send(client, "", 0, 0), 0);
	AWAIT(gram.n == 3);
	EXPECT_EQ(gram.length, 0);
	EXPECT_EQ(gram.error, 0);
	EXPECT_RESULT(aem_ip_send_to(aem, id, "x", 1, (struct sockaddr *)&at, 200, 0, NULL, NULL),
		      EINVAL);
	EXPECT_RESULT(aem_ip_close(aem, &id, 1, fd), 0);
	end();
}

TEST(datagrams_v4)
{
	datagrams(AF_INET);
}

TEST(datagrams_v6)
{
	datagrams(AF_INET6);
}

TEST(errors_of_registrations)
{
	struct sockaddr_storage at;
	socklen_t length;
	int fd;

	start(AEM_OPEN_SAFEPOINT);
	EXPECT_RESULT(aem_ip_data(aem, NULL, 0, 0, 0, on_data, NULL), ENOTSOCK);
	EXPECT_RESULT(aem_ip_data(aem, NULL, -1, 0, 0, on_data, NULL), EBADF);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT_RESULT(aem_ip_data(aem, NULL, fd, 0, 0, on_data, NULL), ENOTCONN);
	EXPECT_RESULT(aem_ip_room(aem, NULL, fd, 0, on_room, NULL), ENOTCONN);
	EXPECT_RESULT(aem_ip_datagram(aem, NULL, fd, 0, 0, on_datagram, NULL), EPROTONOSUPPORT);
	EXPECT_RESULT(aem_ip_accept(aem, NULL, fd, 0, NULL, 0, on_accept, NULL), EINVAL);
	fd = listener(AF_INET, &at, &length);
	EXPECT_RESULT(aem_ip_accept(aem, NULL, fd, AEM_PRIO(40), NULL, 0, on_accept, NULL), EINVAL);
	EXPECT_RESULT(aem_ip_accept(aem, NULL, fd, 1U << 30, NULL, 0, on_accept, NULL), EINVAL);
	EXPECT_RESULT(aem_ip_accept(aem, NULL, fd, EVF_FORK, NULL, 0, on_accept, NULL),
		      EOPNOTSUPP);
	EXPECT_RESULT(aem_ip_accept(aem, NULL, fd, 0, NULL, 1 << 20, on_accept, NULL), EINVAL);
	end();
}

KTAP_MAIN()
