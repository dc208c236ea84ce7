// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 4: by priority; within a priority in order of activation; bulky events take turns.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

#define MANY 24

static struct raw raw;
static uint64_t id[MANY];
static uint32_t seen[1000], n_seen;

static void note(struct raw *r, struct aem_record *record)
{
	(void)r;
	if (n_seen < ARRAY_SIZE(seen))
		seen[n_seen++] = record->cookie;
}

static void expect_seen(const uint32_t *expected, uint32_t n)
{
	uint32_t i;

	EXPECT_EQ(n_seen, n);
	for (i = 0; i < n && i < n_seen; i++)
		if (!EXPECT_EQ(seen[i], expected[i]))
			NOTE("record %u", i);
	n_seen = 0;
}

TEST(by_priority)
{
	uint32_t expected[AEM_PRIORITIES], i;
	uint64_t of[AEM_PRIORITIES];

	raw_start(&raw);
	for (i = 0; i < AEM_PRIORITIES; i++)
		of[i] = null_new(&raw, NULL_CREATE, note, i, 0, i);
	for (i = 0; i < AEM_PRIORITIES; i++) {
		null_fire(&raw, of[(i * 7 + 3) % AEM_PRIORITIES], i % 3, 1);
		expected[i] = AEM_PRIORITIES - 1 - i;
	}
	raw_drain(&raw);
	expect_seen(expected, AEM_PRIORITIES);
	raw_end(&raw);
}

TEST(within_a_priority_by_activation)
{
	uint32_t expected[MANY], i;

	raw_start(&raw);
	for (i = 0; i < MANY; i++)
		id[i] = null_new(&raw, NULL_CREATE, note, i, 0, 5);
	for (i = 0; i < MANY; i++) {
		expected[i] = (i * 5 + 2) % MANY;
		null_fire(&raw, id[expected[i]], i % 3, 1);
	}
	/* Again: what is in the list already keeps its place. */
	for (i = MANY; i--;)
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	raw_drain(&raw);
	expect_seen(expected, MANY);
	raw_end(&raw);
}

/* Whether an event may interrupt makes no difference at a safe point. */
TEST(safe_points_and_others_in_one_order)
{
	uint32_t expected[MANY], i;

	signal(SIGUSR1, SIG_IGN);
	raw_start_signal(&raw, SIGUSR1);
	for (i = 0; i < MANY; i++)
		id[i] = null_new(&raw, NULL_CREATE, note, i, i % 3 ? EVF_SAFEPOINT : 0, 5);
	for (i = 0; i < MANY; i++) {
		expected[i] = (i * 11 + 5) % MANY;
		null_fire(&raw, id[expected[i]], NULL_BY_CALL, 1);
	}
	raw_drain(&raw);
	expect_seen(expected, MANY);
	raw_end(&raw);
}

/* A model beside it: 2,000 random firings and rounds. */
TEST_TIMEOUT(random_firings_against_a_model, 120)
{
	unsigned long long state = ktap_seed();
	uint32_t prio[MANY], list[MANY], n = 0, round, i, j, k, expected[MANY];

	raw_start(&raw);
	for (i = 0; i < MANY; i++) {
		prio[i] = ktap_random(&state) % 4;
		id[i] = null_new(&raw, NULL_CREATE, note, i, 0, prio[i]);
	}
	for (round = 0; round < 500; round++) {
		for (k = ktap_random(&state) % 40; k--;) {
			i = ktap_random(&state) % MANY;
			null_fire(&raw, id[i], ktap_random(&state) % 3, 1);
			for (j = 0; j < n && list[j] != i; j++)
				;
			if (j == n)
				list[n++] = i;
		}
		for (k = 0, i = 4; i--;)
			for (j = 0; j < n; j++)
				if (prio[list[j]] == i)
					expected[k++] = list[j];
		n = 0;
		raw_drain(&raw);
		expect_seen(expected, k);
	}
	raw_end(&raw);
}

/* Events that always have more: one record each in turn, and a small one is not kept waiting. */
TEST(bulky_events_take_turns)
{
	static const uint32_t expected[] = {
		0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2,
	};
	uint32_t i;

	raw_start(&raw);
	for (i = 0; i < 4; i++) {
		id[i] = null_new(&raw, NULL_MULTI, note, i, 0, 5);
		null_plan(&raw, id[i], (struct null_plan){
			.times = i < 3 ? 5 : 0, .answer = NULL_MORE,
		});
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	}
	raw_drain(&raw);
	expect_seen(expected, ARRAY_SIZE(expected));
	raw_end(&raw);
}

/* One record at a time: the turns go round with the handlers. */
TEST(bulky_events_take_turns_round_by_round)
{
	uint32_t expected[30], i;

	raw_start(&raw);
	for (i = 0; i < 3; i++) {
		id[i] = null_new(&raw, NULL_CREATE, note, i, 0, 5);
		null_plan(&raw, id[i], (struct null_plan){ .times = 9, .answer = NULL_MORE });
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	}
	for (i = 0; i < 30; i++)
		expected[i] = i % 3;
	raw_drain(&raw);
	expect_seen(expected, 30);
	raw_end(&raw);
}

/* A bulky event of low priority does not keep an urgent one from its place. */
TEST(urgent_before_bulky)
{
	struct aem_enter enter = { .max_events = 2 };
	static const uint32_t expected[] = { 0, 0, 1, 0, 0, 0, 0 };

	raw_start(&raw);
	id[0] = null_new(&raw, NULL_MULTI, note, 0, 0, 5);
	id[1] = null_new(&raw, NULL_CREATE, note, 1, 0, 6);
	null_plan(&raw, id[0], (struct null_plan){ .times = 5, .answer = NULL_MORE });
	null_fire(&raw, id[0], NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(&raw, &enter));
	raw_dispatch(&raw, &enter);
	null_fire(&raw, id[1], NULL_BY_CALL, 1);
	raw_drain(&raw);
	expect_seen(expected, ARRAY_SIZE(expected));
	raw_end(&raw);
}

/* All memory is taken: where it lies. */
static uint64_t begin_without_memory(void)
{
	long long at;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.vmt_size = 65536;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	at = raw_take(&raw, 65536);
	ASSERT_GE(at, 0);
	return at;
}

/* An event whose record needs memory. */
static void make_hungry(uint32_t i)
{
	id[i] = null_new(&raw, NULL_CREATE, note, i, 0, 5);
	null_plan(&raw, id[i], (struct null_plan){ .block = 1024 });
}

/* Events that waited for memory resume in the order in which they asked. */
TEST(starved_events_resume_in_order)
{
	static const uint32_t expected[] = { 3, 1, 4, 0, 2 };
	uint64_t all = begin_without_memory();
	uint32_t i;

	for (i = 0; i < 5; i++)
		make_hungry(i);
	for (i = 0; i < 5; i++)
		null_fire(&raw, id[expected[i]], NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(raw_query(&raw).starved, 5);
	raw_give(&raw, all);
	EXPECT_EQ(raw_query(&raw).starved, 0);
	raw_drain(&raw);
	expect_seen(expected, 5);
	raw_end(&raw);
}

/* Who has memory to give back when it hears that its calls were made does not sleep before. */
TEST(calls_do_not_wait_while_one_starves)
{
	static const uint32_t expected[] = { 0 };
	uint64_t all = begin_without_memory();
	struct null_totals totals = { .size = sizeof(totals) };
	struct aem_call call = {
		.size = sizeof(call), .nr = raw.null + NULL_TOTALS, .arg = (uintptr_t)&totals,
		.result = 1,
	};
	struct aem_enter enter = {
		.calls = (uintptr_t)&call, .n_calls = 1, .min_events = 1, .timeout = RAW_LONG,
	};

	make_hungry(0);
	null_fire(&raw, id[0], NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 0);
	EXPECT_EQ(call.result, 0);
	/* Without calls it does. */
	EXPECT_EQ(raw_wait(&raw, 1000000), ETIME);
	raw_give(&raw, all);
	raw_drain(&raw);
	expect_seen(expected, 1);
	raw_end(&raw);
}

KTAP_MAIN()
