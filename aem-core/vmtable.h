/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vmtable: a zone of memory that the kernel and a process both reach, in blocks. Knows
 * nothing of events, nor of who owns it.
 */
#ifndef _AEM_CORE_VMTABLE_H
#define _AEM_CORE_VMTABLE_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <aem/vmtable.h>
#include "buddy.h"

/** AEM_BLOCK_MIN: The smallest block, and the unit of the bookkeeping. */
#define AEM_BLOCK_MIN	(AEM_BLOCK_MAX / AEM_BUDDY_UNITS)

/** AEM_VMT_SPARES: Spare blocks of a size, at most: a burst of records. */
#define AEM_VMT_SPARES		64
/** AEM_VMT_SPARE_ORDERS: Orders that have spares: blocks up to 4 KiB. */
#define AEM_VMT_SPARE_ORDERS	6

/**
 * enum aem_vmt_owner - who may give a block back
 * @AEM_VMT_KERNEL: the kernel: aem_vmtable_free()
 * @AEM_VMT_USER:   the process: aem_vmtable_free_user()
 * @AEM_VMT_NOBODY: nobody: it is spare
 */
enum aem_vmt_owner {
	AEM_VMT_KERNEL = 0,
	AEM_VMT_USER = 1,
	AEM_VMT_NOBODY = 2,
};

/**
 * struct aem_vmt_spares - free blocks of an order that were not joined with their buddies
 * @count: how many
 * @unit:  first unit of each; the last one in comes out first
 */
struct aem_vmt_spares {
	u32 count;
	u32 unit[AEM_VMT_SPARES];
};

/**
 * struct aem_vmtable - a zone
 * @lock:       protects @buddy, and makes one chunk be added at a time. Held only
 *              inside the functions below. Memory is allocated under it, so that
 *              it nests inside every lock under which GFP_KERNEL is allowed;
 *              nothing but the page allocator is called under it: it is a leaf.
 *              In particular no page fault waits for it
 * @buddy:      which blocks are free; @lock
 * @chunks:     chunks that aem_vmtable_page() may use. Written under @lock, with
 *              release, after the chunk's entry in @table, which is constant
 *              from then on. Only grows
 * @max_chunks: chunks that make the zone full; constant
 * @used:       units in allocated blocks. Written under @lock, read without
 * @spares:     of the lower orders, for who asks for such a block next: records come and go
 *              in blocks of the same size. The allocator takes them for allocated. They are
 *              joined when it has nothing else left, before the zone grows; @lock
 * @table:      room for max_chunks chunks. @buddy's view of it has the same
 *              address
 *
 * The caller zeroes it before aem_vmtable_init(). A chunk is AEM_BLOCK_MAX bytes
 * of physically contiguous pages. It comes when it is needed first, and stays
 * until aem_vmtable_destroy(): the process has it mapped.
 */
struct aem_vmtable {
	struct mutex lock;
	struct aem_buddy buddy;
	u32 chunks;
	u32 max_chunks;
	u32 used;
	struct aem_vmt_spares spares[AEM_VMT_SPARE_ORDERS];
	struct aem_buddy_chunk **table;
};

/**
 * aem_vmtable_init() - make an empty zone
 * @vt:   zeroed
 * @size: bytes that it may grow to: a multiple of AEM_BLOCK_MAX, not zero, at
 *        most 1 GiB, which is the caller's limit
 *
 * Takes a pointer for each chunk that the zone may have, and no other memory.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: @size; -ENOMEM. @vt is still zeroed then.
 */
int aem_vmtable_init(struct aem_vmtable *vt, u64 size);

/**
 * aem_vmtable_destroy() - free the zone and all that is allocated in it
 * @vt: a zone, or a zeroed one, or one that was destroyed already
 *
 * No other call with @vt may be under way or follow, aem_vmtable_page() not
 * excepted. Pages that are still mapped or pinned somewhere live on until the
 * last reference goes, and are nobody else's until then.
 *
 * Context: process context, may sleep.
 */
void aem_vmtable_destroy(struct aem_vmtable *vt);

/**
 * aem_vmtable_alloc() - take a block
 * @vt:    the zone
 * @size:  bytes wanted, 1 to AEM_BLOCK_MAX
 * @owner: who gives it back
 * @block: filled on success, made empty otherwise
 *
 * The process must see no data but its own: a new chunk is zeroed, a block that is
 * used again holds what the same process left there.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: @size; -ENOBUFS: the zone has grown to its size, and no block
 * of @size is free; -ENOMEM: it may grow, and there are no pages.
 */
int aem_vmtable_alloc(struct aem_vmtable *vt, size_t size, enum aem_vmt_owner owner,
		      struct aem_block *block);

/**
 * aem_vmtable_free() - give back a block that the kernel owns
 * @vt:    the zone
 * @block: from aem_vmtable_alloc() with AEM_VMT_KERNEL; an empty one is ignored
 *
 * Anything else, a block that was freed or given away among it, is a bug of the
 * caller: warned of once, and nothing is done.
 *
 * Context: process context, may sleep.
 */
void aem_vmtable_free(struct aem_vmtable *vt, const struct aem_block *block);

/**
 * aem_vmtable_free_user() - give back a block that the process owns
 * @vt:     the zone
 * @offset: any number, as it came from the process
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL: no block that the process owns starts at @offset.
 */
int aem_vmtable_free_user(struct aem_vmtable *vt, u64 offset);

/**
 * aem_vmtable_give() - make the process the owner of a block
 * @vt:    the zone
 * @block: that the kernel owns, as for aem_vmtable_free(); an empty one is ignored
 *
 * From now on the process may free it at any time: the caller forgets it.
 *
 * Context: process context, may sleep.
 */
void aem_vmtable_give(struct aem_vmtable *vt, const struct aem_block *block);

/**
 * aem_vmtable_page() - the page for a page fault in a mapping of the zone
 * @vt:    the zone
 * @pgoff: offset in the zone, in pages; any number
 *
 * A fault allocates nothing: no block ever lay where no page is. Takes no lock, so it
 * does not matter what the fault holds.
 *
 * Context: any.
 * Return: the page, with a reference for the caller; NULL: outside the zone, or in
 * the part that it has not grown to yet: the fault ends in SIGBUS.
 */
struct page *aem_vmtable_page(struct aem_vmtable *vt, unsigned long pgoff);

/**
 * aem_vmtable_used() - how full a zone is
 * @vt: the zone, or a zeroed one
 *
 * Context: any.
 * Return: bytes in allocated blocks.
 */
u64 aem_vmtable_used(struct aem_vmtable *vt);

#endif /* _AEM_CORE_VMTABLE_H */
