/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A naive model of the buddy allocator, and random operations that hold the two against each
 * other. For buddy_test.c in the kernel and selftests/host/buddy.c in user space.
 *
 * The model knows of each unit whether it is free, and nothing of lists or orders. From that
 * follows all that an allocator which joins everything must do: blocks never overlap, and a
 * block is refused exactly if no aligned range of its size is free.
 */
#ifndef _AEM_BUDDY_MODEL_H
#define _AEM_BUDDY_MODEL_H

#include <linux/string.h>

#include "buddy.h"

#define MODEL_CHUNKS	4U
#define MODEL_UNITS	(MODEL_CHUNKS * AEM_BUDDY_UNITS)
#define MODEL_TOP	(AEM_BUDDY_ORDERS - 1)

/**
 * struct model_block - a block that is allocated
 * @unit:  its first unit
 * @order: its order
 * @tag:   its tag
 */
struct model_block {
	u32 unit;
	u8 order;
	u8 tag;
};

/**
 * struct model - the allocator, and what it should be like
 * @buddy:   the allocator
 * @table:   its chunks
 * @books:   memory of the chunks
 * @links:   memory of their links
 * @taken:   of each unit: 0, or 1 + the place in @blocks of the block that it is in
 * @blocks:  the allocated blocks
 * @n:       how many
 * @free:    units that are free
 * @refused: allocations that were, rightly, refused
 * @random:  state of the random numbers; not 0
 * @failure: what was wrong first; NULL: nothing
 * @op:      operations that were done before that
 */
struct model {
	struct aem_buddy buddy;
	struct aem_buddy_chunk *table[MODEL_CHUNKS];
	struct aem_buddy_chunk books[MODEL_CHUNKS];
	struct aem_buddy_link links[MODEL_CHUNKS][AEM_BUDDY_UNITS / 2];
	u32 taken[MODEL_UNITS];
	struct model_block blocks[MODEL_UNITS];
	u32 n;
	u32 free;
	u32 refused;
	u64 random;
	const char *failure;
	u32 op;
};

#define MODEL_CHECK(model, condition)					\
	do {								\
		if (!(condition) && !(model)->failure)			\
			(model)->failure = #condition;			\
	} while (0)

static inline u32 model_random(struct model *m, u32 below)
{
	u64 x = m->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	m->random = x;
	return (u32)(x >> 32) % below;
}

/* @m is zeroed but for @random. */
static inline void model_init(struct model *m)
{
	aem_buddy_init(&m->buddy, m->table);
	memset(m->links, 0xa5, sizeof(m->links));
}

static inline void model_grow(struct model *m)
{
	struct aem_buddy_chunk *books = &m->books[m->buddy.chunks];

	books->link = m->links[m->buddy.chunks];
	aem_buddy_add(&m->buddy, books);
	m->free += AEM_BUDDY_UNITS;
}

static inline bool model_range_free(const struct model *m, u32 unit, unsigned int order)
{
	u32 i;

	for (i = unit; i < unit + (1U << order); i++)
		if (m->taken[i])
			return false;
	return true;
}

static inline bool model_has_room(const struct model *m, unsigned int order)
{
	u32 unit;

	for (unit = 0; unit < m->buddy.chunks * AEM_BUDDY_UNITS; unit += 1U << order)
		if (model_range_free(m, unit, order))
			return true;
	return false;
}

static inline void model_paint(struct model *m, const struct model_block *block, u32 value)
{
	u32 i;

	for (i = 0; i < 1U << block->order; i++)
		m->taken[block->unit + i] = value;
}

static inline void model_alloc(struct model *m, unsigned int order)
{
	u32 tag = model_random(m, AEM_BUDDY_TAGS);
	u32 exact = m->buddy.head[order];
	u32 unit = aem_buddy_alloc(&m->buddy, order, tag);
	struct model_block *block = &m->blocks[m->n];

	if (unit == AEM_BUDDY_NONE) {
		MODEL_CHECK(m, !model_has_room(m, order));
		m->refused++;
		return;
	}
	MODEL_CHECK(m, unit % (1U << order) == 0);
	MODEL_CHECK(m, unit + (1U << order) <= m->buddy.chunks * AEM_BUDDY_UNITS);
	/* What makes it constant time. */
	MODEL_CHECK(m, exact == AEM_BUDDY_NONE || unit == exact);
	if (m->failure)
		return;
	MODEL_CHECK(m, model_range_free(m, unit, order));
	*block = (struct model_block){ .unit = unit, .order = order, .tag = tag };
	model_paint(m, block, ++m->n);
	m->free -= 1U << order;
}

static inline void model_free(struct model *m, u32 index)
{
	struct model_block *block = &m->blocks[index];
	int order = aem_buddy_order(&m->buddy, block->unit, block->tag);

	MODEL_CHECK(m, order == block->order);
	if (m->failure)
		return;
	aem_buddy_free(&m->buddy, block->unit);
	MODEL_CHECK(m, aem_buddy_order(&m->buddy, block->unit, block->tag) == -1);
	model_paint(m, block, 0);
	m->free += 1U << block->order;
	if (index != --m->n) {
		*block = m->blocks[m->n];
		model_paint(m, block, index + 1);
	}
}

static inline void model_retag(struct model *m, u32 index)
{
	struct model_block *block = &m->blocks[index];

	block->tag = model_random(m, AEM_BUDDY_TAGS);
	aem_buddy_retag(&m->buddy, block->unit, block->tag);
}

/* Any number may be asked for: only the exact start of a block, and its own tag, will do. */
static inline void model_ask(struct model *m)
{
	u32 unit = model_random(m, MODEL_UNITS + 2 * AEM_BUDDY_UNITS);
	u32 tag = model_random(m, AEM_BUDDY_TAGS);
	const struct model_block *block;
	int order = -1;

	if (unit < MODEL_UNITS && m->taken[unit]) {
		block = &m->blocks[m->taken[unit] - 1];
		if (block->unit == unit && block->tag == tag)
			order = block->order;
	}
	MODEL_CHECK(m, aem_buddy_order(&m->buddy, unit, tag) == order);
	MODEL_CHECK(m, aem_buddy_order(&m->buddy, AEM_BUDDY_NONE, tag) == -1);
}

/* Walks the list of an order, and returns how many blocks it has. */
static inline u32 model_check_list(struct model *m, unsigned int order)
{
	u32 unit, prev = AEM_BUDDY_NONE, n = 0;
	const struct aem_buddy_link *link;

	for (unit = m->buddy.head[order]; unit != AEM_BUDDY_NONE; unit = link->next) {
		MODEL_CHECK(m, unit < m->buddy.chunks * AEM_BUDDY_UNITS);
		MODEL_CHECK(m, unit % (1U << order) == 0);
		MODEL_CHECK(m, ++n <= MODEL_UNITS >> order);
		if (m->failure)
			return 0;
		link = &m->table[unit / AEM_BUDDY_UNITS]->link[unit % AEM_BUDDY_UNITS / 2];
		MODEL_CHECK(m, link->prev == prev);
		MODEL_CHECK(m, model_range_free(m, unit, order));
		/* Joined with its buddy, unless that is, in part at least, in use. */
		if (order < MODEL_TOP)
			MODEL_CHECK(m, !model_range_free(m, unit ^ (1U << order), order));
		prev = unit;
	}
	return n;
}

/* How many units are marked as the first of a block. */
static inline u32 model_starts(const struct model *m)
{
	u32 unit, starts = 0;

	for (unit = 0; unit < m->buddy.chunks * AEM_BUDDY_UNITS; unit++)
		if (m->table[unit / AEM_BUDDY_UNITS]->state[unit % AEM_BUDDY_UNITS])
			starts++;
	return starts;
}

static inline void model_check(struct model *m)
{
	u32 n, sum = 0, lists = 0;
	unsigned int order;

	for (order = 0; order <= MODEL_TOP; order++) {
		n = model_check_list(m, order);
		MODEL_CHECK(m, !n == !(m->buddy.filled & (1U << order)));
		sum += n << order;
		lists += n;
	}
	MODEL_CHECK(m, !(m->buddy.filled >> AEM_BUDDY_ORDERS));
	MODEL_CHECK(m, sum == m->free);
	MODEL_CHECK(m, model_starts(m) == m->n + lists);
}

/* Give everything back, in random order: whole chunks must be left. */
static inline void model_drain(struct model *m)
{
	u32 chunks = m->buddy.chunks;

	while (m->n && !m->failure)
		model_free(m, model_random(m, m->n));
	model_check(m);
	MODEL_CHECK(m, m->free == chunks * AEM_BUDDY_UNITS);
	MODEL_CHECK(m, m->failure || model_check_list(m, MODEL_TOP) == chunks);
}

/* Small ones are more frequent, half of all of order 0 to 2. */
static inline unsigned int model_pick_order(struct model *m)
{
	return model_random(m, 1 + model_random(m, AEM_BUDDY_ORDERS));
}

/**
 * model_go_on() - random operations, in phases that fill and phases that empty
 * @m:   after model_init()
 * @ops: how many there shall have been, those of earlier calls included
 *
 * Return: what failed, or NULL.
 */
static inline const char *model_go_on(struct model *m, u32 ops)
{
	u32 bias = 2;

	for (; m->op < ops && !m->failure; m->op++) {
		if (m->op % 4096 == 0)
			bias = 1 + model_random(m, 3);
		if (m->op % 256 == 0)
			model_check(m);
		if (m->op % 65536 == 65535)
			model_drain(m);
		if (m->buddy.chunks < MODEL_CHUNKS && !model_random(m, 20000))
			model_grow(m);
		model_ask(m);
		if (model_random(m, 4) < bias)
			model_alloc(m, model_pick_order(m));
		else if (m->n && !model_random(m, 8))
			model_retag(m, model_random(m, m->n));
		else if (m->n)
			model_free(m, model_random(m, m->n));
	}
	model_drain(m);
	return m->failure;
}

/**
 * model_run() - all at once
 * @m:   zeroed, but for @random
 * @ops: how many operations
 *
 * Return: what failed, or NULL.
 */
static inline const char *model_run(struct model *m, u32 ops)
{
	model_init(m);
	return model_go_on(m, ops);
}

#endif /* _AEM_BUDDY_MODEL_H */
