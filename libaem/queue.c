// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that wait for the next crossing. Arguments and data are copied behind each
 * other into one piece of memory, which is all given back when the last
 * call has been reported: no allocation, no search.
 *
 * Everything here runs at AEM_LEVEL_ALL, but for the two public functions.
 */
#include <string.h>
#include "internal.h"

#define ALIGN(x)	(((x) + 15) & ~(size_t)15)

/** aem_queue_memory() - bytes that aem_queue_setup() wants. */
size_t aem_queue_memory(uint32_t calls, size_t bytes)
{
	return calls * (sizeof(struct aem_call) + sizeof(struct queued)) + ALIGN(bytes);
}

/** aem_queue_setup() - lay the queue out in zeroed memory. */
void aem_queue_setup(struct queue *q, uint32_t calls, size_t bytes, char *memory)
{
	q->bytes = memory;
	q->size = ALIGN(bytes);
	q->calls = (struct aem_call *)(memory + q->size);
	q->queued = (struct queued *)(q->calls + calls);
	q->max = calls;
}

/* All is reported, and nobody reads what lies in the memory. */
static void reset(struct queue *q)
{
	q->head = 0;
	q->made = 0;
	q->tail = 0;
	q->used = 0;
}

/**
 * aem_queue_report() - tell what became of the calls that were made
 * @aem: the context, not in a callback
 */
void aem_queue_report(struct aem *aem)
{
	struct queue *q = &aem->queue;

	q->reporting++;
	while (q->head != q->made) {
		const struct queued *queued = &q->queued[q->head];
		const struct aem_call *call = &q->calls[q->head];

		q->head++;
		if (queued->report)
			queued->report(aem, queued, (void *)(uintptr_t)call->arg,
				       call->result);
	}
	q->reporting--;
	if (q->head == q->tail)
		reset(q);
}

/* NULL: there is no room for it, or none for a call. */
static void *room_for(struct queue *q, size_t length)
{
	if (q->tail == q->max || length > q->size - q->used)
		return NULL;
	return q->bytes + q->used;
}

/**
 * aem_queue_room() - memory for the argument of a call that aem_queue_add() will add
 * @aem:    the context
 * @length: bytes
 * @room:   out: the memory; NULL: there is none, not even with nothing queued, or in a callback
 *
 * Hands the queue over if need be.
 *
 * Return: 0 or -errno of the crossing.
 */
int aem_queue_room(struct aem *aem, size_t length, void **room)
{
	int ret = 0;

	*room = room_for(&aem->queue, length);
	if (unlikely(!*room)) {
		ret = aem_queue_flush(aem);
		if (!ret)
			*room = room_for(&aem->queue, length);
	}
	return ret;
}

/**
 * aem_queue_add() - queue a call
 * @aem:    the context
 * @nr:     number of the call
 * @arg:    its argument, in aem_queue_room()
 * @length: bytes of that which are used
 * @queued: who is told
 */
void aem_queue_add(struct aem *aem, uint32_t nr, void *arg, size_t length,
		   const struct queued *queued)
{
	struct queue *q = &aem->queue;
	struct aem_call *call = &q->calls[q->tail];

	call->size = sizeof(*call);
	call->nr = nr;
	call->arg = (uintptr_t)arg;
	q->queued[q->tail] = *queued;
	q->wanted += !!queued->report;
	q->used += ALIGN(length);
	q->tail++;
}

/** aem_queue_flush() - hand the queue over and report, unless we are in a callback. */
int aem_queue_flush(struct aem *aem)
{
	struct aem_enter e = { .flags = 0 };

	return aem->queue.made == aem->queue.tail ? 0 : aem_dispatch_enter(aem, &e, AEM_LEVEL_ALL);
}

/**
 * aem_queue_now() - make a call that has no room, after those that are queued
 * @aem:    the context
 * @nr:     number of the call
 * @arg:    its argument
 * @queued: who is told, before it returns
 *
 * Return: 0 or -errno of the crossing.
 */
int aem_queue_now(struct aem *aem, uint32_t nr, void *arg, const struct queued *queued)
{
	int ret = aem_queue_flush(aem);
	int64_t result;

	if (ret)
		return ret;
	result = aem_call(aem, nr, arg);
	if (queued->report)
		queued->report(aem, queued, arg, result);
	return 0;
}

static void report_generic(struct aem *aem, const struct queued *queued, const void *arg,
			   int64_t result)
{
	((aem_done_fn)queued->done)(aem, queued->user, arg, result);
}

/* In a callback the memory cannot be given back, so there the call is made at once. */
static int add_generic(struct aem *aem, uint32_t nr, const void *arg,
		       const struct queued *queued)
{
	uint32_t size = *(const uint32_t *)arg;
	char now[1024] __attribute__((aligned(16)));
	void *copy;
	int ret = aem_queue_room(aem, size, &copy);

	if (ret)
		return ret;
	if (copy) {
		memcpy(copy, arg, size);
		aem_queue_add(aem, nr, copy, size, queued);
		return 0;
	}
	if (size > sizeof(now))
		return -EMSGSIZE;
	memcpy(now, arg, size);
	return aem_queue_now(aem, nr, now, queued);
}

int aem_queue(struct aem *aem, uint32_t nr, const void *arg, aem_done_fn done, void *user)
{
	struct queued queued = {
		.report = done ? report_generic : NULL,
		.done = (void (*)(void))done,
		.user = user,
	};
	int ret = check(aem);
	unsigned int level;

	if (ret)
		return ret;
	level = mask_all(aem);
	ret = add_generic(aem, nr, arg, &queued);
	aem_dispatch_leave(aem, level);
	return ret;
}
