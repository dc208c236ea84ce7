// SPDX-License-Identifier: GPL-2.0
/*
 * The ring of records that a process shares with the kernel.
 *
 * The kernel fills at the tail. A handler that is interrupted by a more urgent one lies
 * before it in the ring and ends after it, so finished records are taken back from
 * both ends: from the head what was delivered first, from the tail what interrupted
 * it. Where several threads take records, also from between.
 * Where the ends are is known only to the kernel; of what the process can write,
 * nothing but aem_record.state is read, and the worst that a false one does is to
 * end the process's own record early, or never.
 */
#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "active.h"
#include "range.h"
#include "ring.h"
#include "trace.h"

/* After a shortage of pages; long enough for reclaim to get somewhere. */
#define RETRY	(HZ / 10)

static u32 place(const struct aem_process *proc, u32 index)
{
	return index & (proc->ring_entries - 1);
}

static struct aem_slot *slot_at(const struct aem_process *proc, u32 index)
{
	return &proc->slots[place(proc, index)];
}

static struct aem_record *record_at(const struct aem_process *proc, u32 index)
{
	return &proc->ring[place(proc, index)];
}

/** aem_ring_init() - records and slots. Return: 0 or -ENOMEM. */
int aem_ring_init(struct aem_process *proc, u32 entries)
{
	BUILD_BUG_ON(sizeof(struct aem_record) != 64);
	BUILD_BUG_ON(sizeof(struct aem_control) > PAGE_SIZE);
	/* Who meets the limit of a memory cgroup has an errno for it, and no need of a trace. */
	proc->ring = __vmalloc(PAGE_ALIGN(entries * sizeof(*proc->ring)),
			       GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	proc->slots = kvcalloc(entries, sizeof(*proc->slots),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!proc->ring || !proc->slots) {
		aem_ring_destroy(proc);
		return -ENOMEM;
	}
	proc->ring_entries = entries;
	return 0;
}

/** aem_ring_destroy() - undo aem_ring_init(), or what it did of it. */
void aem_ring_destroy(struct aem_process *proc)
{
	vfree(proc->ring);
	kvfree(proc->slots);
	proc->ring = NULL;
	proc->slots = NULL;
}

/*
 * Most services have none. Which one serves the event may change until the gate is passed; while
 * it is held it looks as if it had one.
 */
static bool has_destructor(const struct event_struct *ev)
{
	bool has;

	rcu_read_lock();
	has = aem_event_ops(ev, rcu_dereference(ev->service))->destruct;
	rcu_read_unlock();
	return has;
}

/* What the handler left goes to the service, which says how the event goes on. */
static int destruct(struct aem_slot *slot, struct aem_range **inside)
{
	struct aem_range *range = aem_event_range(slot->ev);
	const struct aem_event_ops *ops;

	if (slot->cancelled || (*inside != range && !has_destructor(slot->ev)))
		return 0;
	aem_range_pass(inside, range);
	ops = aem_event_ops(slot->ev, aem_event_service(slot->ev));
	return ops->destruct ? ops->destruct(slot->ev, &slot->block) : 0;
}

/*
 * The block of a record goes to the process, or back. Who waits for memory then comes before the
 * event that had the record. Nobody begins to wait meanwhile, for want of the enter_lock.
 */
static void give_back(struct aem_process *proc, const struct aem_slot *slot, bool keep)
{
	lockdep_assert_held(&proc->enter_lock);
	if (!slot->block.address)
		return;
	if (keep && !slot->cancelled) {
		aem_vmtable_give(&proc->vmt, &slot->block);
		return;
	}
	aem_vmtable_free(&proc->vmt, &slot->block);
	if (unlikely(READ_ONCE(proc->n_starved)))
		aem_active_feed(proc);
}

/* Unregistering passes the gate itself. */
static void end_event(struct event_struct *ev, struct aem_range **inside)
{
	aem_range_pass(inside, NULL);
	aem_event_unregister(ev);
}

/* Free a slot: the event goes on, or ends. What else was in there nobody looks at without one. */
static void take_back(struct aem_process *proc, struct aem_slot *slot, bool keep,
		      struct aem_range **inside)
{
	struct event_struct *ev = slot->ev;
	int ret = destruct(slot, inside);

	give_back(proc, slot, keep);
	trace_aem_done(ev);
	if (aem_active_finished(ev, ret == AEM_MORE) || ret == AEM_END)
		end_event(ev, inside);
	if (slot->untold)
		WRITE_ONCE(proc->untold, proc->untold - 1);
	slot->untold = false;
	slot->ev = NULL;
	proc->reaps++;
	aem_event_put(ev);
}

static u32 state_of(const struct aem_slot *slot, const struct aem_record *rec)
{
	if (slot->cancelled)
		return AEM_RECORD_CANCELLED;
	/* Pairs with the release by which the process ends a record. */
	return smp_load_acquire(&rec->state);
}

static bool is_finished(u32 state)
{
	return state == AEM_RECORD_DONE || state == AEM_RECORD_KEEP ||
	       state == AEM_RECORD_CANCELLED;
}

/**
 * aem_ring_is_empty() - has all that was delivered been taken back, with its destructors?
 * @proc: the process
 *
 * Whatever the caller has finished is in the ring, or was taken back by another thread; what
 * that did has happened. Both ends go on, or back, when a record has been taken back, not before.
 *
 * Context: any; without the enter_lock what others do meanwhile may be seen or not.
 */
bool aem_ring_is_empty(const struct aem_process *proc)
{
	/* Pairs with aem_ring_reap(). The head never goes back, so equal they were. */
	u32 head = smp_load_acquire(&proc->head);
	/* Pairs with aem_ring_reap(). */
	u32 tail = smp_load_acquire(&proc->tail);

	return head == tail;
}

/* Take the record back if it is finished: true if nothing of it is left. */
static bool retire(struct aem_process *proc, u32 index, struct aem_range **inside)
{
	struct aem_slot *slot = slot_at(proc, index);
	struct aem_record *rec = record_at(proc, index);
	u32 state;

	if (!slot->ev)
		return true;
	state = state_of(slot, rec);
	if (!is_finished(state))
		return false;
	take_back(proc, slot, state == AEM_RECORD_KEEP, inside);
	WRITE_ONCE(rec->state, AEM_RECORD_FREE);
	return true;
}

/*
 * What one thread finishes lies between the records of others, whose handlers may need long:
 * the event goes on now, though the record's place is free only when its neighbours' are.
 */
static void retire_between(struct aem_process *proc, struct aem_range **inside)
{
	u32 i;

	for (i = proc->head + 1; (s32)(proc->tail - i) > 1; i++)
		retire(proc, i, inside);
}

/**
 * aem_ring_reap() - take finished records back, run their destructors
 * @proc: the process, under its enter_lock
 */
void aem_ring_reap(struct aem_process *proc)
{
	struct aem_range *inside = NULL;
	u32 reaps = proc->reaps;

	lockdep_assert_held(&proc->enter_lock);
	while (proc->head != proc->tail && retire(proc, proc->head, &inside)) {
		/* Pairs with aem_ring_is_empty(): the destructor has run. */
		smp_store_release(&proc->head, proc->head + 1);
	}
	while (proc->head != proc->tail && retire(proc, proc->tail - 1, &inside)) {
		/* Pairs with aem_ring_is_empty(). */
		smp_store_release(&proc->tail, proc->tail - 1);
	}
	if (unlikely(proc->takers))
		retire_between(proc, &inside);
	aem_range_pass(&inside, NULL);
	if (reaps == proc->reaps)
		return;
	WRITE_ONCE(proc->control->flags, 0);
	if (wq_has_sleeper(&proc->idle_queue))
		wake_up_all(&proc->idle_queue);
}

static void write_record(struct aem_process *proc, const struct aem_turn *turn,
			 const struct aem_delivery *d)
{
	struct aem_record *rec = record_at(proc, proc->tail);
	const struct event_struct *ev = turn->ev;

	rec->handler = ev->handler;
	rec->cookie = ev->cookie;
	rec->id = aem_event_id(ev);
	rec->nr = ev->nr;
	rec->prio = ev->prio;
	rec->flags = (d->end ? AEM_RECORD_F_LAST : 0) |
		     (d->revoked ? AEM_RECORD_F_REVOKED : 0);
	rec->count = max(d->count, 1U);
	rec->lost = d->lost;
	memcpy(rec->arg, d->arg, sizeof(rec->arg));
	/* The process reads the record when it sees this. */
	smp_store_release(&rec->state, AEM_RECORD_READY);
}

static void deliver(struct aem_process *proc, const struct aem_turn *turn,
		    struct aem_delivery *d, bool more)
{
	*slot_at(proc, proc->tail) = (struct aem_slot){
		.ev = turn->ev, .block = d->block, .task = current,
	};
	if (turn->ev->flags & EVF_ONESHOT)
		d->end = true;
	write_record(proc, turn, d);
	WRITE_ONCE(proc->tail, proc->tail + 1);
	aem_active_built(turn, more, d->stop, d->end);
}

/*
 * A full zone takes the event up again when a block comes back. If the kernel is short of
 * pages there may be no block to come back, so look again in a while.
 */
static void starve(struct aem_process *proc, const struct aem_turn *turn, int err)
{
	aem_active_starve(turn);
	if (err == -ENOMEM)
		schedule_delayed_work(&proc->feeder, RETRY);
}

/*
 * Run the constructor of the event whose turn it is, behind the gate of its range: true if that
 * made a record.
 */
static bool construct(struct aem_process *proc, const struct aem_turn *turn,
		      struct aem_range **inside)
{
	struct aem_delivery d = {
		.caller = {
			.proc = proc, .range = aem_event_range(turn->ev),
			.compat = in_compat_syscall(),
		},
		.count = turn->count,
		.lost = turn->lost,
	};
	int ret;

	d.caller.service = aem_event_service(turn->ev);
	ret = aem_event_ops(turn->ev, d.caller.service)->construct(turn->ev, &d);
	trace_aem_construct(turn->ev, ret);
	if (ret >= 0) {
		deliver(proc, turn, &d, ret == AEM_MORE);
		return true;
	}
	aem_vmt_free(proc, &d.block);
	if (ret == -EAGAIN && d.end)
		end_event(turn->ev, inside);
	if (ret == -EAGAIN)
		aem_active_nothing(turn);
	else if (ret == -ENOBUFS || ret == -ENOMEM)
		starve(proc, turn, ret);
	else
		aem_active_lose(turn);
	return false;
}

/**
 * aem_ring_untell() - the caller could not be told of the records that it was given
 * @proc:  the process, under its enter_lock
 * @first: place of the first
 * @count: how many
 */
void aem_ring_untell(struct aem_process *proc, u32 first, u32 count)
{
	struct aem_slot *slot;

	lockdep_assert_held(&proc->enter_lock);
	for (; count; first++, count--) {
		slot = slot_at(proc, first);
		/* The process may have found it all the same, and finished it. */
		if (!slot->ev || slot->task != current || slot->untold)
			continue;
		slot->untold = true;
		WRITE_ONCE(proc->untold, proc->untold + 1);
	}
}

static bool is_untold(const struct aem_slot *slot, u32 level, bool safepoint)
{
	return slot->untold && READ_ONCE(slot->ev->prio) >= level &&
	       (safepoint || !(slot->ev->flags & EVF_SAFEPOINT));
}

/** aem_ring_has_untold() - are there records from @level on that nobody was told of? */
bool aem_ring_has_untold(struct aem_process *proc, u32 level)
{
	bool found = false;
	u32 i;

	if (likely(!READ_ONCE(proc->untold)))
		return false;
	mutex_lock(&proc->enter_lock);
	for (i = proc->head; i != proc->tail && !found; i++)
		found = is_untold(slot_at(proc, i), level, true);
	mutex_unlock(&proc->enter_lock);
	return found;
}

/* The first run of records that nobody was told of: how many. */
static u32 retell(struct aem_process *proc, u32 level, bool safepoint, u32 max, u32 *first)
{
	struct aem_slot *slot;
	u32 i, count = 0;

	for (i = proc->head; i != proc->tail && count < max; i++) {
		slot = slot_at(proc, i);
		if (!is_untold(slot, level, safepoint)) {
			if (count)
				break;
			continue;
		}
		if (!count++)
			*first = place(proc, i);
		slot->untold = false;
		slot->task = current;
		WRITE_ONCE(proc->untold, proc->untold - 1);
	}
	return count;
}

/**
 * aem_ring_fill() - give the events that are due their turns
 * @proc:      the process, under its enter_lock
 * @level:     lowest priority that counts
 * @safepoint: events with EVF_SAFEPOINT count too
 * @max:       records to make at most
 * @first:     out: place of the first
 *
 * Priorities only fall from one record to the next. An event that becomes active while we
 * fill, and is more urgent than what lies in the ring already, is left for the next
 * time: behind a less urgent record it would come too late, and after events of its own
 * priority that a nested dispatch delivers while that one's handler runs.
 *
 * Records that nobody could be told of come first, and alone.
 *
 * Turns are bounded as well as records, for events that are activated as fast as their
 * constructors find nothing.
 *
 * Return: how many records were made.
 */
u32 aem_ring_fill(struct aem_process *proc, u32 level, bool safepoint, u32 max,
		  u32 *first)
{
	u32 turns = 2 * proc->ring_entries, top = AEM_PRIORITIES - 1, made = 0;
	struct aem_range *inside = NULL;
	struct aem_turn turn;

	lockdep_assert_held(&proc->enter_lock);
	if (unlikely(proc->taker != current)) {
		if (proc->taker)
			proc->takers = true;
		proc->taker = current;
	}
	if (unlikely(proc->untold))
		made = retell(proc, level, safepoint, max, first);
	if (made)
		return made;
	*first = place(proc, proc->tail);
	/* Without the lock first: most often nothing is left. The caller looks again at its end. */
	while (made < max && turns-- && aem_active_is_due(proc, level) &&
	       aem_active_pop(proc, level, top, safepoint,
			      proc->ring_entries - (proc->tail - proc->head), &turn)) {
		aem_range_pass(&inside, aem_event_range(turn.ev));
		if (!construct(proc, &turn, &inside))
			continue;
		made++;
		top = turn.ev->prio;
	}
	aem_range_pass(&inside, NULL);
	return made;
}

/**
 * aem_ring_cancel() - no handler of this event starts any more
 * @ev: unregistered, under its process's enter_lock
 *
 * The process takes a record by the same exchange, so one of the two wins. One that the
 * process has taken is left to it.
 */
void aem_ring_cancel(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;
	u32 i, left = READ_ONCE(ev->inflight);

	lockdep_assert_held(&proc->enter_lock);
	for (i = proc->head; left && i != proc->tail; i++) {
		struct aem_slot *slot = slot_at(proc, i);

		if (slot->ev != ev)
			continue;
		left--;
		if (cmpxchg(&record_at(proc, i)->state, AEM_RECORD_READY,
			    AEM_RECORD_CANCELLED) == AEM_RECORD_READY)
			slot->cancelled = true;
	}
}

/** aem_ring_clear() - let go of everything in the ring: the process is no more. */
void aem_ring_clear(struct aem_process *proc)
{
	struct aem_range *inside = NULL;

	lockdep_assert_held(&proc->enter_lock);
	while (proc->head != proc->tail) {
		struct aem_slot *slot = slot_at(proc, proc->head);

		if (slot->ev) {
			slot->cancelled = true;
			take_back(proc, slot, false, &inside);
		}
		WRITE_ONCE(proc->head, proc->head + 1);
	}
	wake_up_all(&proc->idle_queue);
}

/* Is this record's handler run by another thread? */
static bool runs_elsewhere(const struct aem_process *proc, u32 index)
{
	const struct aem_slot *slot = slot_at(proc, index);

	return slot->task != current &&
	       state_of(slot, record_at(proc, index)) == AEM_RECORD_RUNNING;
}

static bool event_runs_elsewhere(const struct event_struct *ev)
{
	const struct aem_process *proc = ev->proc;
	u32 i;

	lockdep_assert_held(&proc->enter_lock);
	if (!READ_ONCE(ev->inflight))
		return false;
	for (i = proc->head; i != proc->tail; i++)
		if (slot_at(proc, i)->ev == ev && runs_elsewhere(proc, i))
			return true;
	return false;
}

/**
 * aem_ring_find_running() - an event whose handler another thread runs
 * @proc: the process
 * @id:   of the event, which may be unregistered already
 *
 * Return: the event with a reference, or NULL.
 */
struct event_struct *aem_ring_find_running(struct aem_process *proc, u64 id)
{
	struct event_struct *ev, *found = NULL;
	u32 i;

	mutex_lock(&proc->enter_lock);
	for (i = proc->head; i != proc->tail && !found; i++) {
		ev = slot_at(proc, i)->ev;
		if (ev && aem_event_id(ev) == id && runs_elsewhere(proc, i))
			found = ev;
	}
	if (found)
		refcount_inc(&found->refs);
	mutex_unlock(&proc->enter_lock);
	return found;
}

/**
 * aem_ring_wait_idle() - wait for handlers of an unregistered event to end
 * @ev: referenced; no locks held
 *
 * A handler that the caller itself is in is not waited for.
 *
 * Return: 0 or -EINTR.
 */
int aem_ring_wait_idle(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;
	bool running;
	u32 reaps;

	might_sleep();
	for (;;) {
		mutex_lock(&proc->enter_lock);
		running = event_runs_elsewhere(ev);
		reaps = proc->reaps;
		if (running)
			WRITE_ONCE(proc->control->flags, AEM_CONTROL_REAP);
		mutex_unlock(&proc->enter_lock);
		if (!running)
			return 0;
		if (wait_event_interruptible(proc->idle_queue,
					     READ_ONCE(proc->reaps) != reaps))
			return -EINTR;
	}
}
