// SPDX-License-Identifier: GPL-2.0
/*
 * The library where handlers run at safe points only: contexts, dispatch and its order,
 * levels, waiting and stopping, blocks, queued calls, ends of events, jumps, threads, fork.
 *
 * vm: load=core,null m32
 */
#include "nulls.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>

#define MS 1000000LL

static struct aem *safe(void)
{
	return nulls_open(AEM_OPEN_SAFEPOINT);
}

/* Contexts */

TEST(open_and_close)
{
	struct aem_options options = {
		.flags = AEM_OPEN_SAFEPOINT, .ring_entries = 128, .vmt_size = 2 << 20,
	};
	struct aem_query query;
	struct aem *aem;
	int i, fd;

	for (i = 0; i < 20; i++) {
		ASSERT_RESULT(aem_open(&aem, &options), 0);
		EXPECT_RESULT(aem_query(aem, &query), 0);
		EXPECT_EQ(query.abi, AEM_ABI);
		EXPECT_EQ(query.flags, AEM_SETUP_SAFEPOINT);
		EXPECT_EQ(query.ring_entries, 128);
		EXPECT_EQ(query.vmt_size, 2 << 20);
		EXPECT_EQ(query.signo, 0);
		fd = aem_fd(aem);
		EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
		EXPECT_RESULT(aem_close(aem), 0);
		EXPECT_ERRNO(fcntl(fd, F_GETFD), EBADF);
	}
	EXPECT_RESULT(aem_close(NULL), 0);
}

TEST(open_refuses)
{
	static const struct aem_options bad[] = {
		{ .flags = 1U << 31 },
		{ .flags = AEM_OPEN_SAFEPOINT, .signo = SIGUSR1 },
		{ .signo = -1 },
		{ .signo = 65 },
		{ .signo = SIGKILL },
		{ .ring_entries = 65 },
		{ .ring_entries = 32 },
		{ .ring_entries = 8192 },
		{ .vmt_size = 65537 },
		{ .queue_calls = 4097 },
		{ .queue_bytes = 4095 },
		{ .reserved = { 0, 0, 0, 1 } },
	};
	struct aem *aem = (struct aem *)1;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (!EXPECT_RESULT(aem_open(&aem, &bad[i]), EINVAL))
			NOTE("options %zu", i);
	EXPECT(aem == (struct aem *)1);
}

TEST(open_outside_of_the_group)
{
	struct aem *aem;

	ASSERT_OK(setgid(12345));
	ASSERT_OK(setuid(12345));
	EXPECT_RESULT(aem_open(&aem, NULL), EACCES);
	EXPECT(strstr(aem_strerror_hint(-EACCES), "group aem"));
	EXPECT(aem_strerror_hint(-EDOM) && aem_strerror_hint(-123456));
}

TEST(open_to_look)
{
	struct aem_options options = { .flags = AEM_OPEN_LOOK };
	struct aem_service_info info;
	struct aem_query query;
	struct aem *aem;
	int i, nulls = 0;

	ASSERT_RESULT(aem_open(&aem, &options), 0);
	EXPECT_RESULT(aem_query(aem, &query), 0);
	EXPECT_EQ(query.ring_entries, 0);
	for (i = 0; !aem_service_info(aem, i, &info); i++)
		nulls += !strcmp((const char *)info.name, NULL_SERVICE);
	EXPECT_EQ(nulls, 1);
	EXPECT_RESULT(aem_service_info(aem, i, &info), ENOENT);
	EXPECT_RESULT(aem_dispatch(aem), ENXIO);
	EXPECT_RESULT(aem_wait(aem, 0), ENXIO);
	EXPECT_RESULT(aem_run(aem), ENXIO);
	EXPECT_RESULT(aem_flush(aem), ENXIO);
	EXPECT_RESULT(aem_event_stop(aem, 1), ENXIO);
	EXPECT_RESULT(aem_bind(aem, NULL_SERVICE, 1, 0, NULL, 0, NULL), ENXIO);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(bind_errors)
{
	struct aem *aem = safe();
	uint32_t base = 0;

	EXPECT_RESULT(aem_bind(aem, "nosuch", 1, 0, NULL, 0, NULL), ENOENT);
	EXPECT_RESULT(aem_bind(aem, NULL_SERVICE, 77, 0, NULL, 0, NULL), ENOPROTOOPT);
	EXPECT_RESULT(aem_bind(aem, NULL_SERVICE, 2, 1, NULL, 0, NULL), EINVAL);
	EXPECT_RESULT(aem_bind(aem, "a-name-that-is-just-too-long-for-it", 1, 0, NULL, 0, NULL),
		      EINVAL);
	EXPECT_RESULT(aem_bind(aem, NULL_SERVICE, 1, 1, NULL, 0, &base), 0);
	EXPECT_EQ(base, nulls_base);
	EXPECT_RESULT(aem_call(aem, 4095, &base), ENOSYS);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Dispatch */

static struct {
	aem_id id;
	uint64_t fired, constructed;
	uint32_t count, lost;
	int prio, flags;
} seen;

static void look(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		 uint64_t constructed)
{
	(void)null;
	(void)block;
	seen.id = id;
	seen.fired = fired;
	seen.constructed = constructed;
	seen.count = aem_current(aem)->count;
	seen.lost = aem_current(aem)->lost;
	seen.prio = aem_current(aem)->prio;
	seen.flags = aem_current(aem)->flags;
}

TEST(parameters)
{
	struct null_plan plan = { .size = sizeof(plan), .times = 9, .lost = 7 };
	struct null a = { .then = look };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, AEM_PRIO(5));
	EXPECT_EQ(aem_dispatch(aem), 0);
	nulls_fire_how(aem, &a, NULL_BY_CALL, 3);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(seen.id, a.id);
	EXPECT_EQ(seen.fired, 3);
	EXPECT_EQ(seen.constructed, 1);
	EXPECT_EQ(seen.count, 3);
	EXPECT_EQ(seen.lost, 0);
	EXPECT_EQ(seen.prio, 5);
	EXPECT_EQ(seen.flags, 0);
	EXPECT(!aem_current(aem));
	EXPECT_EQ(aem_dispatch(aem), 0);
	plan.id = a.id;
	EXPECT_RESULT(aem_call(aem, nulls_base + NULL_PLAN, &plan), 0);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(seen.lost, 7);
	EXPECT_EQ(seen.count, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(start_and_stop)
{
	struct null a = { 0 };
	struct aem *aem = safe();
	struct aem_event info;

	nulls_add(aem, &a, 1, AEM_STOPPED);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 0);
	EXPECT_RESULT(aem_event_info(aem, a.id, &info), 0);
	EXPECT_EQ(info.state, 0);
	EXPECT_RESULT(aem_event_start(aem, a.id), 0);
	EXPECT_RESULT(aem_event_info(aem, a.id, &info), 0);
	EXPECT_EQ(info.state, AEM_EVENT_S_STARTED);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 0);
	EXPECT_EQ(a.runs, 1);
	EXPECT_RESULT(aem_event_shutdown(aem, a.id), 0);
	EXPECT_RESULT(aem_event_shutdown(aem, a.id), ENOENT);
	EXPECT_RESULT(aem_event_start(aem, a.id), ENOENT);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(oneshot)
{
	struct null a = { .then = look };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, EVF_ONESHOT);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(seen.flags, AEM_RECORD_F_LAST);
	EXPECT_RESULT(aem_event_shutdown(aem, a.id), ENOENT);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(order)
{
	static const int prios[] = { 3, 1, 7, 7, 0, 31, 7 };
	struct null nulls[7] = { 0 };
	struct aem *aem = safe();
	int i;

	for (i = 0; i < 7; i++)
		nulls_add(aem, &nulls[i], i, AEM_PRIO(prios[i]));
	for (i = 0; i < 7; i++)
		nulls_fire(aem, &nulls[i]);
	EXPECT_EQ(aem_dispatch(aem), 7);
	EXPECT_RAN(5, 2, 3, 6, 0, 1, 4);
	EXPECT_RESULT(aem_event_prio(aem, nulls[4].id, 30), 0);
	EXPECT_RESULT(aem_event_prio(aem, nulls[4].id, 32), EINVAL);
	nulls_fire(aem, &nulls[2]);
	nulls_fire(aem, &nulls[4]);
	EXPECT_EQ(aem_dispatch(aem), 2);
	EXPECT_RAN(4, 2);
	EXPECT_RESULT(aem_close(aem), 0);
}

static struct null chain[6];

/* What becomes due while a burst runs goes before what of it is less urgent. */
static void fire_two(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		     uint64_t constructed)
{
	(void)null, (void)id, (void)fired, (void)block, (void)constructed;
	nulls_fire(aem, &chain[3]);
	nulls_fire(aem, &chain[4]);
}

TEST(urgent_events_overtake_the_burst)
{
	struct aem *aem = safe();

	chain[1].then = fire_two;
	nulls_add(aem, &chain[1], 1, AEM_PRIO(5));
	nulls_add(aem, &chain[2], 2, AEM_PRIO(5));
	nulls_add(aem, &chain[3], 3, AEM_PRIO(6));
	nulls_add(aem, &chain[4], 4, AEM_PRIO(2));
	nulls_fire(aem, &chain[1]);
	nulls_fire(aem, &chain[2]);
	EXPECT_EQ(aem_dispatch(aem), 3);
	EXPECT_RAN(1, 3, 2);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RAN(4);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* A dispatch inside of a handler runs what is more urgent, and never the event itself. */
static void dispatch_inside(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			    void *block, uint64_t constructed)
{
	(void)id, (void)fired, (void)block, (void)constructed;
	if (null->runs > 1)
		return;
	nulls_fire(aem, null);
	nulls_fire(aem, &chain[1]);
	nulls_fire(aem, &chain[2]);
	nulls_fire(aem, &chain[3]);
	/* Not even when a handler asks for it. */
	aem_level_restore(aem, 0);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RESULT(aem_wait(aem, 1 * MS), ETIME);
	nulls_note(100);
}

TEST(dispatch_in_a_handler)
{
	struct aem *aem = safe();

	chain[0].then = dispatch_inside;
	nulls_add(aem, &chain[0], 10, AEM_PRIO(5));
	nulls_add(aem, &chain[1], 1, AEM_PRIO(4));
	nulls_add(aem, &chain[2], 2, AEM_PRIO(5));
	nulls_add(aem, &chain[3], 3, AEM_PRIO(6));
	nulls_fire(aem, &chain[0]);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RAN(10, 3, 100);
	EXPECT_EQ(aem_dispatch(aem), 3);
	EXPECT_RAN(2, 10, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void fire_next(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		      uint64_t constructed)
{
	(void)id, (void)fired, (void)block, (void)constructed;
	if (!null->other)
		return;
	nulls_fire(aem, null->other);
	EXPECT_EQ(aem_dispatch(aem), 1);
	nulls_note(-null->name);
}

TEST(nesting_to_the_last_priority)
{
	static struct null nulls[AEM_PRIORITIES];
	struct aem *aem = safe();
	int i, round;

	for (i = 0; i < AEM_PRIORITIES; i++) {
		nulls[i].then = fire_next;
		nulls[i].other = i + 1 < AEM_PRIORITIES ? &nulls[i + 1] : NULL;
		nulls_add(aem, &nulls[i], i + 1, AEM_PRIO(i));
	}
	for (round = 0; round < 50; round++) {
		nulls_log.n = 0;
		nulls_fire(aem, &nulls[0]);
		EXPECT_EQ(aem_dispatch(aem), 1);
		ASSERT_EQ(nulls_log.n, 2 * AEM_PRIORITIES - 1);
		for (i = 0; i < AEM_PRIORITIES; i++)
			EXPECT_EQ(nulls_log.names[i], i + 1);
		for (i = 1; i < AEM_PRIORITIES; i++)
			EXPECT_EQ(nulls_log.names[2 * AEM_PRIORITIES - 1 - i], -i);
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(level)
{
	struct null a = { 0 }, b = { 0 };
	struct aem *aem = safe();
	unsigned int old;

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b, 2, AEM_PRIO(4));
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	old = aem_level_raise(aem, 4);
	EXPECT_EQ(old, 0);
	EXPECT_EQ(aem_level_raise(aem, 2), 4);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RAN(2);
	EXPECT_EQ(aem_level_raise(aem, 99), 4);
	EXPECT_EQ(aem_level_raise(aem, 0), AEM_LEVEL_ALL);
	aem_level_restore(aem, 4);
	EXPECT_EQ(aem_dispatch(aem), 0);
	aem_level_restore(aem, old);
	EXPECT_NONE_RAN();
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RAN(1);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Bursts that do not fit the ring, over its end, again and again. */
TEST(more_than_the_ring)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT, .ring_entries = 64 };
	struct aem *aem = nulls_open_with(&options);
	static struct null nulls[200];
	int i, round, ran, total = 0;

	for (i = 0; i < 200; i++)
		nulls_add(aem, &nulls[i], i, AEM_PRIO(i % 3));
	for (round = 1; round <= 40; round++) {
		for (i = 0; i < 200; i++)
			nulls_fire(aem, &nulls[i]);
		for (ran = aem_dispatch(aem), total = 0; ran > 0; ran = aem_dispatch(aem))
			total += ran;
		EXPECT_EQ(ran, 0);
		ASSERT_EQ(total, 200);
		for (i = 0; i < 200; i++)
			ASSERT_EQ(nulls[i].runs, round);
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Waiting and stopping */

TEST(wait_times_out)
{
	struct timespec t0, t1;
	struct aem *aem = safe();
	long long ns;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	EXPECT_RESULT(aem_wait(aem, 20 * MS), ETIME);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	ns = (t1.tv_sec - t0.tv_sec) * 1000000000LL + t1.tv_nsec - t0.tv_nsec;
	EXPECT_GE(ns, 20 * MS);
	EXPECT_RESULT(aem_wait(aem, 0), ETIME);
	EXPECT_RESULT(aem_close(aem), 0);
}

static struct aem *to_stop;
static int n_results, results_at_alarm;

static void on_alarm(int signo)
{
	(void)signo;
	results_at_alarm = n_results;
	if (to_stop)
		aem_stop(to_stop);
}

static void alarm_in(long us, int flags)
{
	struct itimerval in = { .it_value = { .tv_usec = us } };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &in, NULL);
}

TEST(wait_is_interrupted)
{
	struct null a = { 0 };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, 0);
	alarm_in(20000, SA_RESTART);
	EXPECT_RESULT(aem_wait(aem, -1), EINTR);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_wait(aem, -1), 1);
	/* aem_stop() ends a wait, that one and no other. */
	to_stop = aem;
	alarm_in(20000, 0);
	EXPECT_RESULT(aem_wait(aem, -1), EINTR);
	EXPECT_RESULT(aem_wait(aem, 1 * MS), ETIME);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void stop_here(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		      uint64_t constructed)
{
	(void)null, (void)id, (void)fired, (void)block, (void)constructed;
	aem_stop(aem);
}

TEST(run_and_stop)
{
	struct null a = { 0 }, b = { .then = stop_here }, c = { 0 };
	struct null_state state = { .size = sizeof(state) };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b, 2, AEM_PRIO(2));
	nulls_add(aem, &c, 3, AEM_PRIO(1));
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	nulls_fire(aem, &c);
	EXPECT_RESULT(aem_run(aem), 0);
	EXPECT_RAN(1, 2, 3);
	/* Nothing is left behind: the last destructor has run. */
	state.id = c.id;
	EXPECT_RESULT(aem_call(aem, nulls_base + NULL_STATE, &state), 0);
	EXPECT_EQ(state.destructed, 1);
	aem_stop(aem);
	EXPECT_RESULT(aem_run(aem), 0);
	EXPECT_EQ(aem_dispatch(aem), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* A signal handler's aem_stop() is never missed, wherever it strikes. */
TEST_TIMEOUT(stop_in_a_signal_handler, 120)
{
	unsigned long long seed = ktap_seed();
	struct aem *aem = safe();
	int i;

	to_stop = aem;
	for (i = 0; ktap_more(i, 8000); i++) {
		alarm_in(1 + ktap_random(&seed) % (i % 8 ? 40 : 400), i & 1 ? SA_RESTART : 0);
		ASSERT_RESULT(aem_run(aem), 0);
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(poll_tells)
{
	struct null a = { 0 };
	struct aem *aem = safe();
	struct pollfd p = { .fd = aem_fd(aem), .events = POLLIN };

	nulls_add(aem, &a, 1, 0);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	nulls_fire(aem, &a);
	EXPECT_EQ(poll(&p, 1, 0), 1);
	EXPECT_EQ(p.revents & POLLIN, POLLIN);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(poll(&p, 1, 0), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Blocks */

static void *kept;

static void write_block(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			void *block, uint64_t constructed)
{
	(void)aem, (void)null, (void)id, (void)constructed;
	*(uint64_t *)block = 1000 + fired;
	kept = block;
}

static void keep_block(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		       uint64_t constructed)
{
	write_block(aem, null, id, fired, block, constructed);
	EXPECT(aem_keep(aem) == block);
}

static uint64_t used(struct aem *aem)
{
	struct aem_query query;

	ASSERT_RESULT(aem_query(aem, &query), 0);
	return query.vmt_used;
}

static void plan_block(struct aem *aem, struct null *null, uint32_t size)
{
	struct null_plan plan = { .size = sizeof(plan), .id = null->id, .block = size };

	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_PLAN, &plan), 0);
}

TEST(block_goes_both_ways)
{
	struct null_state state = { .size = sizeof(state) };
	struct null a = { .then = write_block };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, 0);
	plan_block(aem, &a, 100);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	state.id = a.id;
	EXPECT_RESULT(aem_call(aem, nulls_base + NULL_STATE, &state), 0);
	EXPECT_EQ(state.left, 1001);
	EXPECT_EQ(used(aem), 0);
	EXPECT(!aem_keep(aem));
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(keep)
{
	struct null a = { .then = keep_block };
	struct aem *aem = safe();
	void *first;

	nulls_add(aem, &a, 1, 0);
	plan_block(aem, &a, 100);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	first = kept;
	EXPECT_GT(used(aem), 0);
	a.then = write_block;
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT(kept != first);
	EXPECT_EQ(*(uint64_t *)first, 1001);
	EXPECT_RESULT(aem_vmt_free(aem, first), 0);
	EXPECT_RESULT(aem_vmt_free(aem, first), EINVAL);
	EXPECT_EQ(used(aem), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(vmt)
{
	struct aem *aem = safe();
	void *blocks[17];
	int i;

	EXPECT_RESULT(aem_vmt_alloc(aem, 0, &blocks[0]), EINVAL);
	EXPECT_RESULT(aem_vmt_alloc(aem, 65537, &blocks[0]), EINVAL);
	for (i = 0; i < 16; i++) {
		ASSERT_RESULT(aem_vmt_alloc(aem, 65536, &blocks[i]), 0);
		memset(blocks[i], i, 65536);
	}
	EXPECT_RESULT(aem_vmt_alloc(aem, 1, &blocks[16]), ENOSPC);
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(((char *)blocks[i])[65535], i);
		EXPECT_RESULT(aem_vmt_free(aem, (char *)blocks[i] + 64), EINVAL);
		EXPECT_RESULT(aem_vmt_free(aem, blocks[i]), 0);
	}
	EXPECT_EQ(used(aem), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Queued calls */

static int64_t results[1000];

static void note_result(struct aem *aem, void *user, const void *arg, int64_t result)
{
	const struct null_fire *fire = arg;

	(void)aem;
	EXPECT_EQ((intptr_t)user, n_results);
	EXPECT_EQ(fire->size, sizeof(*fire));
	results[n_results++] = result;
}

static int queue_fire(struct aem *aem, aem_id id, aem_done_fn done, intptr_t user)
{
	struct null_fire arg = { .size = sizeof(arg), .id = id, .count = 1 };
	int ret = aem_queue(aem, nulls_base + NULL_FIRE, &arg, done, (void *)user);

	/* The library has its own copy. */
	memset(&arg, 0xff, sizeof(arg));
	return ret;
}

TEST(queue)
{
	struct null a = { 0 };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, 0);
	EXPECT_RESULT(queue_fire(aem, a.id, note_result, 0), 0);
	EXPECT_RESULT(queue_fire(aem, a.id ^ 0xff00, note_result, 1), 0);
	EXPECT_RESULT(queue_fire(aem, a.id, NULL, 0), 0);
	EXPECT_RESULT(queue_fire(aem, a.id, note_result, 2), 0);
	EXPECT_EQ(n_results, 0);
	EXPECT_EQ(a.runs, 0);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(n_results, 3);
	EXPECT_EQ(results[0], 0);
	EXPECT_EQ(results[1], -ENOENT);
	EXPECT_EQ(results[2], 0);
	EXPECT_EQ(a.count, 3);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(n_results, 3);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(flush_runs_no_handler)
{
	struct null a = { 0 };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, 0);
	EXPECT_RESULT(queue_fire(aem, a.id, note_result, 0), 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(n_results, 1);
	EXPECT_EQ(a.runs, 0);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* A full queue is handed over at once, in order. */
TEST(queue_overflows)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT, .queue_calls = 7 };
	struct aem *aem = nulls_open_with(&options);
	struct null a = { 0 };
	int i;

	nulls_add(aem, &a, 1, 0);
	for (i = 0; i < 100; i++)
		EXPECT_RESULT(queue_fire(aem, a.id, note_result, i), 0);
	EXPECT_EQ(n_results, 98);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(n_results, 100);
	EXPECT_EQ(a.count, 100);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(queue_memory_overflows)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT, .queue_bytes = 4096 };
	struct aem *aem = nulls_open_with(&options);
	static struct null_fire big[1000];
	struct null a = { 0 };
	int i;

	nulls_add(aem, &a, 1, 0);
	for (i = 0; i < 500; i++)
		EXPECT_RESULT(queue_fire(aem, a.id, note_result, i), 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(n_results, 500);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(a.count, 500);
	big[0].size = sizeof(big);
	EXPECT_RESULT(aem_queue(aem, nulls_base + NULL_FIRE, big, NULL, NULL), EMSGSIZE);
	EXPECT_RESULT(aem_close(aem), 0);
}

static struct null *requeued;
static int requeues;

static void requeue(struct aem *aem, void *user, const void *arg, int64_t result)
{
	const struct null_fire *fire = arg;
	int i;

	(void)user;
	EXPECT_EQ(result, 0);
	EXPECT_EQ(fire->id, requeued->id);
	if (requeues++ >= 20)
		return;
	for (i = 0; i < 3; i++)
		EXPECT_RESULT(queue_fire(aem, requeued->id, i ? NULL : requeue, 0), 0);
	/* Ours is as it was, though the queue is full by now. */
	EXPECT_EQ(fire->id, requeued->id);
	EXPECT_EQ(fire->count, 1);
}

TEST(callbacks_queue_more)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT, .queue_calls = 4 };
	struct aem *aem = nulls_open_with(&options);
	struct null a = { 0 };

	nulls_add(aem, &a, 1, 0);
	requeued = &a;
	EXPECT_RESULT(queue_fire(aem, a.id, requeue, 0), 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(requeues, 21);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_EQ(a.count, 1 + 20 * 3);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Nobody sleeps on the news that a callback waits for. */
TEST(results_come_before_the_wait)
{
	struct aem *aem = safe();

	EXPECT_RESULT(queue_fire(aem, 12345, note_result, 0), 0);
	alarm_in(50000, 0);
	EXPECT_RESULT(aem_wait(aem, -1), EINTR);
	EXPECT_EQ(results_at_alarm, 1);
	EXPECT_EQ(results[0], -ENOENT);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void told_first(struct aem *aem, void *user, const void *arg, int64_t result)
{
	(void)user;
	(void)arg;
	EXPECT_EQ(result, 0);
	n_results++;
	aem_stop(aem);
}

TEST(results_come_before_the_wait_of_run)
{
	struct null a = { 0 };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, AEM_STOPPED);
	EXPECT_RESULT(queue_fire(aem, a.id, told_first, 0), 0);
	EXPECT_RESULT(aem_run(aem), 0);
	EXPECT_EQ(n_results, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(queued_event_calls)
{
	struct aem_event arg = { .size = sizeof(arg), .op = AEM_EVENT_SHUTDOWN };
	struct null a = { 0 };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, 0);
	nulls_fire(aem, &a);
	arg.id = a.id;
	EXPECT_RESULT(aem_queue(aem, AEM_CALL_EVENT, &arg, NULL, NULL), 0);
	EXPECT_EQ(aem_dispatch(aem), 0);
	EXPECT_EQ(a.runs, 0);
	EXPECT_RESULT(aem_event_info(aem, a.id, &arg), ENOENT);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* Ends */

static void shut_down_other(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			    void *block, uint64_t constructed)
{
	(void)id, (void)fired, (void)block, (void)constructed;
	EXPECT_RESULT(aem_event_shutdown(aem, null->other->id), 0);
	EXPECT_RESULT(aem_event_shutdown(aem, null->other->id), ENOENT);
}

TEST(shutdown_of_a_delivered_event)
{
	struct null a = { .then = shut_down_other }, b = { 0 }, c = { 0 };
	struct aem *aem = safe();

	a.other = &b;
	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b, 2, AEM_PRIO(2));
	nulls_add(aem, &c, 3, AEM_PRIO(1));
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	nulls_fire(aem, &c);
	EXPECT_EQ(aem_dispatch(aem), 2);
	EXPECT_RAN(1, 3);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(shutdown_of_itself)
{
	struct null a = { .then = shut_down_other }, c = { 0 };
	struct aem *aem = safe();
	struct aem_query query;

	a.other = &a;
	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &c, 3, AEM_PRIO(1));
	nulls_fire(aem, &a);
	nulls_fire(aem, &c);
	EXPECT_EQ(aem_dispatch(aem), 2);
	EXPECT_RAN(1, 3);
	EXPECT_RESULT(aem_query(aem, &query), 0);
	EXPECT_EQ(query.events, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

static int handler_in, handler_out, was_shut;
static pthread_t killer;

static void be_slow(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		    uint64_t constructed)
{
	int i;

	(void)aem, (void)null, (void)id, (void)fired, (void)block, (void)constructed;
	__atomic_store_n(&handler_in, 1, __ATOMIC_SEQ_CST);
	/* Signals do not spoil the promise. */
	for (i = 0; i < 3; i++) {
		usleep(100000);
		EXPECT_EQ(pthread_kill(killer, SIGUSR1), 0);
	}
	usleep(100000);
	__atomic_store_n(&handler_out, 1, __ATOMIC_SEQ_CST);
}

/* Not through a crossing of the handler's thread after this one. */
static void wait_for_shutdown(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			      void *block, uint64_t constructed)
{
	int i;

	(void)aem, (void)null, (void)id, (void)fired, (void)block, (void)constructed;
	for (i = 0; i < 1000 && !__atomic_load_n(&was_shut, __ATOMIC_SEQ_CST); i++)
		usleep(10000);
	EXPECT_LT(i, 1000);
}

struct killer {
	struct aem *aem;
	struct null *null;
};

static void *shut_down_from_here(void *arg)
{
	struct killer *k = arg;

	while (!__atomic_load_n(&handler_in, __ATOMIC_SEQ_CST))
		usleep(1000);
	EXPECT_RESULT(aem_event_shutdown(k->aem, k->null->id), 0);
	__atomic_store_n(&was_shut, 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(__atomic_load_n(&handler_out, __ATOMIC_SEQ_CST), 1);
	EXPECT_RESULT(aem_event_shutdown(k->aem, k->null->id), ENOENT);
	EXPECT_RESULT(aem_close(k->aem), EPERM);
	return NULL;
}

TEST(shutdown_by_another_thread_waits)
{
	struct null a = { .then = be_slow }, b = { .then = wait_for_shutdown };
	struct aem *aem = safe();
	struct killer k = { aem, &a };
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGUSR1, &action, NULL);
	nulls_add(aem, &a, 1, 0);
	nulls_add(aem, &b, 2, 0);
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	ASSERT_EQ(pthread_create(&killer, NULL, shut_down_from_here, &k), 0);
	EXPECT_EQ(aem_dispatch(aem), 2);
	ASSERT_EQ(pthread_join(killer, NULL), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void close_here(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		       uint64_t constructed)
{
	(void)null, (void)id, (void)fired, (void)block, (void)constructed;
	EXPECT_RESULT(aem_close(aem), EBUSY);
}

TEST(close_in_a_handler)
{
	struct null a = { .then = close_here };
	struct aem *aem = safe();

	nulls_add(aem, &a, 1, 0);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void *open_there(void *arg)
{
	*(struct aem **)arg = safe();
	return NULL;
}

TEST(close_after_the_owner)
{
	struct aem *aem = NULL;
	pthread_t thread;
	int i;

	ASSERT_EQ(pthread_create(&thread, NULL, open_there, &aem), 0);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	/* The thread may be on its last instructions. */
	for (i = 0; i < 100 && aem_close(aem) == -EPERM; i++)
		usleep(10000);
	EXPECT_LT(i, 100);
}

/* Jumps */

static jmp_buf back;

static void jump(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		 uint64_t constructed)
{
	(void)aem, (void)null, (void)id, (void)fired, (void)block, (void)constructed;
	longjmp(back, 1);
}

static void jump_deeper(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			void *block, uint64_t constructed)
{
	(void)id, (void)fired, (void)block, (void)constructed;
	nulls_fire(aem, null->other);
	nulls_fire(aem, null->other + 1);
	aem_dispatch(aem);
	EXPECT(!"reached");
}

TEST(longjmp_out_of_a_handler)
{
	static struct null a, b, c;
	struct aem *aem = safe();
	unsigned int mark = aem_mark(aem);
	struct aem_query query;
	int i;

	a.then = jump;
	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b, 2, AEM_PRIO(3));
	nulls_add(aem, &c, 3, AEM_PRIO(2));
	/* Often enough to fill the ring if anything was left in it. */
	for (i = 0; i < 600; i++) {
		nulls_log.n = 0;
		nulls_fire(aem, &a);
		nulls_fire(aem, &b);
		nulls_fire(aem, &c);
		if (!setjmp(back)) {
			aem_dispatch(aem);
			EXPECT(!"reached");
		}
		EXPECT_EQ(aem_unwind(aem, mark), 2);
		EXPECT_RAN(1, 2, 3);
		EXPECT_EQ(aem_level_raise(aem, 0), 0);
	}
	EXPECT_EQ(aem_dispatch(aem), 0);
	EXPECT_RESULT(aem_query(aem, &query), 0);
	EXPECT_EQ(query.active, 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(longjmp_over_two_dispatches)
{
	static struct null a, b[2], c;
	struct aem *aem = safe();
	int i;

	a.then = jump_deeper;
	a.other = b;
	b[0].then = jump;
	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b[0], 2, AEM_PRIO(5));
	nulls_add(aem, &b[1], 3, AEM_PRIO(4));
	nulls_add(aem, &c, 4, AEM_PRIO(2));
	for (i = 0; i < 300; i++) {
		nulls_log.n = 0;
		nulls_fire(aem, &a);
		nulls_fire(aem, &c);
		if (!setjmp(back)) {
			aem_dispatch(aem);
			EXPECT(!"reached");
		}
		EXPECT_EQ(aem_unwind(aem, 0), 2);
		EXPECT_RAN(1, 2, 3, 4);
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

/* fork */

TEST(fork_leaves_the_parent_alone)
{
	struct null a = { 0 };
	struct aem *aem = safe();
	struct aem_query query;
	int status;
	pid_t pid;

	nulls_add(aem, &a, 1, 0);
	nulls_fire(aem, &a);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		EXPECT_RESULT(aem_dispatch(aem), EPERM);
		EXPECT_RESULT(aem_wait(aem, 0), EPERM);
		EXPECT_RESULT(aem_run(aem), EPERM);
		EXPECT_RESULT(aem_flush(aem), EPERM);
		EXPECT_RESULT(queue_fire(aem, a.id, NULL, 0), EPERM);
		EXPECT_RESULT(aem_event_shutdown(aem, a.id), EPERM);
		EXPECT_RESULT(aem_query(aem, &query), EPERM);
		EXPECT_EQ(aem_level_raise(aem, 5), 0);
		aem_level_restore(aem, 0);
		aem_stop(aem);
		EXPECT_RESULT(aem_close(aem), 0);
		/* One of its own. */
		aem = safe();
		nulls_add(aem, &a, 1, 0);
		nulls_fire(aem, &a);
		EXPECT_EQ(aem_dispatch(aem), 1);
		EXPECT_RESULT(aem_close(aem), 0);
		_exit(0);
	}
	ASSERT_OK(waitpid(pid, &status, 0));
	EXPECT_EQ(status, 0);
	EXPECT_EQ(a.runs, 0);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

KTAP_MAIN()
