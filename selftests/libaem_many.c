// SPDX-License-Identifier: GPL-2.0
/*
 * Many datagrams in one record through the library: answers from the memory that they came in.
 *
 * vm: load=core,ip m32
 */
#include "ktap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <aem/ip.h>

#define N	20

static struct aem *aem;

/* What the handler is to do, and what was told. */
static struct {
	int fd;
	int client;
	uint32_t n;
	uint32_t unsent;
	int error;
	int spoil;
	bool twice;
	bool flush;
	bool keep;
} t;

static void bind_to(int fd)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	ASSERT_OK(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static void on_unsent(struct aem *a, void *user, aem_id id, const struct aem_ip_message *message,
		      int error)
{
	EXPECT(a == aem);
	EXPECT(user == &t);
	EXPECT_NE(id, 0);
	EXPECT_EQ(message->data[0], t.spoil);
	t.unsent++;
	t.error = error;
}

static void on_datagrams(struct aem *a, void *user, aem_id id, int fd,
			 struct aem_ip_message *first, unsigned int flags, int error)
{
	struct aem_ip_message *m;

	(void)flags;
	EXPECT_NE(id, 0);
	EXPECT_EQ(fd, t.fd);
	ASSERT_EQ(error, 0);
	if (t.keep)
		EXPECT(aem_keep(a) == first);
	for (m = first; m; m = aem_ip_next(m)) {
		EXPECT_EQ(m->bytes, 2);
		EXPECT_EQ(m->data[0], t.n);
		m->data[1] = 'A';
		if ((int)t.n == t.spoil)
			m->peer.address[0] = AF_UNIX;
		t.n++;
	}
	EXPECT_RESULT(aem_ip_answer(a, on_unsent, user), t.keep ? EINVAL : 0);
	if (t.twice)
		EXPECT_RESULT(aem_ip_answer(a, on_unsent, user), EINVAL);
	if (t.flush)
		EXPECT_RESULT(aem_flush(a), 0);
	if (t.keep)
		/* The record still has it. */
		EXPECT_RESULT(aem_vmt_free(a, first), EINVAL);
}

static uint64_t memory_used(void)
{
	struct aem_query query;

	ASSERT_RESULT(aem_query(aem, &query), 0);
	return query.vmt_used;
}

static void echo(void)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct sockaddr_storage at;
	socklen_t length = sizeof(at);
	char got[2] = { 0, 'a' };
	int i;

	ASSERT_RESULT(aem_open(&aem, &options), 0);
	t.fd = socket(AF_INET, SOCK_DGRAM, 0);
	t.client = socket(AF_INET, SOCK_DGRAM, 0);
	bind_to(t.fd);
	ASSERT_OK(getsockname(t.fd, (struct sockaddr *)&at, &length));
	ASSERT_OK(connect(t.client, (struct sockaddr *)&at, length));
	ASSERT_RESULT(aem_ip_datagrams(aem, NULL, t.fd, AEM_PRIO(1), 64, on_datagrams, &t), 0);
	for (i = 0; i < N; i++, got[0]++)
		ASSERT_EQ(send(t.client, got, 2, 0), 2);
	while (t.n < N)
		ASSERT_GE(aem_wait(aem, -1), 0);
	ASSERT_RESULT(aem_flush(aem), 0);
	if (t.keep)
		return;
	for (i = 0; i < N; i++) {
		if (i == t.spoil)
			continue;
		ASSERT_EQ(recv(t.client, got, 2, 0), 2);
		EXPECT_EQ(got[0], i);
		EXPECT_EQ(got[1], 'A');
	}
	EXPECT_EQ(recv(t.client, got, 2, MSG_DONTWAIT), -1);
	EXPECT_EQ(t.unsent, t.spoil >= 0);
	EXPECT_EQ(memory_used(), 0);
	ASSERT_RESULT(aem_close(aem), 0);
}

TEST(answers)
{
	t.spoil = -1;
	echo();
}

/* One that cannot be sent is told, and takes nothing from those behind it. */
TEST(one_is_not_sent)
{
	t.spoil = 7;
	echo();
	EXPECT_EQ(t.error, EINVAL);
}

TEST(the_last_is_not_sent)
{
	t.spoil = N - 1;
	echo();
}

TEST(answered_once)
{
	t.spoil = -1;
	t.twice = true;
	echo();
}

/* The queue goes out while the handler still runs: the block stays the record's. */
TEST(sent_before_the_handler_ends)
{
	t.spoil = 3;
	t.flush = true;
	echo();
}

TEST(not_what_is_kept)
{
	t.spoil = -1;
	t.keep = true;
	echo();
	EXPECT_NE(memory_used(), 0);
	ASSERT_RESULT(aem_close(aem), 0);
}

TEST(not_outside_of_a_handler)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };

	ASSERT_RESULT(aem_open(&aem, &options), 0);
	EXPECT_RESULT(aem_ip_answer(aem, NULL, NULL), EINVAL);
	ASSERT_RESULT(aem_close(aem), 0);
}

KTAP_MAIN()
