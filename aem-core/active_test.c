// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the active lists: order, priorities, what is remembered and counted, and who is
 * told. Built if CONFIG_KUNIT is.
 */
#include <linux/prandom.h>
#include <linux/random.h>

#include "test_process.h"
#include "waiter.h"

#define EVENTS		24
#define OPERATIONS	60000
#define ANY_ROOM	AEM_PRIORITIES
#define TOP		(AEM_PRIORITIES - 1)

/* The next event, its turn ended with a record; NULL: none. */
static struct event_struct *next(struct aem_process *proc, u32 level, bool safepoint, u32 room)
{
	struct aem_turn turn;

	if (!aem_active_pop(proc, level, TOP, safepoint, room, &turn))
		return NULL;
	aem_active_built(&turn, false, false, false);
	return turn.ev;
}

static void active_order(struct kunit *test)
{
	static const u8 prio[] = { 3, 31, 0, 3, 31, 7, 0 };
	static const u8 order[] = { 1, 4, 5, 0, 3, 2, 6 };
	struct event_struct *ev[ARRAY_SIZE(prio)];
	struct aem_process *proc = test_process(test);
	int i;

	mutex_lock(&proc->enter_lock);
	for (i = 0; i < ARRAY_SIZE(prio); i++) {
		ev[i] = test_event(test, proc, prio[i], 0, 0);
		aem_event_activate(ev[i]);
	}
	KUNIT_EXPECT_EQ(test, proc->n_active, (u32)ARRAY_SIZE(prio));
	KUNIT_EXPECT_EQ(test, proc->control->pending, BIT(0) | BIT(3) | BIT(7) | BIT(31));
	for (i = 0; i < ARRAY_SIZE(order); i++)
		KUNIT_EXPECT_PTR_EQ(test, next(proc, 0, false, ANY_ROOM), ev[order[i]]);
	KUNIT_EXPECT_NULL(test, next(proc, 0, true, ANY_ROOM));
	KUNIT_EXPECT_EQ(test, proc->control->pending, 0U);
	mutex_unlock(&proc->enter_lock);
}

/* Two kinds of events of one priority lie in two lists, and take turns all the same. */
static void active_order_while_the_stamp_wraps(struct kunit *test)
{
	struct aem_process *proc = test_process(test);
	struct event_struct *ev[8];
	int i;

	mutex_lock(&proc->enter_lock);
	proc->seq = U32_MAX - 3;
	for (i = 0; i < ARRAY_SIZE(ev); i++) {
		ev[i] = test_event(test, proc, 5, i % 3 ? EVF_SAFEPOINT : 0, 0);
		aem_event_activate(ev[i]);
	}
	for (i = 0; i < ARRAY_SIZE(ev); i++)
		KUNIT_EXPECT_PTR_EQ(test, next(proc, 0, true, ANY_ROOM), ev[i]);
	mutex_unlock(&proc->enter_lock);
}

static void active_levels(struct kunit *test)
{
	struct aem_process *proc = test_process(test);
	u32 level;

	mutex_lock(&proc->enter_lock);
	aem_event_activate(test_event(test, proc, 31, EVF_SAFEPOINT, 0));
	for (level = 0; level <= AEM_PRIORITIES; level++)
		KUNIT_EXPECT_NULL(test, next(proc, level, false, ANY_ROOM));
	KUNIT_EXPECT_NULL(test, next(proc, AEM_PRIORITIES, true, ANY_ROOM));
	KUNIT_EXPECT_NOT_NULL(test, next(proc, TOP, true, ANY_ROOM));

	aem_event_activate(test_event(test, proc, 4, 0, 0));
	KUNIT_EXPECT_NULL(test, next(proc, 5, true, ANY_ROOM));
	KUNIT_EXPECT_NOT_NULL(test, next(proc, 4, false, ANY_ROOM));
	mutex_unlock(&proc->enter_lock);
}

/* One free record stays for each higher priority. */
static void active_room(struct kunit *test)
{
	struct aem_process *proc = test_process(test);
	u32 prio;

	mutex_lock(&proc->enter_lock);
	for (prio = 0; prio < AEM_PRIORITIES; prio++) {
		aem_event_activate(test_event(test, proc, prio, 0, 0));
		KUNIT_EXPECT_NULL(test, next(proc, 0, true, TOP - prio));
		KUNIT_EXPECT_NOT_NULL(test, next(proc, 0, true, TOP - prio + 1));
	}
	mutex_unlock(&proc->enter_lock);
}

static void active_top(struct kunit *test)
{
	struct aem_process *proc = test_process(test);
	struct aem_turn turn;

	mutex_lock(&proc->enter_lock);
	aem_event_activate(test_event(test, proc, 4, 0, 0));
	aem_event_activate(test_event(test, proc, 9, 0, 0));
	/* Not the less urgent one in its stead, either. */
	KUNIT_EXPECT_FALSE(test, aem_active_pop(proc, 0, 8, true, ANY_ROOM, &turn));
	KUNIT_EXPECT_EQ(test, proc->n_active, 2U);
	KUNIT_ASSERT_TRUE(test, aem_active_pop(proc, 0, 9, true, ANY_ROOM, &turn));
	KUNIT_EXPECT_EQ(test, turn.ev->prio, (u8)9);
	aem_active_built(&turn, false, false, false);
	mutex_unlock(&proc->enter_lock);
}

static void active_count_saturates(struct kunit *test)
{
	struct aem_process *proc = test_process(test);
	struct event_struct *ev = test_event(test, proc, 1, 0, 0);
	struct aem_turn turn;

	mutex_lock(&proc->enter_lock);
	ev->count = U32_MAX - 1;
	aem_event_activate(ev);
	KUNIT_EXPECT_EQ(test, ev->lost, 0U);
	aem_event_activate(ev);
	aem_event_activate(ev);
	KUNIT_ASSERT_TRUE(test, aem_active_pop(proc, 0, TOP, true, ANY_ROOM, &turn));
	KUNIT_EXPECT_EQ(test, turn.count, U32_MAX);
	KUNIT_EXPECT_EQ(test, turn.lost, 2U);
	KUNIT_EXPECT_EQ(test, ev->count, 0U);
	KUNIT_EXPECT_EQ(test, ev->lost, 0U);
	aem_active_nothing(&turn);
	KUNIT_EXPECT_EQ(test, ev->lost, 2U);
	mutex_unlock(&proc->enter_lock);
}

/* How often the bell rings when this is activated. */
static u64 rings(struct aem_process *proc, struct event_struct *ev)
{
	u64 before = proc->counters.doorbells;

	aem_event_activate(ev);
	return proc->counters.doorbells - before;
}

static void active_bell(struct kunit *test)
{
	struct aem_process *proc = test_process(test);

	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 9, EVF_SAFEPOINT, 0)), 0ULL);
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 3, 0, 0)), 1ULL);
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 3, 0, 0)), 0ULL);
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 2, 0, 0)), 0ULL);
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 4, 0, 0)), 0ULL);

	aem_doorbell_hush(proc);
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 31, 0, 0)), 0ULL);
	KUNIT_EXPECT_EQ(test, aem_doorbell_unhush(proc, 0),
			BIT(2) | BIT(3) | BIT(4) | BIT(9) | BIT(31));
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 0, 0, 0)), 1ULL);

	/* The owner hears what somebody else leaves behind. */
	proc->owner = NULL;
	aem_doorbell_hush(proc);
	KUNIT_EXPECT_EQ(test, rings(proc, test_event(test, proc, 1, 0, 0)), 0ULL);
	aem_doorbell_unhush(proc, 0);
	KUNIT_EXPECT_EQ(test, proc->counters.doorbells, 3ULL);
	KUNIT_EXPECT_EQ(test, proc->silence, (u32)AEM_SILENCE_RUNG);
}

/* Whatever the process writes there, it only spoils its own hearing. */
static void active_hostile_control_page(struct kunit *test)
{
	static const u32 levels[] = { 0, 1, 31, 32, 33, 63, 64, 65, 0x80000000, U32_MAX };
	struct aem_process *proc = test_process(test);
	struct event_struct *ev;
	int i;

	mutex_lock(&proc->enter_lock);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		memset(proc->control, 0xff, sizeof(*proc->control));
		proc->control->level = levels[i];
		ev = test_event(test, proc, 31, 0, 0);
		aem_doorbell_hush(proc);
		aem_doorbell_unhush(proc, 0);
		KUNIT_EXPECT_EQ(test, rings(proc, ev), levels[i] <= 31 ? 1ULL : 0ULL);
		KUNIT_EXPECT_EQ(test, proc->control->pending, BIT(31));
		KUNIT_EXPECT_EQ(test, aem_active_mask(proc), BIT(31));
		proc->control->pending = 0;
		KUNIT_EXPECT_PTR_EQ(test, next(proc, 0, false, ANY_ROOM), ev);
	}
	mutex_unlock(&proc->enter_lock);
}

static void active_wait(struct kunit *test)
{
	struct aem_process *proc = test_process(test);

	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, 0, 1, 0), -ETIME);
	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, 0, 1, 1000), -ETIME);
	aem_event_activate(test_event(test, proc, 4, EVF_SAFEPOINT, 0));
	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, 4, 1, -1), 0);
	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, 5, 1, 0), -ETIME);
	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, 0, 2, 0), -ETIME);
	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, AEM_PRIORITIES, 1, 0), -ETIME);
	aem_event_activate(test_event(test, proc, 4, 0, 0));
	KUNIT_EXPECT_EQ(test, aem_waiter_wait(proc, 0, 2, -1), 0);
	KUNIT_EXPECT_EQ(test, proc->n_waiters, 0U);
}

/* A block that comes back during the turn may have come too late for it. */
static void active_starved_too_late(struct kunit *test)
{
	struct aem_process *proc = test_process(test);
	struct event_struct *ev = test_event(test, proc, 1, 0, 0);
	struct aem_turn turn;

	mutex_lock(&proc->enter_lock);
	aem_event_activate(ev);
	KUNIT_ASSERT_TRUE(test, aem_active_pop(proc, 0, TOP, true, ANY_ROOM, &turn));
	aem_active_feed(proc);
	aem_active_starve(&turn);
	KUNIT_EXPECT_EQ(test, proc->n_starved, 0U);
	KUNIT_EXPECT_EQ(test, proc->n_active, 1U);

	KUNIT_ASSERT_TRUE(test, aem_active_pop(proc, 0, TOP, true, ANY_ROOM, &turn));
	KUNIT_EXPECT_EQ(test, turn.count, 1U);
	aem_active_starve(&turn);
	KUNIT_EXPECT_EQ(test, proc->n_starved, 1U);
	KUNIT_EXPECT_EQ(test, proc->n_active, 0U);
	aem_active_feed(proc);
	KUNIT_EXPECT_PTR_EQ(test, next(proc, 0, true, ANY_ROOM), ev);
	mutex_unlock(&proc->enter_lock);
}

enum place {
	NOWHERE,
	LISTED,
	STARVED,
};

/**
 * struct mirror - an event as it should be
 * @ev:       the event
 * @place:    where
 * @stamp:    of its joining there
 * @started:  activations count
 * @again:    it happened while it could not join
 * @turn:     its constructor runs
 * @inflight: records
 * @count:    occurrences that no record has told of
 * @lost:     of those that were lost
 */
struct mirror {
	struct event_struct *ev;
	enum place place;
	u64 stamp;
	bool started;
	bool again;
	bool turn;
	u32 inflight;
	u32 count;
	u32 lost;
};

/**
 * struct model - a context's events without lists and masks
 * @test:   for messages
 * @proc:   the context
 * @at:     its events
 * @stamps: how often an event has joined a list
 * @random: random numbers
 */
struct model {
	struct kunit *test;
	struct aem_process *proc;
	struct mirror at[EVENTS];
	u64 stamps;
	struct rnd_state random;
};

static u32 draw(struct model *m, u32 below)
{
	return prandom_u32_state(&m->random) % below;
}

static struct mirror *draw_event(struct model *m)
{
	return &m->at[draw(m, EVENTS)];
}

static void put(struct model *m, struct mirror *e, enum place place)
{
	e->place = place;
	e->stamp = m->stamps++;
}

static bool is_multi(const struct mirror *e)
{
	return e->ev->state & EV_MULTI;
}

static void rejoin(struct model *m, struct mirror *e)
{
	if (e->again && e->started && !e->turn && e->place == NOWHERE &&
	    (!e->inflight || is_multi(e))) {
		e->again = false;
		put(m, e, LISTED);
	}
}

static void activate(struct model *m, struct mirror *e)
{
	aem_event_activate(e->ev);
	if (!e->started)
		return;
	e->count++;
	if (e->place != NOWHERE)
		return;
	if (e->turn || (e->inflight && !is_multi(e)))
		e->again = true;
	else
		put(m, e, LISTED);
}

/* All events are looked at, to find the one whose turn it is. */
static struct mirror *choose(struct model *m, u32 level, u32 top, bool safepoint, u32 room)
{
	struct mirror *best = NULL, *e;

	for (e = m->at; e < m->at + EVENTS; e++) {
		if (e->place != LISTED || e->ev->prio < level ||
		    (!safepoint && (e->ev->flags & EVF_SAFEPOINT)))
			continue;
		if (!best || e->ev->prio > best->ev->prio ||
		    (e->ev->prio == best->ev->prio && e->stamp < best->stamp))
			best = e;
	}
	if (best && (best->ev->prio > top || room + best->ev->prio < AEM_PRIORITIES))
		best = NULL;
	return best;
}

static void end_with_record(struct model *m, struct mirror *e, const struct aem_turn *turn)
{
	bool more = !draw(m, 3), stop = !draw(m, 10);

	aem_active_built(turn, more, stop, false);
	e->turn = false;
	e->inflight++;
	e->again = e->again || more;
	if (stop) {
		e->started = false;
		e->again = false;
	}
	rejoin(m, e);
}

static void end_with_nothing(struct model *m, struct mirror *e, const struct aem_turn *turn,
			     bool failed)
{
	if (failed)
		aem_active_lose(turn);
	else
		aem_active_nothing(turn);
	e->turn = false;
	e->lost += turn->lost + (failed ? turn->count : 0);
	rejoin(m, e);
}

static void end_starved(struct model *m, struct mirror *e, const struct aem_turn *turn)
{
	aem_active_starve(turn);
	e->turn = false;
	e->again = false;
	e->count += turn->count;
	e->lost += turn->lost;
	if (e->started)
		put(m, e, STARVED);
}

static void take_turn(struct model *m)
{
	u32 level = draw(m, 4) ? 0 : draw(m, AEM_PRIORITIES + 1);
	u32 top = draw(m, 4) ? TOP : draw(m, AEM_PRIORITIES);
	u32 room = draw(m, 4) ? ANY_ROOM : draw(m, AEM_PRIORITIES);
	bool safepoint = draw(m, 2);
	struct mirror *e = choose(m, level, top, safepoint, room);
	struct aem_turn turn = {};

	aem_active_pop(m->proc, level, top, safepoint, room, &turn);
	KUNIT_ASSERT_PTR_EQ(m->test, turn.ev, e ? e->ev : NULL);
	if (!e)
		return;
	KUNIT_EXPECT_EQ(m->test, turn.count, e->count);
	KUNIT_EXPECT_EQ(m->test, turn.lost, e->lost);
	e->place = NOWHERE;
	e->turn = true;
	e->count = 0;
	e->lost = 0;
	while (!draw(m, 3))
		activate(m, e);
	switch (draw(m, 8)) {
	case 0:
		return end_with_nothing(m, e, &turn, false);
	case 1:
		return end_with_nothing(m, e, &turn, true);
	case 2:
		return end_starved(m, e, &turn);
	default:
		return end_with_record(m, e, &turn);
	}
}

static void finish(struct model *m, struct mirror *e)
{
	bool again = !draw(m, 4);

	if (!e->inflight)
		return;
	KUNIT_EXPECT_FALSE(m->test, aem_active_finished(e->ev, again));
	/* The record's reference. */
	aem_event_put(e->ev);
	e->inflight--;
	e->again = e->again || again;
	rejoin(m, e);
}

/* In the order in which they starved. */
static void feed(struct model *m)
{
	struct mirror *e, *first;

	aem_active_feed(m->proc);
	do {
		first = NULL;
		for (e = m->at; e < m->at + EVENTS; e++)
			if (e->place == STARVED && (!first || e->stamp < first->stamp))
				first = e;
		if (first)
			put(m, first, LISTED);
	} while (first);
}

static void change_prio(struct model *m, struct mirror *e)
{
	u8 prio = draw(m, 2) ? draw(m, 4) : draw(m, AEM_PRIORITIES);

	aem_active_set_prio(e->ev, prio);
	if (e->place == LISTED)
		put(m, e, LISTED);
}

static void start_or_stop(struct model *m, struct mirror *e)
{
	if (e->started) {
		KUNIT_EXPECT_TRUE(m->test, aem_active_stop(e->ev));
		e->place = NOWHERE;
		e->again = false;
	} else {
		aem_event_start(e->ev);
	}
	e->started = !e->started;
}

static void withdraw(struct mirror *e)
{
	aem_event_withdraw(e->ev);
	e->place = NOWHERE;
	e->again = false;
	e->count = 0;
}

static void check_event(struct model *m, const struct mirror *e)
{
	KUNIT_EXPECT_EQ(m->test, !!(e->ev->state & EV_ACTIVE), e->place == LISTED);
	KUNIT_EXPECT_EQ(m->test, !!(e->ev->state & EV_STARVED), e->place == STARVED);
	KUNIT_EXPECT_EQ(m->test, list_empty(&e->ev->active), e->place == NOWHERE);
	KUNIT_EXPECT_EQ(m->test, e->ev->count, e->count);
	KUNIT_EXPECT_EQ(m->test, e->ev->lost, e->lost);
	KUNIT_EXPECT_EQ(m->test, (u32)e->ev->inflight, e->inflight);
	KUNIT_EXPECT_EQ(m->test, refcount_read(&e->ev->refs), 1 + e->inflight);
}

static void check(struct model *m)
{
	u32 at[AEM_PRIORITIES] = {}, mask = 0, interrupt = 0, active = 0, starved = 0;
	const struct mirror *e;

	for (e = m->at; e < m->at + EVENTS; e++) {
		check_event(m, e);
		starved += e->place == STARVED;
		if (e->place != LISTED)
			continue;
		active++;
		at[e->ev->prio]++;
		mask |= BIT(e->ev->prio);
		if (!(e->ev->flags & EVF_SAFEPOINT))
			interrupt |= BIT(e->ev->prio);
	}
	KUNIT_EXPECT_EQ(m->test, m->proc->n_active, active);
	KUNIT_EXPECT_EQ(m->test, m->proc->n_starved, starved);
	KUNIT_EXPECT_EQ(m->test, memcmp(m->proc->at, at, sizeof(at)), 0);
	KUNIT_EXPECT_EQ(m->test, aem_active_mask(m->proc), mask);
	KUNIT_EXPECT_EQ(m->test, m->proc->control->pending, mask);
	KUNIT_EXPECT_EQ(m->test, m->proc->control->interrupt, interrupt);
}

static void operate(struct model *m)
{
	switch (draw(m, 24)) {
	case 0:
		return feed(m);
	case 1:
		return change_prio(m, draw_event(m));
	case 2:
		return start_or_stop(m, draw_event(m));
	case 3:
		return withdraw(draw_event(m));
	case 4 ... 9:
		return take_turn(m);
	case 10 ... 15:
		return finish(m, draw_event(m));
	default:
		return activate(m, draw_event(m));
	}
}

static struct model *new_model(struct kunit *test, u64 seed)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct mirror *e;

	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&m->random, seed);
	m->test = test;
	m->proc = test_process(test);
	m->proc->seq = 0 - draw(m, OPERATIONS);
	for (e = m->at; e < m->at + EVENTS; e++) {
		e->ev = test_event(test, m->proc, draw(m, 4), draw(m, 2) ? EVF_SAFEPOINT : 0, 0);
		e->started = true;
		if (!draw(m, 3))
			e->ev->state |= EV_MULTI;
	}
	return m;
}

static void active_random_operations(struct kunit *test)
{
	u64 seed = get_random_u64();
	struct model *m = new_model(test, seed);
	u32 i;

	kunit_info(test, "seed %llu", seed);
	mutex_lock(&m->proc->enter_lock);
	for (i = 0; i < OPERATIONS; i++) {
		operate(m);
		if (i % 64 == 0)
			check(m);
	}
	check(m);
	mutex_unlock(&m->proc->enter_lock);
}

static struct kunit_case active_cases[] = {
	KUNIT_CASE(active_order),
	KUNIT_CASE(active_order_while_the_stamp_wraps),
	KUNIT_CASE(active_levels),
	KUNIT_CASE(active_room),
	KUNIT_CASE(active_top),
	KUNIT_CASE(active_count_saturates),
	KUNIT_CASE(active_bell),
	KUNIT_CASE(active_hostile_control_page),
	KUNIT_CASE(active_wait),
	KUNIT_CASE(active_starved_too_late),
	KUNIT_CASE(active_random_operations),
	{}
};

static struct kunit_suite active_suite = {
	.name = "aem-active",
	.test_cases = active_cases,
};

kunit_test_suite(active_suite);
