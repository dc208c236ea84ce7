// SPDX-License-Identifier: GPL-2.0
/*
 * A binary buddy allocator over numbers. Runs in user space as well: selftests/host/buddy.c.
 */
#include <linux/bitops.h>
#include <linux/types.h>

#include "buddy.h"

/* Of a free block. */
#define STATE_FREE	0x10U

static struct aem_buddy_link *link_of(const struct aem_buddy *buddy, u32 unit)
{
	return &buddy->chunk[unit / AEM_BUDDY_UNITS]->link[unit % AEM_BUDDY_UNITS / 2];
}

static void push(struct aem_buddy *buddy, u32 unit, unsigned int order)
{
	struct aem_buddy_link *link = link_of(buddy, unit);
	u32 next = buddy->head[order];

	link->prev = AEM_BUDDY_NONE;
	link->next = next;
	if (next != AEM_BUDDY_NONE)
		link_of(buddy, next)->prev = unit;
	buddy->head[order] = unit;
	buddy->filled |= 1U << order;
	*aem_buddy_state(buddy, unit) = STATE_FREE | order;
}

/* Leaves the unit as if inside of a block; the caller knows what it becomes. */
static void unlink_free(struct aem_buddy *buddy, u32 unit, unsigned int order)
{
	const struct aem_buddy_link link = *link_of(buddy, unit);

	if (link.next != AEM_BUDDY_NONE)
		link_of(buddy, link.next)->prev = link.prev;
	if (link.prev != AEM_BUDDY_NONE)
		link_of(buddy, link.prev)->next = link.next;
	else
		buddy->head[order] = link.next;
	if (buddy->head[order] == AEM_BUDDY_NONE)
		buddy->filled &= ~(1U << order);
	*aem_buddy_state(buddy, unit) = 0;
}

void aem_buddy_init(struct aem_buddy *buddy, struct aem_buddy_chunk **table)
{
	unsigned int order;

	buddy->chunk = table;
	buddy->chunks = 0;
	buddy->filled = 0;
	for (order = 0; order < AEM_BUDDY_ORDERS; order++)
		buddy->head[order] = AEM_BUDDY_NONE;
}

void aem_buddy_add(struct aem_buddy *buddy, struct aem_buddy_chunk *chunk)
{
	u32 unit = buddy->chunks * AEM_BUDDY_UNITS;

	buddy->chunk[buddy->chunks++] = chunk;
	push(buddy, unit, AEM_BUDDY_ORDERS - 1);
}

u32 aem_buddy_alloc(struct aem_buddy *buddy, unsigned int order, unsigned int tag)
{
	u32 enough = buddy->filled & (~0U << order);
	unsigned int have;
	u32 unit;

	if (!enough)
		return AEM_BUDDY_NONE;
	have = __ffs(enough);
	unit = buddy->head[have];
	unlink_free(buddy, unit, have);
	while (have > order) {
		have--;
		push(buddy, unit + (1U << have), have);
	}
	*aem_buddy_state(buddy, unit) = AEM_BUDDY_TAG(tag) | order;
	return unit;
}

void aem_buddy_free(struct aem_buddy *buddy, u32 unit)
{
	unsigned int order = *aem_buddy_state(buddy, unit) & AEM_BUDDY_ORDER;

	*aem_buddy_state(buddy, unit) = 0;
	while (order < AEM_BUDDY_ORDERS - 1) {
		u32 other = unit ^ (1U << order);

		if (*aem_buddy_state(buddy, other) != (STATE_FREE | order))
			break;
		unlink_free(buddy, other, order);
		unit &= ~(1U << order);
		order++;
	}
	push(buddy, unit, order);
}
