// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IP_CONNECT: never waits; the handler gets the network's answer, the caller what is wrong
 * with the call.
 *
 * vm: load=core,ip m32
 */
#include "ip.h"

static void expect_outcome(const struct aem_ip_connect *request, uint32_t error)
{
	ASSERT_EQ(n_heard, 1);
	EXPECT_EQ(heard[0].record.id, request->reg.id);
	EXPECT_EQ(heard[0].record.nr, ip_base + AEM_IP_CONNECT);
	EXPECT_EQ(heard[0].record.flags, AEM_RECORD_F_LAST);
	EXPECT_EQ((int)heard[0].word[0], request->fd);
	EXPECT_EQ(heard[0].word[1], error);
	EXPECT_EQ(heard[0].record.arg[1], 0);
}

static void connected(int family, int flags)
{
	int listener = ip_listen(family), fd = ip_socket(family, SOCK_STREAM), peer;
	union address address = ip_name(listener);
	struct aem_ip_connect request = ip_connect_to(fd, &address, EVF_START | flags);
	struct raw raw;

	ip_start(&raw, 0, 0);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	/* The flags that came are the caller's, EVF_ONESHOT is implied. */
	EXPECT_EQ(request.reg.flags, EVF_START | flags);
	ip_wait(&raw, 1);
	expect_outcome(&request, 0);
	ip_expect_quiet(&raw);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, request.reg.id, 0), ENOENT);
	peer = accept(listener, NULL, NULL);
	ASSERT_GE(peer, 0);
	ip_write(fd, "hello", 5);
	EXPECT_EQ(ip_poll(peer, POLLIN, 1000), POLLIN);
	ip_new(&raw, AEM_IP_DATA, fd, 0, 0);
	ip_write(peer, "hello", 5);
	ip_wait(&raw, 2);
	EXPECT_EQ(heard[1].length, 5);
	raw_end(&raw);
}

TEST(connected_v4) { connected(AF_INET, 0); }
TEST(connected_v6) { connected(AF_INET6, 0); }
TEST(connected_oneshot) { connected(AF_INET, EVF_ONESHOT); }

/* The socket may be one that blocks, or not: the call does not. */
TEST(connected_nonblock)
{
	int listener = ip_listen(AF_INET), fd = ip_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	union address address = ip_name(listener);
	struct aem_ip_connect request = ip_connect_to(fd, &address, EVF_START);
	struct raw raw;

	ip_start(&raw, 0, 0);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ip_wait(&raw, 1);
	expect_outcome(&request, 0);
	raw_end(&raw);
}

static void refused(int family)
{
	int listener = ip_bound(family, SOCK_STREAM), fd = ip_socket(family, SOCK_STREAM);
	union address address = ip_name(listener);
	struct aem_ip_connect request = ip_connect_to(fd, &address, EVF_START);
	struct raw raw;

	ip_start(&raw, 0, 0);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ip_wait(&raw, 1);
	expect_outcome(&request, ECONNREFUSED);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

TEST(refused_v4) { refused(AF_INET); }
TEST(refused_v6) { refused(AF_INET6); }

/* No way there, which is known at once: an answer like the others. */
TEST(unreachable)
{
	union address address = ip_loopback(AF_INET, 80);
	struct aem_ip_connect request;
	struct raw raw;
	int fd;

	ASSERT_OK(unshare(CLONE_NEWNET));
	fd = ip_socket(AF_INET, SOCK_STREAM);
	request = ip_connect_to(fd, &address, EVF_START);
	ip_start(&raw, 0, 0);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ip_wait(&raw, 1);
	expect_outcome(&request, ENETUNREACH);
	raw_end(&raw);
}

/* Nobody answers: the handler waits, the caller does not. */
static void full_listener(int *listener, union address *address)
{
	int i;

	*listener = ip_bound(AF_INET, SOCK_STREAM);
	ASSERT_OK(listen(*listener, 0));
	*address = ip_name(*listener);
	for (i = 0; i < 4; i++) {
		int fd = ip_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);

		EXPECT_ERRNO(connect(fd, &address->any, sizeof(address->v4)), EINPROGRESS);
	}
	raw_sleep_ms(50);
}

TEST(in_progress)
{
	union address address;
	struct aem_ip_connect request, again;
	int listener, fd = ip_socket(AF_INET, SOCK_STREAM);
	struct raw raw;

	ip_start(&raw, 0, 0);
	full_listener(&listener, &address);
	request = ip_connect_to(fd, &address, EVF_START);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ip_expect_quiet(&raw);
	again = ip_connect_to(fd, &address, EVF_START);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &again), EALREADY);
	EXPECT_EQ(again.reg.id, 0);
	ip_expect_quiet(&raw);
	/* The queue drains: the connection is made when its first segment is sent again. */
	while (ip_poll(listener, POLLIN, 100))
		close(accept(listener, NULL, NULL));
	while (!n_heard) {
		if (ip_poll(listener, POLLIN, 100))
			close(accept(listener, NULL, NULL));
		raw_wait(&raw, MS);
	}
	expect_outcome(&request, 0);
	raw_end(&raw);
}

/* Shut down while it is under way: nothing comes, the socket is the program's again. */
TEST(shutdown_in_progress)
{
	union address address;
	struct aem_ip_connect request;
	int listener, fd = ip_socket(AF_INET, SOCK_STREAM);
	struct raw raw;

	ip_start(&raw, 0, 0);
	full_listener(&listener, &address);
	request = ip_connect_to(fd, &address, EVF_START);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ip_shut(&raw, request.reg.id);
	ASSERT_OK(close(listener));
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* Registered stopped, the connection is made nevertheless, and told at the start. */
TEST(started_later)
{
	int listener = ip_listen(AF_INET), fd = ip_socket(AF_INET, SOCK_STREAM);
	union address address = ip_name(listener);
	struct aem_ip_connect request = ip_connect_to(fd, &address, 0);
	struct raw raw;

	ip_start(&raw, 0, 0);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ASSERT_GE(accept(listener, NULL, NULL), 0);
	ip_expect_quiet(&raw);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, request.reg.id, 0));
	ip_wait(&raw, 1);
	expect_outcome(&request, 0);
	raw_end(&raw);
}

/* Without an address: the end of a connect(2) of the program's own. */
static void own_connect(bool listens, uint32_t error)
{
	int listener = listens ? ip_listen(AF_INET) : ip_bound(AF_INET, SOCK_STREAM);
	int fd = ip_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	union address address = ip_name(listener);
	struct aem_ip_connect request = ip_connect_to(fd, NULL, EVF_START);
	struct raw raw;

	ip_start(&raw, 0, 0);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), ENOTCONN);
	EXPECT_ERRNO(connect(fd, &address.any, sizeof(address.v4)), EINPROGRESS);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	ip_wait(&raw, 1);
	expect_outcome(&request, error);
	raw_end(&raw);
}

TEST(own_connected) { own_connect(true, 0); }
TEST(own_refused) { own_connect(false, ECONNREFUSED); }

static void set_connect(const char *value)
{
	int fd = open("/sys/module/aem_ip/parameters/connect", O_WRONLY);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, value, 1), 1);
	ASSERT_OK(close(fd));
}

/* Turned off: only connect(2) connects, where the security module is asked. */
TEST(turned_off)
{
	int listener = ip_listen(AF_INET), fd = ip_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
	union address address = ip_name(listener);
	struct aem_ip_connect request = ip_connect_to(fd, &address, EVF_START);
	struct raw raw;

	ip_start(&raw, 0, 0);
	set_connect("N");
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EACCES);
	EXPECT_ERRNO(connect(fd, &address.any, sizeof(address.v4)), EINPROGRESS);
	request = ip_connect_to(fd, NULL, EVF_START);
	ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	set_connect("Y");
	ip_wait(&raw, 1);
	expect_outcome(&request, 0);
	raw_end(&raw);
}

/* What the caller did wrong: no event, and the socket as it was. */
TEST(errors)
{
	int listener = ip_listen(AF_INET), fd = ip_socket(AF_INET, SOCK_STREAM);
	union address address = ip_name(listener), v6 = ip_loopback(AF_INET6, 80);
	struct aem_ip_connect request;
	struct raw raw;

	ip_start(&raw, 0, 0);
	request = ip_connect_to(fd, &v6, EVF_START);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EAFNOSUPPORT);
	request = ip_connect_to(fd, &address, EVF_START);
	request.address = 8;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EFAULT);
	request = ip_connect_to(fd, &address, EVF_START);
	request.length = 4;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EINVAL);
	request.length = 129;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EINVAL);
	request.length = UINT32_MAX;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EINVAL);
	request.length = 0;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EINVAL);
	request = ip_connect_to(fd, &address, EVF_START);
	request.pad = 1;
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EINVAL);
	address.any.sa_family = AF_UNSPEC;
	request = ip_connect_to(fd, NULL, EVF_START);
	request.address = (uintptr_t)&address;
	request.length = sizeof(address.v4);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EINVAL);
	/* A listening socket, and one that is connected. */
	address = ip_name(listener);
	request = ip_connect_to(listener, &address, EVF_START);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EISCONN);
	ASSERT_OK(connect(fd, &address.any, sizeof(address.v4)));
	request = ip_connect_to(fd, &address, EVF_START);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EISCONN);
	request = ip_connect_to(fd, NULL, EVF_START);
	EXPECT_ERRNO(ip_call(&raw, AEM_IP_CONNECT, &request), EISCONN);
	EXPECT_EQ(raw_query(&raw).events, 0);
	ip_expect_quiet(&raw);
	raw_end(&raw);
}

/* A hundred at a time, half of them to where nobody listens. */
TEST(many)
{
	enum { N = 100 };
	int listener = ip_listen(AF_INET), closed = ip_bound(AF_INET, SOCK_STREAM), i;
	union address good = ip_name(listener), bad = ip_name(closed);
	struct aem_ip_connect request;
	struct raw raw;

	ip_start(&raw, 0, 0);
	for (i = 0; i < N; i++) {
		request = ip_connect_to(ip_socket(AF_INET, SOCK_STREAM), i % 2 ? &bad : &good,
					EVF_START);
		request.reg.cookie = i;
		ASSERT_OK(ip_call(&raw, AEM_IP_CONNECT, &request));
	}
	ip_wait(&raw, N);
	for (i = 0; i < N; i++)
		EXPECT_EQ(heard[i].word[1], heard[i].record.cookie % 2 ? ECONNREFUSED : 0);
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

KTAP_MAIN()
