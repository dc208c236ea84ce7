// SPDX-License-Identifier: GPL-2.0
/*
 * The soft real-time hint, as a nice value: how much it is, whose rights bound it, and that it
 * is given back.
 *
 * vm: load=core,null
 */
#include "hint.h"
#include <pthread.h>

TEST(as_urgent_as_the_most_urgent)
{
	struct raw raw;
	uint32_t prio;

	start(&raw);
	expect_boost(&raw, 0, 0);
	EXPECT_EQ(raw_query(&raw).hint, 0);
	for (prio = 0; prio < AEM_PRIORITIES; prio++) {
		activate(&raw, prio);
		EXPECT_EQ(raw_query(&raw).hint, prio + 1);
		expect_boost(&raw, 0, steps_of(prio, STEPS));
	}
	/* Nothing less urgent lowers it. */
	activate(&raw, 3);
	expect_boost(&raw, 0, STEPS);
	EXPECT_EQ(raw_drain(&raw), AEM_PRIORITIES + 1);
	expect_soon(&raw, 0, 0);
	activate(&raw, 7);
	expect_boost(&raw, 0, steps_of(7, STEPS));
	raw_end(&raw);
}

TEST(stays_while_events_are_active)
{
	struct raw raw;
	uint64_t urgent;

	start(&raw);
	activate(&raw, 2);
	urgent = activate(&raw, 20);
	raw_sleep_ms(200);
	expect_boost(&raw, 0, steps_of(20, STEPS));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, urgent, 0));
	expect_soon(&raw, 3, -(int)steps_of(2, STEPS));
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 0);
}

TEST(only_who_asks)
{
	struct raw raw;

	raw_start(&raw);
	activate(&raw, 31);
	EXPECT_EQ(raw_query(&raw).hint, 0);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

TEST(ceiling)
{
	struct raw raw;

	start(&raw);
	set_parameter("hint_ceiling", 0);
	activate(&raw, 31);
	expect_boost(&raw, 0, 0);
	raw_drain(&raw);
	expect_soon(&raw, 0, 0);
	set_parameter("hint_ceiling", 3);
	activate(&raw, 31);
	expect_boost(&raw, 0, 3);
	raw_drain(&raw);
	expect_soon(&raw, 0, 0);
	/* More than there are. */
	set_parameter("hint_ceiling", 4000000000U);
	activate(&raw, 31);
	expect_boost(&raw, 0, 20);
	set_parameter("hint_ceiling", STEPS);
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 0);
}

TEST(ones_own_choice_stays)
{
	struct raw raw;

	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 4));
	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 4, STEPS);
	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 7));
	raw_drain(&raw);
	expect_soon(&raw, 0, 7);
	activate(&raw, 31);
	expect_boost(&raw, 7, STEPS);
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 7);
}

TEST(within_rlimit)
{
	struct raw raw;

	become_nobody(-3, 0);
	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 0, 3);
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 0);
}

TEST(without_rights)
{
	struct raw raw;

	become_nobody(20, 0);
	start(&raw);
	activate(&raw, 31);
	EXPECT_EQ(raw_query(&raw).hint, 32);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

TEST(not_by_a_user_namespace)
{
	struct raw raw;

	become_nobody(20, 0);
	if (unshare(CLONE_NEWUSER))
		ktap_skip("optional: no user namespaces for users");
	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

/* Rights that go while it is boosted take the boost with them. */
TEST(setuid_while_boosted)
{
	struct raw raw;

	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 0, STEPS);
	become_nobody(20, 0);
	expect_soon(&raw, 32, 0);
	expect_boost(&raw, 0, 0);
	/* Not again either. */
	raw_drain(&raw);
	expect_soon(&raw, 0, 0);
	activate(&raw, 31);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

static int parent_nice;

static void *own(void *arg)
{
	struct raw raw;

	(void)arg;
	start(&raw);
	activate(&raw, 31);
	EXPECT_EQ(my_nice(), -STEPS);
	/* Left to the end of the process. */
	return NULL;
}

/* The owner is a thread; nobody else is boosted. */
TEST(only_the_owner)
{
	pthread_t thread;

	parent_nice = my_nice();
	ASSERT_EQ(pthread_create(&thread, NULL, own, NULL), 0);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(my_nice(), parent_nice);
}

static int is_nicer(void)
{
	return my_nice() == -STEPS;
}

TEST(given_back_by_exec)
{
	expect_given_back_by_exec(0, is_nicer);
}

TEST(killed_while_boosted)
{
	pid_t pid = fork_boosted(0, is_nicer);
	int status;

	if (!pid)
		pause();
	EXPECT_EQ(getpriority(PRIO_PROCESS, pid), -STEPS);
	ASSERT_OK(kill(pid, SIGKILL));
	ASSERT_OK(waitpid(pid, &status, 0));
	EXPECT(WIFSIGNALED(status));
}

KTAP_MAIN()
