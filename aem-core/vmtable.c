// SPDX-License-Identifier: GPL-2.0
/*
 * The VZONE: chunks of physically contiguous pages under a buddy allocator. All bookkeeping is
 * kernel memory; nothing that the process can write is ever read here.
 */
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vmtable.h"

#define CHUNK_PAGES	(AEM_BLOCK_MAX >> PAGE_SHIFT)

/*
 * A zone that meets the limit of its memory cgroup, or finds the kernel short, has an errno for
 * that: no warning, and no process killed to get small change.
 */
#define GFP_CHUNK	(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN)
#define GFP_BOOKS	(GFP_CHUNK | __GFP_RETRY_MAYFAIL)

/**
 * struct chunk - AEM_BLOCK_MAX bytes of a zone
 * @books: what the buddy allocator knows of it
 * @page:  head page; the chunk holds one reference to it
 *
 * The links lie apart, so that the slab allocator rounds both up by little: 3 KiB for 64.
 */
struct chunk {
	struct aem_buddy_chunk books;
	struct page *page;
};

static void check_build(void)
{
	BUILD_BUG_ON(AEM_BLOCK_MIN != 128);
	BUILD_BUG_ON(AEM_BLOCK_MIN * AEM_BUDDY_UNITS != AEM_BLOCK_MAX);
	BUILD_BUG_ON(PAGE_SIZE > AEM_BLOCK_MAX);
	BUILD_BUG_ON(AEM_VMT_NOBODY >= AEM_BUDDY_TAGS);
	BUILD_BUG_ON(AEM_VMT_SPARE_ORDERS > AEM_BUDDY_ORDERS);
	BUILD_BUG_ON(sizeof(struct chunk) +
		     AEM_BUDDY_UNITS / 2 * sizeof(struct aem_buddy_link) >
		     AEM_BLOCK_MAX / 100 * 6);
}

static struct chunk *chunk_at(const struct aem_vmtable *vt, u32 index)
{
	return container_of(vt->table[index], struct chunk, books);
}

static void free_chunk(struct chunk *chunk)
{
	/* Whoever has a page of it mapped or pinned holds a reference to the same head. */
	if (chunk->page)
		put_page(chunk->page);
	kfree(chunk->books.link);
	kfree(chunk);
}

static struct chunk *make_chunk(void)
{
	struct chunk *chunk = kzalloc(sizeof(*chunk), GFP_BOOKS);

	if (!chunk)
		return NULL;
	chunk->books.link = kcalloc(AEM_BUDDY_UNITS / 2, sizeof(*chunk->books.link), GFP_BOOKS);
	if (chunk->books.link)
		chunk->page = alloc_pages(GFP_CHUNK | __GFP_COMP, get_order(AEM_BLOCK_MAX));
	if (!chunk->page) {
		free_chunk(chunk);
		return NULL;
	}
	return chunk;
}

static int grow(struct aem_vmtable *vt)
{
	struct chunk *chunk;

	lockdep_assert_held(&vt->lock);
	if (vt->buddy.chunks == vt->max_chunks)
		return -ENOBUFS;
	chunk = make_chunk();
	if (!chunk)
		return -ENOMEM;
	aem_buddy_add(&vt->buddy, &chunk->books);
	/* Pairs with aem_vmtable_page(): it sees the entry, and the zeroes in the pages. */
	smp_store_release(&vt->chunks, vt->buddy.chunks);
	return 0;
}

int aem_vmtable_init(struct aem_vmtable *vt, u64 size)
{
	u32 chunks = size / AEM_BLOCK_MAX;

	check_build();
	/* Offsets of blocks have 32 bits. */
	if (!size || size % AEM_BLOCK_MAX || size > U32_MAX)
		return -EINVAL;
	vt->table = kvcalloc(chunks, sizeof(*vt->table), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!vt->table)
		return -ENOMEM;
	mutex_init(&vt->lock);
	aem_buddy_init(&vt->buddy, vt->table);
	vt->max_chunks = chunks;
	return 0;
}

void aem_vmtable_destroy(struct aem_vmtable *vt)
{
	u32 index;

	if (!vt->table)
		return;
	for (index = 0; index < vt->chunks; index++)
		free_chunk(chunk_at(vt, index));
	kvfree(vt->table);
	mutex_destroy(&vt->lock);
	memset(vt, 0, sizeof(*vt));
}

static void count_used(struct aem_vmtable *vt, int order, bool more)
{
	u32 units = 1U << order;

	lockdep_assert_held(&vt->lock);
	WRITE_ONCE(vt->used, more ? vt->used + units : vt->used - units);
}

static void fill_block(const struct aem_vmtable *vt, u32 unit, int order,
		       struct aem_block *block)
{
	const struct chunk *chunk = chunk_at(vt, unit / AEM_BUDDY_UNITS);
	u32 inside = unit % AEM_BUDDY_UNITS * AEM_BLOCK_MIN;

	block->address = page_address(chunk->page) + inside;
	block->offset = unit * AEM_BLOCK_MIN;
	block->size = AEM_BLOCK_MIN << order;
}

static struct aem_vmt_spares *spares_of(struct aem_vmtable *vt, int order)
{
	lockdep_assert_held(&vt->lock);
	return order < AEM_VMT_SPARE_ORDERS ? &vt->spares[order] : NULL;
}

/* Of the spares, or AEM_BUDDY_NONE. */
static u32 take_spare(struct aem_vmtable *vt, int order, enum aem_vmt_owner owner)
{
	struct aem_vmt_spares *spares = spares_of(vt, order);
	u32 unit;

	if (!spares || !spares->count)
		return AEM_BUDDY_NONE;
	unit = spares->unit[--spares->count];
	aem_buddy_retag(&vt->buddy, unit, owner);
	return unit;
}

/* False: there are enough. */
static bool make_spare(struct aem_vmtable *vt, u32 unit, int order)
{
	struct aem_vmt_spares *spares = spares_of(vt, order);

	if (!spares || spares->count == AEM_VMT_SPARES)
		return false;
	aem_buddy_retag(&vt->buddy, unit, AEM_VMT_NOBODY);
	spares->unit[spares->count++] = unit;
	return true;
}

static void join_spares(struct aem_vmtable *vt)
{
	struct aem_vmt_spares *spares;

	lockdep_assert_held(&vt->lock);
	for (spares = vt->spares; spares < vt->spares + AEM_VMT_SPARE_ORDERS; spares++)
		while (spares->count)
			aem_buddy_free(&vt->buddy, spares->unit[--spares->count]);
}

static int take_unit(struct aem_vmtable *vt, int order, enum aem_vmt_owner owner, u32 *unit)
{
	int ret;

	lockdep_assert_held(&vt->lock);
	*unit = take_spare(vt, order, owner);
	if (*unit != AEM_BUDDY_NONE)
		return 0;
	*unit = aem_buddy_alloc(&vt->buddy, order, owner);
	if (*unit != AEM_BUDDY_NONE)
		return 0;
	join_spares(vt);
	*unit = aem_buddy_alloc(&vt->buddy, order, owner);
	if (*unit != AEM_BUDDY_NONE)
		return 0;
	ret = grow(vt);
	if (ret)
		return ret;
	/* A new chunk is one free block of the highest order. */
	*unit = aem_buddy_alloc(&vt->buddy, order, owner);
	return 0;
}

int aem_vmtable_alloc(struct aem_vmtable *vt, size_t size, enum aem_vmt_owner owner,
		      struct aem_block *block)
{
	int order, ret;
	u32 unit;

	*block = (struct aem_block){};
	if (!size || size > AEM_BLOCK_MAX)
		return -EINVAL;
	order = order_base_2(DIV_ROUND_UP(size, AEM_BLOCK_MIN));
	mutex_lock(&vt->lock);
	ret = take_unit(vt, order, owner, &unit);
	if (!ret) {
		count_used(vt, order, true);
		fill_block(vt, unit, order, block);
	}
	mutex_unlock(&vt->lock);
	return ret;
}

/* Whether the kernel holds a block that starts and ends where this one does. */
static bool kernel_owns(const struct aem_vmtable *vt, const struct aem_block *block)
{
	int order;

	lockdep_assert_held(&vt->lock);
	order = aem_buddy_order(&vt->buddy, block->offset / AEM_BLOCK_MIN, AEM_VMT_KERNEL);
	return order >= 0 && block->offset % AEM_BLOCK_MIN == 0 &&
	       block->size == AEM_BLOCK_MIN << order;
}

static void free_unit(struct aem_vmtable *vt, u32 unit, int order)
{
	if (!make_spare(vt, unit, order))
		aem_buddy_free(&vt->buddy, unit);
	count_used(vt, order, false);
}

void aem_vmtable_free(struct aem_vmtable *vt, const struct aem_block *block)
{
	bool good;

	if (!block->address)
		return;
	mutex_lock(&vt->lock);
	good = kernel_owns(vt, block);
	if (good)
		free_unit(vt, block->offset / AEM_BLOCK_MIN, ilog2(block->size / AEM_BLOCK_MIN));
	mutex_unlock(&vt->lock);
	WARN_ONCE(!good, "aem: a block was freed that the kernel does not own\n");
}

int aem_vmtable_free_user(struct aem_vmtable *vt, u64 offset)
{
	int order = -1;
	u32 unit;

	might_sleep();
	mutex_lock(&vt->lock);
	if (offset % AEM_BLOCK_MIN == 0 && offset / AEM_BLOCK_MAX < vt->chunks) {
		unit = offset / AEM_BLOCK_MIN;
		unit = array_index_nospec(unit, vt->chunks * AEM_BUDDY_UNITS);
		order = aem_buddy_order(&vt->buddy, unit, AEM_VMT_USER);
		if (order >= 0)
			free_unit(vt, unit, order);
	}
	mutex_unlock(&vt->lock);
	return order < 0 ? -EINVAL : 0;
}

void aem_vmtable_give(struct aem_vmtable *vt, const struct aem_block *block)
{
	bool good;

	might_sleep();
	if (!block->address)
		return;
	mutex_lock(&vt->lock);
	good = kernel_owns(vt, block);
	if (good)
		aem_buddy_retag(&vt->buddy, block->offset / AEM_BLOCK_MIN, AEM_VMT_USER);
	mutex_unlock(&vt->lock);
	WARN_ONCE(!good, "aem: a block was given away that the kernel does not own\n");
}

struct page *aem_vmtable_page(struct aem_vmtable *vt, unsigned long pgoff)
{
	/* Pairs with grow(). */
	u32 chunks = smp_load_acquire(&vt->chunks);
	unsigned long index = pgoff / CHUNK_PAGES;
	struct page *page;

	if (index >= chunks)
		return NULL;
	index = array_index_nospec(index, chunks);
	page = chunk_at(vt, index)->page + pgoff % CHUNK_PAGES;
	get_page(page);
	return page;
}

u64 aem_vmtable_used(struct aem_vmtable *vt)
{
	return (u64)READ_ONCE(vt->used) * AEM_BLOCK_MIN;
}
