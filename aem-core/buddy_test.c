// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the buddy allocator. Built if CONFIG_KUNIT is.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/random.h>

#include "buddy_model.h"

/* In parts: who waits for a test for long looks like a hung task. */
#define OPERATIONS	1000000
#define PARTS		10

static struct model *new_model(struct kunit *test, u64 seed)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->random = seed;
	return m;
}

/* What the parts share. */
static struct model *whole;

static int buddy_suite_init(struct kunit_suite *suite)
{
	u64 seed = get_random_u64() | 1;

	whole = kvzalloc(sizeof(*whole), GFP_KERNEL);
	if (!whole)
		return -ENOMEM;
	whole->random = seed;
	model_init(whole);
	pr_info("    # seed %llu\n", seed);
	return 0;
}

static void buddy_suite_exit(struct kunit_suite *suite)
{
	kvfree(whole);
}

static void buddy_random_operations(struct kunit *test)
{
	u32 ops = whole->op + OPERATIONS / PARTS;

	KUNIT_EXPECT_STREQ(test, model_go_on(whole, ops) ?: "", "");
	KUNIT_EXPECT_EQ(test, whole->op, ops);
}

/* It has been full, and has grown. */
static void buddy_was_put_to_the_test(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, whole->op, (u32)OPERATIONS);
	KUNIT_EXPECT_GT(test, whole->refused, 0U);
	KUNIT_EXPECT_EQ(test, whole->buddy.chunks, MODEL_CHUNKS);
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
	KUNIT_CASE(buddy_random_operations), KUNIT_CASE(buddy_random_operations),
	KUNIT_CASE(buddy_random_operations), KUNIT_CASE(buddy_random_operations),
	KUNIT_CASE(buddy_random_operations), KUNIT_CASE(buddy_random_operations),
	KUNIT_CASE(buddy_random_operations), KUNIT_CASE(buddy_random_operations),
	KUNIT_CASE(buddy_random_operations), KUNIT_CASE(buddy_random_operations),
	KUNIT_CASE(buddy_was_put_to_the_test),
	{}
};

static struct kunit_suite buddy_suite = {
	.name = "aem-buddy",
	.suite_init = buddy_suite_init,
	.suite_exit = buddy_suite_exit,
	.test_cases = buddy_cases,
};

kunit_test_suite(buddy_suite);
