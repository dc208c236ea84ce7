// SPDX-License-Identifier: GPL-2.0
/*
 * The library from C++: headers without a warning, handlers that are lambdas, exceptions out
 * of handlers.
 *
 * vm: load=core,timer,ip
 */
#pragma GCC diagnostic error "-Wpedantic"
#pragma GCC diagnostic error "-Wextra"
#include <aem/aem.h>
#include <aem/fd.h>
#include <aem/ip.h>
#include <aem/timer.h>
#pragma GCC diagnostic ignored "-Wpedantic"
#include "ktap.h"
#include <cstring>
#include <stdexcept>
#include <vector>
#include <netinet/in.h>

namespace {

struct Context {
	struct aem *aem = nullptr;

	explicit Context(uint32_t flags)
	{
		struct aem_options options = {};

		options.flags = flags;
		ASSERT_RESULT(aem_open(&aem, &options), 0);
	}
	~Context() { EXPECT_RESULT(aem_close(aem), 0); }
	operator struct aem *() const { return aem; }
};

aem_timer_spec after(uint64_t ns)
{
	aem_timer_spec spec = {};

	spec.value = ns;
	return spec;
}

}

TEST(lambda)
{
	Context aem(AEM_OPEN_SAFEPOINT);
	std::vector<aem_id> ran;
	aem_timer_spec spec = after(1000000);
	aem_id timer = 0;

	spec.interval = 1000000;
	ASSERT_RESULT(aem_timer_create(aem, &timer, CLOCK_MONOTONIC, AEM_PRIO(3), &spec,
		[](struct aem *a, void *user, aem_id id, uint64_t, uint64_t, int error) {
			auto *list = static_cast<std::vector<aem_id> *>(user);

			EXPECT_EQ(error, 0);
			list->push_back(id);
			if (list->size() == 5)
				aem_stop(a);
		}, &ran), 0);
	EXPECT_RESULT(aem_run(aem), 0);
	EXPECT(ran == std::vector<aem_id>(5, timer));
}

TEST(echo)
{
	Context aem(AEM_OPEN_SAFEPOINT);
	sockaddr_in here = {};
	socklen_t length = sizeof(here);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), client = socket(AF_INET, SOCK_DGRAM, 0);
	char got[10] = {};

	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_OK(bind(fd, reinterpret_cast<sockaddr *>(&here), length));
	ASSERT_OK(getsockname(fd, reinterpret_cast<sockaddr *>(&here), &length));
	ASSERT_OK(connect(client, reinterpret_cast<sockaddr *>(&here), length));
	ASSERT_RESULT(aem_ip_datagram(aem, nullptr, fd, 0, 0,
		[](struct aem *a, void *, aem_id id, int, void *data, size_t n,
		   const sockaddr *from, socklen_t size, unsigned int, int error) {
			EXPECT_EQ(error, 0);
			EXPECT_RESULT(aem_ip_send_to(a, id, data, n, from, size, 0,
				[](struct aem *, void *, aem_id, const void *, size_t left, int e) {
					EXPECT_EQ(left, 0);
					EXPECT_EQ(e, 0);
				}, nullptr), 0);
		}, nullptr), 0);
	ASSERT_EQ(send(client, "echo", 4, 0), 4);
	EXPECT_EQ(aem_wait(aem, 20000000000), 1);
	EXPECT_EQ(recv(client, got, sizeof(got), 0), 4);
	EXPECT_STR(got, "echo");
}

/* An exception leaves the handler, aem_dispatch(), and nothing undone. */
TEST(exception)
{
	Context aem(AEM_OPEN_SAFEPOINT);
	int thrown = 0, ran = 0;

	for (int i = 0; i < 300; i++) {
		aem_timer_spec now = after(1);
		unsigned int mark = aem_mark(aem);

		ASSERT_RESULT(aem_timer_create(aem, nullptr, CLOCK_MONOTONIC, AEM_PRIO(3) | EVF_ONESHOT,
			&now, [](struct aem *, void *, aem_id, uint64_t, uint64_t, int) {
				throw std::runtime_error("out of here");
			}, nullptr), 0);
		ASSERT_RESULT(aem_timer_create(aem, nullptr, CLOCK_MONOTONIC, AEM_PRIO(2) | EVF_ONESHOT,
			&now, [](struct aem *, void *user, aem_id, uint64_t, uint64_t, int) {
				++*static_cast<int *>(user);
			}, &ran), 0);
		usleep(100);
		try {
			while (aem_wait(aem, -1) > 0)
				;
		} catch (const std::runtime_error &e) {
			EXPECT_STR(e.what(), "out of here");
			thrown++;
			EXPECT_GE(aem_unwind(aem, mark), 0);
		}
		while (ran <= i)
			ASSERT_GT(aem_wait(aem, 20000000000), 0);
	}
	EXPECT_EQ(thrown, 300);
	EXPECT_EQ(ran, 300);
}

KTAP_MAIN()
