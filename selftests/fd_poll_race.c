// SPDX-License-Identifier: GPL-2.0
/*
 * Sources of the service "fd" that are woken, closed, replaced and unregistered at the same time.
 */
/* vm: load=core,null,fd seed */
#include "fd_polls.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <termios.h>

/* By which the file is registered: others close it, and open another by it. */
#define NUMBER	200

static struct raw raw;
static struct source s;
static int kept, other;
static bool over;

static bool is_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_SEQ_CST);
}

static void *wake(void *unused)
{
	uint64_t one = 1;

	(void)unused;
	while (!is_over()) {
		(void)!write(kept, &one, sizeof(one));
		(void)!read(kept, &one, sizeof(one));
		one = 1;
	}
	return NULL;
}

static void *replace(void *unused)
{
	unsigned int n;

	(void)unused;
	for (n = 0; !is_over(); n++) {
		EXPECT_EQ(dup2(n & 1 ? kept : other, NUMBER), NUMBER);
		if (n & 2)
			EXPECT_OK(close(NUMBER));
		sched_yield();
	}
	return NULL;
}

static uint32_t events(void)
{
	struct aem_service_info info;

	ASSERT(raw_service_info(raw.fd, AEM_FD_SERVICE, &info));
	return info.events;
}

/* After it is shut down, or has said that it ended, nothing more is heard of it. */
static void live(unsigned long long *random)
{
	unsigned int n = ktap_random(random) % 4;
	uint32_t told;

	if (source_try(&raw, &s, NUMBER, AEM_FD_IN, n & 1 ? AEM_FD_EDGE : 0)) {
		EXPECT_EQ(errno, EBADF);
		return;
	}
	while (n--)
		raw_round(&raw);
	if (raw_event(&raw, AEM_EVENT_SHUTDOWN, s.id, 0))
		EXPECT_EQ(errno, ENOENT);
	told = s.n;
	raw_round(&raw);
	EXPECT_EQ(s.n, told);
	EXPECT_EQ(s.all & ~(AEM_FD_IN | AEM_FD_NVAL), 0);
}

TEST(woken_closed_and_replaced)
{
	unsigned long long random = ktap_seed(), i;
	pthread_t waker, closer;

	polls_start(&raw);
	kept = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	other = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	over = false;
	ASSERT_EQ(pthread_create(&waker, NULL, wake, NULL), 0);
	ASSERT_EQ(pthread_create(&closer, NULL, replace, NULL), 0);
	for (i = 0; ktap_more(i, 5000); i++)
		live(&random);
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	pthread_join(waker, NULL);
	pthread_join(closer, NULL);
	EXPECT_EQ(events(), 0);
	NOTE("%llu lives", i);
	raw_end(&raw);
}

static void *close_later(void *fd)
{
	sched_yield();
	EXPECT_OK(close(*(int *)fd));
	return NULL;
}

/* It hangs up, with its two queues, while they are left. */
TEST(terminals_that_hang_up)
{
	unsigned long long i;
	pthread_t closer;
	int master, slave;

	mount_terminals();
	polls_start(&raw);
	for (i = 0; ktap_more(i, 300); i++) {
		if (!open_terminal(&master, &slave))
			SKIP("optional: no terminals");
		source_make(&raw, &s, slave, AEM_FD_IN, AEM_FD_EDGE, NULL);
		ASSERT_EQ(pthread_create(&closer, NULL, close_later, &master), 0);
		if (i & 1)
			source_await(&raw, &s, AEM_FD_HUP);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, s.id, 0));
		pthread_join(closer, NULL);
		raw_drain(&raw);
		close(slave);
	}
	EXPECT_EQ(events(), 0);
	raw_end(&raw);
}

KTAP_MAIN()
