// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_DATA: the bytes of streams, in order and complete, and the ways in which they end.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"
#include <net/if.h>

#define MEGABYTE (1U << 20)

/* A child sends the stream and closes. */
static pid_t start_sender(int fd, uint64_t length)
{
	static uint8_t buffer[30011];
	uint64_t at, n;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid)
		return pid;
	for (at = 0; at < length; at += n) {
		n = length - at < sizeof(buffer) ? length - at : sizeof(buffer);
		ip_fill(buffer, n, at);
		ip_write(fd, buffer, n);
	}
	ktap_stop(0);
}

static void megabyte(int family, uint32_t length)
{
	uint32_t i, largest = 0, longest = length ? length : 4096;
	int fd[2];
	struct raw raw;
	uint64_t id;
	pid_t pid;

	ip_pair(family, fd);
	ip_set(fd[0], SOL_SOCKET, SO_RCVBUF, MEGABYTE);
	pid = start_sender(fd[1], MEGABYTE);
	ASSERT_OK(close(fd[1]));
	ip_start(&raw, 0, 0);
	/* More than a record holds, so that one is full. */
	ip_await_bytes(fd[0], longest + 1);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 7, length);
	do {
		ip_wait(&raw, n_heard + 1);
	} while (heard[n_heard - 1].length);
	EXPECT_EQ(ip_expect_stream(id, 0, 0), MEGABYTE);
	for (i = 0; i < n_heard - 1; i++) {
		EXPECT_EQ(heard[i].word[1], 0);
		EXPECT_EQ(heard[i].record.cookie, 7);
		EXPECT_EQ(heard[i].record.lost, 0);
		if (heard[i].length > largest)
			largest = heard[i].length;
	}
	EXPECT_EQ(largest, longest);
	ip_expect_end(&heard[n_heard - 1], id, fd[0], 0);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	raw_end(&raw);
}

TEST(megabyte_v4) { megabyte(AF_INET, 0); }
TEST(megabyte_v6) { megabyte(AF_INET6, 4096); }
TEST(megabyte_in_large_pieces) { megabyte(AF_INET, 65536); }
TEST(megabyte_in_odd_pieces) { megabyte(AF_INET, 1000); }

TEST(byte_by_byte)
{
	uint8_t bytes[300];
	int fd[2];
	struct raw raw;
	uint64_t id;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 1);
	ip_fill(bytes, sizeof(bytes), 0);
	ip_write(fd[1], bytes, sizeof(bytes));
	ip_wait(&raw, sizeof(bytes));
	EXPECT_EQ(ip_expect_stream(id, 0, 0), sizeof(bytes));
	EXPECT_EQ(heard[0].length, 1);
	EXPECT_EQ(heard[0].word[5], AEM_IP_F_MORE);
	EXPECT_EQ(heard[sizeof(bytes) - 1].word[5], 0);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* What waits already is told at the start, and the last piece does not claim that more waits. */
TEST(pieces)
{
	uint8_t bytes[10000];
	int fd[2];
	struct raw raw;
	uint64_t id;

	ip_pair(AF_INET6, fd);
	ip_start(&raw, 0, 0);
	ip_fill(bytes, sizeof(bytes), 0);
	ip_write(fd[1], bytes, sizeof(bytes));
	ip_await_bytes(fd[0], sizeof(bytes));
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_wait(&raw, 3);
	EXPECT_EQ(ip_expect_stream(id, 0, 0), sizeof(bytes));
	EXPECT_EQ(heard[0].length, 4096);
	EXPECT_EQ(heard[0].word[5], AEM_IP_F_MORE);
	EXPECT_EQ(heard[1].length, 4096);
	EXPECT_EQ(heard[1].word[5], AEM_IP_F_MORE);
	EXPECT_EQ(heard[2].length, sizeof(bytes) - 8192);
	EXPECT_EQ(heard[2].word[5], 0);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* Exactly one piece: the turn after it finds nothing and makes no record. */
TEST(exact_piece)
{
	uint8_t bytes[4096];
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_new(&raw, AEM_IP_DATA, fd[0], 0, sizeof(bytes));
	ip_fill(bytes, sizeof(bytes), 0);
	ip_write(fd[1], bytes, sizeof(bytes));
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].length, sizeof(bytes));
	EXPECT_EQ(heard[0].word[5], 0);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* One event never has two records: what comes meanwhile follows when the handler is done. */
TEST(one_record_at_a_time)
{
	struct aem_enter enter = { 0 };
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_write(fd[1], "one", 3);
	ip_await_bytes(fd[0], 3);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	ASSERT(raw_claim(raw_record(&raw, enter.first)));
	ip_write(fd[1], "three", 5);
	ip_await_bytes(fd[0], 5);
	EXPECT_EQ(raw_round(&raw), 0);
	ip_hear(&raw, raw_record(&raw, enter.first));
	raw_finish(raw_record(&raw, enter.first), AEM_RECORD_DONE);
	EXPECT_EQ(raw_round(&raw), 1);
	ASSERT_EQ(n_heard, 2);
	EXPECT_EQ(heard[0].length, 3);
	EXPECT_EQ(heard[1].length, 5);
	raw_end(&raw);
}

/* Both wakeups are merged into one activation; the end is told nevertheless. */
TEST(data_then_end)
{
	int fd[2];
	struct raw raw;
	uint64_t id;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_write(fd[1], "last", 4);
	ASSERT_OK(shutdown(fd[1], SHUT_WR));
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[0].length, 4);
	EXPECT_EQ(heard[0].word[5], 0);
	ip_expect_end(&heard[1], id, fd[0], 0);
	ip_expect_quiet(&raw);
	/* The event is there, stopped; the other direction is open. */
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	EXPECT_EQ(ip_send(&raw, id, "bye", 3, 0), 3);
	EXPECT_EQ(ip_poll(fd[1], POLLIN, 1000), POLLIN);
	/* Started again, it tells the end again. */
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	ip_wait(&raw, 3);
	ip_expect_end(&heard[2], id, fd[0], 0);
	raw_end(&raw);
}

TEST(data_then_reset)
{
	int fd[2];
	struct raw raw;
	uint64_t id;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_write(fd[1], "last", 4);
	ip_reset(fd[1]);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[0].length, 4);
	ip_expect_end(&heard[1], id, fd[0], ECONNRESET);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	raw_end(&raw);
}

static void reset_alone(int family)
{
	int fd[2];
	struct raw raw;
	uint64_t id;

	ip_pair(family, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_reset(fd[1]);
	ip_wait(&raw, 1);
	ip_expect_end(&heard[0], id, fd[0], ECONNRESET);
	raw_end(&raw);
}

TEST(reset_v4) { reset_alone(AF_INET); }
TEST(reset_v6) { reset_alone(AF_INET6); }

/* Registering for a connection that was reset before. */
TEST(reset_before)
{
	int fd[2];
	struct raw raw;
	uint64_t id;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_write(fd[1], "last", 4);
	ip_reset(fd[1]);
	EXPECT_EQ(ip_poll(fd[0], 0, 1000) & POLLERR, POLLERR);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[0].length, 4);
	ip_expect_end(&heard[1], id, fd[0], ECONNRESET);
	raw_end(&raw);
}

/* The socket tells its error once. Who asks for it elsewhere does not make a reset an end. */
TEST(error_taken_elsewhere)
{
	int fd[2], error = 0;
	socklen_t length = sizeof(error);
	struct raw raw;
	uint64_t id;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_reset(fd[1]);
	EXPECT_EQ(ip_poll(fd[0], 0, 1000) & POLLERR, POLLERR);
	ASSERT_OK(getsockopt(fd[0], SOL_SOCKET, SO_ERROR, &error, &length));
	EXPECT_EQ(error, ECONNRESET);
	ip_wait(&raw, 1);
	ip_expect_end(&heard[0], id, fd[0], ECONNRESET);
	raw_end(&raw);
}

static void set_loopback(int up)
{
	int fd = ip_socket(AF_INET, SOCK_DGRAM);
	struct ifreq request = { .ifr_name = "lo" };

	ASSERT_OK(ioctl(fd, SIOCGIFFLAGS, &request));
	request.ifr_flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
	ASSERT_OK(ioctl(fd, SIOCSIFFLAGS, &request));
	ASSERT_OK(close(fd));
}

/* A connection whose peer cannot be reached any more, in a network of its own. */
static void silent_pair(int fd[2])
{
	ASSERT_OK(unshare(CLONE_NEWNET));
	set_loopback(1);
	ip_pair(AF_INET, fd);
	ip_set(fd[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 200);
	set_loopback(0);
	ASSERT_EQ(send(fd[0], "anybody?", 8, MSG_NOSIGNAL), 8);
}

/* Neither an end nor a reset. */
TEST(timed_out)
{
	int fd[2];
	struct raw raw;
	uint64_t id;

	silent_pair(fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_wait(&raw, 1);
	ip_expect_end(&heard[0], id, fd[0], ETIMEDOUT);
	raw_end(&raw);
}

/* A send gets the error first: the handler is told the same. */
TEST(error_taken_by_send)
{
	int fd[2];
	struct raw raw;
	uint64_t id;

	silent_pair(fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ASSERT_EQ(ip_poll(fd[0], POLLERR, 20000) & POLLERR, POLLERR);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), ETIMEDOUT);
	ip_wait(&raw, 1);
	ip_expect_end(&heard[0], id, fd[0], ETIMEDOUT);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), EPIPE);
	raw_end(&raw);
}

/* A peer that is killed: its kernel closes for it, or resets if it left data unread. */
static void killed_peer(bool unread, uint32_t error)
{
	int fd[2];
	struct raw raw;
	uint64_t id;
	pid_t pid;

	ip_pair(AF_INET, fd);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		pause();
		ktap_stop(1);
	}
	ASSERT_OK(close(fd[1]));
	if (unread)
		ip_write(fd[0], "unread", 6);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_expect_quiet(&raw);
	ASSERT_OK(kill(pid, SIGKILL));
	ip_wait(&raw, 1);
	ip_expect_end(&heard[0], id, fd[0], error);
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	raw_end(&raw);
}

TEST(killed_peer_ends) { killed_peer(false, 0); }
TEST(killed_peer_resets) { killed_peer(true, ECONNRESET); }

TEST(oneshot)
{
	int fd[2];
	struct aem_ip_socket request;
	char rest[8];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	request = ip_on(fd[0], 0, EVF_START | EVF_ONESHOT);
	request.length = 4;
	ASSERT_OK(ip_call(&raw, AEM_IP_DATA, &request));
	ip_write(fd[1], "onceonly", 8);
	ip_wait(&raw, 1);
	ip_expect_quiet(&raw);
	EXPECT_EQ(heard[0].record.flags, AEM_RECORD_F_LAST);
	EXPECT_EQ(heard[0].length, 4);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, request.reg.id, 0), ENOENT);
	EXPECT_EQ(recv(fd[0], rest, sizeof(rest), 0), 4);
	raw_end(&raw);
}

/* Each byte goes to one of the two, in order; both are told the end. */
TEST(two_events)
{
	uint8_t bytes[20000];
	uint32_t i, sum = 0, ends = 0;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_new(&raw, AEM_IP_DATA, fd[0], 1, 1000);
	ip_new(&raw, AEM_IP_DATA, fd[0], 2, 1000);
	ip_fill(bytes, sizeof(bytes), 0);
	ip_write(fd[1], bytes, sizeof(bytes));
	ASSERT_OK(close(fd[1]));
	for (i = 0; ends < 2; i++) {
		ip_wait(&raw, i + 1);
		ends += !heard[i].length;
	}
	for (i = 0; i < n_heard; i++) {
		EXPECT_EQ(heard[i].word[1], 0);
		EXPECT_EQ(memcmp(heard[i].data, bytes + sum, heard[i].length), 0);
		sum += heard[i].length;
	}
	EXPECT_EQ(sum, sizeof(bytes));
	raw_end(&raw);
}

/* Events on descriptors that are one socket, and on a socket that a child has, too. */
TEST(shared_socket)
{
	int fd[2], twin;
	struct raw raw;
	uint64_t id;
	pid_t pid;

	ip_pair(AF_INET, fd);
	twin = dup(fd[0]);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, twin, 0, 0);
	ASSERT_OK(close(fd[0]));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		ip_write(twin, "child", 5);
		ktap_stop(0);
	}
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	EXPECT_EQ(ip_poll(fd[1], POLLIN, 1000), POLLIN);
	ip_write(fd[1], "hello", 5);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].record.id, id);
	EXPECT_EQ((int)heard[0].word[0], twin);
	EXPECT_EQ(heard[0].length, 5);
	raw_end(&raw);
}

/* The number of a closed descriptor is used again: nobody gets the other's events. */
TEST(reused_descriptor)
{
	int old[2], new[2];
	struct raw raw;
	uint64_t id, other;

	ip_pair(AF_INET, old);
	ip_pair(AF_INET, new);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, old[0], 1, 0);
	ASSERT_EQ(dup2(new[0], old[0]), old[0]);
	ip_write(new[1], "for nobody", 10);
	ip_expect_quiet(&raw);
	/* The event holds its own socket. */
	ip_write(old[1], "old", 3);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].record.id, id);
	EXPECT_EQ(heard[0].length, 3);
	other = ip_new(&raw, AEM_IP_DATA, old[0], 2, 0);
	EXPECT_NE(other, id);
	ip_shut(&raw, id);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[1].record.id, other);
	EXPECT_EQ(heard[1].record.cookie, 2);
	EXPECT_EQ(heard[1].length, 10);
	/* The last that held it has let go: its peer sees the end. */
	EXPECT_EQ(ip_poll(old[1], POLLIN | POLLRDHUP, 1000), POLLIN | POLLRDHUP);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), ENOENT);
	raw_end(&raw);
}

static void shut_self(struct raw *raw, struct aem_record *record)
{
	ip_hear(raw, record);
	ASSERT_OK(raw_event(raw, AEM_EVENT_SHUTDOWN, record->id, 0));
	/* The block stays until the handler is done. */
	EXPECT_EQ(raw_query(raw).vmt_used, 4096);
	EXPECT_EQ(memcmp(raw->vmt + record->arg[1], heard[n_heard - 1].data, 5), 0);
}

TEST(shutdown_in_its_handler)
{
	struct aem_ip_socket request;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	request = ip_on(fd[0], 0, EVF_START);
	request.reg.handler = (uintptr_t)shut_self;
	ASSERT_OK(ip_call(&raw, AEM_IP_DATA, &request));
	ip_write(fd[1], "hello", 5);
	ip_wait(&raw, 1);
	ip_write(fd[1], "again", 5);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, request.reg.id, 0), ENOENT);
	raw_end(&raw);
}

/* A program may write into its block, and keep it. */
TEST(kept_block)
{
	struct aem_enter enter = { 0 };
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_FREE };
	struct aem_record *record;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_write(fd[1], "hello", 5);
	ip_await_bytes(fd[0], 5);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	record = raw_record(&raw, enter.first);
	ASSERT(raw_claim(record));
	vmt.offset = record->arg[1];
	memcpy(raw.vmt + vmt.offset, "J", 1);
	raw_finish(record, AEM_RECORD_KEEP);
	ip_write(fd[1], "HELLO", 5);
	ip_wait(&raw, 1);
	EXPECT_NE(heard[0].record.arg[1], vmt.offset);
	EXPECT_EQ(memcmp(raw.vmt + vmt.offset, "Jello", 5), 0);
	ASSERT_OK(ioctl(raw.fd, AEM_IOC_VMT, &vmt));
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* Urgent data stops a read before it; the rest must not be forgotten. */
TEST(urgent_mark)
{
	uint32_t i, sum = 0;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ASSERT_EQ(send(fd[1], "abcd!", 5, MSG_OOB), 5);
	ip_write(fd[1], "efgh", 4);
	while (sum < 8) {
		i = n_heard;
		ip_wait(&raw, i + 1);
		for (; i < n_heard; i++)
			sum += heard[i].length;
	}
	EXPECT_EQ(sum, 8);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

KTAP_MAIN()
