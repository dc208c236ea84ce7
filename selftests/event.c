// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_EVENT: start, stop, priority, shutdown, info.
 *
 * vm: load=core,null m32
 */
#include "raw.h"
#include <pthread.h>

#define OPS 6
static const uint32_t ops[OPS] = {
	AEM_EVENT_START, AEM_EVENT_STOP, AEM_EVENT_PRIO, AEM_EVENT_SHUTDOWN, AEM_EVENT_INFO,
	AEM_EVENT_NEAR,
};

static struct raw raw;

static uint64_t stopped(uint32_t prio)
{
	struct null_create create = null_request(raw_nothing, 1, 0, prio);

	return null_make(&raw, NULL_CREATE, &create);
}

TEST(no_such_event)
{
	uint64_t id;
	int i;

	raw_start(&raw);
	id = stopped(1);
	for (i = 0; i < OPS; i++) {
		EXPECT_ERRNO(raw_event(&raw, ops[i], 0, 0), ENOENT);
		EXPECT_ERRNO(raw_event(&raw, ops[i], id + 1, 0), ENOENT);
		EXPECT_ERRNO(raw_event(&raw, ops[i], id + (1ULL << 32), 0), ENOENT);
		EXPECT_ERRNO(raw_event(&raw, ops[i], (uint32_t)id, 0), ENOENT);
		EXPECT_ERRNO(raw_event(&raw, ops[i], ~0ULL, 0), ENOENT);
	}
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	raw_end(&raw);
}

TEST(arguments_that_are_refused)
{
	uint64_t id;
	int i;

	raw_start(&raw);
	id = stopped(1);
	for (i = 0; i < OPS; i++)
		if (ops[i] != AEM_EVENT_PRIO && ops[i] != AEM_EVENT_NEAR)
			EXPECT_ERRNO(raw_event(&raw, ops[i], id, 1), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_PRIO, id, 32), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_PRIO, id, ~0ULL), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_PRIO, id, 1ULL << 32), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, 0, id, 0), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_NEAR, id, sysconf(_SC_NPROCESSORS_CONF)), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_NEAR, id, AEM_NEAR_ANY - 1), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_NEAR, id, 1ULL << 32), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_NEAR, id, ~0ULL), EINVAL);
	EXPECT_ERRNO(raw_event(&raw, 7, id, 0), EINVAL);
	EXPECT_EQ(raw_state_of(&raw, id), 0);
	raw_end(&raw);
}

TEST(start_and_stop)
{
	struct aem_event event;
	uint64_t id;

	raw_start(&raw);
	id = stopped(1);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(raw_query(&raw).activations, 0);

	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_START, id, 0, &event));
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED);
	EXPECT_EQ(event.prio, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	EXPECT_EQ(null_state(&raw, id).armed, 1);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(raw_state_of(&raw, id), AEM_EVENT_S_STARTED | AEM_EVENT_S_ACTIVE);
	EXPECT_EQ(raw_round(&raw), 1);

	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_STOP, id, 0, &event));
	EXPECT_EQ(event.state & AEM_EVENT_S_STARTED, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	EXPECT_EQ(null_state(&raw, id).disarmed, 1);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(raw_round(&raw), 0);

	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	EXPECT_EQ(null_state(&raw, id).armed, 2);
	EXPECT_EQ(raw_round(&raw), 0);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_round(&raw), 1);
	raw_end(&raw);
}

/* Stopped while it is active: no record. */
TEST(stop_an_active_event)
{
	struct aem_event event;
	uint64_t id;

	raw_start(&raw);
	id = stopped(3);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw.control->pending, 1 << 3);
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_STOP, id, 0, &event));
	EXPECT_EQ(event.state, 0);
	EXPECT_EQ(raw.control->pending, 0);
	EXPECT_EQ(raw_query(&raw).active, 0);
	EXPECT_EQ(raw_round(&raw), 0);
	raw_end(&raw);
}

/* Stopped while its record is delivered: that one stays. */
TEST(stop_a_delivered_event)
{
	struct aem_enter enter = { 0 };
	uint64_t id;

	raw_start(&raw);
	id = stopped(3);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	EXPECT_EQ(raw_state_of(&raw, id), AEM_EVENT_S_BUSY);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw.handled, 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(null_state(&raw, id).destructed, 1);
	raw_end(&raw);
}

TEST(priority)
{
	struct aem_event event;
	uint64_t id, other;

	raw_start(&raw);
	id = stopped(3);
	other = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 5);
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_PRIO, id, 31, &event));
	EXPECT_EQ(event.prio, 31);
	EXPECT_EQ(event.state, 0);
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_PRIO, id, 0, &event));
	EXPECT_EQ(event.prio, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	null_fire(&raw, id, NULL_BY_CALL, 1);
	null_fire(&raw, other, NULL_BY_CALL, 1);
	EXPECT_EQ(raw.control->pending, 1 << 0 | 1 << 5);
	/* An active event joins the list of its new priority. */
	EXPECT_OK(raw_event(&raw, AEM_EVENT_PRIO, id, 9));
	EXPECT_EQ(raw.control->pending, 1 << 9 | 1 << 5);
	EXPECT_EQ(raw_query(&raw).active, 2);
	EXPECT_EQ(raw_drain(&raw), 2);
	EXPECT_EQ(raw.control->pending, 0);
	raw_end(&raw);
}

/* At the end of its new list, that is. */
TEST(priority_joins_the_end)
{
	struct aem_enter enter = { 0 };
	uint64_t id[3];
	int i;

	raw_start(&raw);
	for (i = 0; i < 3; i++)
		id[i] = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, i ? 7 : 9);
	for (i = 0; i < 3; i++)
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_PRIO, id[0], 7));
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 3);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(raw_record(&raw, enter.first + i)->cookie, (i + 1) % 3);
	raw_end(&raw);
}

TEST(shutdown_ends_it)
{
	struct null_totals before, after;
	uint64_t id;
	int i;

	raw_start(&raw);
	before = null_totals(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	after = null_totals(&raw);
	EXPECT_EQ(after.released, before.released + 1);
	EXPECT_EQ(after.created, before.created + 1);
	EXPECT_EQ(after.constructed, before.constructed);
	EXPECT_EQ(raw.control->pending, 0);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).active, 0);
	EXPECT_EQ(raw_round(&raw), 0);
	for (i = 0; i < OPS; i++)
		EXPECT_ERRNO(raw_event(&raw, ops[i], id, 0), ENOENT);
	EXPECT_ERRNO(null_try_fire(&raw, id, NULL_BY_CALL, 1), ENOENT);
	raw_end(&raw);
}

/* Its record was delivered: it can no longer be claimed, and no destructor runs. */
TEST(shutdown_cancels_a_record)
{
	struct null_totals before, after;
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	uint64_t id;

	raw_start(&raw);
	before = null_totals(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_plan(&raw, id, (struct null_plan){ .block = 1000 });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	EXPECT_EQ(raw_query(&raw).vmt_used, 1024);
	record = raw_record(&raw, enter.first);
	EXPECT_EQ(record->state, AEM_RECORD_READY);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	EXPECT_EQ(record->state, AEM_RECORD_CANCELLED);
	EXPECT(!raw_claim(record));
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(record->state, AEM_RECORD_FREE);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	after = null_totals(&raw);
	EXPECT_EQ(after.constructed, before.constructed + 1);
	EXPECT_EQ(after.destructed, before.destructed);
	EXPECT_EQ(after.released, before.released + 1);
	raw_end(&raw);
}

static uint64_t own_id;
static uint32_t own_ran;

static void shut_myself_down(struct raw *r, struct aem_record *record)
{
	uint64_t *block = (uint64_t *)(r->vmt + record->arg[1]);

	own_ran++;
	EXPECT_OK(raw_event(r, AEM_EVENT_SHUTDOWN, own_id, 0));
	EXPECT_ERRNO(raw_event(r, AEM_EVENT_INFO, own_id, 0), ENOENT);
	/* The block stays until the handler's end. */
	EXPECT_EQ(block[0], record->arg[0]);
	block[0] = 0x1111;
	EXPECT_EQ(raw_query(r).vmt_used, 128);
}

TEST(shutdown_in_its_own_handler)
{
	struct null_totals before;

	raw_start(&raw);
	before = null_totals(&raw);
	own_id = null_new(&raw, NULL_CREATE, shut_myself_down, 1, 0, 1);
	null_plan(&raw, own_id, (struct null_plan){ .block = 128 });
	null_fire(&raw, own_id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(own_ran, 1);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	EXPECT_EQ(raw_query(&raw).events, 0);
	/* The handler ran to its end, so its destructor ran as well. */
	EXPECT_EQ(null_totals(&raw).destructed, before.destructed + 1);
	EXPECT_EQ(null_totals(&raw).released, before.released + 1);
	raw_end(&raw);
}

TEST(oneshot)
{
	struct aem_enter enter = { 0 };
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, EVF_ONESHOT, 1);
	null_fire(&raw, id, NULL_BY_CALL, 5);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->flags, AEM_RECORD_F_LAST);
	EXPECT_EQ(raw_record(&raw, enter.first)->count, 5);
	null_fire(&raw, id, NULL_BY_CALL, 5);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, id, 0), ENOENT);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

TEST(constructor_stops_or_ends)
{
	struct aem_enter enter = { 0 };
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_plan(&raw, id, (struct null_plan){ .flags = NULL_PLAN_STOP });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->flags, 0);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw_state_of(&raw, id) & AEM_EVENT_S_STARTED, 0);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	null_plan(&raw, id, (struct null_plan){ .flags = NULL_PLAN_END });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->flags, AEM_RECORD_F_LAST);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

static void keep_running(struct raw *r, struct aem_record *record)
{
	(void)record;
	__atomic_store_n((int *)r->data, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n((int *)r->data, __ATOMIC_SEQ_CST) == 1)
		raw_sleep_ms(2);
}

static void *run_once(void *unused)
{
	(void)unused;
	EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(raw_round(&raw), 0);
	return NULL;
}

static void on_signal(int signo)
{
	(void)signo;
}

/* A handler runs in another thread and a signal comes: told, and unregistered nevertheless. */
TEST(shutdown_interrupted)
{
	struct sigaction action = { .sa_handler = on_signal };
	pid_t self = getpid();
	pthread_t thread;
	int running = 0;
	uint64_t id;

	ASSERT_OK(sigaction(SIGUSR2, &action, NULL));
	raw_start(&raw);
	raw.data = &running;
	id = null_new(&raw, NULL_CREATE, keep_running, 1, 0, 1);
	ASSERT_EQ(pthread_create(&thread, NULL, run_once, NULL), 0);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	while (!__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		raw_sleep_ms(2);
	if (fork() == 0) {
		raw_sleep_ms(100);
		syscall(SYS_tgkill, self, self, SIGUSR2);
		_exit(0);
	}
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0), EINTR);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, id, 0), ENOENT);
	EXPECT_EQ(raw.control->flags & AEM_CONTROL_REAP, AEM_CONTROL_REAP);
	__atomic_store_n(&running, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw.control->flags & AEM_CONTROL_REAP, 0);
	raw_end(&raw);
}

TEST(info_counts)
{
	struct aem_event event;
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 11);
	null_fire(&raw, id, NULL_BY_CALL, 7);
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_INFO, id, 0, &event));
	EXPECT_EQ(event.size, sizeof(event));
	EXPECT_EQ(event.op, AEM_EVENT_INFO);
	EXPECT_EQ(event.id, id);
	EXPECT_EQ(event.prio, 11);
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED | AEM_EVENT_S_ACTIVE);
	EXPECT_EQ(event.nr, raw.null + NULL_CREATE);
	EXPECT_EQ(event.activations, 7);
	EXPECT_EQ(event.starved, 0);
	EXPECT_EQ(event.parent, 0);
	raw_drain(&raw);
	null_plan(&raw, id, (struct null_plan){ .times = 1, .answer = -ENOBUFS });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_INFO, id, 0, &event));
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED | AEM_EVENT_S_STARVED);
	EXPECT_EQ(event.activations, 8);
	EXPECT_EQ(event.starved, 1);
	raw_end(&raw);
}

/* What constructors may answer. */
TEST(constructor_answers)
{
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	/* There was nothing after all: no record, nothing lost. */
	null_plan(&raw, id, (struct null_plan){ .times = 1, .answer = -EAGAIN });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(null_state(&raw, id).constructed, 1);
	/* An error: lost, and the next record says so. */
	null_plan(&raw, id, (struct null_plan){ .times = 1, .answer = -EIO });
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(raw_drain(&raw), 0);
	null_fire(&raw, id, NULL_BY_CALL, 2);
	EXPECT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	record = raw_record(&raw, enter.first);
	EXPECT_EQ(record->lost, 3);
	EXPECT_EQ(record->count, 2);
	raw_dispatch(&raw, &enter);
	/* The constructor's own losses come on top. */
	null_plan(&raw, id, (struct null_plan){ .lost = 10 });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	EXPECT_EQ(raw_record(&raw, enter.first)->lost, 10);
	raw_dispatch(&raw, &enter);
	/* More: another turn after each handler. */
	null_plan(&raw, id, (struct null_plan){ .times = 4, .answer = NULL_MORE });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 5);
	/* So says a destructor. */
	null_plan(&raw, id, (struct null_plan){ .again = 3 });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 4);
	raw_end(&raw);
}

/* What the handler leaves in its block reaches the destructor. */
static void answer(struct raw *r, struct aem_record *record)
{
	uint64_t *block = (uint64_t *)(r->vmt + record->arg[1]);
	int i;

	for (i = 0; i < 512; i++)
		EXPECT_EQ(block[i], record->arg[0]);
	block[0] = 0xabcdef0000ULL + record->arg[0];
}

TEST(data_goes_both_ways)
{
	uint64_t id;
	int i;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, answer, 1, 0, 1);
	null_plan(&raw, id, (struct null_plan){ .block = 4096 });
	for (i = 1; i <= 50; i++) {
		null_fire(&raw, id, NULL_BY_CALL, 1);
		EXPECT_EQ(raw_drain(&raw), 1);
		EXPECT_EQ(null_state(&raw, id).left, 0xabcdef0000ULL + i);
	}
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

TEST(kept_block)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_FREE };
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_plan(&raw, id, (struct null_plan){ .block = 512 });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	record = raw_record(&raw, enter.first);
	ASSERT(raw_claim(record));
	vmt.offset = record->arg[1];
	/* Not the process's yet. */
	EXPECT_ERRNO(ioctl(raw.fd, AEM_IOC_VMT, &vmt), EINVAL);
	raw_finish(record, AEM_RECORD_KEEP);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(null_state(&raw, id).destructed, 1);
	EXPECT_EQ(raw_query(&raw).vmt_used, 512);
	EXPECT_OK(ioctl(raw.fd, AEM_IOC_VMT, &vmt));
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	EXPECT_ERRNO(ioctl(raw.fd, AEM_IOC_VMT, &vmt), EINVAL);
	raw_end(&raw);
}

KTAP_MAIN()
