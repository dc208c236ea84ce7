// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_SEND on streams, and AEM_IP_ROOM, which tells when it is worth to send again.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

#define PIECE 65536

static uint8_t bytes[PIECE];

/* Sends until the socket is full: how many bytes it took. */
static uint64_t fill_up(const struct raw *raw, uint64_t id)
{
	uint64_t sum = 0;
	long long n;

	for (;;) {
		ip_fill(bytes, PIECE, sum);
		n = ip_send(raw, id, bytes, PIECE, 0);
		if (n < 0)
			break;
		ASSERT_GT(n, 0);
		sum += n;
	}
	EXPECT_EQ(errno, EAGAIN);
	return sum;
}

/* Reads @length bytes, or to the end of the stream, and checks them. */
static uint64_t read_stream(int fd, uint64_t from, uint64_t length)
{
	static uint8_t got[PIECE], expected[PIECE];
	uint64_t sum = 0;
	ssize_t n;

	while (sum < length) {
		n = recv(fd, got, length - sum < PIECE ? length - sum : PIECE, 0);
		ASSERT_GE(n, 0);
		if (!n)
			break;
		ip_fill(expected, n, from + sum);
		EXPECT_EQ(memcmp(got, expected, n), 0);
		sum += n;
	}
	return sum;
}

/* A pair whose buffers are small. */
static void small_pair(int fd[2])
{
	ip_pair(AF_INET, fd);
	ip_set(fd[0], SOL_SOCKET, SO_SNDBUF, 16384);
	ip_set(fd[1], SOL_SOCKET, SO_RCVBUF, 16384);
}

/* Replies to many connections in one crossing, with a result for each. */
TEST(batch)
{
	enum { N = 32 };
	struct aem_enter enter = { 0 };
	struct aem_ip_send sends[N];
	struct aem_call calls[N];
	char text[16];
	int fd[N][2], i;
	struct raw raw;

	ip_start(&raw, 0, 0);
	for (i = 0; i < N; i++) {
		ip_pair(i % 2 ? AF_INET : AF_INET6, fd[i]);
		sends[i] = ip_bytes(ip_new(&raw, AEM_IP_DATA, fd[i][0], 0, 0), "hello, world",
				    i % 12 + 1, 0);
		calls[i] = (struct aem_call){
			.size = sizeof(calls[i]), .nr = ip_base + AEM_IP_SEND,
			.arg = (uintptr_t)&sends[i], .result = -4711,
		};
	}
	/* What fails does not stop what follows. */
	sends[3].id ^= 1ULL << 40;
	sends[7].data = 8;
	enter.calls = (uintptr_t)calls;
	enter.n_calls = N;
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.done, N);
	for (i = 0; i < N; i++) {
		if (i == 3 || i == 7) {
			EXPECT_EQ(calls[i].result, i == 3 ? -ENOENT : -EFAULT);
			EXPECT_EQ(ip_poll(fd[i][1], POLLIN, 0), 0);
			continue;
		}
		EXPECT_EQ(calls[i].result, i % 12 + 1);
		EXPECT_EQ(recv(fd[i][1], text, sizeof(text), 0), i % 12 + 1);
	}
	raw_end(&raw);
}

/* By any event on the socket: data, room, and one that is stopped. */
TEST(by_any_event)
{
	struct aem_ip_socket stopped;
	char text[4];
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	stopped = ip_on(fd[0], 0, 0);
	ASSERT_OK(ip_call(&raw, AEM_IP_DATA, &stopped));
	EXPECT_EQ(ip_send(&raw, ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0), "a", 1, 0), 1);
	EXPECT_EQ(ip_send(&raw, ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0), "b", 1, 0), 1);
	EXPECT_EQ(ip_send(&raw, stopped.reg.id, "c", 1, 0), 1);
	EXPECT_EQ(ip_send(&raw, stopped.reg.id, "", 0, 0), 0);
	ip_await_bytes(fd[1], 3);
	EXPECT_EQ(recv(fd[1], text, sizeof(text), 0), 3);
	raw_end(&raw);
}

/* A full socket takes a part, then nothing; no byte is sent twice or left out. */
TEST(short_counts)
{
	static uint8_t large[1 << 20];
	uint64_t id, sum;
	long long n;
	int fd[2];
	struct raw raw;

	small_pair(fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_fill(large, sizeof(large), 0);
	n = ip_send(&raw, id, large, sizeof(large), 0);
	EXPECT_GT(n, 0);
	EXPECT_LT(n, sizeof(large));
	for (sum = 0; n > 0; n = ip_send(&raw, id, large + sum, sizeof(large) - sum, 0))
		sum += n;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_LT(sum, sizeof(large));
	ASSERT_OK(shutdown(fd[0], SHUT_WR));
	EXPECT_EQ(read_stream(fd[1], 0, UINT64_MAX), sum);
	raw_end(&raw);
}

TEST(send_more)
{
	uint64_t id;
	char text[8];
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	EXPECT_EQ(ip_send(&raw, id, "he", 2, AEM_IP_SEND_MORE), 2);
	EXPECT_EQ(ip_poll(fd[1], POLLIN, 20), 0);
	EXPECT_EQ(ip_send(&raw, id, "llo", 3, 0), 3);
	EXPECT_EQ(recv(fd[1], text, sizeof(text), 0), 5);
	raw_end(&raw);
}

/* The last bytes, then the end, in one segment. The other direction stays open. */
TEST(send_last)
{
	struct tcp_info before, after;
	socklen_t length = sizeof(before);
	char text[8];
	uint64_t id;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ASSERT_OK(getsockopt(fd[1], IPPROTO_TCP, TCP_INFO, &before, &length));
	EXPECT_EQ(ip_send(&raw, id, "bye", 3, AEM_IP_SEND_LAST), 3);
	EXPECT_EQ(recv(fd[1], text, sizeof(text), 0), 3);
	EXPECT_EQ(recv(fd[1], text, sizeof(text), 0), 0);
	ASSERT_OK(getsockopt(fd[1], IPPROTO_TCP, TCP_INFO, &after, &length));
	EXPECT_EQ(after.tcpi_segs_in - before.tcpi_segs_in, 1);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), EPIPE);
	ip_write(fd[1], "ok", 2);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].length, 2);
	raw_end(&raw);
}

TEST(send_last_empty)
{
	char text[8];
	uint64_t id;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET6, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	EXPECT_EQ(ip_send(&raw, id, "he", 2, AEM_IP_SEND_MORE), 2);
	EXPECT_EQ(ip_send(&raw, id, NULL, 0, AEM_IP_SEND_LAST), 0);
	EXPECT_EQ(recv(fd[1], text, sizeof(text), 0), 2);
	EXPECT_EQ(recv(fd[1], text, sizeof(text), 0), 0);
	raw_end(&raw);
}

/* Not all bytes were taken: these were not the last. */
TEST(send_last_short)
{
	static uint8_t large[1 << 18];
	uint64_t id, sum;
	long long n;
	int fd[2];
	struct raw raw;

	small_pair(fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ip_fill(large, sizeof(large), 0);
	n = ip_send(&raw, id, large, sizeof(large), AEM_IP_SEND_LAST);
	EXPECT_GT(n, 0);
	EXPECT_LT(n, sizeof(large));
	sum = n;
	EXPECT_EQ(read_stream(fd[1], 0, sum), sum);
	while (sum < sizeof(large)) {
		n = ip_send(&raw, id, large + sum, sizeof(large) - sum, AEM_IP_SEND_LAST);
		ASSERT_GT(n, 0);
		EXPECT_EQ(read_stream(fd[1], sum, n), n);
		sum += n;
	}
	EXPECT_EQ(read_stream(fd[1], sum, 1), 0);
	raw_end(&raw);
}

/* No signal comes with EPIPE: its default would end this test. */
TEST(send_errors)
{
	uint64_t id;
	int fd[2];
	struct raw raw;

	ip_start(&raw, 0, 0);
	ip_pair(AF_INET, fd);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ASSERT_OK(shutdown(fd[0], SHUT_WR));
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), EPIPE);

	ip_pair(AF_INET, fd);
	id = ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0);
	ip_reset(fd[1]);
	EXPECT_EQ(ip_poll(fd[0], 0, 1000) & POLLERR, POLLERR);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), ECONNRESET);
	EXPECT_ERRNO(ip_send(&raw, id, "x", 1, 0), EPIPE);
	raw_end(&raw);
}

/* Room at the start, once; then after the socket was full; not in between. */
static void room(int family)
{
	uint64_t id, sum;
	int fd[2];
	struct raw raw;

	ip_pair(family, fd);
	ip_set(fd[0], SOL_SOCKET, SO_SNDBUF, 16384);
	ip_set(fd[1], SOL_SOCKET, SO_RCVBUF, 16384);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_ROOM, fd[0], 5, 0);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].record.id, id);
	EXPECT_EQ(heard[0].record.nr, ip_base + AEM_IP_ROOM);
	EXPECT_EQ(heard[0].record.cookie, 5);
	EXPECT_EQ((int)heard[0].word[0], fd[0]);
	EXPECT_EQ(heard[0].word[1], 0);
	EXPECT_GT(heard[0].record.arg[1], 0);
	EXPECT_EQ(ip_send(&raw, id, "x", 1, 0), 1);
	EXPECT_EQ(recv(fd[1], bytes, 1, 0), 1);
	ip_expect_quiet(&raw);

	sum = fill_up(&raw, id);
	ip_expect_silence(&raw);
	EXPECT_EQ(read_stream(fd[1], 0, sum), sum);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[1].word[1], 0);
	EXPECT_GT(heard[1].record.arg[1], 0);
	ip_expect_quiet(&raw);
	/* And again. */
	sum = fill_up(&raw, id);
	EXPECT_EQ(read_stream(fd[1], 0, sum), sum);
	ip_wait(&raw, 3);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

TEST(room_v4) { room(AF_INET); }
TEST(room_v6) { room(AF_INET6); }

/* Registered while the socket is full: nothing at the start. */
TEST(room_of_a_full_socket)
{
	uint64_t id, sum;
	int fd[2];
	struct raw raw;

	small_pair(fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	sum = fill_up(&raw, id);
	ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0);
	ip_expect_quiet(&raw);
	EXPECT_EQ(read_stream(fd[1], 0, sum), sum);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].record.nr, ip_base + AEM_IP_ROOM);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* Neither data nor the peer's end are room. */
TEST(room_is_not_data)
{
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0);
	ip_wait(&raw, 1);
	ip_write(fd[1], "hello", 5);
	ip_expect_quiet(&raw);
	ASSERT_OK(shutdown(fd[1], SHUT_WR));
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* Two events on a socket see the same edge. */
TEST(room_twice)
{
	uint64_t id, sum;
	int fd[2];
	struct raw raw;

	small_pair(fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_ROOM, fd[0], 1, 0);
	ip_new(&raw, AEM_IP_ROOM, fd[0], 2, 0);
	ip_wait(&raw, 2);
	sum = fill_up(&raw, id);
	EXPECT_EQ(read_stream(fd[1], 0, sum), sum);
	ip_wait(&raw, 4);
	EXPECT_EQ(heard[2].record.cookie + heard[3].record.cookie, 3);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* No room any more: why, and the data event hears of it, too. */
TEST(room_after_reset)
{
	uint64_t id, data;
	uint32_t i, seen = 0;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0);
	ip_wait(&raw, 1);
	data = ip_new(&raw, AEM_IP_DATA, fd[0], 0, 0);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_PRIO, id, 9));
	ip_reset(fd[1]);
	ip_wait(&raw, 3);
	for (i = 1; i < 3; i++) {
		seen |= heard[i].record.id == id ? 1 : heard[i].record.id == data ? 2 : 0;
		EXPECT_EQ(heard[i].word[1], ECONNRESET);
	}
	EXPECT_EQ(seen, 3);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	raw_end(&raw);
}

TEST(room_after_shutdown)
{
	uint64_t id;
	int fd[2];
	struct raw raw;

	ip_pair(AF_INET, fd);
	ip_start(&raw, 0, 0);
	ASSERT_OK(shutdown(fd[0], SHUT_WR));
	id = ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].word[1], EPIPE);
	ip_expect_quiet(&raw);
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	raw_end(&raw);
}

/* A datagram socket has room at the start, and sending does not tell it again each time. */
TEST(room_for_datagrams)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM), peer = ip_dial(fd, SOCK_DGRAM), i;
	uint64_t id;
	struct raw raw;

	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_ROOM, peer, 0, 0);
	ip_wait(&raw, 1);
	EXPECT_EQ(heard[0].word[1], 0);
	EXPECT_GT(heard[0].record.arg[1], 0);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(ip_send(&raw, id, "x", 1, 0), 1);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* Many times what a small socket holds, sent only when there is room. */
TEST(much_by_room)
{
	static uint8_t large[1 << 18];
	uint64_t id, sum = 0;
	uint32_t turns = 0;
	long long n = 0;
	int fd[2], status;
	struct raw raw;
	pid_t pid;

	small_pair(fd);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close(fd[0]);
		ktap_stop(read_stream(fd[1], 0, UINT64_MAX) != sizeof(large));
	}
	ip_fill(large, sizeof(large), 0);
	ip_start(&raw, 0, 0);
	id = ip_new(&raw, AEM_IP_ROOM, fd[0], 0, 0);
	while (sum < sizeof(large)) {
		ip_wait(&raw, ++turns);
		do {
			n = ip_send(&raw, id, large + sum, sizeof(large) - sum, AEM_IP_SEND_LAST);
			sum += n > 0 ? n : 0;
		} while (n > 0 && sum < sizeof(large));
		if (n < 0)
			ASSERT_EQ(errno, EAGAIN);
	}
	EXPECT_GT(turns, 1);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	raw_end(&raw);
}

KTAP_MAIN()
