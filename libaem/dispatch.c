// SPDX-License-Identifier: GPL-2.0
/*
 * Running handlers: one crossing fetches a burst of records, whose handlers run one
 * after the other, each possibly interrupted by more urgent ones.
 *
 * Why this may be interrupted between any two instructions by its own signal handler:
 *
 * - The level in the control page says what a signal may do. At AEM_LEVEL_ALL the
 *   signal handler only notes that it was there (@swallowed) and touches nothing
 *   else. Frames are pushed and popped, and the queue is touched, only at
 *   AEM_LEVEL_ALL. The store of it is the first thing that happens.
 * - While a handler of priority p runs, and between two records, the level is
 *   p + 1. A signal then begins a whole dispatch, of priorities above p: it pushes
 *   frames above ours and pops them before it returns, and fetches its own records. Of
 *   our frame it reads what does not change while it runs. It leaves the level as it
 *   found it.
 * - A signal between our reading the level and masking finds a level that a
 *   dispatch may start from, runs a whole one, and leaves that level behind.
 * - After the level was lowered there is a full barrier and a look at what is pending
 *   (lower()), and the kernel does the reverse: so either it rings or we see.
 *   A bell that rang in vain is remembered in @swallowed, for the kernel does not ring
 *   again until somebody enters.
 *
 * A record needs no copy: once it is claimed, the kernel leaves it alone until it is
 * DONE; and between being fetched and claimed only its priority is read.
 */
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

/*
 * Crossings in a row that bring nothing although something is pending, before we give
 * up. Inside of handlers the ring may be full of theirs; their dispatch looks again when
 * they end. Outside nothing explains it but a program that left handlers by
 * longjmp() and did not say so, which must not hang for it.
 */
#define FRUITLESS_NESTED	3
#define FRUITLESS		1000

/*
 * Records that aem_run() takes with a crossing: enough to share it. The blocks and buffers of a
 * burst, ours and those of the sockets, are given back before the next one takes its own.
 */
#define BURST			64

/* How long an interrupted program is left alone in a storm. */
#define PAUSE_NS		50000

static unsigned int patience(const struct aem *aem)
{
	return aem->depth ? FRUITLESS_NESTED : FRUITLESS;
}

/**
 * aem_dispatch_enter() - one crossing, at AEM_LEVEL_ALL
 * @aem:   the context
 * @e:     min_events, max_events, timeout and flags are given, the rest is filled here
 * @level: deliver priorities from here on; AEM_LEVEL_ALL: none
 *
 * Hands over what is queued and reports what became of it.
 *
 * Return: 0 or -errno of AEM_IOC_ENTER; records may have been delivered only with 0.
 */
int aem_dispatch_enter(struct aem *aem, struct aem_enter *e, unsigned int level)
{
	struct queue *q = &aem->queue;
	int ret;

	e->size = sizeof(*e);
	e->calls = (uintptr_t)&q->calls[q->made];
	e->n_calls = q->tail - q->made;
	e->level = level;
	e->first = 0;
	e->count = 0;
	e->done = 0;
	e->pending = 0;
	/* Any crossing makes the bell ring again, so what it wanted is seen to. */
	STORE(aem->swallowed, false);
	ret = call_ioctl(aem->fd, AEM_IOC_ENTER, e);
	if (q->head != q->tail) {
		q->made += e->done;
		if (q->made == q->tail)
			q->wanted = 0;
		if (!q->reporting)
			aem_queue_report(aem);
	}
	return ret;
}

/* A crossing that may sleep, unless aem_stop() was called, be it at the last moment. */
static int enter_waiting(struct aem *aem, struct aem_enter *e, unsigned int level)
{
	int ret;

	STORE(aem->waiting, e);
	FENCE();
	if (LOAD(aem->stop))
		STORE(e->min_events, 0);
	ret = aem_dispatch_enter(aem, e, level);
	STORE(aem->waiting, NULL);
	return ret;
}

static struct frame *push(struct aem *aem, const struct aem_enter *e,
			  unsigned int entry, bool in_run)
{
	struct frame *f = &aem->frames[aem->depth];

	f->index = e->first;
	f->end = e->first + e->count;
	f->entry = entry;
	f->flags = e->flags;
	f->in_run = in_run;
	aem->depth++;
	return f;
}

/*
 * Put the level of a handler in force, and run first what is more urgent: everything
 * that this dispatch delivers, and interrupts that were held back. How many ran.
 */
static int yield_to(struct aem *aem, const struct frame *f, unsigned int level)
{
	bool due = lower(aem, level);
	int more;

	if (!(f->flags & AEM_ENTER_INTERRUPT))
		due |= bits_from(LOAD(aem->control->pending), level) != 0;
	if (likely(!due))
		return 0;
	more = aem_dispatch_drain(aem, f->flags);
	return more > 0 ? more : 0;
}

/* The kernel waits for what has just ended. At level AEM_LEVEL_ALL nothing is delivered. */
static void reap(struct aem *aem)
{
	struct aem_enter e = { .flags = 0 };
	unsigned int level = mask_all(aem);

	aem_dispatch_enter(aem, &e, AEM_LEVEL_ALL);
	aem_dispatch_leave(aem, level);
}

static void finish(struct aem *aem, struct frame *f, struct aem_record *r)
{
	STORE(r->state, f->keep ? AEM_RECORD_KEEP : AEM_RECORD_DONE);
	if (unlikely(LOAD(aem->control->flags) & AEM_CONTROL_REAP))
		reap(aem);
}

/* Take the record, unless it was cancelled, and run its handler: how many ran. */
static int run_record(struct aem *aem, struct frame *f, struct aem_record *r)
{
	const struct aem_thunk *thunk;
	uint32_t ready = AEM_RECORD_READY;

	if (!__atomic_compare_exchange_n(&r->state, &ready, AEM_RECORD_RUNNING, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;
	f->keep = 0;
	thunk = &aem->thunks[r->nr];
	if (likely(thunk->run))
		thunk->run(aem, r, thunk->block ? aem->vmt + r->arg[thunk->block - 1] : NULL);
	finish(aem, f, r);
	return 1;
}

/* Run the records of the topmost frame, from its index on, and pop it: how many ran. */
static int run_frame(struct aem *aem, struct frame *f)
{
	int handled = 0;

	for (; f->index != f->end; f->index++) {
		struct aem_record *r = &aem->ring[f->index & aem->mask];

		handled += yield_to(aem, f, r->prio + 1);
		handled += run_record(aem, f, r);
	}
	mask_all(aem);
	aem->depth--;
	return handled;
}

static int run_burst(struct aem *aem, const struct aem_enter *e, unsigned int entry,
		     bool in_run)
{
	if (!e->count)
		return 0;
	return run_frame(aem, push(aem, e, entry, in_run));
}

/* The most urgent of a burst: the first. */
static unsigned int top_of(const struct aem *aem, const struct aem_enter *e)
{
	return aem->ring[e->first & aem->mask].prio;
}

/* A crossing that brings nothing: none that is of the storm interrupts for a while. */
static int pause_bell(struct aem *aem, unsigned int *look)
{
	struct aem_enter e = { .flags = AEM_ENTER_PAUSE, .timeout = PAUSE_NS };
	unsigned int top = aem->storm.top;
	int ret = aem_dispatch_enter(aem, &e, top + 1);

	if (!ret && *look <= top)
		*look = top + 1;
	return ret;
}

/**
 * aem_dispatch_drain() - run everything that is due above the level in force
 * @aem:   the context
 * @flags: AEM_ENTER_INTERRUPT, or 0: events with EVF_SAFEPOINT too
 *
 * Ends with a crossing that brought nothing, so that all finished records are
 * taken back, and leaves the level as it was. In a storm of interrupts it leaves some for later.
 *
 * Return: how many handlers ran, or -errno if none did.
 */
int aem_dispatch_drain(struct aem *aem, uint32_t flags)
{
	unsigned int fruitless = 0, entry = mask_all(aem), top, look;
	int handled = 0, ret;

	aem_storm_enter(aem);
	for (;;) {
		struct aem_enter e = { .flags = flags };

		look = entry;
		ret = aem_dispatch_enter(aem, &e, entry);
		if (e.count) {
			top = top_of(aem, &e);
			handled += run_burst(aem, &e, entry, false);
			fruitless = 0;
			if (!(flags & AEM_ENTER_INTERRUPT) || !aem_storm_is_enough(aem, top))
				continue;
			ret = pause_bell(aem, &look);
		}
		if (!lower_and_look(aem, entry, look) || ret < 0 ||
		    ++fruitless == patience(aem))
			break;
		mask_all(aem);
	}
	aem_storm_leave(aem);
	return handled ? handled : ret;
}

/**
 * aem_dispatch_interrupt() - run what is due, for who interrupted the program
 * @aem:       the context, at AEM_LEVEL_ALL
 * @level:     the level that was in force
 * @fruitless: crossings in a row that brought nothing, 0 at first
 *
 * As aem_dispatch_drain(), but leaves it to the caller to lower the level, look for more, and come
 * again. Each time counts as an interruption in what is known of storms.
 *
 * Return: the lowest priority that it is to look for, or -1: no more, whatever is pending.
 */
int aem_dispatch_interrupt(struct aem *aem, unsigned int level, uint32_t *fruitless)
{
	uint64_t began = aem_storm_begin(aem);
	unsigned int top, look = level;
	struct aem_enter e;
	int ret;

	for (;;) {
		e.flags = AEM_ENTER_INTERRUPT;
		e.min_events = 0;
		e.max_events = 0;
		e.timeout = 0;
		ret = aem_dispatch_enter(aem, &e, level);
		if (!e.count)
			break;
		top = top_of(aem, &e);
		run_burst(aem, &e, level, false);
		*fruitless = 0;
		if (aem_storm_is_enough(aem, top)) {
			ret = pause_bell(aem, &look);
			break;
		}
	}
	aem_storm_end(aem, began);
	return ret >= 0 && ++*fruitless < patience(aem) ? (int)look : -1;
}

/**
 * aem_dispatch_leave() - end a dispatch: lower the level, run interrupts that were held back
 * @aem:   the context, at AEM_LEVEL_ALL
 * @level: the level that was in force
 *
 * Return: how many handlers ran, or -errno if none did.
 */
int aem_dispatch_leave(struct aem *aem, unsigned int level)
{
	return unlikely(lower(aem, level)) ? aem_dispatch_drain(aem, AEM_ENTER_INTERRUPT) : 0;
}

/* As aem_dispatch_leave(), after handled handlers and with the result of the crossings so far. */
static int leave_with(struct aem *aem, unsigned int level, int handled, int ret)
{
	int more = aem_dispatch_leave(aem, level);

	handled += more > 0 ? more : 0;
	return handled ? handled : ret;
}

/*
 * Nothing stays with us when we go back to a program that may not come again soon:
 * no finished record, no queued call, nor those that callbacks queue.
 */
static int settle(struct aem *aem, bool handled)
{
	struct aem_enter e = { .flags = 0 };
	int ret = 0;

	while (!ret && (handled || aem->queue.made != aem->queue.tail)) {
		ret = aem_dispatch_enter(aem, &e, AEM_LEVEL_ALL);
		handled = false;
	}
	return ret;
}

int aem_flush(struct aem *aem)
{
	int ret = check(aem);
	unsigned int entry;

	if (ret)
		return ret;
	entry = mask_all(aem);
	ret = settle(aem, true);
	aem_dispatch_leave(aem, entry);
	return ret;
}

int aem_dispatch(struct aem *aem)
{
	struct aem_enter e = { .flags = 0 };
	int handled, ret = check(aem), err;
	unsigned int entry;

	if (ret)
		return ret;
	entry = mask_all(aem);
	ret = aem_dispatch_enter(aem, &e, entry);
	handled = run_burst(aem, &e, entry, false);
	err = settle(aem, handled);
	return leave_with(aem, entry, handled, ret ? ret : err);
}

/*
 * Fetch a burst of @max records, 0: as many as there are, sleeping if there is none. Whoever waits
 * for the results of queued calls (of a short send, for instance) must hear them before we sleep.
 */
static int fetch(struct aem *aem, struct aem_enter *e, unsigned int entry, int64_t timeout,
		 unsigned int max)
{
	bool sleep;
	int ret;

	do {
		sleep = !aem->queue.wanted;
		e->flags = 0;
		e->min_events = sleep;
		e->max_events = max;
		e->timeout = timeout;
		ret = enter_waiting(aem, e, entry);
	} while (!sleep && !ret && !e->count && !LOAD(aem->stop));
	return ret;
}

/* Does an aem_run() that aem_stop() is meant for lie below us? */
static bool is_in_run(const struct aem *aem)
{
	uint32_t i;

	for (i = 0; i < aem->depth; i++)
		if (aem->frames[i].in_run)
			return true;
	return false;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* An event may be withdrawn, or find nothing, after it has woken us: go on waiting. */
static int fetch_some(struct aem *aem, struct aem_enter *e, unsigned int entry,
		      int64_t timeout)
{
	int64_t start = timeout > 0 ? now() : 0, left = timeout;
	int ret;

	for (;;) {
		ret = fetch(aem, e, entry, left, 0);
		if (ret || e->count)
			return ret;
		if (LOAD(aem->stop))
			return -EINTR;
		if (timeout > 0) {
			left = timeout - (now() - start);
			left = left > 0 ? left : 0;
		}
	}
}

int aem_wait(struct aem *aem, int64_t timeout_ns)
{
	int handled, ret = check(aem), err;
	struct aem_enter e;
	unsigned int entry;

	if (ret)
		return ret;
	entry = mask_all(aem);
	ret = fetch_some(aem, &e, entry, timeout_ns);
	handled = run_burst(aem, &e, entry, false);
	err = settle(aem, handled);
	if (unlikely(LOAD(aem->stop)) && !is_in_run(aem))
		STORE(aem->stop, false);
	return leave_with(aem, entry, handled, ret ? ret : err);
}

int aem_run(struct aem *aem)
{
	int ret = check(aem);
	struct aem_enter e;
	unsigned int entry;

	if (ret)
		return ret;
	entry = mask_all(aem);
	while (!LOAD(aem->stop)) {
		ret = fetch(aem, &e, entry, -1, BURST);
		if (unlikely(ret < 0 && ret != -EINTR))
			break;
		ret = 0;
		run_burst(aem, &e, entry, true);
	}
	STORE(aem->stop, false);
	settle(aem, true);
	aem_dispatch_leave(aem, entry);
	return ret;
}

void aem_stop(struct aem *aem)
{
	struct aem_enter *e;

	if (!aem->control)
		return;
	__atomic_store_n(&aem->stop, true, __ATOMIC_SEQ_CST);
	if (!is_owner(aem)) {
		if (aem->interrupts)
			tgkill(getpid(), aem->tid, aem->signo);
		return;
	}
	/*
	 * A signal handler of the owner: if the wait has not begun, it will not; if it
	 * has, the signal has ended it.
	 */
	e = LOAD(aem->waiting);
	if (e)
		STORE(e->min_events, 0);
}

/* The frame whose handler we are in. */
static const struct frame *top(const struct aem *aem)
{
	return aem->control && aem->depth ? &aem->frames[aem->depth - 1] : NULL;
}

const struct aem_record *aem_current(const struct aem *aem)
{
	const struct frame *f = top(aem);

	return f ? &aem->ring[f->index & aem->mask] : NULL;
}

void *aem_keep(struct aem *aem)
{
	const struct aem_record *r = aem_current(aem);
	unsigned int block;

	if (!r)
		return NULL;
	block = aem->thunks[r->nr].block;
	if (!block)
		return NULL;
	aem->frames[aem->depth - 1].keep = 1;
	return aem->vmt + r->arg[block - 1];
}

unsigned int aem_level_raise(struct aem *aem, unsigned int level)
{
	unsigned int old;

	if (!aem->control)
		return 0;
	old = level_of(aem);
	if (level > AEM_LEVEL_ALL)
		level = AEM_LEVEL_ALL;
	if (level > old)
		STORE(aem->control->level, level);
	FENCE();
	return old;
}

/* An event never nests in itself, whatever level a handler asks for. */
static unsigned int lowest_level(const struct aem *aem)
{
	const struct aem_record *r = aem_current(aem);

	return r ? r->prio + 1 : 0;
}

void aem_level_restore(struct aem *aem, unsigned int level)
{
	unsigned int lowest;

	if (!aem->control || level >= AEM_LEVEL_ALL)
		return;
	lowest = lowest_level(aem);
	aem_dispatch_leave(aem, level < lowest ? lowest : level);
}

/* Frames of the context, and calls of the signal handler, which other contexts share. */
#define MARK_FRAMES	0xff
#define MARK_CALLS	8

unsigned int aem_mark(const struct aem *aem)
{
	return aem->depth | aem_doorbell_depth() << MARK_CALLS;
}

int aem_unwind(struct aem *aem, unsigned int mark)
{
	unsigned int depth = mark & MARK_FRAMES, level;
	int handled = 0, ret = check(aem);

	if (ret)
		return ret;
	aem_doorbell_unwind(mark >> MARK_CALLS);
	if (aem->depth <= depth)
		return 0;
	level = aem->frames[depth].entry;
	aem->queue.reporting = 0;
	aem->storm.base = 0;
	while (aem->depth > depth) {
		struct frame *f = &aem->frames[aem->depth - 1];
		struct aem_record *r = &aem->ring[f->index & aem->mask];

		mask_all(aem);
		/* The jump may have come out of a signal before the record was claimed. */
		if (LOAD(r->state) == AEM_RECORD_RUNNING) {
			f->index++;
			finish(aem, f, r);
		}
		handled += run_frame(aem, f);
	}
	mask_all(aem);
	handled = leave_with(aem, level, handled, 0);
	/* Contexts of this thread whose turn the signal handler did not come to. */
	aem_doorbell_look();
	return handled;
}
