// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the timers' arithmetic: counted one by one where that is possible, and at the ends
 * of what a time can be. Built if CONFIG_KUNIT is.
 */
#include <kunit/test.h>
#include <linux/hrtimer.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "period.h"

#define ROUNDS	20000

static void period_single(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 0, 99), 0ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 0, 100), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 0, KTIME_MAX), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_last(100, 0, 1), (ktime_t)100);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 0, 99), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 0, 100), 0ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 0, 101), 0ULL);
}

static void period_edges(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 10, 99), 0ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 10, 100), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 10, 109), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(100, 10, 110), 2ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 10, 99), 1ULL);
	/* Never 0, which would say that there is none. */
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 10, 100), 10ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 10, 109), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 10, 110), 10ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(100, 1, 12345), 1ULL);
}

/* An absolute time long past, and a period of a nanosecond: every one of them is counted. */
static void period_from_the_beginning_of_time(struct kunit *test)
{
	u64 count = aem_period_expiries(0, 1, KTIME_MAX);

	KUNIT_EXPECT_EQ(test, count, (u64)S64_MAX + 1);
	KUNIT_EXPECT_EQ(test, aem_period_last(0, 1, count), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_next(KTIME_MAX, 1), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_left(0, 1, KTIME_MAX), 1ULL);

	count = aem_period_expiries(1, S64_MAX, KTIME_MAX);
	KUNIT_EXPECT_EQ(test, count, 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_next(1, S64_MAX), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_left(1, S64_MAX, KTIME_MAX), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(0, S64_MAX, KTIME_MAX), 2ULL);
}

static void period_to_the_end_of_time(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, aem_period_start(1, true, 1000), (ktime_t)1);
	KUNIT_EXPECT_EQ(test, aem_period_start(1, false, 1000), (ktime_t)1001);
	KUNIT_EXPECT_EQ(test, aem_period_start(S64_MAX, true, 1000), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_start(S64_MAX, false, 1000), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_start(S64_MAX, false, KTIME_MAX), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_next(KTIME_MAX - 5, 5), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_next(KTIME_MAX - 5, 6), KTIME_MAX);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(KTIME_MAX, 1, KTIME_MAX - 1), 0ULL);
	KUNIT_EXPECT_EQ(test, aem_period_expiries(KTIME_MAX, 1, KTIME_MAX), 1ULL);
	KUNIT_EXPECT_EQ(test, aem_period_left(KTIME_MAX, 0, 0), (u64)S64_MAX);
}

/* Whatever slack was asked for, the earliest time of the hrtimer is the expiry, exactly. */
static void period_slack(struct kunit *test)
{
	static const ktime_t times[] = { 0, 1, KTIME_MAX - 1, KTIME_MAX };
	static const u64 slacks[] = { 0, 1, 50000, S64_MAX - 1, S64_MAX };
	struct hrtimer timer;
	int i, j;

	hrtimer_init_on_stack(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		for (j = 0; j < ARRAY_SIZE(slacks); j++) {
			s64 slack;

			hrtimer_set_expires_range_ns(&timer, times[i], slacks[j]);
			slack = aem_period_slack(&timer);
			KUNIT_EXPECT_EQ(test, hrtimer_get_softexpires(&timer), times[i]);
			KUNIT_EXPECT_GE(test, slack, 0LL);
			KUNIT_EXPECT_EQ(test, (u64)slack,
					min_t(u64, slacks[j], KTIME_MAX - times[i]));
		}
	}
	destroy_hrtimer_on_stack(&timer);
}

/* Expiry after expiry, as a timer would that never is late. */
static void period_counted_one_by_one(struct kunit *test)
{
	u64 seed = get_random_u64();
	struct rnd_state random;
	u32 round;

	kunit_info(test, "seed %llu", seed);
	prandom_seed_state(&random, seed);
	for (round = 0; round < ROUNDS; round++) {
		ktime_t expiry = prandom_u32_state(&random) % 100;
		u64 interval = 1 + prandom_u32_state(&random) % 40;
		ktime_t now = prandom_u32_state(&random) % 400;
		ktime_t next = expiry, last = -1;
		u64 count = 0;

		for (; next <= now; next += interval) {
			last = next;
			count++;
		}
		KUNIT_EXPECT_EQ(test, aem_period_expiries(expiry, interval, now), count);
		KUNIT_EXPECT_EQ(test, aem_period_left(expiry, interval, now), (u64)(next - now));
		if (!count)
			continue;
		KUNIT_EXPECT_EQ(test, aem_period_last(expiry, interval, count), last);
		KUNIT_EXPECT_EQ(test, aem_period_next(last, interval), next);
	}
}

/* At any size: the last one was, the next one was not yet, and no time is negative. */
static void period_of_any_size(struct kunit *test)
{
	u64 seed = get_random_u64();
	struct rnd_state random;
	u32 round;

	kunit_info(test, "seed %llu", seed);
	prandom_seed_state(&random, seed);
	for (round = 0; round < ROUNDS; round++) {
		u64 value[3], count;
		ktime_t last, next;
		int i;

		for (i = 0; i < 3; i++) {
			prandom_bytes_state(&random, &value[i], sizeof(value[i]));
			value[i] >>= 1 + prandom_u32_state(&random) % 63;
		}
		value[1] = value[1] ?: 1;
		count = aem_period_expiries(value[0], value[1], value[2]);
		KUNIT_EXPECT_EQ(test, !count, value[2] < value[0]);
		KUNIT_EXPECT_GE(test, aem_period_left(value[0], value[1], value[2]), 1ULL);
		if (!count)
			continue;
		last = aem_period_last(value[0], value[1], count);
		next = aem_period_next(last, value[1]);
		KUNIT_EXPECT_GE(test, last, (ktime_t)value[0]);
		KUNIT_EXPECT_LE(test, last, (ktime_t)value[2]);
		KUNIT_EXPECT_TRUE(test, next > (ktime_t)value[2] || next == KTIME_MAX);
		KUNIT_EXPECT_LE(test, aem_period_left(value[0], value[1], value[2]), value[1]);
	}
}

static struct kunit_case period_cases[] = {
	KUNIT_CASE(period_single),
	KUNIT_CASE(period_edges),
	KUNIT_CASE(period_from_the_beginning_of_time),
	KUNIT_CASE(period_to_the_end_of_time),
	KUNIT_CASE(period_slack),
	KUNIT_CASE(period_counted_one_by_one),
	KUNIT_CASE(period_of_any_size),
	{}
};

static struct kunit_suite period_suite = {
	.name = "aem-period",
	.test_cases = period_cases,
};

kunit_test_suite(period_suite);
