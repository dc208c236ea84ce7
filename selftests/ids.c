// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 7: ids carry a generation. The id of an event that has ended never means another one,
 * although places in the table are used again.
 *
 * vm: load=core,null m32
 */
#include "raw.h"
#include <pthread.h>

#define MANY	20000

static struct raw raw;

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

TEST_TIMEOUT(an_old_id_means_nothing_for_ever, 180)
{
	uint64_t *old = calloc(MANY, sizeof(*old)), id;
	uint32_t top = 0;
	int i, n;

	ASSERT(old);
	raw_start(&raw);
	for (i = 0; ktap_more(i, MANY); i++) {
		id = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, 1);
		ASSERT_NE(id, 0);
		ASSERT_NE((uint32_t)id, 0);
		if ((uint32_t)id > top)
			top = (uint32_t)id;
		if (i && (i & 7) == 0) {
			/* The newest lives, and none of these does. */
			ASSERT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, old[i - 1], 0), ENOENT);
			ASSERT_ERRNO(raw_event(&raw, AEM_EVENT_SHUTDOWN, old[i / 2], 0), ENOENT);
			ASSERT_ERRNO(raw_event(&raw, AEM_EVENT_START, old[0], 0), ENOENT);
			ASSERT_ERRNO(raw_event(&raw, AEM_EVENT_STOP, old[i / 3], 0), ENOENT);
			ASSERT_ERRNO(null_try_fire(&raw, old[i - 8], NULL_BY_CALL, 1), ENOENT);
			ASSERT_EQ(raw_query(&raw).active, 0);
		}
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
		old[i] = id;
	}
	n = i;
	/* Places were used again, or this would prove nothing. */
	EXPECT_LT(top, 100);
	qsort(old, n, sizeof(*old), compare);
	for (i = 1; i < n; i++)
		ASSERT_NE(old[i], old[i - 1]);
	raw_end(&raw);
}

TEST(ids_of_many_live_events_differ)
{
	uint64_t *id = calloc(MANY, sizeof(*id));
	int i, n = ktap_rounds(MANY);

	ASSERT(id);
	raw_start(&raw);
	for (i = 0; i < n; i++)
		id[i] = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, 1);
	for (i = 0; i < n; i += 97)
		EXPECT_EQ(raw_state_of(&raw, id[i]), AEM_EVENT_S_STARTED);
	qsort(id, n, sizeof(*id), compare);
	for (i = 1; i < n; i++)
		ASSERT_NE(id[i], id[i - 1]);
	raw_end(&raw);
}

/* A record says whose it is, and its id is as dead as the event when that has ended. */
TEST(records_of_a_place_used_again)
{
	struct aem_enter enter = { 0 };
	uint64_t first, second;

	raw_start(&raw);
	first = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_fire(&raw, first, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	ASSERT(raw_claim(raw_record(&raw, enter.first)));
	ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, first, 0));
	second = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 1);
	EXPECT_NE(second, first);
	EXPECT_EQ(raw_record(&raw, enter.first)->id, first);
	raw_finish(raw_record(&raw, enter.first), AEM_RECORD_DONE);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(raw_state_of(&raw, second), AEM_EVENT_S_STARTED);
	EXPECT_EQ(null_state(&raw, second).destructed, 0);
	raw_end(&raw);
}

static int stop;
static uint64_t errors;

static void *churn(void *seed)
{
	uint64_t id;

	(void)seed;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
		if (raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0) ||
		    !raw_event(&raw, AEM_EVENT_INFO, id, 0) || errno != ENOENT)
			__atomic_fetch_add(&errors, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Each thread's own events are its own, however the places go round. */
TEST_TIMEOUT(threads_that_register_and_unregister, 120)
{
	pthread_t threads[4];
	uint64_t id, i;

	raw_start(&raw);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, churn, NULL), 0);
	for (i = 0; ktap_more(i, 3000); i++) {
		id = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, 1);
		null_fire(&raw, id, NULL_BY_CALL, 1);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_PRIO, id, i % 32));
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(errors, 0);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

KTAP_MAIN()
