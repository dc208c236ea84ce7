// SPDX-License-Identifier: GPL-2.0
/*
 * The core whose init fails half way: insmod says why, nothing is left, and it loads afterwards.
 *
 * vm: load=none timeout=300
 */
#include "faults.h"
#include "swap.h"

#define THREADS_MAX	"/proc/sys/kernel/threads-max"
/* More than are made until a module is loaded. */
#define ALL		100000
/* Of them the last, which are init's; before, the kernel makes what it knows a module by. */
#define OF_INIT		40

static void expect_absent(void)
{
	EXPECT_ERRNO(access("/sys/module/aem_core", F_OK), ENOENT);
	EXPECT_ERRNO(access("/dev/aem", F_OK), ENOENT);
	EXPECT_ERRNO(access("/sys/kernel/tracing/events/aem", F_OK), ENOENT);
}

static void expect_loads(void)
{
	swap_load("aem-core", "");
	EXPECT_OK(access("/dev/aem", F_OK));
	EXPECT_EQ(swap_unload("aem_core"), 0);
	expect_absent();
}

/* Its thread for the hint cannot be made. */
TEST(no_more_threads)
{
	char before[32] = "";
	int fd = open(THREADS_MAX, O_RDWR | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_GT(read(fd, before, sizeof(before) - 1), 0);
	ASSERT_EQ(pwrite(fd, "20", 2, 0), 2);
	EXPECT_EQ(swap_try_load("aem-core", ""), EAGAIN);
	ASSERT_GT(pwrite(fd, before, strlen(before), 0), 0);
	close(fd);
	expect_absent();
	expect_loads();
}

/* How many allocations and copies it takes to load it. */
static unsigned int allocations(void)
{
	char left[16] = "";

	arm(ALL);
	swap_load("aem-core", "");
	ASSERT_GT(pread(nth_fd, left, sizeof(left) - 1, 0), 0);
	disarm();
	EXPECT_EQ(swap_unload("aem_core"), 0);
	return ALL - atoi(left);
}

TEST_TIMEOUT(no_memory_for_init, 200)
{
	unsigned int n, all, failed = 0;
	int error;

	if (!have_faults())
		ktap_skip("optional: needs fault injection");
	all = allocations();
	for (n = all > OF_INIT ? all - OF_INIT : 1; n <= all; n++) {
		arm(n);
		error = swap_try_load("aem-core", "");
		disarm();
		if (!error) {
			EXPECT_EQ(swap_unload("aem_core"), 0);
			continue;
		}
		failed++;
		EXPECT_EQ(error, ENOMEM);
		expect_absent();
	}
	NOTE("%u of the last %d of %u allocations are missed", failed, OF_INIT, all);
	EXPECT_GT(failed, 0);
	expect_loads();
}

KTAP_MAIN()
