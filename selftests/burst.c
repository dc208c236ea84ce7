// SPDX-License-Identifier: GPL-2.0
/*
 * Within one burst priorities only fall, also when something urgent happens while it is being
 * made: that comes first in the next one. Were it put behind, its handler would run late, and after
 * handlers of later events of its own priority.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

#define LOW	5
#define HIGH	20
#define RECORDS	3000
#define ROUNDS	30
/* Of the urgent event, in nanoseconds: less than a burst takes, more than what is between two. */
#define PERIOD	2000000

static void count(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	++*(uint32_t *)(uintptr_t)record->cookie;
}

static void expect_falling(const struct raw *raw, const struct aem_enter *enter)
{
	for (uint32_t i = 1; i < enter->count; i++)
		ASSERT_LE(raw_record(raw, enter->first + i)->prio,
			  raw_record(raw, enter->first + i - 1)->prio);
}

/* One long burst of what is not urgent; true: something urgent happened meanwhile, and waits. */
static bool make_burst(struct raw *raw, uint64_t low)
{
	struct aem_enter enter = { 0 };

	null_plan(raw, low, (struct null_plan){ .times = RECORDS - 1, .answer = NULL_MORE });
	null_fire(raw, low, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(raw, &enter));
	ASSERT_GE(enter.count, 1);
	expect_falling(raw, &enter);
	raw_dispatch(raw, &enter);
	return enter.pending & 1U << HIGH;
}

static void expect_urgent_first(struct raw *raw)
{
	struct aem_enter enter = { 0 };

	ASSERT_OK(raw_enter(raw, &enter));
	ASSERT_GE(enter.count, 1);
	EXPECT_EQ(raw_record(raw, enter.first)->prio, HIGH);
	raw_dispatch(raw, &enter);
}

TEST(urgent_comes_first_next_time)
{
	uint32_t lows = 0, highs = 0, waited = 0;
	struct raw raw;
	uint64_t low;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.ring_entries = 4096;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	low = null_new(&raw, NULL_MULTI, count, (uintptr_t)&lows, 0, LOW);
	null_new_tick(&raw, count, (uintptr_t)&highs, 0, HIGH, PERIOD);
	for (int i = 0; i < ROUNDS; i++) {
		if (make_burst(&raw, low)) {
			waited++;
			expect_urgent_first(&raw);
		}
		/* What was left for later: no tick is on its way when the next round begins. */
		raw_drain(&raw);
	}
	NOTE("%u of %u bursts met something urgent", waited, ROUNDS);
	EXPECT_EQ(lows, ROUNDS * RECORDS);
	/* Otherwise nothing was tested. */
	EXPECT_GT(waited, 0);
	raw_end(&raw);
}

KTAP_MAIN()
