// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 2: unregistering is synchronous. When AEM_EVENT_SHUTDOWN has returned no handler of
 * that event starts any more, and none runs in another thread.
 *
 * vm: load=core,null m32 timeout=500
 */
#include "raw.h"
#include <pthread.h>

static struct raw raw;
static int stop;

/* One event at a time: its round, and what is known of it. */
static uint64_t gone;		/* rounds that have been unregistered */
static uint64_t running;	/* the round whose handler runs, 0: none */
static uint64_t late, ran;

static void watched(struct raw *r, struct aem_record *record)
{
	(void)r;
	if (__atomic_load_n(&gone, __ATOMIC_SEQ_CST) >= record->cookie)
		__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&running, record->cookie, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&gone, __ATOMIC_SEQ_CST) >= record->cookie)
		__atomic_fetch_add(&late, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&running, 0, __ATOMIC_SEQ_CST);
}

static void *dispatch(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		raw_round(&raw);
	return NULL;
}

static void spin(unsigned int n)
{
	while (n--)
		__asm__ volatile("" : : : "memory");
}

TEST_TIMEOUT(race_with_a_dispatcher, 400)
{
	unsigned long long seed = ktap_seed();
	uint64_t round, id, before, after = 0, between = 0, overlapped = 0;
	pthread_t thread;

	raw_start(&raw);
	ASSERT_EQ(pthread_create(&thread, NULL, dispatch, NULL), 0);
	for (round = 1; ktap_more(round - 1, 100000); round++) {
		before = __atomic_load_n(&ran, __ATOMIC_SEQ_CST);
		id = null_new(&raw, NULL_CREATE, watched, round, 0, 1);
		null_fire(&raw, id, NULL_BY_CALL, 1);
		spin(ktap_random(&seed) % 3000);
		between += __atomic_load_n(&ran, __ATOMIC_SEQ_CST) == before;
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
		overlapped += __atomic_load_n(&running, __ATOMIC_SEQ_CST) != 0;
		__atomic_store_n(&gone, round, __ATOMIC_SEQ_CST);
		after += __atomic_load_n(&ran, __ATOMIC_SEQ_CST) == before;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	NOTE("%llu ran, %llu were cancelled, %llu records found cancelled",
	     (unsigned long long)ran, (unsigned long long)after, (unsigned long long)raw.skipped);
	EXPECT_EQ(late, 0);
	EXPECT_EQ(overlapped, 0);
	EXPECT_EQ(ran + after, round - 1);
	/* Both must have been seen, or this was no race. */
	EXPECT_GT(ran, 0);
	EXPECT_GT(after, 0);
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

/* Delivered and not yet taken: the exchange decides, each way round. */
TEST_TIMEOUT(a_cancelled_record_cannot_be_claimed, 120)
{
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	uint64_t id;
	int i;

	raw_start(&raw);
	for (i = 0; ktap_more(i, 5000); i++) {
		id = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, 1);
		null_fire(&raw, id, NULL_BY_CALL, 1);
		ASSERT_OK(raw_enter(&raw, &enter));
		ASSERT_EQ(enter.count, 1);
		record = raw_record(&raw, enter.first);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
		ASSERT_EQ(record->state, AEM_RECORD_CANCELLED);
		ASSERT(!raw_claim(record));
		/* Writing over it gives nothing back. */
		if (i & 1)
			raw_finish(record, AEM_RECORD_READY);
		ASSERT_EQ(raw_round(&raw), 0);
		ASSERT_EQ(record->state, AEM_RECORD_FREE);
	}
	raw_end(&raw);
}

static int phase;
static uint64_t shut_id;

static void stay(struct raw *r, struct aem_record *record)
{
	(void)r;
	(void)record;
	__atomic_store_n(&phase, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&phase, __ATOMIC_SEQ_CST) != 2)
		raw_sleep_ms(1);
	raw_sleep_ms(20);
	__atomic_store_n(&phase, 3, __ATOMIC_SEQ_CST);
}

static void *run_one(void *unused)
{
	(void)unused;
	EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	/* As REAP in the control page asks for. */
	raw_round(&raw);
	return NULL;
}

static void *shut_down(void *phase_after)
{
	if (!EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, shut_id, 0)))
		return NULL;
	*(int *)phase_after = __atomic_load_n(&phase, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(waits_for_a_handler_that_runs_elsewhere)
{
	pthread_t thread, shutters[2];
	int seen[2] = { 0 };
	int i;

	raw_start(&raw);
	shut_id = null_new(&raw, NULL_CREATE, stay, 1, 0, 1);
	ASSERT_EQ(pthread_create(&thread, NULL, run_one, NULL), 0);
	null_fire(&raw, shut_id, NULL_BY_CALL, 1);
	while (__atomic_load_n(&phase, __ATOMIC_SEQ_CST) != 1)
		raw_sleep_ms(1);
	/* Two at once: both wait. */
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&shutters[i], NULL, shut_down, &seen[i]), 0);
	while (!(raw.control->flags & AEM_CONTROL_REAP))
		raw_sleep_ms(1);
	raw_sleep_ms(50);
	EXPECT_EQ(seen[0], 0);
	EXPECT_EQ(seen[1], 0);
	__atomic_store_n(&phase, 2, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++)
		pthread_join(shutters[i], NULL);
	pthread_join(thread, NULL);
	EXPECT_EQ(seen[0], 3);
	EXPECT_EQ(seen[1], 3);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

/* Jobs as well: after it a timer that was due every microsecond activates nothing. */
TEST_TIMEOUT(no_job_runs_afterwards, 120)
{
	uint64_t id, activations;
	int i;

	raw_start(&raw);
	for (i = 0; ktap_more(i, 2000); i++) {
		id = null_new_tick(&raw, raw_nothing, 1, 0, 1, 20000);
		while (raw_query(&raw).activations == 0)
			;
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
		activations = raw_query(&raw).activations;
		ASSERT_EQ(raw_query(&raw).active, 0);
		spin(2000);
		ASSERT_EQ(raw_query(&raw).activations, activations);
	}
	raw_drain(&raw);
	raw_end(&raw);
}

/* Activations by another processor while it goes. */
static uint64_t fire_id;

static void *fire_always(void *unused)
{
	unsigned int n = 0;

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		null_try_fire(&raw, __atomic_load_n(&fire_id, __ATOMIC_SEQ_CST), n++ % 3, 3);
		null_try_fire(&raw, __atomic_load_n(&fire_id, __ATOMIC_SEQ_CST), n++ % 3, 1);
	}
	return NULL;
}

TEST_TIMEOUT(race_with_activations, 200)
{
	struct null_totals before, after;
	pthread_t thread;
	int i;
	uint64_t id;

	raw_start(&raw);
	before = null_totals(&raw);
	ASSERT_EQ(pthread_create(&thread, NULL, fire_always, NULL), 0);
	for (i = 0; ktap_more(i, 20000); i++) {
		id = null_new(&raw, i & 1 ? NULL_CREATE : NULL_MULTI, raw_nothing, i, 0, i % 32);
		__atomic_store_n(&fire_id, id, __ATOMIC_SEQ_CST);
		if (i % 3)
			raw_round(&raw);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
		ASSERT_EQ(raw_query(&raw).active, 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	raw_drain(&raw);
	after = null_totals(&raw);
	EXPECT_EQ(after.created - before.created, i);
	EXPECT_EQ(after.released - before.released, i);
	raw_end(&raw);
}

KTAP_MAIN()
