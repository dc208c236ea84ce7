// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the vmtable: what a process may ask for, free and map, whatever numbers it gives.
 * Built if CONFIG_KUNIT is.
 */
#include <kunit/test.h>
#include <linux/mm.h>

#include "vmtable.h"

#define CHUNKS	2
#define SIZE	(CHUNKS * AEM_BLOCK_MAX)
#define PAGES	(SIZE >> PAGE_SHIFT)

/* 0, or the errno. */
static int take(struct kunit *test, size_t size, enum aem_vmt_owner owner, struct aem_block *block)
{
	return aem_vmtable_alloc(test->priv, size, owner, block);
}

static int vmtable_test_init(struct kunit *test)
{
	struct aem_vmtable *vt = kunit_kzalloc(test, sizeof(*vt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vt);
	KUNIT_ASSERT_EQ(test, aem_vmtable_init(vt, SIZE), 0);
	test->priv = vt;
	return 0;
}

static void vmtable_test_exit(struct kunit *test)
{
	if (test->priv)
		aem_vmtable_destroy(test->priv);
}

static void vmtable_sizes_of_zones(struct kunit *test)
{
	static const u64 bad[] = {
		0, 1, AEM_BLOCK_MAX - 1, AEM_BLOCK_MAX + 1, BIT_ULL(32), U64_MAX,
		U64_MAX - AEM_BLOCK_MAX + 1,
	};
	struct aem_vmtable vt = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, aem_vmtable_init(&vt, bad[i]), -EINVAL);
	KUNIT_EXPECT_EQ(test, aem_vmtable_used(&vt), 0ULL);
	aem_vmtable_destroy(&vt);
}

static void vmtable_sizes_of_blocks(struct kunit *test)
{
	static const struct {
		size_t asked;
		u32 got;
	} sizes[] = {
		{ 1, 128 }, { 128, 128 }, { 129, 256 }, { 4096, 4096 }, { 4097, 8192 },
		{ 32769, 65536 }, { 65536, 65536 },
	};
	struct aem_vmtable *vt = test->priv;
	struct aem_block block;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		KUNIT_ASSERT_EQ(test, take(test, sizes[i].asked, AEM_VMT_KERNEL, &block), 0);
		KUNIT_EXPECT_EQ(test, block.size, sizes[i].got);
		KUNIT_EXPECT_EQ(test, block.offset % block.size, 0U);
		KUNIT_EXPECT_LE(test, block.offset + block.size, (u32)SIZE);
		KUNIT_EXPECT_EQ(test, aem_vmtable_used(vt), (u64)block.size);
		aem_vmtable_free(vt, &block);
		KUNIT_EXPECT_EQ(test, aem_vmtable_used(vt), 0ULL);
	}
	KUNIT_EXPECT_EQ(test, take(test, 0, AEM_VMT_USER, &block), -EINVAL);
	KUNIT_EXPECT_EQ(test, take(test, 65537, AEM_VMT_USER, &block), -EINVAL);
	KUNIT_EXPECT_EQ(test, take(test, SIZE_MAX, AEM_VMT_USER, &block), -EINVAL);
	KUNIT_EXPECT_NULL(test, block.address);
}

static void vmtable_until_it_is_full(struct kunit *test)
{
	struct aem_vmtable *vt = test->priv;
	struct aem_block block[CHUNKS], more;
	int i;

	for (i = 0; i < CHUNKS; i++) {
		KUNIT_ASSERT_EQ(test, take(test, AEM_BLOCK_MAX, AEM_VMT_KERNEL, &block[i]), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(block[i].address, 0, AEM_BLOCK_MAX));
		memset(block[i].address, 0x5a, AEM_BLOCK_MAX);
	}
	KUNIT_EXPECT_EQ(test, take(test, 1, AEM_VMT_KERNEL, &more), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, aem_vmtable_used(vt), (u64)SIZE);
	aem_vmtable_free(vt, &block[0]);
	KUNIT_ASSERT_EQ(test, take(test, 1, AEM_VMT_KERNEL, &more), 0);
	KUNIT_EXPECT_EQ(test, more.offset / AEM_BLOCK_MAX, block[0].offset / AEM_BLOCK_MAX);
}

/* Each multiple of every step, of a zone with a block of either owner. */
static void vmtable_hostile_offsets(struct kunit *test)
{
	static const u64 bases[] = {
		0, BIT_ULL(31), BIT_ULL(32), BIT_ULL(39), BIT_ULL(63), U64_MAX - 2 * SIZE + 1,
	};
	struct aem_vmtable *vt = test->priv;
	struct aem_block theirs, ours;
	int i, freed = 0;
	u64 offset;

	KUNIT_ASSERT_EQ(test, take(test, 300, AEM_VMT_KERNEL, &ours), 0);
	KUNIT_ASSERT_EQ(test, take(test, 300, AEM_VMT_USER, &theirs), 0);
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		for (offset = 0; offset < 2 * SIZE; offset += AEM_BLOCK_MIN / 2)
			if (bases[i] + offset != theirs.offset)
				freed += !aem_vmtable_free_user(vt, bases[i] + offset);
	KUNIT_EXPECT_EQ(test, freed, 0);
	KUNIT_EXPECT_EQ(test, aem_vmtable_used(vt), (u64)theirs.size + ours.size);
	KUNIT_EXPECT_EQ(test, aem_vmtable_free_user(vt, theirs.offset), 0);
	KUNIT_EXPECT_EQ(test, aem_vmtable_free_user(vt, theirs.offset), -EINVAL);
}

static void vmtable_given_away(struct kunit *test)
{
	struct aem_vmtable *vt = test->priv;
	struct aem_block block;

	KUNIT_ASSERT_EQ(test, take(test, 5000, AEM_VMT_KERNEL, &block), 0);
	KUNIT_EXPECT_EQ(test, aem_vmtable_free_user(vt, block.offset), -EINVAL);
	aem_vmtable_give(vt, &block);
	KUNIT_EXPECT_EQ(test, aem_vmtable_used(vt), (u64)block.size);
	KUNIT_EXPECT_EQ(test, aem_vmtable_free_user(vt, block.offset), 0);
	KUNIT_EXPECT_EQ(test, aem_vmtable_used(vt), 0ULL);
	/* An empty block is nobody's. */
	aem_vmtable_free(vt, &(struct aem_block){});
	aem_vmtable_give(vt, &(struct aem_block){});
}

/* Pages are there as far as the zone has grown, and nowhere else. */
static void vmtable_hostile_faults(struct kunit *test)
{
	static const unsigned long outside[] = {
		PAGES, PAGES + 1, 1UL << 20, 1UL << 36, 1UL << 52, ULONG_MAX, ULONG_MAX - PAGES,
	};
	struct aem_vmtable *vt = test->priv;
	struct aem_block block[CHUNKS];
	struct page *page;
	unsigned long i;

	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_NULL(test, aem_vmtable_page(vt, i));
	for (i = 0; i < CHUNKS; i++)
		KUNIT_ASSERT_EQ(test, take(test, AEM_BLOCK_MAX, AEM_VMT_USER, &block[i]), 0);
	for (i = 0; i < PAGES; i++) {
		unsigned long inside = (i << PAGE_SHIFT) % AEM_BLOCK_MAX;

		page = aem_vmtable_page(vt, i);
		KUNIT_ASSERT_NOT_NULL(test, page);
		KUNIT_EXPECT_PTR_EQ(test, page_address(page),
				    block[(i << PAGE_SHIFT) / AEM_BLOCK_MAX].address + inside);
		put_page(page);
	}
	for (i = 0; i < ARRAY_SIZE(outside); i++)
		KUNIT_EXPECT_NULL(test, aem_vmtable_page(vt, outside[i]));
}

static struct kunit_case vmtable_cases[] = {
	KUNIT_CASE(vmtable_sizes_of_zones),
	KUNIT_CASE(vmtable_sizes_of_blocks),
	KUNIT_CASE(vmtable_until_it_is_full),
	KUNIT_CASE(vmtable_hostile_offsets),
	KUNIT_CASE(vmtable_given_away),
	KUNIT_CASE(vmtable_hostile_faults),
	{}
};

static struct kunit_suite vmtable_suite = {
	.name = "aem-vmtable",
	.init = vmtable_test_init,
	.exit = vmtable_test_exit,
	.test_cases = vmtable_cases,
};

kunit_test_suite(vmtable_suite);
