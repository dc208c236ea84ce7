// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the buddy allocator. Built if CONFIG_KUNIT is.
 */
#include <kunit/test.h>
#include <linux/random.h>

#include "buddy_model.h"

#define OPERATIONS	1000000

static struct model *new_model(struct kunit *test, u64 seed)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->random = seed;
	return m;
}

static void buddy_random_operations(struct kunit *test)
{
	u64 seed = get_random_u64() | 1;
	struct model *m = new_model(test, seed);

	kunit_info(test, "seed %llu", seed);
	KUNIT_EXPECT_STREQ(test, model_run(m, OPERATIONS) ?: "", "");
	KUNIT_EXPECT_EQ(test, m->op, (u32)OPERATIONS);
	/* It has been full, and has grown. */
	KUNIT_EXPECT_GT(test, m->refused, 0U);
	KUNIT_EXPECT_EQ(test, m->buddy.chunks, MODEL_CHUNKS);
}

static void buddy_without_chunk(struct kunit *test)
{
	struct model *m = new_model(test, 1);

	model_init(m);
	KUNIT_EXPECT_EQ(test, aem_buddy_alloc(&m->buddy, 0, 0), AEM_BUDDY_NONE);
	KUNIT_EXPECT_EQ(test, aem_buddy_order(&m->buddy, 0, 0), -1);
}

/* One small block splits a chunk into one free block of each order below. */
static void buddy_split_and_join(struct kunit *test)
{
	struct model *m = new_model(test, 1);

	model_init(m);
	model_grow(m);
	KUNIT_EXPECT_EQ(test, m->buddy.filled, 1U << MODEL_TOP);
	KUNIT_EXPECT_EQ(test, aem_buddy_alloc(&m->buddy, 0, 1), 0U);
	KUNIT_EXPECT_EQ(test, m->buddy.filled, (1U << MODEL_TOP) - 1);
	KUNIT_EXPECT_EQ(test, aem_buddy_alloc(&m->buddy, MODEL_TOP, 0), AEM_BUDDY_NONE);
	KUNIT_EXPECT_EQ(test, aem_buddy_order(&m->buddy, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, aem_buddy_order(&m->buddy, 0, 0), -1);
	aem_buddy_free(&m->buddy, 0);
	KUNIT_EXPECT_EQ(test, m->buddy.filled, 1U << MODEL_TOP);
}

static void buddy_owner_changes(struct kunit *test)
{
	struct model *m = new_model(test, 1);
	u32 unit;

	model_init(m);
	model_grow(m);
	unit = aem_buddy_alloc(&m->buddy, 3, 0);
	aem_buddy_retag(&m->buddy, unit, 1);
	KUNIT_EXPECT_EQ(test, aem_buddy_order(&m->buddy, unit, 0), -1);
	KUNIT_EXPECT_EQ(test, aem_buddy_order(&m->buddy, unit, 1), 3);
	KUNIT_EXPECT_EQ(test, aem_buddy_order(&m->buddy, unit + 1, 1), -1);
}

static struct kunit_case buddy_cases[] = {
	KUNIT_CASE(buddy_without_chunk),
	KUNIT_CASE(buddy_split_and_join),
	KUNIT_CASE(buddy_owner_changes),
	KUNIT_CASE(buddy_random_operations),
	{}
};

static struct kunit_suite buddy_suite = {
	.name = "aem-buddy",
	.test_cases = buddy_cases,
};

kunit_test_suite(buddy_suite);
