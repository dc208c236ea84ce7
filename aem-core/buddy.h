/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A binary buddy allocator over numbers. It hands out ranges of units; what a unit is, and
 * where it lies, is the caller's business: no pages, no locks, no memory of its own.
 */
#ifndef _AEM_BUDDY_H
#define _AEM_BUDDY_H

#include <linux/types.h>

/** AEM_BUDDY_ORDERS: Blocks are 1, 2, 4 ... 1 << (AEM_BUDDY_ORDERS - 1) units. */
#define AEM_BUDDY_ORDERS	10
/** AEM_BUDDY_UNITS: Units of a chunk, which is one block of the highest order. */
#define AEM_BUDDY_UNITS		(1U << (AEM_BUDDY_ORDERS - 1))
/** AEM_BUDDY_TAGS: Tags of allocated blocks are 0 to AEM_BUDDY_TAGS - 1. */
#define AEM_BUDDY_TAGS		3
/** AEM_BUDDY_NONE: No unit. */
#define AEM_BUDDY_NONE		((u32)~0U)

/*
 * state[] of the first unit of a block: its order, and what it is; below AEM_BUDDY_TAG(0) it is
 * free. Every other unit is zero: inside of a block.
 */
#define AEM_BUDDY_ORDER		0x0fU
#define AEM_BUDDY_TAG(_tag)	(0x20U + 0x10U * (_tag))

/**
 * struct aem_buddy_link - place of a free block in the list of its order
 * @next: first unit of the next free block, or AEM_BUDDY_NONE
 * @prev: first unit of the one before, or AEM_BUDDY_NONE
 */
struct aem_buddy_link {
	u32 next;
	u32 prev;
};

/**
 * struct aem_buddy_chunk - the bookkeeping of AEM_BUDDY_UNITS units
 * @link:  AEM_BUDDY_UNITS / 2 links, one for two units: of the units 2n and 2n + 1
 *         one at most starts a free block. If both did, they were two free
 *         buddies of order 0, and those are always joined
 * @state: of each unit: zero, or for the first unit of a block what it is
 *
 * Both are the caller's memory, @state zeroed by it, @link not necessarily.
 */
struct aem_buddy_chunk {
	struct aem_buddy_link *link;
	u8 state[AEM_BUDDY_UNITS];
};

/**
 * struct aem_buddy - an allocator
 * @chunk:  the chunks, the caller's table; those below @chunks are set
 * @chunks: how many have been added
 * @filled: bit n is set if there is a free block of order n
 * @head:   first unit of the first free block of each order, or AEM_BUDDY_NONE
 *
 * Everything is protected by the caller's lock. The chunk of unit n is
 * chunk[n / AEM_BUDDY_UNITS]; no block reaches from one chunk into another.
 */
struct aem_buddy {
	struct aem_buddy_chunk **chunk;
	u32 chunks;
	u32 filled;
	u32 head[AEM_BUDDY_ORDERS];
};

/** aem_buddy_state() - what is known of a unit of a chunk that was added. */
static inline u8 *aem_buddy_state(const struct aem_buddy *buddy, u32 unit)
{
	return &buddy->chunk[unit / AEM_BUDDY_UNITS]->state[unit % AEM_BUDDY_UNITS];
}

/**
 * aem_buddy_init() - start with no chunk
 * @buddy: the allocator
 * @table: room for a pointer to each chunk that will be added
 */
void aem_buddy_init(struct aem_buddy *buddy, struct aem_buddy_chunk **table);

/**
 * aem_buddy_add() - add a chunk, as one free block
 * @buddy: the allocator
 * @chunk: its bookkeeping; its units follow those of the chunk added before
 */
void aem_buddy_add(struct aem_buddy *buddy, struct aem_buddy_chunk *chunk);

/**
 * aem_buddy_alloc() - take a block
 * @buddy: the allocator
 * @order: of the block, below AEM_BUDDY_ORDERS
 * @tag:   noted with the block, below AEM_BUDDY_TAGS
 *
 * Constant time if a block of that order is free, otherwise a step for each
 * order up to the lowest that has one.
 *
 * Return: the first unit, a multiple of the block's size; AEM_BUDDY_NONE: no
 * block of that order or a higher one is free.
 */
u32 aem_buddy_alloc(struct aem_buddy *buddy, unsigned int order, unsigned int tag);

/**
 * aem_buddy_order() - the order of an allocated block
 * @buddy: the allocator
 * @unit:  any number
 * @tag:   that the block must have
 *
 * Return: the order; -1: no block that is allocated with this tag starts at @unit.
 */
static inline int aem_buddy_order(const struct aem_buddy *buddy, u32 unit, unsigned int tag)
{
	u8 state;

	if (unit / AEM_BUDDY_UNITS >= buddy->chunks)
		return -1;
	state = *aem_buddy_state(buddy, unit);
	if ((state & ~AEM_BUDDY_ORDER) != AEM_BUDDY_TAG(tag))
		return -1;
	return state & AEM_BUDDY_ORDER;
}

/**
 * aem_buddy_retag() - note another tag with a block
 * @buddy: the allocator
 * @unit:  first unit of an allocated block
 * @tag:   the new tag
 */
static inline void aem_buddy_retag(struct aem_buddy *buddy, u32 unit, unsigned int tag)
{
	u8 *state = aem_buddy_state(buddy, unit);

	*state = AEM_BUDDY_TAG(tag) | (*state & AEM_BUDDY_ORDER);
}

/**
 * aem_buddy_free() - give a block back, joining it with free buddies
 * @buddy: the allocator
 * @unit:  first unit of an allocated block (see aem_buddy_order())
 */
void aem_buddy_free(struct aem_buddy *buddy, u32 unit);

#endif /* _AEM_BUDDY_H */
