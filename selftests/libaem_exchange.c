// SPDX-License-Identifier: GPL-2.0
/*
 * Answers where the data lie, through the library.
 *
 * vm: load=core,ip m32
 */
#include "ktap.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <aem/ip.h>

#define LENGTH	1008
#define ROUNDS	200

static struct aem *aem;
static int client;

static struct {
	uint32_t n;
	uint32_t accepted;
	uint32_t ended;
	int error;
	unsigned int flags;
	bool keep;
	bool close;
	void *kept;
	int fd;
	aem_id id;
} t;

static struct sockaddr_in here(int fd)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);

	ASSERT_OK(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	ASSERT_OK(listen(fd, 16));
	ASSERT_OK(getsockname(fd, (struct sockaddr *)&address, &length));
	return address;
}

/* What is no answer is refused, and leaves the one that is there. */
static void refuse(char *data, size_t room)
{
	char mine[8];

	EXPECT_RESULT(aem_ip_reply(aem, mine, sizeof(mine), 0), EINVAL);
	EXPECT_RESULT(aem_ip_reply(aem, data - 1, 1, 0), EINVAL);
	EXPECT_RESULT(aem_ip_reply(aem, data, room + 1, 0), EINVAL);
	EXPECT_RESULT(aem_ip_reply(aem, data + room, 1, 0), EINVAL);
	EXPECT_RESULT(aem_ip_reply(aem, data, SIZE_MAX, 0), EINVAL);
	EXPECT_RESULT(aem_ip_reply(aem, data, 1, AEM_SEND_QUIET), EINVAL);
}

static void on_data(struct aem *a, void *user, aem_id id, int fd, void *data, size_t length,
		    unsigned int flags, int error)
{
	char *bytes = data;

	(void)flags;
	EXPECT(a == aem);
	EXPECT(user == &t);
	t.fd = fd;
	t.id = id;
	if (!length) {
		EXPECT_EQ(aem_ip_reply_room(a), 0);
		EXPECT_RESULT(aem_ip_reply(a, NULL, 0, 0), EINVAL);
		t.error = error;
		t.ended++;
		return;
	}
	t.n++;
	EXPECT_EQ(aem_ip_reply_room(a), LENGTH);
	if (t.keep)
		t.kept = aem_keep(a);
	/* Behind what came, in capitals; the first try is replaced. */
	memmove(bytes + 1, bytes, length);
	bytes[0] = '>';
	EXPECT_RESULT(aem_ip_reply(a, bytes, 1, AEM_IP_SEND_MORE), 0);
	EXPECT_RESULT(aem_ip_reply(a, bytes, length + 1, t.flags), 0);
	refuse(bytes, LENGTH);
	if (t.close)
		ASSERT_OK(close(fd));
}

static void on_accept(struct aem *a, void *user, aem_id id, int fd, const struct sockaddr *peer,
		      socklen_t length, aem_id data, int error)
{
	(void)a;
	(void)user;
	(void)id;
	(void)peer;
	(void)length;
	ASSERT_GE(fd, 0);
	EXPECT_NE(data, 0);
	EXPECT_EQ(error, 0);
	t.accepted++;
}

static void begin(uint32_t flags)
{
	struct aem_ip_stream stream = {
		.handler = on_data, .user = &t, .how = AEM_PRIO(3), .length = LENGTH,
		.exchange = true,
	};
	struct aem_options options = { .flags = flags };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in address = here(listener);

	ASSERT_RESULT(aem_open(&aem, &options), 0);
	ASSERT_RESULT(aem_ip_accept(aem, NULL, listener, AEM_PRIO(3), &stream, 0, on_accept, &t),
		      0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_OK(connect(client, (struct sockaddr *)&address, sizeof(address)));
}

static void expect(const char *answer)
{
	char got[64] = "";
	size_t n = 0, length = strlen(answer);
	struct pollfd ready = { .fd = client, .events = POLLIN };

	while (n < length) {
		int ret = poll(&ready, 1, 10000);

		/* By the bell. */
		if (ret < 0 && errno == EINTR)
			continue;
		ASSERT_EQ(ret, 1);
		n += recv(client, got + n, sizeof(got) - 1 - n, MSG_DONTWAIT);
		ASSERT_LE(n, length);
	}
	EXPECT_EQ(memcmp(got, answer, length), 0);
}

static uint64_t memory_used(void)
{
	struct aem_query query;

	ASSERT_RESULT(aem_query(aem, &query), 0);
	return query.vmt_used;
}

static void wait_for(uint32_t n)
{
	while (t.n < n)
		ASSERT_GE(aem_wait(aem, -1), 0);
}

TEST(replies)
{
	uint32_t i;

	begin(AEM_OPEN_SAFEPOINT);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(send(client, "hello", 5, 0), 5);
		wait_for(i + 1);
		expect(">hello");
	}
	EXPECT_EQ(t.accepted, 1);
	ASSERT_OK(shutdown(client, SHUT_WR));
	while (!t.ended)
		ASSERT_GE(aem_wait(aem, -1), 0);
	EXPECT_EQ(t.error, 0);
	EXPECT_EQ(memory_used(), 0);
	ASSERT_RESULT(aem_close(aem), 0);
}

/* The handler interrupts, and the answer goes without a word from the program. */
TEST(replies_of_handlers_that_interrupt)
{
	uint32_t i;

	begin(0);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(send(client, "hello", 5, 0), 5);
		expect(">hello");
	}
	EXPECT_EQ(t.n, ROUNDS);
	ASSERT_RESULT(aem_close(aem), 0);
}

/* What is kept is answered all the same, and stays. */
TEST(a_block_that_is_kept)
{
	begin(AEM_OPEN_SAFEPOINT);
	t.keep = true;
	ASSERT_EQ(send(client, "hello", 5, 0), 5);
	wait_for(1);
	expect(">hello");
	EXPECT_NE(memory_used(), 0);
	EXPECT_RESULT(aem_vmt_free(aem, t.kept), 0);
	EXPECT_EQ(memory_used(), 0);
	ASSERT_RESULT(aem_close(aem), 0);
}

TEST(the_event_ends_with_its_answer)
{
	char byte;

	begin(AEM_OPEN_SAFEPOINT);
	t.flags = AEM_IP_ANSWER_END;
	t.close = true;
	ASSERT_EQ(send(client, "hello", 5, 0), 5);
	wait_for(1);
	expect(">hello");
	EXPECT_EQ(recv(client, &byte, 1, 0), 0);
	EXPECT_RESULT(aem_event_shutdown(aem, t.id), ENOENT);
	EXPECT_EQ(t.ended, 0);
	ASSERT_RESULT(aem_close(aem), 0);
}

/* Its own handler ends the event before the answer has gone: it goes nevertheless. */
static void on_last(struct aem *a, void *user, aem_id id, int fd, void *data, size_t length,
		    unsigned int flags, int error)
{
	(void)user;
	(void)flags;
	(void)error;
	ASSERT_GT(length, 0);
	EXPECT_RESULT(aem_ip_reply(a, data, length, 0), 0);
	EXPECT_RESULT(aem_ip_close(a, &id, 1, fd), 0);
	t.n++;
}

TEST(closed_by_its_handler)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct sockaddr_in address = here(listener);
	char byte;

	ASSERT_RESULT(aem_open(&aem, &options), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_OK(connect(client, (struct sockaddr *)&address, sizeof(address)));
	fd = accept(listener, NULL, NULL);
	ASSERT_GE(fd, 0);
	ASSERT_RESULT(aem_ip_exchange(aem, NULL, fd, AEM_PRIO(1), 0, on_last, NULL), 0);
	ASSERT_EQ(send(client, "hello", 5, 0), 5);
	wait_for(1);
	expect("hello");
	EXPECT_EQ(recv(client, &byte, 1, 0), 0);
	EXPECT_EQ(memory_used(), 0);
	ASSERT_RESULT(aem_close(aem), 0);
}

TEST(not_outside_of_a_handler)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	char byte = 0;

	ASSERT_RESULT(aem_open(&aem, &options), 0);
	EXPECT_EQ(aem_ip_reply_room(aem), 0);
	EXPECT_RESULT(aem_ip_reply(aem, &byte, 1, 0), EINVAL);
	ASSERT_RESULT(aem_close(aem), 0);
}

KTAP_MAIN()
