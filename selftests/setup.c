// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_SETUP.
 *
 * vm: load=core,null m32
 */
#include "raw.h"
#include <pthread.h>

static struct aem_setup request(uint32_t flags, uint32_t signo, uint32_t entries, uint64_t vmt)
{
	struct aem_setup setup;

	memset(&setup, 0, sizeof(setup));
	setup.size = sizeof(setup);
	setup.flags = flags;
	setup.signo = signo;
	setup.ring_entries = entries;
	setup.vmt_size = vmt;
	return setup;
}

static void refuse(int fd, struct aem_setup setup, int error)
{
	struct aem_setup before = setup;
	struct aem_query query;

	EXPECT_ERRNO(ioctl(fd, AEM_IOC_SETUP, &setup), error);
	EXPECT_EQ(memcmp(&setup, &before, sizeof(setup)), 0);
	memset(&query, 0, sizeof(query));
	query.size = sizeof(query);
	ASSERT_OK(ioctl(fd, AEM_IOC_QUERY, &query));
	EXPECT_EQ(query.ring_entries, 0);
}

/* Set up with that, use it, and see in QUERY what was taken. */
static void accept_setup(struct aem_setup setup, uint32_t entries, uint64_t vmt)
{
	struct aem_query query;
	struct raw raw;
	uint64_t id;

	memset(&raw, 0, sizeof(raw));
	raw.setup = setup;
	raw_begin(&raw);
	EXPECT_EQ(raw.setup.ring_entries, entries);
	EXPECT_EQ(raw.setup.vmt_size, vmt);
	EXPECT_EQ(raw.setup.flags, setup.flags);
	EXPECT_EQ(raw.setup.signo, setup.signo);
	query = raw_query(&raw);
	EXPECT_EQ(query.ring_entries, entries);
	EXPECT_EQ(query.vmt_size, vmt);
	EXPECT_EQ(query.flags, setup.flags);
	EXPECT_EQ(query.signo, setup.signo);
	raw.null = raw_service(&raw, NULL_SERVICE);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, EVF_SAFEPOINT, 1);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	raw_end(&raw);
}

TEST(defaults)
{
	accept_setup(request(AEM_SETUP_SAFEPOINT, 0, 0, 0), 256, 1 << 20);
}

TEST(ring_entries)
{
	static const uint32_t bad[] = { 1, 2, 32, 63, 65, 100, 4095, 4097, 8192, 1U << 31, ~0U };
	int fd = raw_open();
	uint32_t entries;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(fd, request(AEM_SETUP_SAFEPOINT, 0, bad[i], 0), EINVAL);
	close(fd);
	for (entries = 64; entries <= 4096; entries *= 2)
		accept_setup(request(AEM_SETUP_SAFEPOINT, 0, entries, 0), entries, 1 << 20);
}

TEST(vmt_size)
{
	static const uint64_t bad[] = { 1, 4096, 65535, 65537, (1 << 20) + 4096, ~0ULL };
	unsigned long max = raw_parameter("vmt_max");
	int fd = raw_open();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(fd, request(AEM_SETUP_SAFEPOINT, 0, 0, bad[i]), EINVAL);
	refuse(fd, request(AEM_SETUP_SAFEPOINT, 0, 0, max + 65536ULL), ENOSPC);
	refuse(fd, request(AEM_SETUP_SAFEPOINT, 0, 0, 1ULL << 40), ENOSPC);
	refuse(fd, request(AEM_SETUP_SAFEPOINT, 0, 0, ~0xffffULL), ENOSPC);
	close(fd);
	accept_setup(request(AEM_SETUP_SAFEPOINT, 0, 0, 65536), 256, 65536);
	accept_setup(request(AEM_SETUP_SAFEPOINT, 0, 0, 3 * 65536), 256, 3 * 65536);
	accept_setup(request(AEM_SETUP_SAFEPOINT, 0, 0, max), 256, max);
}

TEST(signo)
{
	static const uint32_t bad[] = { 0, SIGKILL, SIGSTOP, 65, 1000, ~0U };
	int fd = raw_open();
	uint32_t signo;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(fd, request(0, bad[i], 0, 0), EINVAL);
	refuse(fd, request(AEM_SETUP_SAFEPOINT, SIGUSR1, 0, 0), EINVAL);
	close(fd);
	for (signo = 1; signo <= 64; signo++)
		if (signo != SIGKILL && signo != SIGSTOP)
			accept_setup(request(0, signo, 64, 65536), 64, 65536);
}

TEST(twice)
{
	struct aem_setup setup = request(AEM_SETUP_SAFEPOINT, 0, 512, 0);
	struct raw raw;

	raw_start(&raw);
	EXPECT_ERRNO(ioctl(raw.fd, AEM_IOC_SETUP, &setup), EBUSY);
	EXPECT_EQ(setup.vmt_size, 0);
	EXPECT_EQ(raw_query(&raw).ring_entries, 256);
	raw_end(&raw);
}

static int race_fd;
static int race_wins, race_losses;
static pthread_barrier_t race_start;

static void *race(void *unused)
{
	struct aem_setup setup = request(AEM_SETUP_SAFEPOINT, 0, 0, 0);

	(void)unused;
	pthread_barrier_wait(&race_start);
	if (!ioctl(race_fd, AEM_IOC_SETUP, &setup))
		__atomic_fetch_add(&race_wins, 1, __ATOMIC_SEQ_CST);
	else if (EXPECT_EQ(errno, EBUSY))
		__atomic_fetch_add(&race_losses, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(one_of_many_threads_wins)
{
	pthread_t threads[8];
	int round, i;

	for (round = 0; ktap_more(round, 50); round++) {
		race_fd = raw_open();
		race_wins = 0;
		race_losses = 0;
		pthread_barrier_init(&race_start, NULL, ARRAY_SIZE(threads));
		for (i = 0; i < (int)ARRAY_SIZE(threads); i++)
			ASSERT_EQ(pthread_create(&threads[i], NULL, race, NULL), 0);
		for (i = 0; i < (int)ARRAY_SIZE(threads); i++)
			pthread_join(threads[i], NULL);
		EXPECT_EQ(race_wins, 1);
		EXPECT_EQ(race_losses, (int)ARRAY_SIZE(threads) - 1);
		close(race_fd);
	}
}

/* Who sets a descriptor up has it; who opened it does not matter. */
TEST(by_the_child)
{
	struct aem_setup setup = request(AEM_SETUP_SAFEPOINT, 0, 0, 0);
	int fd = raw_open(), status;
	struct aem_bind bind;
	pid_t child;

	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		EXPECT_OK(ioctl(fd, AEM_IOC_SETUP, &setup));
		EXPECT_OK(raw_bind(fd, &bind, NULL_SERVICE, 0, 0));
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_ERRNO(raw_bind(fd, &bind, NULL_SERVICE, 0, 0), EPERM);
	EXPECT_ERRNO(ioctl(fd, AEM_IOC_SETUP, &setup), EBUSY);
	close(fd);
}

KTAP_MAIN()
