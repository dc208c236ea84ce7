// SPDX-License-Identifier: GPL-2.0
/*
 * Active lists: which events are due, and in which order.
 *
 * aem_process.lock protects everything here. It is raw and taken with interrupts off,
 * since timers and wait queues activate events in hard interrupts; all that happens
 * under it is of constant time.
 */
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include "active.h"
#include "doorbell.h"
#include "hint.h"
#include "layer.h"
#include "trace.h"
#include "waiter.h"

/* Events that get another try before interrupts are let in. */
#define FED_AT_ONCE	64

static void wake_pollers(struct aem_process *proc)
{
	if (wq_has_sleeper(&proc->poll_queue))
		wake_up_interruptible_poll(&proc->poll_queue,
					   EPOLLIN | EPOLLRDNORM);
}

static void tell(struct irq_work *work)
{
	struct aem_process *proc = container_of(work, struct aem_process, teller);
	int ring = atomic_xchg(&proc->tell, 0);

	if (ring)
		aem_doorbell_ring(proc, ring - 1);
	wake_pollers(proc);
}

/** aem_active_init() - empty lists for a new process. */
void aem_active_init(struct aem_process *proc)
{
	int kind, prio;

	raw_spin_lock_init(&proc->lock);
	INIT_LIST_HEAD(&proc->starved);
	INIT_LIST_HEAD(&proc->waiters);
	for (kind = 0; kind < AEM_QUEUES; kind++)
		for (prio = 0; prio < AEM_PRIORITIES; prio++)
			INIT_LIST_HEAD(&proc->queues[kind].lists[prio]);
	init_irq_work(&proc->teller, tell);
}

/** aem_active_sync() - nobody is told any more; no event is left that could be active. */
void aem_active_sync(struct aem_process *proc)
{
	irq_work_sync(&proc->teller);
}

static struct aem_queue *queue_of(const struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;

	return &proc->queues[ev->flags & EVF_SAFEPOINT ? AEM_QUEUE_SAFEPOINT :
							 AEM_QUEUE_INTERRUPT];
}

/* The control page is the process's to scribble on: written, never believed. */
static void publish(struct aem_process *proc)
{
	WRITE_ONCE(proc->control->pending, aem_active_from(proc, 0, true));
	WRITE_ONCE(proc->control->interrupt, aem_active_from(proc, 0, false));
}

static void join(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;
	struct aem_queue *queue = queue_of(ev);

	lockdep_assert_held(&proc->lock);
	ev->state |= EV_ACTIVE;
	ev->seq = proc->seq++;
	list_add_tail(&ev->active, &queue->lists[ev->prio]);
	proc->n_active++;
	proc->at[ev->prio]++;
	if (!(queue->mask & BIT(ev->prio))) {
		queue->mask |= BIT(ev->prio);
		publish(proc);
	}
}

static void leave(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;
	struct aem_queue *queue = queue_of(ev);

	lockdep_assert_held(&proc->lock);
	ev->state &= ~EV_ACTIVE;
	list_del_init(&ev->active);
	proc->n_active--;
	proc->at[ev->prio]--;
	if (list_empty(&queue->lists[ev->prio])) {
		queue->mask &= ~BIT(ev->prio);
		publish(proc);
	}
}

static void leave_starved(struct event_struct *ev)
{
	lockdep_assert_held(&ev->proc->lock);
	ev->state &= ~EV_STARVED;
	list_del_init(&ev->active);
	ev->proc->n_starved--;
}

/*
 * Who is to hear of an event that has joined its list. A sleeper takes it with it when
 * it wakes; otherwise the bell rings, if the event may interrupt, is not masked,
 * and the bell is not silent. True: ring it, without the lock.
 */
static bool notify(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;

	lockdep_assert_held(&proc->lock);
	if (!list_empty(&proc->waiters) && aem_waiter_tell(ev))
		return false;
	if ((ev->flags & EVF_SAFEPOINT) || proc->silence > ev->prio)
		return false;
	/*
	 * publish() before the level is read; the process lowers the level before
	 * it reads what is pending: one of the two sees the other.
	 */
	smp_mb();
	if (ev->prio < READ_ONCE(proc->control->level))
		return false;
	proc->silence = AEM_SILENCE_RUNG;
	proc->counters.doorbells++;
	return true;
}

/* It happened: true if the event is to join its list now. */
static bool occur(struct event_struct *ev)
{
	lockdep_assert_held(&ev->proc->lock);
	if ((ev->state & (EV_STARTED | EV_ENDING | EV_DEAD)) != EV_STARTED)
		return false;
	ev->activations++;
	ev->proc->counters.activations++;
	if (likely(ev->count < U32_MAX))
		ev->count++;
	else if (ev->lost < U32_MAX)
		ev->lost++;
	if (ev->state & (EV_ACTIVE | EV_STARVED))
		return false;
	if ((ev->state & EV_CONSTRUCTING) ||
	    (ev->inflight && !(ev->state & EV_MULTI))) {
		ev->state |= EV_AGAIN;
		return false;
	}
	return true;
}

/*
 * Whether the locks that telling takes may be taken here. In the wait queue of an epoll
 * descriptor or a signalfd our caller may hold one of them: epoll may watch us, and
 * our signal be read there. On PREEMPT_RT they sleep, which neither interrupts nor holders of
 * raw locks may; a kernel that proves the locking that this needs objects as well.
 */
static bool may_tell(const struct event_struct *ev)
{
	bool sleeping_locks = IS_ENABLED(CONFIG_PREEMPT_RT) ||
			      IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING);

	return !(ev->state & EV_NESTED) && (!sleeping_locks || preemptible());
}

/* It happened, whatever a layer thinks of it. */
static void activate(struct event_struct *ev)
{
	struct aem_process *proc = ev->proc;
	bool joined, ring = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&proc->lock, flags);
	joined = occur(ev);
	if (joined) {
		join(ev);
		ring = notify(ev);
	}
	raw_spin_unlock_irqrestore(&proc->lock, flags);
	trace_aem_activate(ev);
	if (!joined)
		return;
	aem_hint_raise(proc, ev->prio);
	if (!may_tell(ev)) {
		if (ring)
			atomic_set(&proc->tell, ev->prio + 1);
		irq_work_queue(&proc->teller);
		return;
	}
	if (ring)
		aem_doorbell_ring(proc, ev->prio);
	wake_pollers(proc);
}

void aem_event_activate(struct event_struct *ev)
{
	if (aem_layer_activate(ev))
		activate(ev);
}
EXPORT_SYMBOL_GPL(aem_event_activate);

void aem_event_start(struct event_struct *ev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	ev->state |= EV_STARTED;
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
}
EXPORT_SYMBOL_GPL(aem_event_start);

void aem_event_withdraw(struct event_struct *ev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	if (ev->state & EV_ACTIVE)
		leave(ev);
	if (ev->state & EV_STARVED)
		leave_starved(ev);
	ev->state &= ~EV_AGAIN;
	ev->count = 0;
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
}
EXPORT_SYMBOL_GPL(aem_event_withdraw);

/* The first of a priority: whichever of the two lists' first was activated first. */
static struct event_struct *first_of(struct aem_process *proc, int prio, bool safepoint)
{
	struct event_struct *a, *b;

	a = list_first_entry_or_null(&proc->queues[AEM_QUEUE_INTERRUPT].lists[prio],
				     struct event_struct, active);
	if (!safepoint)
		return a;
	b = list_first_entry_or_null(&proc->queues[AEM_QUEUE_SAFEPOINT].lists[prio],
				     struct event_struct, active);
	if (!a || !b)
		return a ?: b;
	return (s32)(a->seq - b->seq) < 0 ? a : b;
}

/**
 * aem_active_pop() - give the next event its turn
 * @proc:      the process
 * @level:     lowest priority that counts
 * @top:       highest priority that may have it; more urgent ones stay where they are
 * @safepoint: events with EVF_SAFEPOINT count too
 * @room:      free records of the ring. One is left for each higher priority, so that
 *             an urgent event never finds the ring full of others
 * @turn:      filled
 *
 * Exactly one of aem_active_built(), _nothing(), _starve(), _lose() ends the turn; all
 * but the first give the reference back.
 *
 * Return: false: no event is due, it is more urgent than @top, or there is no room
 * for it.
 */
bool aem_active_pop(struct aem_process *proc, u32 level, u32 top, bool safepoint, u32 room,
		    struct aem_turn *turn)
{
	struct event_struct *ev = NULL;
	u32 mask;
	int prio;

	lockdep_assert_held(&proc->enter_lock);
	raw_spin_lock_irq(&proc->lock);
	mask = aem_active_from(proc, level, safepoint);
	prio = fls(mask) - 1;
	if (mask && prio <= (int)top && room > AEM_PRIORITIES - 1 - prio) {
		ev = first_of(proc, prio, safepoint);
		leave(ev);
		ev->state |= EV_CONSTRUCTING;
		refcount_inc(&ev->refs);
		*turn = (struct aem_turn){
			.ev = ev, .count = ev->count, .lost = ev->lost,
			.frees = proc->frees,
		};
		ev->count = 0;
		ev->lost = 0;
	}
	raw_spin_unlock_irq(&proc->lock);
	return ev;
}

/* No bell: the caller is in AEM_IOC_ENTER, and learns what is pending when it ends. */
static void rejoin_if_again(struct event_struct *ev)
{
	lockdep_assert_held(&ev->proc->lock);
	if (!(ev->state & EV_AGAIN) ||
	    (ev->state & (EV_ACTIVE | EV_STARVED | EV_CONSTRUCTING)) ||
	    (ev->state & (EV_STARTED | EV_ENDING | EV_DEAD)) != EV_STARTED ||
	    (ev->inflight && !(ev->state & EV_MULTI)))
		return;
	ev->state &= ~EV_AGAIN;
	join(ev);
}

/**
 * aem_active_built() - the constructor has made a record
 * @turn: from aem_active_pop(); the record keeps the reference
 * @more: there is more where it came from
 * @stop: the event stops
 * @end:  the event ends with this record
 */
void aem_active_built(const struct aem_turn *turn, bool more, bool stop, bool end)
{
	struct event_struct *ev = turn->ev;

	raw_spin_lock_irq(&ev->proc->lock);
	ev->state &= ~EV_CONSTRUCTING;
	ev->inflight++;
	ev->proc->counters.records++;
	if (more)
		ev->state |= EV_AGAIN;
	if (stop)
		ev->state &= ~(EV_STARTED | EV_AGAIN);
	if (end)
		ev->state |= EV_ENDING;
	rejoin_if_again(ev);
	raw_spin_unlock_irq(&ev->proc->lock);
}

/** aem_active_nothing() - there was nothing to make a record of. */
void aem_active_nothing(const struct aem_turn *turn)
{
	struct event_struct *ev = turn->ev;

	raw_spin_lock_irq(&ev->proc->lock);
	ev->state &= ~EV_CONSTRUCTING;
	ev->lost += turn->lost;
	rejoin_if_again(ev);
	raw_spin_unlock_irq(&ev->proc->lock);
	aem_event_put(ev);
}

/** aem_active_lose() - the constructor failed: what happened is lost, and counted. */
void aem_active_lose(const struct aem_turn *turn)
{
	raw_spin_lock_irq(&turn->ev->proc->lock);
	turn->ev->lost += turn->count;
	raw_spin_unlock_irq(&turn->ev->proc->lock);
	aem_active_nothing(turn);
}

/**
 * aem_active_starve() - there is no memory for the record
 * @turn: from aem_active_pop()
 *
 * The event waits until a block comes back. If one did since the turn began, it may
 * have been too late for the allocation, and nobody would wake the event: then it
 * takes another turn.
 */
void aem_active_starve(const struct aem_turn *turn)
{
	struct event_struct *ev = turn->ev;
	struct aem_process *proc = ev->proc;

	raw_spin_lock_irq(&proc->lock);
	ev->state &= ~(EV_CONSTRUCTING | EV_AGAIN);
	ev->count += turn->count;
	ev->lost += turn->lost;
	if ((ev->state & (EV_STARTED | EV_DEAD)) == EV_STARTED) {
		if (proc->frees == turn->frees) {
			ev->state |= EV_STARVED;
			ev->starved++;
			list_add_tail(&ev->active, &proc->starved);
			proc->n_starved++;
			proc->counters.starvations++;
		} else {
			join(ev);
		}
	}
	raw_spin_unlock_irq(&proc->lock);
	aem_event_put(ev);
}

/**
 * aem_active_feed() - a block came back: those that wait for memory try again
 * @proc: whose block it was
 *
 * Those that begin to wait meanwhile know of the block by proc->frees.
 */
void aem_active_feed(struct aem_process *proc)
{
	struct event_struct *ev;
	bool ring = false, fed;
	unsigned long flags;
	u32 prio = 0, left;

	raw_spin_lock_irqsave(&proc->lock, flags);
	proc->frees++;
	left = proc->n_starved;
	fed = left;
	for (; left && !list_empty(&proc->starved); left--) {
		ev = list_first_entry(&proc->starved, struct event_struct, active);
		leave_starved(ev);
		join(ev);
		if (notify(ev)) {
			ring = true;
			prio = max_t(u32, prio, ev->prio);
		}
		if (left % FED_AT_ONCE == 0) {
			raw_spin_unlock_irqrestore(&proc->lock, flags);
			raw_spin_lock_irqsave(&proc->lock, flags);
		}
	}
	raw_spin_unlock_irqrestore(&proc->lock, flags);
	if (ring)
		aem_doorbell_ring(proc, prio);
	if (fed) {
		aem_hint_raise(proc, fls(aem_active_mask(proc)) - 1);
		wake_pollers(proc);
	}
}

/**
 * aem_active_finished() - a record of the event was taken back
 * @ev:    the event
 * @again: its destructor wants another turn
 *
 * Return: true: that was the last record of an event that ends.
 */
bool aem_active_finished(struct event_struct *ev, bool again)
{
	bool over;

	raw_spin_lock_irq(&ev->proc->lock);
	ev->inflight--;
	if (again)
		ev->state |= EV_AGAIN;
	rejoin_if_again(ev);
	over = !ev->inflight && (ev->state & EV_ENDING) && !(ev->state & EV_DEAD);
	raw_spin_unlock_irq(&ev->proc->lock);
	return over;
}

/** aem_active_set_prio() - a new priority; an active event goes to the end of its list. */
void aem_active_set_prio(struct event_struct *ev, u8 prio)
{
	bool active, ring = false;
	unsigned long flags;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	active = ev->state & EV_ACTIVE;
	if (active)
		leave(ev);
	ev->prio = prio;
	if (active) {
		join(ev);
		ring = notify(ev);
	}
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	if (active)
		aem_hint_raise(ev->proc, prio);
	if (ring)
		aem_doorbell_ring(ev->proc, prio);
}

/** aem_active_set_near() - where the event is to be handled: EVF_NEAR, EVF_NEAR_CPU | cpu, or 0 */
void aem_active_set_near(struct event_struct *ev, u32 near)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	WRITE_ONCE(ev->flags, (ev->flags & ~(EVF_NEAR | EVF_NEAR_CPU | EVF_CPU)) | near);
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
}

/* Neither active nor starved, and not started. */
static void stop(struct event_struct *ev)
{
	lockdep_assert_held(&ev->proc->lock);
	ev->state &= ~(EV_STARTED | EV_AGAIN);
	if (ev->state & EV_ACTIVE)
		leave(ev);
	if (ev->state & EV_STARVED)
		leave_starved(ev);
}

/**
 * aem_active_stop() - no activation counts from now on
 * @ev: the event
 *
 * What was noted but has no record is noted no more; the source still shows it when
 * the event is started again.
 *
 * Return: whether the event was started.
 */
bool aem_active_stop(struct event_struct *ev)
{
	unsigned long flags;
	bool started;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	started = ev->state & EV_STARTED;
	stop(ev);
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	return started;
}

/**
 * aem_active_kill() - the event is unregistered
 * @ev: the event
 *
 * Return: true for the one caller that did it.
 */
bool aem_active_kill(struct event_struct *ev)
{
	unsigned long flags;
	bool mine;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	mine = !(ev->state & EV_DEAD);
	stop(ev);
	ev->state |= EV_DEAD;
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	return mine;
}

/**
 * aem_active_revoke() - the event gets its last record, whatever it was told before
 * @ev: whose constructor makes one
 */
void aem_active_revoke(struct event_struct *ev)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	if (!(ev->state & (EV_DEAD | EV_ENDING)))
		ev->state |= EV_STARTED;
	/* The last record needs no memory. */
	if (ev->state & EV_STARVED)
		leave_starved(ev);
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	activate(ev);
}

/** aem_active_tell_revoked() - a service was revoked: who sleeps for events returns. */
void aem_active_tell_revoked(struct aem_process *proc)
{
	raw_spin_lock_irq(&proc->lock);
	WRITE_ONCE(proc->revoked, true);
	aem_waiter_tell_revoked(proc);
	raw_spin_unlock_irq(&proc->lock);
}

/** aem_active_was_revoked() - was one since it was asked last? */
bool aem_active_was_revoked(struct aem_process *proc)
{
	bool revoked;

	/* Who was woken for it has had the lock since. */
	if (likely(!READ_ONCE(proc->revoked)))
		return false;
	raw_spin_lock_irq(&proc->lock);
	revoked = proc->revoked;
	WRITE_ONCE(proc->revoked, false);
	raw_spin_unlock_irq(&proc->lock);
	return revoked;
}

/** aem_active_mask() - priorities that have active events. */
u32 aem_active_mask(struct aem_process *proc)
{
	return READ_ONCE(proc->queues[AEM_QUEUE_INTERRUPT].mask) |
	       READ_ONCE(proc->queues[AEM_QUEUE_SAFEPOINT].mask);
}
