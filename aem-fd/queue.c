// SPDX-License-Identifier: GPL-2.0
/*
 * Notes that wait: a ring of bytes, taken at the registration. A note is as long as its names.
 * All under the lock of the watch whose queue it is.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "fd.h"

/** aem_fd_queue_init() - room for @size bytes, a multiple of 8. Return: 0 or -ENOMEM. */
int aem_fd_queue_init(struct aem_fd_queue *queue, u32 size)
{
	queue->bytes = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	queue->size = size;
	return queue->bytes ? 0 : -ENOMEM;
}

/** aem_fd_queue_free() - notes that wait are forgotten. */
void aem_fd_queue_free(struct aem_fd_queue *queue)
{
	kvfree(queue->bytes);
}

/* The place that comes @n bytes after @at; @n is not more than the ring has. */
static u32 after(const struct aem_fd_queue *queue, u32 at, u32 n)
{
	return at + n < queue->size ? at + n : at + n - queue->size;
}

static u32 copy_in(struct aem_fd_queue *queue, u32 at, const void *from, u32 n)
{
	u32 first = min(n, queue->size - at);

	memcpy(queue->bytes + at, from, first);
	memcpy(queue->bytes, from + first, n - first);
	return after(queue, at, n);
}

static void copy_out(const struct aem_fd_queue *queue, u32 at, void *to, u32 n)
{
	u32 first = min(n, queue->size - at);

	memcpy(to, queue->bytes + at, first);
	memcpy(to + first, queue->bytes, n - first);
}

static bool is_equal(const struct aem_fd_queue *queue, u32 at, const void *to, u32 n)
{
	u32 first = min(n, queue->size - at);

	return !memcmp(queue->bytes + at, to, first) &&
	       !memcmp(queue->bytes, to + first, n - first);
}

static u32 name_length(const struct qstr *name)
{
	return name ? min_t(u32, name->len, NAME_MAX) : 0;
}

static u32 *field(const struct aem_fd_queue *queue, u32 note, u32 offset)
{
	return (u32 *)(queue->bytes + after(queue, note, offset));
}

/* Does the newest note say the same, whenever it happened? */
static bool repeats_last(const struct aem_fd_queue *queue, const struct aem_fd_note *note,
			 const struct aem_fd_fact *fact)
{
	u32 from = offsetof(struct aem_fd_note, kinds);
	u32 names = after(queue, queue->last, sizeof(*note));

	return queue->used && *field(queue, queue->last, 0) == note->length &&
	       is_equal(queue, after(queue, queue->last, from), &note->kinds,
			sizeof(*note) - from) &&
	       (!fact->name || is_equal(queue, names, fact->name->name, note->name_length)) &&
	       (!fact->name2 || is_equal(queue, after(queue, names, note->name_length + 1),
					 fact->name2->name, note->name2_length));
}

static u32 put_name(struct aem_fd_queue *queue, u32 at, const struct qstr *name, u32 length)
{
	if (length)
		at = copy_in(queue, at, name->name, length);
	return copy_in(queue, at, "", 1);
}

/**
 * aem_fd_queue_put() - one note more
 * @queue: if it has no room, the note counts as lost
 * @note:  all but @length, @count and what is of the names, which are filled in
 * @fact:  has the names
 * @merge: if the newest note says the same, count it there
 */
void aem_fd_queue_put(struct aem_fd_queue *queue, struct aem_fd_note *note,
		      const struct aem_fd_fact *fact, bool merge)
{
	static const u8 zeroes[8];
	u32 used, at;

	note->name_length = name_length(fact->name);
	note->name2_length = name_length(fact->name2);
	used = sizeof(*note) + note->name_length + 1 + note->name2_length + 1;
	note->length = ALIGN(used, 8);
	note->count = 1;
	if (merge && repeats_last(queue, note, fact)) {
		(*field(queue, queue->last, offsetof(struct aem_fd_note, count)))++;
		return;
	}
	if (queue->used + note->length > queue->size) {
		queue->lost += queue->lost < U32_MAX;
		return;
	}
	queue->last = after(queue, queue->head, queue->used);
	queue->used += note->length;
	at = copy_in(queue, queue->last, note, sizeof(*note));
	at = put_name(queue, at, fact->name, note->name_length);
	at = put_name(queue, at, fact->name2, note->name2_length);
	copy_in(queue, at, zeroes, note->length - used);
}

/** aem_fd_queue_peek() - bytes of the oldest note, 0: there is none. */
u32 aem_fd_queue_peek(const struct aem_fd_queue *queue)
{
	return queue->used ? *field(queue, queue->head, 0) : 0;
}

/**
 * aem_fd_queue_pop() - take the oldest note
 * @queue:  has one
 * @note:   room for it
 * @length: of it, as aem_fd_queue_peek() says
 * @head:   its head once more: @note may be where others write
 */
void aem_fd_queue_pop(struct aem_fd_queue *queue, void *note, u32 length,
		      struct aem_fd_note *head)
{
	copy_out(queue, queue->head, head, sizeof(*head));
	copy_out(queue, queue->head, note, length);
	queue->head = after(queue, queue->head, length);
	queue->used -= length;
}
