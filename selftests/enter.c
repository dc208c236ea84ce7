// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_ENTER: calls in a batch, waiting, delivery, levels, and each errno.
 *
 * vm: load=core,null m32
 */
#include "raw.h"
#include <pthread.h>

#define EVENTS 8

static struct raw raw;
static uint64_t id[EVENTS];

/* One event per priority 0 to 7, started. */
static void begin(void)
{
	int i;

	raw_start(&raw);
	for (i = 0; i < EVENTS; i++)
		id[i] = null_new(&raw, NULL_CREATE, raw_nothing, 100 + i, 0, i);
}

static void fire_all(void)
{
	int i;

	for (i = 0; i < EVENTS; i++)
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
}

static void expect_out(const struct aem_enter *enter, uint32_t count, uint32_t done,
		       uint32_t pending)
{
	EXPECT_EQ(enter->count, count);
	EXPECT_EQ(enter->done, done);
	EXPECT_EQ(enter->pending, pending);
	EXPECT_LT(enter->first, raw.setup.ring_entries);
}

TEST(nothing_to_do)
{
	struct aem_enter enter = { 0 };

	begin();
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 0, 0, 0);
	raw_end(&raw);
}

TEST(records_say_what_was_registered)
{
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	uint32_t i;

	begin();
	fire_all();
	null_fire(&raw, id[3], NULL_BY_CALL, 4);
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, EVENTS, 0, 0);
	for (i = 0; i < EVENTS; i++) {
		record = raw_record(&raw, enter.first + i);
		EXPECT_EQ(record->handler, (uintptr_t)raw_nothing);
		EXPECT_EQ(record->cookie, 107 - i);
		EXPECT_EQ(record->id, id[7 - i]);
		EXPECT_EQ(record->state, AEM_RECORD_READY);
		EXPECT_EQ(record->nr, raw.null + NULL_CREATE);
		EXPECT_EQ(record->prio, 7 - i);
		EXPECT_EQ(record->flags, 0);
		EXPECT_EQ(record->count, i == 4 ? 5 : 1);
		EXPECT_EQ(record->lost, 0);
		EXPECT_EQ(record->arg[0], i == 4 ? 5 : 1);
		EXPECT_EQ(record->arg[1], 0);
		EXPECT_EQ(record->arg[2], 1);
	}
	EXPECT_EQ(raw_dispatch(&raw, &enter), EVENTS);
	EXPECT_EQ(raw_round(&raw), 0);
	for (i = 0; i < raw.setup.ring_entries; i++)
		EXPECT_EQ(raw.ring[i].state, AEM_RECORD_FREE);
	raw_end(&raw);
}

TEST(max_events)
{
	struct aem_enter enter = { .max_events = 3 };

	begin();
	fire_all();
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 3, 0, 0x1f);
	raw_dispatch(&raw, &enter);
	enter.max_events = 1;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 1, 0, 0x0f);
	EXPECT_EQ(raw_record(&raw, enter.first)->id, id[4]);
	raw_dispatch(&raw, &enter);
	enter.max_events = ~0U;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 4, 0, 0);
	raw_end(&raw);
}

TEST(level)
{
	struct aem_enter enter = { .level = 32 };

	begin();
	fire_all();
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 0, 0, 0xff);
	enter.level = 6;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 2, 0, 0x3f);
	raw_dispatch(&raw, &enter);
	enter.level = 8;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 0, 0, 0x3f);
	enter.level = 0;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 6, 0, 0);
	raw_end(&raw);
}

/* The level of ENTER is its argument; that of the control page is for the doorbell. */
TEST(interrupt_leaves_safe_points)
{
	struct aem_enter enter = { .flags = AEM_ENTER_INTERRUPT };
	uint64_t safe, other;

	signal(SIGUSR1, SIG_IGN);
	raw_start_signal(&raw, SIGUSR1);
	safe = null_new(&raw, NULL_CREATE, raw_nothing, 1, EVF_SAFEPOINT, 9);
	other = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 3);
	null_fire(&raw, safe, NULL_BY_CALL, 1);
	null_fire(&raw, other, NULL_BY_CALL, 1);
	EXPECT_EQ(raw.control->pending, 1 << 9 | 1 << 3);
	EXPECT_EQ(raw.control->interrupt, 1 << 3);
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 1, 0, 1 << 9);
	EXPECT_EQ(raw_record(&raw, enter.first)->id, other);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw.control->interrupt, 0);
	EXPECT_EQ(raw.control->pending, 1 << 9);
	enter.flags = 0;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 1, 0, 0);
	EXPECT_EQ(raw_record(&raw, enter.first)->id, safe);
	raw_end(&raw);
}

TEST(timeout)
{
	struct aem_enter enter = { .min_events = 1, .timeout = 0 };

	begin();
	EXPECT_ERRNO(raw_enter(&raw, &enter), ETIME);
	expect_out(&enter, 0, 0, 0);
	enter.timeout = 20000000;
	EXPECT_ERRNO(raw_enter(&raw, &enter), ETIME);
	expect_out(&enter, 0, 0, 0);
	null_fire(&raw, id[2], NULL_BY_CALL, 1);
	enter.min_events = 2;
	EXPECT_ERRNO(raw_enter(&raw, &enter), ETIME);
	expect_out(&enter, 0, 0, 1 << 2);
	enter.min_events = 1;
	enter.level = 3;
	EXPECT_ERRNO(raw_enter(&raw, &enter), ETIME);
	expect_out(&enter, 0, 0, 1 << 2);
	enter.level = 2;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 1, 0, 0);
	raw_end(&raw);
}

TEST(timeout_is_not_waited_for_when_there_is_enough)
{
	struct aem_enter enter = { .min_events = EVENTS, .timeout = -1 };

	begin();
	fire_all();
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, EVENTS, 0, 0);
	raw_dispatch(&raw, &enter);
	fire_all();
	enter.timeout = INT64_MAX;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, EVENTS, 0, 0);
	raw_end(&raw);
}

static volatile int fired;

static void *fire_slowly(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < EVENTS; i++) {
		raw_sleep_ms(30);
		__atomic_fetch_add(&fired, 1, __ATOMIC_SEQ_CST);
		null_fire(&raw, id[i], i & 1 ? NULL_BY_IRQ : NULL_BY_CPU, 1);
	}
	return NULL;
}

TEST(min_events)
{
	struct aem_enter enter = { .min_events = 5, .timeout = RAW_LONG };
	pthread_t thread;

	begin();
	ASSERT_EQ(pthread_create(&thread, NULL, fire_slowly, NULL), 0);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_GE(fired, 5);
	EXPECT_GE(enter.count, 5);
	pthread_join(thread, NULL);
	raw_end(&raw);
}

/* Events below the level do not count, and do not wake. */
TEST(min_events_at_a_level)
{
	struct aem_enter enter = { .min_events = 2, .level = 5, .timeout = RAW_LONG };
	pthread_t thread;

	begin();
	ASSERT_EQ(pthread_create(&thread, NULL, fire_slowly, NULL), 0);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_GE(fired, 7);
	EXPECT_GE(enter.count, 2);
	EXPECT_EQ(enter.pending & 0x1f, 0x1f);
	pthread_join(thread, NULL);
	raw_end(&raw);
}

static void on_signal(int signo)
{
	(void)signo;
}

/* No SA_RESTART, which would not matter for an ioctl that says EINTR. */
static void interrupt_me(int after_ms, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	pid_t self = getpid();

	ASSERT_OK(sigaction(SIGUSR2, &action, NULL));
	if (fork() == 0) {
		raw_sleep_ms(after_ms);
		kill(self, SIGUSR2);
		_exit(0);
	}
}

TEST(interrupted)
{
	struct null_totals totals = { .size = sizeof(totals) };
	struct aem_call call = { .size = sizeof(call), .arg = (uintptr_t)&totals, .result = -1 };
	struct aem_enter enter = {
		.min_events = 1, .level = 4, .timeout = -1,
		.calls = (uintptr_t)&call, .n_calls = 1,
	};

	begin();
	call.nr = raw.null + NULL_TOTALS;
	null_fire(&raw, id[3], NULL_BY_CALL, 1);
	interrupt_me(100, 0);
	EXPECT_ERRNO(raw_enter(&raw, &enter), EINTR);
	expect_out(&enter, 0, 1, 1 << 3);
	EXPECT_EQ(call.result, 0);
	EXPECT_EQ(totals.created >= EVENTS, 1);
	call.result = -1;
	interrupt_me(100, SA_RESTART);
	EXPECT_ERRNO(raw_enter(&raw, &enter), EINTR);
	expect_out(&enter, 0, 1, 1 << 3);
	raw_end(&raw);
}

static void *wait_long(void *result)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };

	*(int *)result = raw_enter(&raw, &enter) ? errno : 0;
	return NULL;
}

static int waiter_tid;

static void *wait_telling_tid(void *result)
{
	__atomic_store_n(&waiter_tid, raw_gettid(), __ATOMIC_SEQ_CST);
	return wait_long(result);
}

static pthread_t start_waiter(int *result)
{
	pthread_t thread;

	waiter_tid = 0;
	ASSERT_EQ(pthread_create(&thread, NULL, wait_telling_tid, result), 0);
	while (!__atomic_load_n(&waiter_tid, __ATOMIC_SEQ_CST))
		raw_sleep_ms(5);
	raw_wait_asleep(waiter_tid);
	return thread;
}

TEST(second_waiter)
{
	struct aem_enter enter = { .min_events = 1, .timeout = 20000000 };
	pthread_t thread;
	int result = -1;

	begin();
	thread = start_waiter(&result);
	EXPECT_ERRNO(raw_enter(&raw, &enter), ETIME);
	expect_out(&enter, 0, 0, 0);
	enter.min_events = 0;
	EXPECT_OK(raw_enter(&raw, &enter));
	null_fire(&raw, id[0], NULL_BY_CALL, 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, 0);
	raw_end(&raw);
}

TEST(context_ends_under_a_waiter)
{
	pthread_t thread;
	int result = -1;

	begin();
	thread = start_waiter(&result);
	EXPECT_OK(munmap(raw.control, sysconf(_SC_PAGESIZE)));
	pthread_join(thread, NULL);
	EXPECT_EQ(result, ENXIO);
	close(raw.fd);
}

TEST(descriptor_closed_under_a_waiter)
{
	pthread_t thread;
	int result = -1, other;

	begin();
	other = dup(raw.fd);
	thread = start_waiter(&result);
	EXPECT_OK(close(raw.fd));
	raw.fd = other;
	null_fire(&raw, id[0], NULL_BY_CALL, 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(result, 0);
	raw_end(&raw);
}

TEST(batch_with_mixed_results)
{
	struct null_create create = null_request(raw_nothing, 55, EVF_START, 20);
	struct null_fire fire = { .size = sizeof(fire), .count = 2 }, bad = fire;
	struct aem_event event = { .size = sizeof(event), .op = AEM_EVENT_INFO };
	struct aem_call calls[6] = {
		{ .arg = (uintptr_t)&create }, { .arg = (uintptr_t)&bad },
		{ .arg = (uintptr_t)&fire }, { .arg = 8 },
		{ .arg = (uintptr_t)&event }, { .arg = (uintptr_t)&fire },
	};
	struct aem_enter enter = { .calls = (uintptr_t)calls, .n_calls = 6 };
	int i;

	begin();
	for (i = 0; i < 6; i++) {
		calls[i].size = sizeof(calls[i]);
		calls[i].nr = raw.null + NULL_FIRE;
		calls[i].result = 0x7777;
	}
	calls[0].nr = raw.null + NULL_CREATE;
	calls[4].nr = AEM_CALL_EVENT;
	calls[5].nr = raw.null + 63;
	bad.id = 0x123456789ULL;
	fire.id = id[5];
	event.id = id[5];
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.done, 6);
	EXPECT_EQ(calls[0].result, 0);
	EXPECT_EQ(calls[1].result, -ENOENT);
	EXPECT_EQ(calls[2].result, 0);
	EXPECT_EQ(calls[3].result, -EFAULT);
	EXPECT_EQ(calls[4].result, 0);
	EXPECT_EQ(calls[5].result, -ENOSYS);
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED | AEM_EVENT_S_ACTIVE);
	/* What the batch fired is delivered by the same crossing. */
	EXPECT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->id, id[5]);
	EXPECT_NE(create.reg.id, 0);
	null_fire(&raw, create.reg.id, NULL_BY_CALL, 1);
	raw_end(&raw);
}

TEST(batch_with_a_bad_size)
{
	struct null_totals totals = { .size = sizeof(totals) };
	struct aem_call calls[2] = {
		{ .size = sizeof(calls[0]) - 1, .arg = (uintptr_t)&totals },
		{ .size = sizeof(calls[0]), .arg = (uintptr_t)&totals, .result = 1 },
	};
	struct aem_enter enter = { .calls = (uintptr_t)calls, .n_calls = 2 };

	begin();
	calls[0].nr = raw.null + NULL_TOTALS;
	calls[1].nr = raw.null + NULL_TOTALS;
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.done, 2);
	EXPECT_EQ(calls[0].result, -EINVAL);
	EXPECT_EQ(calls[1].result, 0);
	raw_end(&raw);
}

/* The array ends in memory that cannot be read: what came before it was done. */
TEST(batch_with_a_bad_address)
{
	struct null_fire fire = { .size = sizeof(fire), .count = 1 };
	struct aem_call *calls = raw_guarded(3 * sizeof(*calls));
	struct aem_enter enter = { .calls = (uintptr_t)calls, .n_calls = 5 };
	int i;

	begin();
	fire.id = id[1];
	for (i = 0; i < 3; i++)
		calls[i] = (struct aem_call){
			.size = sizeof(*calls), .nr = raw.null + NULL_FIRE,
			.arg = (uintptr_t)&fire, .result = -1,
		};
	EXPECT_ERRNO(raw_enter(&raw, &enter), EFAULT);
	expect_out(&enter, 0, 3, 1 << 1);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(calls[i].result, 0);
	EXPECT_EQ(null_state(&raw, id[1]).fired, 3);
	enter.calls = 0;
	EXPECT_ERRNO(raw_enter(&raw, &enter), EFAULT);
	expect_out(&enter, 0, 0, 1 << 1);
	enter.calls = ~0ULL - 10;
	EXPECT_ERRNO(raw_enter(&raw, &enter), EFAULT);
	expect_out(&enter, 0, 0, 1 << 1);
	enter.n_calls = 0;
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 1, 0, 0);
	raw_end(&raw);
}

TEST(largest_batch)
{
	struct null_fire fire = { .size = sizeof(fire), .count = 1 };
	struct aem_call *calls = calloc(65536, sizeof(*calls));
	struct aem_enter enter = { .calls = (uintptr_t)calls, .n_calls = 65536 };
	int i, bad = 0;

	begin();
	ASSERT(calls);
	fire.id = id[0];
	for (i = 0; i < 65536; i++)
		calls[i] = (struct aem_call){
			.size = sizeof(*calls), .nr = raw.null + NULL_FIRE,
			.arg = (uintptr_t)&fire, .result = -1,
		};
	EXPECT_OK(raw_enter(&raw, &enter));
	expect_out(&enter, 1, 65536, 0);
	EXPECT_EQ(raw_record(&raw, enter.first)->count, 65536);
	for (i = 0; i < 65536; i++)
		bad += calls[i].result != 0;
	EXPECT_EQ(bad, 0);
	raw_end(&raw);
}

/* A call may unregister what the same crossing would have delivered. */
TEST(batch_unregisters_an_active_event)
{
	struct aem_event event = { .size = sizeof(event), .op = AEM_EVENT_SHUTDOWN };
	struct aem_call call = {
		.size = sizeof(call), .nr = AEM_CALL_EVENT, .arg = (uintptr_t)&event,
	};
	struct aem_enter enter = { .calls = (uintptr_t)&call, .n_calls = 1 };

	begin();
	event.id = id[4];
	fire_all();
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(call.result, 0);
	EXPECT_EQ(enter.count, EVENTS - 1);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw_query(&raw).events, EVENTS - 1);
	raw_end(&raw);
}

/* More is active than the ring takes: the rest comes later, and none is lost. */
TEST(full_ring)
{
	struct aem_enter enter = { 0 };
	uint32_t seen[300] = { 0 }, i, sum = 0, rounds = 0;
	uint64_t many[300];

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.ring_entries = 64;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	for (i = 0; i < 300; i++) {
		many[i] = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, i % 32);
		null_fire(&raw, many[i], NULL_BY_CALL, 1);
	}
	while (!raw_enter(&raw, &enter) && enter.count) {
		EXPECT_LE(enter.count, 64);
		for (i = 0; i < enter.count; i++)
			seen[raw_record(&raw, enter.first + i)->cookie]++;
		sum += raw_dispatch(&raw, &enter);
		rounds++;
	}
	EXPECT_EQ(sum, 300);
	EXPECT_GE(rounds, 300 / 64);
	for (i = 0; i < 300; i++)
		EXPECT_EQ(seen[i], 1);
	raw_end(&raw);
}

/* Nobody takes records: the ring fills, and nothing is written over them. */
TEST(ring_that_is_not_emptied)
{
	struct aem_enter enter = { 0 };
	uint32_t i, sum = 0;
	uint64_t urgent;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.ring_entries = 64;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	urgent = null_new(&raw, NULL_CREATE, raw_nothing, 999, 0, 31);
	for (i = 0; i < 100; i++)
		null_fire(&raw, null_new(&raw, NULL_CREATE, raw_nothing, i, 0, 0), NULL_BY_CALL, 1);
	for (i = 0; i < 10; i++) {
		EXPECT_OK(raw_enter(&raw, &enter));
		sum += enter.count;
		EXPECT_EQ(enter.pending, 1);
	}
	EXPECT_LE(sum, 64);
	EXPECT_GT(sum, 0);
	for (i = 0; i < sum; i++) {
		EXPECT_EQ(raw.ring[i].cookie, i);
		EXPECT_EQ(raw.ring[i].state, AEM_RECORD_READY);
	}
	/* There is always room for something more urgent. */
	null_fire(&raw, urgent, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->cookie, 999);
	raw_end(&raw);
}

KTAP_MAIN()
