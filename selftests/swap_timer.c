// SPDX-License-Identifier: GPL-2.0
/*
 * aem-timer is exchanged while ten thousand timers run: for a version with the same layout of the
 * private part, and for one with another, there and back. AEM_SWAPS=1000 in the environment makes
 * so many, and has all timers run until the end; otherwise as many as a second and a half allows.
 *
 * vm: load=core,timer,timer_2,timer_3 mem=768 timeout=600 own
 */
#include "swap.h"
#include <linux/aem_timer.h>
#include <pthread.h>

#define TIMERS	 10000
#define PERIODIC 1000
#define PERIOD	 (500 * 1000000ULL)
/* Of the others, if they are to run for as long as the swaps take. */
#define LONG_PERIOD (40 * PERIOD)

/**
 * struct timer - what a timer has told
 * @records: how many
 * @sum:     of expiries
 * @last:    time of the last
 * @first:   time that it was set to
 * @period:  0: none
 */
struct timer {
	uint64_t records;
	uint64_t sum;
	uint64_t last;
	uint64_t first;
	uint64_t period;
};

static struct timer timers[TIMERS];
static unsigned int outstanding;
static bool stop_now;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void expired(struct raw *raw, struct aem_record *record)
{
	struct timer *timer = &timers[record->cookie];

	(void)raw;
	EXPECT_EQ(record->arg[2], 0);
	if (!timer->records++)
		outstanding--;
	timer->sum += 1 + record->arg[0];
	timer->last = record->arg[1];
}

/* 0: as many as a second and a half allows. */
static unsigned long wanted_swaps(void)
{
	const char *swaps = getenv("AEM_SWAPS");

	return swaps ? strtoul(swaps, NULL, 10) : 0;
}

static uint64_t period_of(uint32_t i)
{
	if (i < PERIODIC)
		return PERIOD;
	return wanted_swaps() ? LONG_PERIOD : 0;
}

static void set_to(const struct raw *raw, uint32_t base, uint64_t id, uint64_t first,
		   uint64_t interval)
{
	struct aem_timer_settime set = {
		.size = sizeof(set), .flags = AEM_TIMER_ABSTIME, .id = id, .value = first,
		.interval = interval,
	};

	ASSERT_OK(raw_call(raw, base + AEM_TIMER_SETTIME, &set));
}

static uint64_t make(const struct raw *raw, uint32_t base, uint32_t i, uint64_t first)
{
	struct aem_timer_create arg = {
		.size = sizeof(arg), .clockid = CLOCK_MONOTONIC, .flags = AEM_TIMER_ABSTIME,
		.value = first,
	};

	arg.reg.handler = (uintptr_t)expired;
	arg.reg.cookie = i;
	arg.reg.prio = i % AEM_PRIORITIES;
	arg.interval = period_of(i);
	if (i % 3 == 1 && !arg.interval)
		arg.reg.flags = EVF_ONESHOT;
	/* Every other one is queued for a time that it does not want any more. */
	if (i % 2)
		arg.value -= RAW_SECOND / 4;
	timers[i].first = first;
	timers[i].period = arg.interval;
	ASSERT_OK(raw_call(raw, base + AEM_TIMER_CREATE, &arg));
	if (i % 2)
		set_to(raw, base, arg.reg.id, first, arg.interval);
	return arg.reg.id;
}

/**
 * struct rounds - what the swapping thread has done
 * @count: swaps
 * @pause: the longest
 * @held:  timers that expired in one
 */
struct rounds {
	unsigned long count;
	uint64_t pause;
	uint64_t held;
};

static void step(int fd, struct rounds *rounds, uint32_t from, uint32_t to)
{
	struct aem_manage done = swap_to(fd, AEM_TIMER_SERVICE, from, to);

	EXPECT_EQ(done.refused, 0);
	if (done.pause > rounds->pause)
		rounds->pause = done.pause;
	rounds->held += done.held;
	rounds->count++;
}

static void *swap_for_ever(void *arg)
{
	unsigned long wanted = wanted_swaps();
	struct rounds *rounds = (struct rounds *)arg;
	uint64_t end = now() + RAW_SECOND * 3 / 2;
	int fd = raw_open();

	/* To and from 3 by the first layout, from 2 to 1 by the present one. */
	while (wanted ? rounds->count < wanted : now() < end) {
		step(fd, rounds, 1, 3);
		step(fd, rounds, 3, 2);
		step(fd, rounds, 2, 1);
	}
	close(fd);
	__atomic_store_n(&stop_now, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void bind_first(struct raw *raw, uint32_t *base)
{
	struct aem_bind bind;

	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw->setup.ring_entries = 4096;
	raw_begin(raw);
	ASSERT_OK(raw_bind(raw->fd, &bind, AEM_TIMER_SERVICE, 1, 1));
	*base = bind.base;
}

/* Every expiry was told, at its time. */
static void check(const struct timer *timer)
{
	EXPECT_GE(timer->records, 1);
	if (!timer->records)
		return;
	if (timer->period) {
		EXPECT_EQ((timer->last - timer->first) % timer->period, 0);
		EXPECT_EQ(timer->sum, (timer->last - timer->first) / timer->period + 1);
	} else {
		EXPECT_EQ(timer->records, 1);
		EXPECT_EQ(timer->last, timer->first);
	}
}

/* The guest's own limit is meant to end it, if anything. */
TEST_TIMEOUT(ten_thousand_timers, 36000)
{
	struct rounds rounds = { 0 };
	uint64_t begin = now() + RAW_SECOND / 2, told = 0;
	pthread_t swapper;
	struct raw raw;
	uint32_t base, i;
	int tries;

	bind_first(&raw, &base);
	for (i = 0; i < TIMERS; i++)
		make(&raw, base, i, begin + i * 200000ULL);
	outstanding = TIMERS;
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_for_ever, &rounds), 0);
	for (tries = 0; !__atomic_load_n(&stop_now, __ATOMIC_SEQ_CST) || outstanding;) {
		if (raw_wait(&raw, RAW_SECOND) == ETIME)
			tries++;
		ASSERT_LT(tries, 120);
	}
	pthread_join(swapper, NULL);
	for (i = 0; i < TIMERS; i++) {
		check(&timers[i]);
		told += timers[i].sum;
	}
	NOTE("%lu swaps, pause %llu us at most, %llu expired in one; %llu expiries", rounds.count,
	     (unsigned long long)rounds.pause / 1000, (unsigned long long)rounds.held,
	     (unsigned long long)told);
	EXPECT_GE(rounds.count, 3);
	EXPECT_EQ(swap_unload("aem_timer_2"), 0);
	EXPECT_EQ(swap_unload("aem_timer_3"), 0);
	raw_end(&raw);
}

static uint64_t left_of(const struct raw *raw, uint32_t base, uint64_t id)
{
	struct aem_timer_gettime arg = { .size = sizeof(arg), .id = id };

	ASSERT_OK(raw_call(raw, base + AEM_TIMER_GETTIME, &arg));
	return arg.value;
}

/* No period, not EVF_ONESHOT, and queued where it was made for. */
#define PUT_OFF (PERIODIC + 2)

/* Queued for when it does not want to be told: put off, disarmed, stopped. Through all versions. */
TEST(what_is_queued_too_early)
{
	uint64_t early, soon, ids[4];
	struct raw raw;
	uint32_t base, told, i;
	int round;

	swap_load("aem-timer_2", "");
	swap_load("aem-timer_3", "");
	bind_first(&raw, &base);
	for (round = 0; round < 3; round++) {
		memset(timers, 0, sizeof(timers));
		outstanding = 4;
		early = now() + RAW_SECOND / 8;
		soon = early + RAW_SECOND / 4;
		for (i = 0; i < 4; i++)
			ids[i] = make(&raw, base, PUT_OFF + 6 * i, early);
		set_to(&raw, base, ids[0], soon, 0);
		set_to(&raw, base, ids[1], 0, 0);
		set_to(&raw, base, ids[2], soon + RAW_SECOND, 0);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, ids[2], 0));
		set_to(&raw, base, ids[3], soon + 1000 * RAW_SECOND, 0);
		/* Before what is queued fires, after it, and while it may. */
		if (round)
			while (now() < early + (round - 1) * 10 * 1000000ULL)
				;
		swap_to(raw.fd, AEM_TIMER_SERVICE, 1, 3);
		if (!round)
			while (now() < early + 10 * 1000000ULL)
				;
		EXPECT_OK(raw_event(&raw, AEM_EVENT_START, ids[2], 0));
		swap_to(raw.fd, AEM_TIMER_SERVICE, 3, 2);
		told = raw_round(&raw);
		if (now() < soon)
			EXPECT_EQ(told, 0);
		swap_to(raw.fd, AEM_TIMER_SERVICE, 2, 1);
		while (outstanding > 2)
			ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
		EXPECT_EQ(timers[PUT_OFF].last, soon);
		EXPECT_EQ(timers[PUT_OFF + 6].records, 0);
		EXPECT_EQ(timers[PUT_OFF + 12].last, soon + RAW_SECOND);
		EXPECT_EQ(timers[PUT_OFF + 18].records, 0);
		EXPECT_GT(left_of(&raw, base, ids[3]), 900 * RAW_SECOND);
		for (i = 0; i < 4; i++)
			EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, ids[i], 0));
	}
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_timer_2"), 0);
	EXPECT_EQ(swap_unload("aem_timer_3"), 0);
}

/* Everything a timer is set to is the same for every version; the clock that was set is told. */
TEST(settings_survive)
{
	struct aem_timer_settime set = { .size = sizeof(set) };
	uint64_t id, watched;
	uint32_t base;
	struct raw raw;

	swap_load("aem-timer_3", "");
	bind_first(&raw, &base);
	id = make(&raw, base, PERIODIC + 1, now() + 1000 * RAW_SECOND);
	watched = make(&raw, base, PERIODIC + 3, now() + 1000 * RAW_SECOND);
	swap_to(raw.fd, AEM_TIMER_SERVICE, 1, 3);
	EXPECT_GT(left_of(&raw, base, id), 900 * RAW_SECOND);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	set.id = id;
	set.value = 2000 * RAW_SECOND;
	set.interval = 7;
	ASSERT_OK(raw_call(&raw, base + AEM_TIMER_SETTIME, &set));
	EXPECT_GT(set.old_value, 900 * RAW_SECOND);
	swap_to(raw.fd, AEM_TIMER_SERVICE, 3, 1);
	EXPECT_GT(left_of(&raw, base, id), 1900 * RAW_SECOND);
	EXPECT_GT(left_of(&raw, base, watched), 900 * RAW_SECOND);
	set.value = 1;
	set.interval = 0;
	ASSERT_OK(raw_call(&raw, base + AEM_TIMER_SETTIME, &set));
	EXPECT_EQ(set.old_interval, 7);
	EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(timers[PERIODIC + 1].records, 1);
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_timer_3"), 0);
}

/* AEM_TIMER_CANCEL_ON_SET goes over to the new module's watch of the clock. */
TEST(watches_of_the_clock_survive)
{
	struct aem_timer_create arg = {
		.size = sizeof(arg), .clockid = CLOCK_REALTIME,
		.flags = AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET,
	};
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };
	struct timespec time;
	struct raw raw;
	uint32_t base;

	swap_load("aem-timer_3", "");
	bind_first(&raw, &base);
	clock_gettime(CLOCK_REALTIME, &time);
	arg.value = (time.tv_sec + 1000) * 1000000000ULL;
	arg.reg.handler = (uintptr_t)raw_nothing;
	ASSERT_OK(raw_call(&raw, base + AEM_TIMER_CREATE, &arg));
	swap_to(raw.fd, AEM_TIMER_SERVICE, 1, 3);
	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += 5;
	ASSERT_OK(clock_settime(CLOCK_REALTIME, &time));
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->arg[2], ECANCELED);
	swap_to(raw.fd, AEM_TIMER_SERVICE, 3, 1);
	EXPECT_EQ(swap_unload("aem_timer_3"), 0);
	raw_end(&raw);
}

KTAP_MAIN()
