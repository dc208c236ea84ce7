// SPDX-License-Identifier: GPL-2.0
/*
 * Notes that wait: a ring of bytes, taken at the registration. A note is as long as its names, and
 * lies in one piece: one that would run over the end begins at the start, and leaves a gap.
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

static struct aem_fd_note *note_at(const struct aem_fd_queue *queue, u32 at)
{
	return (struct aem_fd_note *)(queue->bytes + at);
}

/* Do notes go on at the start of the ring? */
static bool is_wrapped(const struct aem_fd_queue *queue)
{
	return queue->n && queue->tail <= queue->head;
}

/* Where the notes end that lie one after the other from the oldest on. */
static u32 end_of_run(const struct aem_fd_queue *queue)
{
	return is_wrapped(queue) ? queue->end : queue->tail;
}

/* Return: room for a note, which is the newest now; or NULL. */
static struct aem_fd_note *reserve(struct aem_fd_queue *queue, u32 length)
{
	bool wrapped = is_wrapped(queue);

	if (!queue->n) {
		queue->head = 0;
		queue->tail = 0;
	}
	if ((wrapped ? queue->head : queue->size) - queue->tail < length) {
		if (wrapped || queue->head < length)
			return NULL;
		queue->end = queue->tail;
		queue->tail = 0;
	}
	queue->last = queue->tail;
	queue->tail += length;
	queue->n++;
	return note_at(queue, queue->last);
}

static u32 name_length(const struct qstr *name)
{
	return name ? min_t(u32, name->len, NAME_MAX) : 0;
}

/* Does the newest note say the same, whenever it happened? */
static bool repeats(const struct aem_fd_note *last, const struct aem_fd_note *note,
		    const struct aem_fd_fact *fact)
{
	u32 from = offsetof(struct aem_fd_note, kinds);

	return last->length == note->length &&
	       !memcmp((const u8 *)last + from, (const u8 *)note + from, sizeof(*note) - from) &&
	       !(fact->name && memcmp(last->names, fact->name->name, note->name_length)) &&
	       !(fact->name2 && memcmp(last->names + note->name_length + 1, fact->name2->name,
				       note->name2_length));
}

static u8 *put_name(u8 *to, const struct qstr *name, u32 length)
{
	if (length)
		memcpy(to, name->name, length);
	to[length] = '\0';
	return to + length + 1;
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
	struct aem_fd_note *new;
	u8 *at;

	note->name_length = name_length(fact->name);
	note->name2_length = name_length(fact->name2);
	note->length = ALIGN(sizeof(*note) + note->name_length + 1 + note->name2_length + 1, 8);
	note->count = 1;
	if (merge && queue->n && repeats(note_at(queue, queue->last), note, fact)) {
		note_at(queue, queue->last)->count++;
		return;
	}
	new = reserve(queue, note->length);
	if (!new) {
		queue->lost += queue->lost < U32_MAX;
		return;
	}
	/* What is behind the names goes to the process as well. */
	*(u64 *)((u8 *)new + note->length - sizeof(u64)) = 0;
	*new = *note;
	at = put_name(new->names, fact->name, note->name_length);
	put_name(at, fact->name2, note->name2_length);
}

/**
 * aem_fd_queue_peek() - bytes that aem_fd_queue_pop() has use for, 0: there is no note
 * @queue: the queue
 * @limit: of several notes; 0: it is to be one
 * @least: out: bytes of the oldest note
 */
u32 aem_fd_queue_peek(const struct aem_fd_queue *queue, u32 limit, u32 *least)
{
	*least = 0;
	if (!queue->n)
		return 0;
	*least = note_at(queue, queue->head)->length;
	return limit ? min(end_of_run(queue) - queue->head, limit) : *least;
}

/* As many as lie one after the other, and fit. All but the last say that another follows. */
static u32 measure(const struct aem_fd_queue *queue, u32 limit, struct aem_fd_taken *taken)
{
	u32 at = queue->head, end = min(end_of_run(queue), queue->head + limit);
	struct aem_fd_note *note = note_at(queue, at);

	taken->n = 1;
	taken->count = note->count;
	for (at += note->length; at < end; at += note->length) {
		if (note_at(queue, at)->length > end - at)
			break;
		note->flags |= AEM_FD_F_MORE;
		note = note_at(queue, at);
		taken->n++;
		taken->count += note->count;
	}
	return at - queue->head;
}

/* A call of memcpy() is a string instruction, which copies this byte by byte where it is slow. */
static void copy_out(u64 *to, const u64 *from, u32 bytes)
{
	for (; bytes; bytes -= sizeof(u64))
		*to++ = *from++;
}

/**
 * aem_fd_queue_pop() - take the oldest notes
 * @queue: has one
 * @to:    room for the oldest at least
 * @limit: how much room; 0: take one
 * @taken: out: what was taken
 */
void aem_fd_queue_pop(struct aem_fd_queue *queue, void *to, u32 limit,
		      struct aem_fd_taken *taken)
{
	const struct aem_fd_note *note = note_at(queue, queue->head);
	bool wrapped = is_wrapped(queue);

	if (limit) {
		taken->bytes = measure(queue, limit, taken);
	} else {
		taken->first = *note;
		taken->n = 1;
		taken->count = note->count;
		taken->bytes = note->length;
	}
	copy_out(to, (const u64 *)note, taken->bytes);
	queue->head += taken->bytes;
	queue->n -= taken->n;
	if (wrapped && queue->head == queue->end)
		queue->head = 0;
}
