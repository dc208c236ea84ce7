// SPDX-License-Identifier: GPL-2.0
/*
 * Holding a service, so that what serves its events can be exchanged. Documentation/hotswap.rst
 * says why it is done so; in short:
 *
 *   1. aem_hold_begin() closes the gates of all ranges of the service's name, and waits until
 *      everybody has left: no call, constructor, destructor, arm, disarm or release
 *      runs or starts. It gives up after a time; then nothing has happened.
 *   2. aem_hold_events() puts in place of the service another, whose jobs only note that they
 *      were called, and waits for a grace period: no job or show of the service runs any more,
 *      and what they activated is activated. From here on the private parts belong to whoever
 *      holds them.
 *   3. aem_hold_let_go() gives an event to a service. What was noted happens then.
 *   4. aem_hold_end() opens the gates.
 *
 * Locks: the registry's mutex all the time; the gates, as if by a writer; then each event's
 * aem_process.lock, in which what serves it and what was noted change together.
 * aem_process.enter_lock nests outside the gates and is never taken here; so nothing here looks
 * into a ring, and events are found in the table of ids, which has all of them, those that were
 * unregistered while their handlers run among them.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include "hold.h"
#include "job.h"

/* In a job's place: it happened, and is noted. It may have been let go meanwhile. */
static enum aem_verdict note(struct event_struct *ev, unsigned long key);

/* Never called, for the gate is closed; but the service itself may have one, so go and see. */
static int pass_and_see(struct event_struct *ev, const struct aem_block *block)
{
	return 0;
}

static const struct aem_event_ops held_events = { .job = note, .destruct = pass_and_see };

static const struct aem_call_op held_calls[AEM_RANGE_CALLS] = {
	[0 ... AEM_RANGE_CALLS - 1] = { .name = "held", .events = &held_events },
};

/* Serves events that are held. */
static struct aem_service held = {
	.name = "held",
	.calls = held_calls,
	.n_calls = AEM_RANGE_CALLS,
};

static enum aem_verdict note(struct event_struct *ev, unsigned long key)
{
	unsigned long flags;
	bool is_held;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	is_held = rcu_access_pointer(ev->service) == &held;
	if (is_held) {
		ev->state |= EV_NOTED;
		aem_job_note(ev, key);
	}
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	return is_held ? AEM_SLEEP : aem_job_ask(ev, key);
}

static bool concerns(const struct aem_range *range, const struct aem_service *service)
{
	return range && range->service && !strcmp(range->service->name, service->name);
}

/* Those of other versions, too: they may have events that this one serves. */
static void choose(struct aem_hold *hold)
{
	int i;

	bitmap_zero(hold->closed, AEM_RANGES);
	for (i = 1; i < AEM_RANGES; i++)
		if (concerns(aem_ranges[i], hold->service))
			__set_bit(i, hold->closed);
}

static void open_all(const struct aem_hold *hold)
{
	int i;

	for_each_set_bit(i, hold->closed, AEM_RANGES)
		aem_gate_open(&aem_ranges[i]->gate);
}

static bool all_are_empty(const struct aem_hold *hold, u32 timeout)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout);
	int i;

	for_each_set_bit(i, hold->closed, AEM_RANGES)
		if (!aem_gate_is_empty(&aem_ranges[i]->gate, deadline))
			return false;
	return true;
}

/**
 * aem_hold_begin() - nobody runs the service's code but in jobs
 * @hold:    filled
 * @service: registered
 * @timeout: milliseconds to wait for those who do
 *
 * Return: 0, to be ended by aem_hold_end(); -ETIMEDOUT.
 */
int aem_hold_begin(struct aem_hold *hold, struct aem_service *service, u32 timeout)
{
	int i;

	lockdep_assert_held(&aem_registry);
	hold->service = service;
	choose(hold);
	for_each_set_bit(i, hold->closed, AEM_RANGES)
		aem_gate_announce(&aem_ranges[i]->gate);
	for_each_set_bit(i, hold->closed, AEM_RANGES)
		aem_gate_prepare(&aem_ranges[i]->gate);
	hold->start = ktime_get_ns();
	for_each_set_bit(i, hold->closed, AEM_RANGES)
		aem_gate_shut(&aem_ranges[i]->gate, &aem_registry);
	if (all_are_empty(hold, timeout))
		return 0;
	open_all(hold);
	return -ETIMEDOUT;
}

/* How many events are looked at in one go. */
#define BATCH	64

/**
 * aem_hold_look() - look at the events that a service serves, held or not
 * @service: whose
 * @look:    what is done with each, under RCU: must not sleep
 * @data:    for @look
 */
void aem_hold_look(struct aem_service *service, aem_visit look, void *data)
{
	struct event_struct *ev;
	struct aem_process *proc;
	unsigned int n;

	lockdep_assert_held(&aem_registry);
	list_for_each_entry(proc, &aem_bound, bound) {
		XA_STATE(xas, &proc->events, 0);

		n = 0;
		rcu_read_lock();
		xas_for_each(&xas, ev, ULONG_MAX) {
			if (xas_retry(&xas, ev))
				continue;
			if (rcu_access_pointer(ev->service) == service)
				look(ev, data);
			if (++n % BATCH)
				continue;
			xas_pause(&xas);
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
		rcu_read_unlock();
	}
}

/* The next events of a process that are held, from @index on: how many. They stay. */
static unsigned int next_events(struct aem_process *proc, unsigned long *index,
				struct event_struct **events)
{
	XA_STATE(xas, &proc->events, *index);
	struct event_struct *ev;
	unsigned int n = 0;

	rcu_read_lock();
	xas_for_each(&xas, ev, ULONG_MAX) {
		if (xas_retry(&xas, ev) || rcu_access_pointer(ev->service) != &held)
			continue;
		events[n++] = ev;
		*index = xas.xa_index + 1;
		if (n == BATCH)
			break;
	}
	rcu_read_unlock();
	return n;
}

/* What it is astray from is the range's service as it was. */
static void hold_one(struct event_struct *ev, void *astray)
{
	*(u32 *)astray += aem_event_is_astray(ev);
	rcu_assign_pointer(ev->service, &held);
}

/**
 * aem_hold_events() - the service's jobs do not run any more
 * @hold: begun
 *
 * Return: how many of its events another version's range names.
 */
u32 aem_hold_events(struct aem_hold *hold)
{
	u32 astray = 0;

	aem_hold_look(hold->service, hold_one, &astray);
	/* Those who wait at the gates wait for this, too. */
	synchronize_rcu_expedited();
	return astray;
}

/**
 * aem_hold_visit() - visit the events that are held
 * @visit: what is done with each; lets it go; may sleep
 * @data:  for @visit
 *
 * Nobody else takes them away: what frees them is behind the gates.
 */
void aem_hold_visit(aem_visit visit, void *data)
{
	struct event_struct *events[BATCH];
	struct aem_process *proc;
	unsigned long index;
	unsigned int i, n;

	lockdep_assert_held(&aem_registry);
	list_for_each_entry(proc, &aem_bound, bound) {
		for (index = 0; (n = next_events(proc, &index, events));) {
			for (i = 0; i < n; i++)
				visit(events[i], data);
			cond_resched();
		}
	}
}

/**
 * aem_hold_let_go() - an event is served again
 * @ev:      held
 * @service: by whom
 *
 * Return: whether something had happened to it, which happens now.
 */
bool aem_hold_let_go(struct event_struct *ev, struct aem_service *service)
{
	struct aem_noted noted;
	unsigned long flags;
	u16 state;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	rcu_assign_pointer(ev->service, service);
	state = ev->state;
	ev->state &= ~EV_NOTED;
	aem_job_take_note(ev, &noted);
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	if (!(state & EV_NOTED))
		return false;
	if (!(state & EV_DEAD))
		aem_job_replay(ev, &noted);
	return true;
}

/**
 * aem_hold_end() - let everybody in
 * @hold: its ranges are still there
 *
 * Return: nanoseconds that they had to wait at most.
 */
u64 aem_hold_end(struct aem_hold *hold)
{
	open_all(hold);
	return ktime_get_ns() - hold->start;
}
