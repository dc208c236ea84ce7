// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 3: an event never nests in itself, and only a strictly higher priority interrupts a
 * handler. Delivery is by signal, dispatched as a library would: a handler runs with the level
 * above its own priority.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

static struct raw raw;
static uint64_t id[AEM_PRIORITIES];
static char story[400];
static int depth, deepest, running[AEM_PRIORITIES];

static void tell(char what, const struct aem_record *record)
{
	size_t length = strlen(story);

	snprintf(story + length, sizeof(story) - length, "%s%c%u", length ? " " : "", what,
		 (unsigned int)record->cookie);
}

static void run(struct aem_record *record)
{
	uint32_t level = raw.control->level;

	if (!raw_claim(record))
		return;
	EXPECT_GE(record->prio, level);
	__atomic_store_n(&raw.control->level, record->prio + 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(running[record->cookie]++, 0);
	if (++depth > deepest)
		deepest = depth;
	tell('+', record);
	((raw_handler)(uintptr_t)record->handler)(&raw, record);
	tell('-', record);
	depth--;
	running[record->cookie]--;
	raw_finish(record, AEM_RECORD_DONE);
	__atomic_store_n(&raw.control->level, level, __ATOMIC_SEQ_CST);
}

/* Delivers what is above the level, until nothing more is. */
static void deliver(uint32_t flags)
{
	struct aem_enter enter = { .flags = flags };
	uint32_t i;

	do {
		enter.level = raw.control->level;
		enter.max_events = 1;
		ASSERT_OK(raw_enter(&raw, &enter));
		for (i = 0; i < enter.count; i++)
			run(raw_record(&raw, enter.first + i));
	} while (enter.count || raw_interrupts(&raw) >> raw.control->level);
}

static void on_bell(int signo)
{
	int saved = errno;

	(void)signo;
	deliver(AEM_ENTER_INTERRUPT);
	errno = saved;
}

static void begin(void)
{
	struct sigaction action = { .sa_handler = on_bell, .sa_flags = SA_RESTART | SA_NODEFER };

	ASSERT_OK(sigaction(SIGUSR1, &action, NULL));
	raw_start_signal(&raw, SIGUSR1);
}

static void end(void)
{
	deliver(0);
	EXPECT_EQ(depth, 0);
	EXPECT_EQ(raw.control->level, 0);
	EXPECT_EQ(raw.control->pending, 0);
	raw_end(&raw);
}

static int fires_left;

/* Fires one below, the same, itself, and one above. */
static void fire_around(struct raw *r, struct aem_record *record)
{
	if (record->cookie != 5 || !fires_left)
		return;
	fires_left--;
	null_fire(r, id[4], NULL_BY_CALL, 1);
	null_fire(r, id[6], NULL_BY_IRQ, 1);
	null_fire(r, record->id, NULL_BY_CALL, 2);
	null_fire(r, id[9], NULL_BY_IRQ, 1);
}

TEST(only_strictly_higher_interrupts)
{
	begin();
	fires_left = 1;
	id[4] = null_new(&raw, NULL_CREATE, fire_around, 4, 0, 4);
	id[5] = null_new(&raw, NULL_CREATE, fire_around, 5, 0, 5);
	id[6] = null_new(&raw, NULL_CREATE, fire_around, 6, 0, 5);
	id[9] = null_new(&raw, NULL_CREATE, fire_around, 9, 0, 9);
	null_fire(&raw, id[5], NULL_BY_CALL, 1);
	/* The bell has rung at once; what was held back is pending and comes now. */
	deliver(0);
	EXPECT_STR(story, "+5 +9 -9 -5 +6 -6 +5 -5 +4 -4");
	EXPECT_EQ(deepest, 2);
	end();
}

static void climb(struct raw *r, struct aem_record *record)
{
	if (record->cookie + 1 < AEM_PRIORITIES)
		null_fire(r, id[record->cookie + 1], NULL_BY_CALL, 1);
}

/* As deep as there are priorities, in a ring that is taken back from both ends. */
TEST(as_deep_as_priorities)
{
	struct raw *r = &raw;
	uint32_t i, round;

	begin();
	for (i = 0; i < AEM_PRIORITIES; i++)
		id[i] = null_new(r, NULL_CREATE, climb, i, 0, i);
	for (round = 0; round < 20; round++) {
		story[0] = 0;
		deepest = 0;
		null_fire(r, id[0], NULL_BY_CALL, 1);
		deliver(0);
		EXPECT_EQ(deepest, AEM_PRIORITIES);
	}
	for (i = 0; i < r->setup.ring_entries; i++)
		EXPECT_EQ(r->ring[i].state, AEM_RECORD_FREE);
	EXPECT_EQ(raw_query(r).records, 20 * AEM_PRIORITIES);
	end();
}

/* The kernel itself sees to it, whatever level the process asks with. */
static void enter_in_handler(struct raw *r, struct aem_record *record)
{
	struct aem_enter enter = { .level = 0 };

	null_fire(r, record->id, NULL_BY_CALL, 5);
	null_fire(r, record->id, NULL_BY_IRQ, 5);
	EXPECT_OK(raw_enter(r, &enter));
	EXPECT_EQ(enter.count, 0);
	EXPECT_EQ(enter.pending, 0);
	EXPECT_EQ(raw_state_of(r, record->id), AEM_EVENT_S_STARTED | AEM_EVENT_S_BUSY);
}

TEST(the_kernel_does_not_nest_an_event_in_itself)
{
	struct raw *r = &raw;
	uint64_t one;

	raw_start(r);
	one = null_new(r, NULL_CREATE, enter_in_handler, 1, 0, 3);
	null_fire(r, one, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_round(r), 1);
	EXPECT_OK(raw_event(r, AEM_EVENT_STOP, one, 0));
	EXPECT_EQ(raw_drain(r), 0);
	raw_end(r);
}

/* It lies behind what it interrupted, and is taken back before that ends, time and again. */
TEST(what_interrupted_is_taken_back_first)
{
	struct aem_enter enter = { 0 };
	struct aem_record *outer, *inner;
	uint64_t low, high;
	int i;

	raw_start(&raw);
	low = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	high = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 2);
	null_fire(&raw, low, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	outer = raw_record(&raw, enter.first);
	ASSERT(raw_claim(outer));
	for (i = 0; i < 3; i++) {
		null_fire(&raw, high, NULL_BY_CALL, 1);
		ASSERT_OK(raw_enter(&raw, &enter));
		ASSERT_EQ(enter.count, 1);
		inner = raw_record(&raw, enter.first);
		ASSERT_EQ(inner->cookie, 2);
		ASSERT(raw_claim(inner));
		raw_finish(inner, AEM_RECORD_DONE);
	}
	raw_finish(outer, AEM_RECORD_DONE);
	ASSERT_EQ(raw_round(&raw), 0);
	ASSERT_EQ(raw_state_of(&raw, low), AEM_EVENT_S_STARTED);
	ASSERT_EQ(raw_state_of(&raw, high), AEM_EVENT_S_STARTED);
	raw_end(&raw);
}

/* While the level is raised the bell is silent, and rings for what is above it. */
TEST(the_level_holds_the_bell)
{
	uint64_t before;

	begin();
	id[3] = null_new(&raw, NULL_CREATE, raw_nothing, 3, 0, 3);
	id[8] = null_new(&raw, NULL_CREATE, raw_nothing, 8, 0, 8);
	raw.control->level = 4;
	before = raw_query(&raw).doorbells;
	null_fire(&raw, id[3], NULL_BY_IRQ, 1);
	EXPECT_STR(story, "");
	EXPECT_EQ(raw_query(&raw).doorbells, before);
	EXPECT_EQ(raw.control->interrupt, 1 << 3);
	null_fire(&raw, id[8], NULL_BY_IRQ, 1);
	EXPECT_STR(story, "+8 -8");
	EXPECT_EQ(raw_query(&raw).doorbells, before + 1);
	__atomic_store_n(&raw.control->level, 0, __ATOMIC_SEQ_CST);
	EXPECT_EQ(raw.control->interrupt, 1 << 3);
	deliver(AEM_ENTER_INTERRUPT);
	EXPECT_STR(story, "+8 -8 +3 -3");
	raw.control->level = 32;
	null_fire(&raw, id[8], NULL_BY_CALL, 1);
	EXPECT_STR(story, "+8 -8 +3 -3");
	raw.control->level = 0;
	end();
}

static int64_t now(void)
{
	struct timespec time;

	ASSERT_OK(clock_gettime(CLOCK_MONOTONIC, &time));
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* A pause below priority 5 */
static void pause_for(int64_t ns)
{
	struct aem_enter enter = { .flags = AEM_ENTER_PAUSE, .level = 5, .timeout = ns };

	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 0);
}

static void pause_bell(void)
{
	pause_for(AEM_PAUSE_MAX);
}

/* Meanwhile what is more urgent rings; what is not stays, and rings at the end. */
TEST(a_pause_holds_the_bell_for_a_while)
{
	int64_t start;

	begin();
	id[3] = null_new(&raw, NULL_CREATE, raw_nothing, 3, 0, 3);
	/* Again on a machine that was busy with something else for that long. */
	do {
		deliver(0);
		story[0] = 0;
		start = now();
		pause_bell();
		null_fire(&raw, id[3], NULL_BY_IRQ, 1);
	} while (story[0] && now() - start >= AEM_PAUSE_MAX);
	EXPECT_STR(story, "");
	EXPECT_EQ(raw.control->interrupt, 1 << 3);
	while (!story[0])
		raw_sleep_ms(1);
	EXPECT_GE(now() - start, AEM_PAUSE_MAX);
	EXPECT_STR(story, "+3 -3");
	end();
}

/* Who asked for the pause lowers its level when it is over, and does not look. */
TEST(a_pause_ends_while_the_level_is_raised)
{
	begin();
	id[3] = null_new(&raw, NULL_CREATE, raw_nothing, 3, 0, 3);
	raw.control->level = 32;
	null_fire(&raw, id[3], NULL_BY_IRQ, 1);
	pause_for(1);
	raw_sleep_ms(20);
	EXPECT_STR(story, "");
	__atomic_store_n(&raw.control->level, 0, __ATOMIC_SEQ_CST);
	while (!story[0])
		raw_sleep_ms(1);
	EXPECT_STR(story, "+3 -3");
	end();
}

TEST(what_is_more_urgent_rings_in_a_pause)
{
	begin();
	id[8] = null_new(&raw, NULL_CREATE, raw_nothing, 8, 0, 8);
	pause_bell();
	null_fire(&raw, id[8], NULL_BY_IRQ, 1);
	EXPECT_STR(story, "+8 -8");
	end();
}

TEST(who_enters_ends_the_pause)
{
	begin();
	id[3] = null_new(&raw, NULL_CREATE, raw_nothing, 3, 0, 3);
	pause_bell();
	deliver(AEM_ENTER_INTERRUPT);
	null_fire(&raw, id[3], NULL_BY_IRQ, 1);
	EXPECT_STR(story, "+3 -3");
	end();
}

TEST(pauses_that_cannot_be)
{
	static const int64_t times[] = { 0, -1, INT64_MIN, AEM_PAUSE_MAX + 1LL, INT64_MAX };
	struct aem_enter enter = { .flags = AEM_ENTER_PAUSE, .timeout = 1 };
	unsigned int i;

	begin();
	ASSERT_OK(raw_enter(&raw, &enter));
	enter.min_events = 1;
	EXPECT_ERRNO(raw_enter(&raw, &enter), EINVAL);
	enter.min_events = 0;
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		enter.timeout = times[i];
		EXPECT_ERRNO(raw_enter(&raw, &enter), EINVAL);
	}
	end();
}

/* The context goes, while the bell is still to ring: by itself, or with its process. */
TEST(the_end_comes_during_a_pause)
{
	pid_t pid;

	begin();
	id[3] = null_new(&raw, NULL_CREATE, raw_nothing, 3, 0, 3);
	pause_bell();
	null_fire(&raw, id[3], NULL_BY_IRQ, 1);
	raw_end(&raw);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		begin();
		id[3] = null_new(&raw, NULL_CREATE, raw_nothing, 3, 0, 3);
		pause_bell();
		null_fire(&raw, id[3], NULL_BY_IRQ, 1);
		raise(SIGKILL);
	}
	EXPECT_EQ(waitpid(pid, NULL, 0), pid);
	raw_sleep_ms(AEM_PAUSE_MAX / 1000000 + 100);
}

/* An event for safe points never rings; one that the process opened so has no bell at all. */
TEST(safe_points_do_not_interrupt)
{
	begin();
	id[7] = null_new(&raw, NULL_CREATE, raw_nothing, 7, EVF_SAFEPOINT, 7);
	id[2] = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 2);
	null_fire(&raw, id[7], NULL_BY_IRQ, 1);
	EXPECT_STR(story, "");
	EXPECT_EQ(raw_query(&raw).doorbells, 0);
	null_fire(&raw, id[2], NULL_BY_IRQ, 1);
	EXPECT_STR(story, "+2 -2");
	EXPECT_EQ(raw.control->pending, 1 << 7);
	EXPECT_EQ(raw.control->interrupt, 0);
	deliver(0);
	EXPECT_STR(story, "+2 -2 +7 -7");
	end();
}

/* Ticks interrupt a computation many times, at any instruction; its result is not harmed. */
static uint64_t ticks;

static void tick(struct raw *r, struct aem_record *record)
{
	(void)r;
	(void)record;
	story[0] = 0;
	__atomic_fetch_add(&ticks, 1, __ATOMIC_SEQ_CST);
}

TEST(a_computation_is_interrupted_and_goes_on)
{
	uint64_t sum = 0, expected = 0, i, n = 0;

	begin();
	id[1] = null_new_tick(&raw, tick, 1, 0, 1, 2000000);
	while (__atomic_load_n(&ticks, __ATOMIC_SEQ_CST) < 100) {
		for (i = 0; i < 10000; i++)
			sum += i * i ^ n;
		n++;
	}
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[1], 0));
	for (; n--;)
		for (i = 0; i < 10000; i++)
			expected += i * i ^ n;
	EXPECT_EQ(sum, expected);
	end();
}

KTAP_MAIN()
