// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 6: limits of a process and of a user, module parameters of the core; and that what
 * a process takes is charged to its memory cgroup.
 *
 * vm: load=core,null m32 mem=768
 */
#include "raw.h"
#include <grp.h>
#include <sys/stat.h>

static struct raw raw;

static long long try_create(const struct raw *r, uint64_t *id)
{
	struct null_create create = null_request(raw_nothing, 1, EVF_START, 1);
	long long result = raw_call(r, r->null + NULL_CREATE, &create);

	*id = create.reg.id;
	return result;
}

/* Sets a parameter for one test. */
static void with(const char *name, unsigned long value, void (*test)(void))
{
	unsigned long before = raw_parameter(name);
	int status;
	pid_t child;

	raw_set_parameter(name, value);
	EXPECT_EQ(raw_parameter(name), value);
	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		test();
		_exit(0);
	}
	EXPECT_EQ(waitpid(child, &status, 0), child);
	raw_set_parameter(name, before);
	EXPECT_EQ(status, 0);
}

static void become(uid_t uid)
{
	ASSERT_OK(setgroups(0, NULL));
	ASSERT_OK(setresgid(900, 900, 900));
	ASSERT_OK(setresuid(uid, uid, uid));
}

static void ten_events(void)
{
	struct null_totals before, after;
	uint64_t id[10], more;
	int i, round;

	raw_start(&raw);
	EXPECT_EQ(raw_query(&raw).max_events, 10);
	for (i = 0; i < 10; i++)
		ASSERT_OK(try_create(&raw, &id[i]));
	before = null_totals(&raw);
	for (i = 0; i < 1000; i++) {
		EXPECT_ERRNO(try_create(&raw, &more), ENOSPC);
		EXPECT_EQ(more, 0);
	}
	after = null_totals(&raw);
	EXPECT_EQ(after.created, before.created);
	EXPECT_EQ(raw_query(&raw).events, 10);
	/* Those that are there are not harmed, and one that goes makes room for one. */
	for (round = 0; round < 100; round++) {
		null_fire(&raw, id[round % 10], NULL_BY_CALL, 1);
		EXPECT_EQ(raw_drain(&raw), 1);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[round % 10], 0));
		ASSERT_OK(try_create(&raw, &id[round % 10]));
		EXPECT_ERRNO(try_create(&raw, &more), ENOSPC);
	}
	raw_end(&raw);
}

TEST(events_of_a_context)
{
	with("max_events", 10, ten_events);
}

static void another_context(void)
{
	struct raw other;
	uint64_t id;
	int i;

	raw_start(&raw);
	raw_start(&other);
	for (i = 0; i < 10; i++) {
		ASSERT_OK(try_create(&raw, &id));
		ASSERT_OK(try_create(&other, &id));
	}
	EXPECT_ERRNO(try_create(&raw, &id), ENOSPC);
	EXPECT_ERRNO(try_create(&other, &id), ENOSPC);
	raw_end(&other);
	raw_end(&raw);
}

TEST(events_of_a_context_are_its_own)
{
	with("max_events", 10, another_context);
}

static void events_of_one_user(uid_t uid)
{
	struct raw contexts[5];
	uint64_t id, last = 0;
	int i;

	become(uid);
	for (i = 0; i < 5; i++) {
		raw_start(&contexts[i]);
		ASSERT_OK(try_create(&contexts[i], &id));
		ASSERT_OK(try_create(&contexts[i], &last));
	}
	for (i = 0; i < 1000; i++)
		EXPECT_ERRNO(try_create(&contexts[i % 5], &id), EDQUOT);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(raw_query(&contexts[i]).events, 2);
	ASSERT_OK(raw_event(&contexts[4], AEM_EVENT_SHUTDOWN, last, 0));
	ASSERT_OK(try_create(&contexts[0], &id));
	EXPECT_ERRNO(try_create(&contexts[4], &id), EDQUOT);
	/* A context that goes gives all of its own back. */
	raw_end(&contexts[0]);
	for (i = 0; i < 3; i++)
		ASSERT_OK(try_create(&contexts[1], &id));
	EXPECT_ERRNO(try_create(&contexts[1], &id), EDQUOT);
	for (i = 1; i < 5; i++)
		raw_end(&contexts[i]);
}

static void two_users(void)
{
	int status;
	pid_t child = fork();

	ASSERT_GE(child, 0);
	if (child == 0) {
		events_of_one_user(1000);
		_exit(0);
	}
	/* At the same time, with an allowance of its own. */
	events_of_one_user(1002);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

TEST(events_of_a_user)
{
	with("max_user_events", 10, two_users);
}

static void three_contexts(void)
{
	int fd[3], i, round;

	become(1000);
	for (i = 0; i < 3; i++)
		fd[i] = raw_open();
	for (round = 0; round < 100; round++) {
		EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EDQUOT);
		EXPECT_OK(close(fd[round % 3]));
		fd[round % 3] = raw_open();
	}
	/* What a fork shares is one context. */
	if (fork() == 0) {
		EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EDQUOT);
		for (i = 0; i < 3; i++)
			close(fd[i]);
		EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EDQUOT);
		_exit(0);
	}
	EXPECT_GT(wait(NULL), 0);
	for (i = 0; i < 3; i++)
		close(fd[i]);
	EXPECT_OK(open(RAW_DEVICE, O_RDWR));
}

TEST(contexts_of_a_user)
{
	with("max_user_contexts", 3, three_contexts);
}

/* One user's limit is not another's. */
static void root_and_alice(void)
{
	int fd[3], i, status;
	pid_t child;

	for (i = 0; i < 3; i++)
		fd[i] = raw_open();
	EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EDQUOT);
	child = fork();
	if (child == 0) {
		become(1000);
		for (i = 0; i < 3; i++)
			raw_open();
		EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EDQUOT);
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

TEST(contexts_of_two_users)
{
	with("max_user_contexts", 3, root_and_alice);
}

static void no_contexts(void)
{
	EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EDQUOT);
}

TEST(no_contexts_at_all)
{
	with("max_user_contexts", 0, no_contexts);
}

static void small_zone(void)
{
	struct aem_setup setup = {
		.size = sizeof(setup), .flags = AEM_SETUP_SAFEPOINT, .vmt_size = 3 * 65536,
	};
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC };
	int fd = raw_open(), i;

	EXPECT_ERRNO(ioctl(fd, AEM_IOC_SETUP, &setup), ENOSPC);
	/* The default is larger as well. */
	setup.vmt_size = 0;
	EXPECT_ERRNO(ioctl(fd, AEM_IOC_SETUP, &setup), ENOSPC);
	setup.vmt_size = 2 * 65536;
	EXPECT_OK(ioctl(fd, AEM_IOC_SETUP, &setup));
	for (i = 0; i < 2; i++) {
		vmt.offset = 0;
		vmt.length = 65536;
		EXPECT_OK(ioctl(fd, AEM_IOC_VMT, &vmt));
	}
	vmt.offset = 0;
	vmt.length = 1;
	EXPECT_ERRNO(ioctl(fd, AEM_IOC_VMT, &vmt), ENOSPC);
	close(fd);
}

TEST(memory_of_a_zone)
{
	with("vmt_max", 2 * 65536, small_zone);
}

static unsigned long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		SKIP("%s: %s", path, strerror(errno));
	close(fd);
	return strtoul(text, NULL, 10);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Moves the caller into a cgroup of its own. */
static void enter_cgroup(void)
{
	put("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir("/sys/fs/cgroup/aem", 0755))
		ASSERT_EQ(errno, EEXIST);
	put("/sys/fs/cgroup/aem/cgroup.procs", "0");
}

TEST(memory_is_charged)
{
	unsigned long before, events, zone;
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC };
	int i, n = ktap_rounds(40000);
	uint64_t id;

	enter_cgroup();
	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.vmt_size = 16 << 20;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	before = number_in("/sys/fs/cgroup/aem/memory.current");
	for (i = 0; i < n; i++)
		ASSERT_OK(try_create(&raw, &id));
	events = number_in("/sys/fs/cgroup/aem/memory.current") - before;
	for (i = 0; i < 256; i++) {
		vmt.offset = 0;
		vmt.length = 65536;
		ASSERT_OK(ioctl(raw.fd, AEM_IOC_VMT, &vmt));
	}
	zone = number_in("/sys/fs/cgroup/aem/memory.current") - before - events;
	NOTE("%lu bytes per event, %lu for a zone of 16 MiB", events / n, zone);
	EXPECT_GE(events, n * 200UL);
	EXPECT_GE(zone, 15 << 20);
	raw_end(&raw);
}

KTAP_MAIN()
