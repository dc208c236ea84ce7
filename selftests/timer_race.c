// SPDX-License-Identifier: GPL-2.0
/*
 * Timers used by several threads at once, and timers against the end of events and contexts.
 *
 * vm: load=core,null,timer smp=4 timeout=400 m32
 */
#include "timers.h"
#include <pthread.h>
#include <sys/wait.h>

/* What the helpers of a test share with it. */
struct shared {
	struct raw raw;
	uint64_t id;
	int stop;
	uint64_t done[2];
};

static struct shared shared;

static bool stopped(void)
{
	return __atomic_load_n(&shared.stop, __ATOMIC_SEQ_CST);
}

static void stop(void)
{
	__atomic_store_n(&shared.stop, 1, __ATOMIC_SEQ_CST);
}

static uint64_t current_id(void)
{
	return __atomic_load_n(&shared.id, __ATOMIC_SEQ_CST);
}

static pthread_t begin(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, run, arg), 0);
	return thread;
}

static void end(pthread_t thread)
{
	ASSERT_EQ(pthread_join(thread, NULL), 0);
}

static void await_no_timers(int fd)
{
	struct aem_service_info info;

	do {
		raw_sleep_ms(1);
		ASSERT(raw_service_info(fd, "timer", &info));
	} while (info.events || info.users);
}

/* Arms on the other processor, in turn with the test. */
static void *arm_there(void *arg)
{
	unsigned long long state = ktap_seed();
	uint64_t round;

	(void)arg;
	raw_pin(1);
	for (round = 1;; round++) {
		while (__atomic_load_n(&shared.done[0], __ATOMIC_SEQ_CST) < round) {
			if (stopped())
				return NULL;
			sched_yield();
		}
		settime(&shared.raw, shared.id, 0, 1 + ktap_random(&state) % (50 * US), 0);
		__atomic_store_n(&shared.done[1], round, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* The test's own thread is on the first; the other one goes to the second. */
static void start_on_two(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("needs two processors");
	raw_pin(0);
	timers_start(&shared.raw);
}

/* However close to the expiry: after settime nothing of the earlier setting activates the event. */
TEST_TIMEOUT(settime_against_expiry, 180)
{
	unsigned long long state = ktap_seed();
	uint64_t round, expired = 0, until;
	struct aem_event event;
	pthread_t thread;
	struct tally t;

	start_on_two();
	new_timer(&shared.raw, &t, CLOCK_MONOTONIC, 0, 0, 0);
	shared.id = t.id;
	thread = begin(arm_there, NULL);
	for (round = 1; ktap_more(round - 1, 5000); round++) {
		__atomic_store_n(&shared.done[0], round, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&shared.done[1], __ATOMIC_SEQ_CST) < round)
			sched_yield();
		until = now_of(CLOCK_MONOTONIC) + ktap_random(&state) % (50 * US);
		while (now_of(CLOCK_MONOTONIC) < until)
			;
		expired += !settime(&shared.raw, t.id, 0, round & 1 ? FAR : 0, 0).old_value;
		until = now_of(CLOCK_MONOTONIC) + 20 * US;
		do {
			EXPECT_EQ(raw_query(&shared.raw).active, 0);
		} while (now_of(CLOCK_MONOTONIC) < until);
		EXPECT_EQ(raw_round(&shared.raw), 0);
	}
	stop();
	end(thread);
	EXPECT_EQ(t.records, 0);
	ASSERT_OK(raw_event_out(&shared.raw, AEM_EVENT_INFO, t.id, 0, &event));
	EXPECT_EQ(event.activations, expired);
	/* Both must have happened, or nothing was raced. */
	EXPECT_GT(expired, 0);
	EXPECT_LT(expired, round - 1);
	raw_end(&shared.raw);
}

/* Each setting has an expiry of its own, so that it shows if one is told of twice. */
static uint64_t next_expiry;

static void *keep_arming(void *arg)
{
	unsigned long long state = ktap_seed();
	uint64_t *sets = arg, value;

	while (!stopped()) {
		value = __atomic_add_fetch(&next_expiry, 1, __ATOMIC_SEQ_CST);
		if (ktap_random(&state) % 4 == 0)
			value += 1 * SECOND;
		settime(&shared.raw, shared.id, AEM_TIMER_ABSTIME, value, 0);
		(*sets)++;
	}
	return NULL;
}

static void once_each(struct raw *raw, struct aem_record *record)
{
	struct tally *t = (struct tally *)(uintptr_t)record->cookie;

	EXPECT_NE(record->arg[1], t->expiry);
	count(raw, record);
	EXPECT_EQ(t->overruns, 0);
}

TEST_TIMEOUT(two_threads_set, 180)
{
	uint64_t until = now_of(CLOCK_MONOTONIC) + ktap_budget() * SECOND, last;
	uint64_t sets[2] = { 0, 0 };
	struct aem_timer_create create;
	pthread_t threads[2];
	struct tally t;

	timers_start(&shared.raw);
	next_expiry = now_of(CLOCK_MONOTONIC) - 1 * SECOND;
	create = request(&t, CLOCK_MONOTONIC, 0, 0, 0);
	create.reg.handler = (uintptr_t)once_each;
	make(&shared.raw, &t, &create);
	shared.id = t.id;
	threads[0] = begin(keep_arming, &sets[0]);
	threads[1] = begin(keep_arming, &sets[1]);
	/* On a slow machine each is replaced before it is told of, for a while. */
	while (now_of(CLOCK_MONOTONIC) < until || !t.records)
		raw_round(&shared.raw);
	stop();
	end(threads[0]);
	end(threads[1]);
	NOTE("%llu settings, %llu records", (unsigned long long)(sets[0] + sets[1]),
	     (unsigned long long)t.records);
	EXPECT_LE(t.records, sets[0] + sets[1]);
	raw_drain(&shared.raw);
	last = t.records;
	settime(&shared.raw, t.id, AEM_TIMER_ABSTIME, 2, 0);
	await_record(&shared.raw, &t, last + 1);
	EXPECT_EQ(t.expiry, 2);
	expect_silence(&shared.raw);
	EXPECT_EQ(t.records, last + 1);
	raw_end(&shared.raw);
}

/* Told of last; written by the test. */
static uint64_t told;

static void in_time(struct raw *raw, struct aem_record *record)
{
	once_each(raw, record);
	__atomic_store_n(&told, record->arg[1], __ATOMIC_SEQ_CST);
}

/* No two are the same: microseconds, and which one it is. */
static uint64_t soon(unsigned long long *state, uint64_t within)
{
	uint64_t time = now_of(CLOCK_MONOTONIC) + ktap_random(state) % within;

	return (time & ~1023ULL) + (++next_expiry & 1023);
}

/* Later, earlier, disarmed, stopped, close to the expiry of all of these; and a last one. */
static void *put_off_and_await(void *arg)
{
	unsigned long long state = ktap_seed();
	uint64_t *rounds = arg, last;
	int i, n;

	raw_pin(1);
	for (; !stopped(); (*rounds)++) {
		n = ktap_random(&state) % 8;
		for (i = 0; i < n; i++) {
			settime(&shared.raw, shared.id, AEM_TIMER_ABSTIME,
				soon(&state, i & 1 ? 200 * US : 2 * MS), 0);
			if (ktap_random(&state) % 4 == 0)
				settime(&shared.raw, shared.id, 0, 0, 0);
			if (ktap_random(&state) % 8 == 0)
				EXPECT_OK(raw_event(&shared.raw, AEM_EVENT_STOP, shared.id, 0));
		}
		last = soon(&state, 200 * US);
		settime(&shared.raw, shared.id, AEM_TIMER_ABSTIME, last, 0);
		while (__atomic_load_n(&told, __ATOMIC_SEQ_CST) != last &&
		       now_of(CLOCK_MONOTONIC) < last + 10 * SECOND)
			sched_yield();
		if (__atomic_load_n(&told, __ATOMIC_SEQ_CST) != last)
			break;
	}
	EXPECT(stopped());
	__atomic_store_n(&shared.done[0], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Never early, which count() sees, never twice, and what was wanted last is never lost. */
TEST_TIMEOUT(put_off_against_expiry, 180)
{
	uint64_t until, rounds = 0;
	struct aem_timer_create create;
	pthread_t thread;
	struct tally t;

	start_on_two();
	create = request(&t, CLOCK_MONOTONIC, 0, 0, 0);
	create.reg.handler = (uintptr_t)in_time;
	make(&shared.raw, &t, &create);
	shared.id = t.id;
	thread = begin(put_off_and_await, &rounds);
	until = now_of(CLOCK_MONOTONIC) + ktap_budget() * SECOND;
	while (!__atomic_load_n(&shared.done[0], __ATOMIC_SEQ_CST)) {
		raw_round(&shared.raw);
		if (now_of(CLOCK_MONOTONIC) >= until)
			stop();
	}
	end(thread);
	NOTE("%llu rounds, %llu records", (unsigned long long)rounds,
	     (unsigned long long)t.records);
	EXPECT_GE(t.records, rounds);
	raw_drain(&shared.raw);
	settime(&shared.raw, t.id, 0, 0, 0);
	expect_silence(&shared.raw);
	raw_end(&shared.raw);
}

/* Relative and absolute by turns: the timer changes its clock while it fires. */
static void *keep_changing(void *arg)
{
	uint64_t *sets = arg;

	while (!stopped()) {
		settime(&shared.raw, shared.id, 0, 1 + *sets % 1000, 0);
		settime(&shared.raw, shared.id, AEM_TIMER_ABSTIME,
			now_of(CLOCK_REALTIME) + *sets % 1000, 0);
		*sets += 2;
	}
	return NULL;
}

TEST_TIMEOUT(two_threads_change_the_base, 180)
{
	uint64_t until = now_of(CLOCK_MONOTONIC) + ktap_budget() * SECOND, sets[2] = { 0, 1 }, last;
	pthread_t threads[2];
	struct tally t;

	timers_start(&shared.raw);
	new_timer(&shared.raw, &t, CLOCK_REALTIME, 0, 0, 0);
	shared.id = t.id;
	threads[0] = begin(keep_changing, &sets[0]);
	threads[1] = begin(keep_changing, &sets[1]);
	while (now_of(CLOCK_MONOTONIC) < until)
		raw_round(&shared.raw);
	stop();
	end(threads[0]);
	end(threads[1]);
	EXPECT_LE(t.records, sets[0] + sets[1]);
	pass(CLOCK_REALTIME, now_of(CLOCK_REALTIME) + 1 * MS);
	raw_drain(&shared.raw);
	EXPECT_EQ(t.records, t.expiries);
	last = t.records;
	settime(&shared.raw, t.id, 0, 1, 0);
	await_record(&shared.raw, &t, last + 1);
	settime(&shared.raw, t.id, AEM_TIMER_ABSTIME, 1, 0);
	await_record(&shared.raw, &t, last + 2);
	EXPECT_EQ(t.expiry, 1);
	expect_silence(&shared.raw);
	raw_end(&shared.raw);
}

static void *keep_stopping(void *arg)
{
	uint64_t *stops = arg;

	while (!stopped()) {
		EXPECT_OK(raw_event(&shared.raw, AEM_EVENT_STOP, shared.id, 0));
		EXPECT_OK(raw_event(&shared.raw, AEM_EVENT_START, shared.id, 0));
		(*stops)++;
	}
	return NULL;
}

/* However often it is stopped and started in between, each expiry is told of, once. */
TEST_TIMEOUT(stop_and_start_against_expiry, 180)
{
	uint64_t until = now_of(CLOCK_MONOTONIC) + ktap_budget() * SECOND;
	uint64_t first, stops = 0, interval = 50 * US;
	pthread_t thread;
	struct tally t;

	timers_start(&shared.raw);
	first = now_of(CLOCK_MONOTONIC);
	new_timer(&shared.raw, &t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, interval);
	shared.id = t.id;
	thread = begin(keep_stopping, &stops);
	while (now_of(CLOCK_MONOTONIC) < until)
		if (raw_round(&shared.raw))
			expect_sum(&t, first, interval);
	stop();
	end(thread);
	await_record(&shared.raw, &t, t.records + 2);
	expect_sum(&t, first, interval);
	NOTE("%llu stops, %llu records", (unsigned long long)stops, (unsigned long long)t.records);
	raw_end(&shared.raw);
}

/* Stops and settings from two threads: at the end it is one or the other, never stuck between. */
TEST_TIMEOUT(stop_against_settime, 180)
{
	uint64_t stops = 0, round;
	pthread_t thread;
	struct tally t;

	timers_start(&shared.raw);
	new_timer(&shared.raw, &t, CLOCK_MONOTONIC, 0, 0, 0);
	shared.id = t.id;
	thread = begin(keep_stopping, &stops);
	for (round = 1; ktap_more(round - 1, 2000); round++) {
		settime(&shared.raw, t.id, AEM_TIMER_ABSTIME, round, 0);
		await_record(&shared.raw, &t, round);
		EXPECT_EQ(t.expiry, round);
	}
	stop();
	end(thread);
	EXPECT_EQ(t.records, t.expiries);
	expect_silence(&shared.raw);
	raw_end(&shared.raw);
}

static void expect_gone_or_good(long long ret)
{
	if (ret)
		EXPECT_EQ(errno, ENOENT);
}

/* Anything at all; with an @arg, settings only. */
static void *keep_using(void *arg)
{
	unsigned long long state = ktap_seed();
	struct aem_timer_settime set;
	struct aem_timer_gettime get;
	uint64_t id;

	while (!stopped()) {
		id = current_id();
		set = setting(id, ktap_random(&state) % 2, 1 + ktap_random(&state) % (20 * US),
			      ktap_random(&state) % 2);
		switch (arg ? 3 : ktap_random(&state) % 4) {
		case 0:
			expect_gone_or_good(raw_event(&shared.raw, AEM_EVENT_STOP, id, 0));
			break;
		case 1:
			expect_gone_or_good(raw_event(&shared.raw, AEM_EVENT_START, id, 0));
			break;
		case 2:
			expect_gone_or_good(try_get(&shared.raw, id, &get));
			break;
		default:
			expect_gone_or_good(try_set(&shared.raw, &set));
		}
	}
	return NULL;
}

/* Two threads use what a third one deletes; no handler after that. */
static void delete_against(void *arg)
{
	static struct tally t[3000];
	struct aem_enter enter;
	pthread_t threads[2];
	uint64_t records;
	size_t i;

	timers_start(&shared.raw);
	threads[0] = begin(keep_using, arg);
	threads[1] = begin(keep_using, arg);
	for (i = 0; ktap_more(i, ARRAY_SIZE(t)); i++) {
		new_timer(&shared.raw, &t[i], CLOCK_REALTIME, 0, 1 + i % 1000, i % 3);
		t[i].clock = -1;
		__atomic_store_n(&shared.id, t[i].id, __ATOMIC_SEQ_CST);
		raw_round(&shared.raw);
		memset(&enter, 0, sizeof(enter));
		ASSERT_OK(raw_enter(&shared.raw, &enter));
		EXPECT_OK(raw_event(&shared.raw, AEM_EVENT_SHUTDOWN, t[i].id, 0));
		records = t[i].records;
		raw_dispatch(&shared.raw, &enter);
		raw_round(&shared.raw);
		EXPECT_EQ(t[i].records, records);
	}
	stop();
	end(threads[0]);
	end(threads[1]);
	expect_silence(&shared.raw);
	EXPECT_EQ(raw_query(&shared.raw).events, 0);
	raw_end(&shared.raw);
}

TEST_TIMEOUT(delete_against_all, 180)
{
	delete_against(NULL);
}

TEST_TIMEOUT(delete_against_settime, 180)
{
	delete_against(&shared);
}

static void storm(struct raw *raw)
{
	static struct tally t[50];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		new_timer(raw, &t[i], i % 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, 0, 1 + i * US,
			  1 + i);
}

TEST_TIMEOUT(close_with_a_storm, 180)
{
	int i, fd = raw_open();

	for (i = 0; ktap_more(i, 300); i++) {
		timers_start(&shared.raw);
		storm(&shared.raw);
		if (i % 2)
			raw_round(&shared.raw);
		raw_end(&shared.raw);
	}
	await_no_timers(fd);
}

static void *set_until_it_ends(void *arg)
{
	struct aem_timer_settime set;
	uint64_t *sets = arg;

	for (;;) {
		set = setting(shared.id, *sets % 2, 1 + *sets % 5000, 0);
		if (try_set(&shared.raw, &set))
			break;
		(*sets)++;
	}
	EXPECT(errno == ENXIO || errno == ENOENT);
	return NULL;
}

/* The control page goes, and all events with it, while calls are under way. */
TEST_TIMEOUT(unmap_against_settime, 180)
{
	uint64_t sets[2] = { 0, 0 };
	pthread_t threads[2];
	struct tally t;
	int i, fd = raw_open();

	for (i = 0; ktap_more(i, 200); i++) {
		timers_start(&shared.raw);
		new_timer(&shared.raw, &t, CLOCK_REALTIME, 0, FAR, 0);
		shared.id = t.id;
		threads[0] = begin(set_until_it_ends, &sets[0]);
		threads[1] = begin(set_until_it_ends, &sets[1]);
		while (__atomic_load_n(&sets[0], __ATOMIC_SEQ_CST) < 5 * (uint64_t)i)
			sched_yield();
		EXPECT_OK(munmap(shared.raw.control, sysconf(_SC_PAGESIZE)));
		end(threads[0]);
		end(threads[1]);
		EXPECT_OK(munmap(shared.raw.vmt, shared.raw.setup.vmt_size));
		EXPECT_OK(munmap(shared.raw.ring, raw_ring_bytes(&shared.raw)));
		EXPECT_OK(close(shared.raw.fd));
	}
	await_no_timers(fd);
}

TEST_TIMEOUT(killed, 180)
{
	unsigned long long state = ktap_seed();
	int i, status, fd = raw_open();
	pid_t child;

	for (i = 0; ktap_more(i, 100); i++) {
		child = fork();
		ASSERT_GE(child, 0);
		if (!child) {
			timers_start(&shared.raw);
			storm(&shared.raw);
			for (;;)
				raw_round(&shared.raw);
		}
		usleep(ktap_random(&state) % 20000);
		EXPECT_OK(kill(child, SIGKILL));
		EXPECT_EQ(waitpid(child, &status, 0), child);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	await_no_timers(fd);
}

KTAP_MAIN()
