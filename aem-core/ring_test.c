// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the ring: records are made, scribbled over, cancelled and taken back at random,
 * and held against a model that knows what the kernel wrote and what the process may have
 * changed. Built if CONFIG_KUNIT is.
 */
#include <linux/bitmap.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "range.h"
#include "ring.h"
#include "test_process.h"

#define EVENTS		12
#define ENTRIES		64
#define OPERATIONS	30000

/**
 * struct script - what an event's constructor and destructor do; its private part
 * @size:    of the block that a record gets, 0: none
 * @verdict: of the constructor
 * @again:   of the destructor
 */
struct script {
	u32 size;
	int verdict;
	bool again;
};

/**
 * struct shadow - a record as it was made
 * @ev:        its event
 * @block:     its block
 * @cancelled: the event was unregistered before its handler started
 */
struct shadow {
	struct event_struct *ev;
	struct aem_block block;
	bool cancelled;
};

/**
 * struct model - a ring, and what it should be like
 * @test:   for messages
 * @proc:   the context
 * @range:  its service
 * @ev:     its events
 * @ring:   the records from head to tail
 * @n:      how many
 * @used:   bytes in blocks of those
 * @kept:   bytes in blocks that the process has
 * @due:    destructors that are to run, in this order
 * @n_due:  how many
 * @n_done: how many of them have run
 * @random: random numbers
 */
struct model {
	struct kunit *test;
	struct aem_process *proc;
	struct aem_range range;
	struct event_struct *ev[EVENTS];
	struct shadow ring[ENTRIES];
	u32 n;
	u64 used;
	u64 kept;
	struct shadow due[ENTRIES];
	u32 n_due;
	u32 n_done;
	struct rnd_state random;
};

/* Of the test that runs: destructors know only their event. */
static struct model *model;

static u32 draw(struct model *m, u32 below)
{
	return prandom_u32_state(&m->random) % below;
}

static int construct(struct event_struct *ev, struct aem_delivery *d)
{
	const struct script *script = aem_event_private(ev);
	int err = script->size ? aem_vmt_alloc(ev->proc, script->size, &d->block) : 0;

	return err ?: script->verdict;
}

static int destruct(struct event_struct *ev, const struct aem_block *block)
{
	const struct script *script = aem_event_private(ev);
	const struct shadow *due = &model->due[model->n_done++];

	KUNIT_EXPECT_PTR_EQ(model->test, due->ev, ev);
	KUNIT_EXPECT_EQ(model->test, memcmp(&due->block, block, sizeof(*block)), 0);
	KUNIT_EXPECT_LE(model->test, model->n_done, model->n_due);
	return script->again ? AEM_MORE : 0;
}

static const struct aem_event_ops ops = {
	.construct = construct,
	.destruct = destruct,
};

static const struct aem_event_ops ops_multi = {
	.construct = construct,
	.destruct = destruct,
	.multi = true,
};

static const struct aem_call_op calls[] = {
	{ .events = &ops },
	{ .events = &ops_multi },
};

static struct aem_service service = {
	.name = "kunit",
	.version = 1,
	.calls = calls,
	.n_calls = ARRAY_SIZE(calls),
};

static void add_event(struct model *m, int i)
{
	static const int verdicts[] = { 0, 0, 0, AEM_MORE, -EAGAIN, -EIO };
	bool multi = draw(m, 2);
	struct event_struct *ev;
	struct script *script;

	ev = test_event(m->test, m->proc, draw(m, 6) * 6, draw(m, 2) ? EVF_SAFEPOINT : 0,
			sizeof(*script));
	ev->nr = AEM_RANGE_CALLS + multi;
	ev->state |= multi ? EV_MULTI : 0;
	ev->index = i + 1;
	ev->generation = i + 1;
	RCU_INIT_POINTER(ev->service, &service);
	script = aem_event_private(ev);
	script->size = draw(m, 3) ? draw(m, 4096) : 0;
	script->verdict = verdicts[draw(m, ARRAY_SIZE(verdicts))];
	script->again = !draw(m, 4);
	m->ev[i] = ev;
}

static int ring_test_init(struct kunit *test)
{
	u64 seed = get_random_u64();
	struct model *m;
	int i;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	kunit_info(test, "seed %llu", seed);
	prandom_seed_state(&m->random, seed);
	m->test = test;
	m->proc = test_process(test);
	KUNIT_ASSERT_EQ(test, aem_gate_init(&m->range.gate), 0);
	m->range.service = &service;
	m->range.index = 1;
	m->proc->ranges[1] = &m->range;
	test->priv = m;
	KUNIT_ASSERT_EQ(test, aem_ring_init(m->proc, ENTRIES), 0);
	KUNIT_ASSERT_EQ(test, aem_vmtable_init(&m->proc->vmt, 2 * AEM_BLOCK_MAX), 0);
	/* Soon they wrap. */
	m->proc->head = 0 - draw(m, 4 * ENTRIES);
	m->proc->tail = m->proc->head;
	for (i = 0; i < EVENTS; i++)
		add_event(m, i);
	model = m;
	return 0;
}

static void ring_test_exit(struct kunit *test)
{
	struct model *m = test->priv;

	if (!m)
		return;
	aem_vmtable_destroy(&m->proc->vmt);
	aem_ring_destroy(m->proc);
	aem_gate_destroy(&m->range.gate);
	model = NULL;
}

static struct aem_record *record(struct model *m, u32 i)
{
	return &m->proc->ring[(m->proc->head + i) % ENTRIES];
}

static bool is_finished(struct model *m, u32 i)
{
	u32 state = record(m, i)->state;

	return m->ring[i].cancelled || state == AEM_RECORD_DONE ||
	       state == AEM_RECORD_KEEP || state == AEM_RECORD_CANCELLED;
}

/* This record is to be taken back now. */
static void expect_end(struct model *m, u32 i)
{
	const struct shadow *shadow = &m->ring[i];

	m->used -= shadow->block.size;
	if (shadow->cancelled)
		return;
	m->due[m->n_due++] = *shadow;
	if (record(m, i)->state == AEM_RECORD_KEEP)
		m->kept += shadow->block.size;
}

static void reap(struct model *m)
{
	u32 first = 0, end = m->n, tail = m->proc->tail, head = m->proc->head;

	m->n_due = 0;
	m->n_done = 0;
	while (first < end && is_finished(m, first))
		expect_end(m, first++);
	while (end > first && is_finished(m, end - 1))
		expect_end(m, --end);
	aem_ring_reap(m->proc);
	KUNIT_EXPECT_EQ(m->test, m->proc->head, head + first);
	KUNIT_EXPECT_EQ(m->test, m->proc->tail, tail - (m->n - end));
	KUNIT_EXPECT_EQ(m->test, m->n_done, m->n_due);
	m->n = end - first;
	memmove(m->ring, m->ring + first, m->n * sizeof(*m->ring));
}

/* The record is what its event says, whatever lay there before. */
static void take_in(struct model *m, u32 i)
{
	const struct aem_slot *slot = &m->proc->slots[(m->proc->head + i) % ENTRIES];
	const struct aem_record *rec = record(m, i);

	m->ring[i] = (struct shadow){ .ev = slot->ev, .block = slot->block };
	m->used += slot->block.size;
	KUNIT_ASSERT_NOT_NULL(m->test, slot->ev);
	KUNIT_EXPECT_FALSE(m->test, slot->cancelled);
	KUNIT_EXPECT_EQ(m->test, rec->state, (u32)AEM_RECORD_READY);
	KUNIT_EXPECT_EQ(m->test, rec->id, aem_event_id(slot->ev));
	KUNIT_EXPECT_EQ(m->test, (u32)rec->prio, (u32)slot->ev->prio);
	KUNIT_EXPECT_EQ(m->test, (u32)rec->nr, (u32)slot->ev->nr);
	KUNIT_EXPECT_EQ(m->test, (u32)rec->flags, 0U);
	KUNIT_EXPECT_GE(m->test, rec->count, 1U);
}

static void fill(struct model *m)
{
	u32 max = draw(m, 2) ? U32_MAX : draw(m, 4);
	u32 level = draw(m, 2) ? 0 : draw(m, AEM_PRIORITIES + 1);
	u32 first = U32_MAX, made, i;

	made = aem_ring_fill(m->proc, level, draw(m, 2), max, &first);
	KUNIT_EXPECT_LE(m->test, made, max);
	KUNIT_ASSERT_LE(m->test, m->n + made, (u32)ENTRIES);
	KUNIT_EXPECT_EQ(m->test, first, (m->proc->tail - made) % ENTRIES);
	for (i = m->n; i < m->n + made; i++) {
		take_in(m, i);
		KUNIT_EXPECT_GE(m->test, (u32)m->ring[i].ev->prio, level);
		if (i > m->n)
			KUNIT_EXPECT_LE(m->test, m->ring[i].ev->prio, m->ring[i - 1].ev->prio);
	}
	m->n += made;
}

/* As a handler does that returns. */
static void finish(struct model *m)
{
	if (m->n)
		record(m, draw(m, 2) ? 0 : m->n - 1)->state = AEM_RECORD_DONE;
}

/* Any state, in any record, in use or not. */
static void scribble_state(struct model *m)
{
	u32 state = draw(m, 4) ? draw(m, 8) : prandom_u32_state(&m->random);

	m->proc->ring[draw(m, ENTRIES)].state = state;
}

static void scribble(struct model *m)
{
	prandom_bytes_state(&m->random, &m->proc->ring[draw(m, ENTRIES)],
			    sizeof(struct aem_record));
	prandom_bytes_state(&m->random, m->proc->control, sizeof(*m->proc->control));
}

static void cancel(struct model *m)
{
	struct event_struct *ev = m->ev[draw(m, EVENTS)];
	DECLARE_BITMAP(ready, ENTRIES) = {};
	u32 i;

	for (i = 0; i < m->n; i++)
		if (m->ring[i].ev == ev && record(m, i)->state == AEM_RECORD_READY)
			__set_bit(i, ready);
	aem_ring_cancel(ev);
	for_each_set_bit(i, ready, ENTRIES) {
		m->ring[i].cancelled = true;
		KUNIT_EXPECT_EQ(m->test, record(m, i)->state, (u32)AEM_RECORD_CANCELLED);
	}
}

/* Only what a thread that is not us has is run elsewhere. */
static void look_for_running(struct model *m)
{
	struct event_struct *ev = m->ev[draw(m, EVENTS)], *found;
	bool expected = false;
	u32 i;

	for (i = 0; i < m->n; i++) {
		m->proc->slots[(m->proc->head + i) % ENTRIES].task = draw(m, 2) ? current : NULL;
		if (m->ring[i].ev == ev && !m->ring[i].cancelled &&
		    record(m, i)->state == AEM_RECORD_RUNNING &&
		    !m->proc->slots[(m->proc->head + i) % ENTRIES].task)
			expected = true;
	}
	mutex_unlock(&m->proc->enter_lock);
	found = aem_ring_find_running(m->proc, aem_event_id(ev));
	mutex_lock(&m->proc->enter_lock);
	KUNIT_EXPECT_PTR_EQ(m->test, found, expected ? ev : NULL);
	if (found)
		aem_event_put(found);
}

/* The process frees what it kept, and asks for what it has not. */
static void free_kept(struct model *m)
{
	u64 before = aem_vmtable_used(&m->proc->vmt);
	u32 unit = draw(m, 2 * AEM_BLOCK_MAX / AEM_BLOCK_MIN);

	if (!aem_vmtable_free_user(&m->proc->vmt, unit * AEM_BLOCK_MIN)) {
		m->kept -= before - aem_vmtable_used(&m->proc->vmt);
		aem_active_feed(m->proc);
	}
}

static u32 records_of(struct model *m, const struct event_struct *ev)
{
	u32 i, count = 0;

	for (i = 0; i < m->n; i++)
		count += m->ring[i].ev == ev;
	return count;
}

static void check(struct model *m)
{
	int i;

	KUNIT_EXPECT_EQ(m->test, m->proc->tail - m->proc->head, m->n);
	KUNIT_EXPECT_EQ(m->test, aem_vmtable_used(&m->proc->vmt), m->used + m->kept);
	for (i = 0; i < EVENTS; i++) {
		u32 count = records_of(m, m->ev[i]);

		KUNIT_EXPECT_EQ(m->test, (u32)m->ev[i]->inflight, count);
		KUNIT_EXPECT_EQ(m->test, refcount_read(&m->ev[i]->refs), 1 + count);
		if (!(m->ev[i]->state & EV_MULTI))
			KUNIT_EXPECT_LE(m->test, count, 1U);
	}
}

static void operate(struct model *m)
{
	u32 i;

	switch (draw(m, 16)) {
	case 0 ... 2:
		return fill(m);
	case 3 ... 5:
		return reap(m);
	case 6:
		return scribble_state(m);
	case 7:
		return draw(m, 4) ? cancel(m) : scribble(m);
	case 8:
		return look_for_running(m);
	case 9:
		for (i = 0; i < 64; i++)
			free_kept(m);
		return;
	case 10 ... 12:
		return finish(m);
	default:
		return aem_event_activate(m->ev[draw(m, EVENTS)]);
	}
}

/* All go, cancelled; what the process kept stays until the zone goes. */
static void clear(struct model *m)
{
	m->n_due = 0;
	m->n_done = 0;
	aem_ring_clear(m->proc);
	KUNIT_EXPECT_EQ(m->test, m->n_done, 0U);
	KUNIT_EXPECT_EQ(m->test, m->proc->head, m->proc->tail);
	m->used = 0;
	m->n = 0;
	check(m);
}

static void ring_random_operations(struct kunit *test)
{
	struct model *m = test->priv;
	u32 i;

	mutex_lock(&m->proc->enter_lock);
	for (i = 0; i < OPERATIONS; i++) {
		operate(m);
		if (i % 16 == 0)
			check(m);
		if (i % 4096 == 4095)
			clear(m);
	}
	clear(m);
	mutex_unlock(&m->proc->enter_lock);
}

/* The first record of each priority finds room, however full others have made the ring. */
static void ring_room_for_the_urgent(struct kunit *test)
{
	struct model *m = test->priv;
	u32 prio, first, made = 0;

	mutex_lock(&m->proc->enter_lock);
	memset(aem_event_private(m->ev[0]), 0, sizeof(struct script));
	for (prio = 0; prio < AEM_PRIORITIES; prio++) {
		struct event_struct *ev = m->ev[0];

		ev->nr = AEM_RANGE_CALLS + 1;
		ev->state |= EV_MULTI;
		ev->prio = prio;
		do {
			aem_event_activate(ev);
			made = aem_ring_fill(m->proc, prio, true, 1, &first);
			m->n += made;
		} while (made);
		KUNIT_EXPECT_EQ(test, m->n, ENTRIES - (AEM_PRIORITIES - 1 - prio));
		aem_event_withdraw(ev);
	}
	aem_ring_clear(m->proc);
	mutex_unlock(&m->proc->enter_lock);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_room_for_the_urgent),
	KUNIT_CASE(ring_random_operations),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "aem-ring",
	.init = ring_test_init,
	.exit = ring_test_exit,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
