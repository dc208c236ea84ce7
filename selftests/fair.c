// SPDX-License-Identifier: GPL-2.0
/*
 * Which of several threads that wait in AEM_IOC_ENTER is woken: first in first out, the least
 * loaded, all, one that is near; and that nothing waits for a thread that does not come again.
 *
 * vm: load=core,null smp=2 m32
 */
#include "raw.h"
#include <pthread.h>
#include <semaphore.h>

#define THREADS	3
#define ROUNDS	4

/**
 * struct worker - a thread of the pool
 * @enter:    how it waits
 * @thread:   of pthread_create()
 * @tid:      known when it runs
 * @returned: times that AEM_IOC_ENTER returned
 * @handled:  handlers that it ran
 */
struct worker {
	struct aem_enter enter;
	pthread_t thread;
	int tid;
	uint32_t returned;
	uint32_t handled;
};

static struct raw raw;
static struct worker workers[THREADS];
static unsigned int n_workers;
static _Thread_local struct worker *self;
/* How many handlers have begun and ended, and the worker that began last. */
static uint32_t begun, ended;
static struct worker *last;
/* Holds handlers of hold() back, each by its cookie. */
static sem_t held, go[THREADS];

static uint32_t read_of(const uint32_t *value)
{
	return __atomic_load_n(value, __ATOMIC_SEQ_CST);
}

static void add(uint32_t *value)
{
	__atomic_add_fetch(value, 1, __ATOMIC_SEQ_CST);
}

static void wait_for(const uint32_t *value, uint32_t least)
{
	while (read_of(value) < least)
		raw_sleep_ms(1);
}

static void note(struct raw *of, struct aem_record *record)
{
	raw_nothing(of, record);
	__atomic_store_n(&last, self, __ATOMIC_SEQ_CST);
	add(&begun);
	if (self)
		add(&self->handled);
	add(&ended);
}

/* Until the test lets it go on. */
static void hold(struct raw *of, struct aem_record *record)
{
	(void)of;
	__atomic_store_n(&last, self, __ATOMIC_SEQ_CST);
	add(&begun);
	sem_post(&held);
	while (sem_wait(&go[record->cookie]))
		;
	add(&ended);
}

static long long used(clockid_t clock)
{
	struct timespec time;

	ASSERT_OK(clock_gettime(clock, &time));
	return time.tv_sec * RAW_SECOND + time.tv_nsec;
}

/* Uses a tenth of a second of processor time, far more than all else here. */
static void burn(struct raw *of, struct aem_record *record)
{
	long long end = used(CLOCK_THREAD_CPUTIME_ID) + RAW_SECOND / 10;

	while (used(CLOCK_THREAD_CPUTIME_ID) < end)
		;
	note(of, record);
}

/* Dispatches with a copy of the context, whose counters are one thread's. */
static void *work(void *arg)
{
	struct aem_enter enter;
	struct raw mine = raw;

	self = (struct worker *)arg;
	__atomic_store_n(&self->tid, raw_gettid(), __ATOMIC_SEQ_CST);
	for (;;) {
		enter = self->enter;
		if (raw_enter(&mine, &enter) && errno != ETIME)
			return (void *)(intptr_t)errno;
		add(&self->returned);
		raw_dispatch(&mine, &enter);
	}
}

/* Until so many threads wait, and all of the pool that are not held sleep. */
static void settle(unsigned int n)
{
	static char text[65536];
	const char *at;
	unsigned int i;

	do {
		raw_sleep_ms(1);
		raw_fdinfo(&raw, text, sizeof(text));
		at = strstr(text, "waiters:\t");
		ASSERT(at);
	} while (strtoul(at + strlen("waiters:\t"), NULL, 10) != n);
	for (i = 0; i < n_workers; i++)
		raw_wait_asleep(workers[i].tid);
}

/* One more thread, asleep when this returns: so they have waited in the order of their numbers. */
static void start(struct aem_enter enter)
{
	struct worker *worker = &workers[n_workers];

	worker->enter = enter;
	ASSERT_EQ(pthread_create(&worker->thread, NULL, work, worker), 0);
	while (!__atomic_load_n(&worker->tid, __ATOMIC_SEQ_CST))
		raw_sleep_ms(1);
	n_workers++;
}

static void begin(unsigned int n)
{
	struct aem_enter one = { .min_events = 1, .max_events = 1, .timeout = -1 };
	int i;

	sem_init(&held, 0, 0);
	for (i = 0; i < THREADS; i++)
		sem_init(&go[i], 0, 0);
	raw_start(&raw);
	while (n_workers < n) {
		start(one);
		settle(n_workers);
	}
}

/* Fires, and says which thread had it when all sleep again. */
static long fire(uint64_t id)
{
	uint32_t before = read_of(&ended);

	null_fire(&raw, id, NULL_BY_IRQ, 1);
	wait_for(&ended, before + 1);
	settle(n_workers);
	EXPECT_EQ(read_of(&ended), before + 1);
	return __atomic_load_n(&last, __ATOMIC_SEQ_CST) - workers;
}

TEST(first_in_first_out)
{
	uint64_t id;
	int i;

	begin(THREADS);
	id = null_new(&raw, NULL_CREATE, note, 0, 0, 1);
	for (i = 0; i < ROUNDS * THREADS; i++)
		EXPECT_EQ(fire(id), i % THREADS);
	/* And nobody but who had it was woken. */
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(workers[i].handled, ROUNDS);
		EXPECT_EQ(workers[i].returned, ROUNDS);
	}
}

TEST(the_least_loaded)
{
	uint64_t busy, id;
	int i;

	begin(THREADS);
	busy = null_new(&raw, NULL_CREATE, burn, 0, 0, 1);
	id = null_new(&raw, NULL_CREATE, note, 0, EVF_WAKE_LEAST, 1);
	/* Two of them become busy, in turn: the third has all that follows. */
	EXPECT_EQ(fire(busy), 0);
	EXPECT_EQ(fire(busy), 1);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(fire(id), 2);
	EXPECT_EQ(fire(busy), 0);
	EXPECT_EQ(fire(busy), 1);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(fire(id), 2);
}

TEST(all)
{
	uint64_t id;
	int i, k;

	begin(THREADS);
	id = null_new(&raw, NULL_CREATE, note, 0, EVF_WAKE_ALL, 1);
	for (i = 1; i <= ROUNDS; i++) {
		null_fire(&raw, id, NULL_BY_IRQ, 1);
		for (k = 0; k < THREADS; k++)
			wait_for(&workers[k].returned, i);
		wait_for(&ended, i);
		settle(THREADS);
		for (k = 0; k < THREADS; k++)
			EXPECT_EQ(workers[k].returned, i);
		EXPECT_EQ(read_of(&ended), i);
	}
}

/* Fires, and takes it before whom it woke gets the processor. */
static void fire_and_take(uint64_t id)
{
	struct aem_enter take = { 0 };

	null_fire(&raw, id, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(&raw, &take));
	EXPECT_EQ(take.count, 1);
	raw_dispatch(&raw, &take);
}

/* Who was woken for another event, and has yet to see that he comes too late for it, is called. */
TEST(all_and_who_is_about_to_wake)
{
	struct sched_param urgent = { .sched_priority = 1 }, normal = { 0 };
	uint64_t any, every;

	raw_pin(0);
	begin(2);
	any = null_new(&raw, NULL_CREATE, note, 0, 0, 1);
	every = null_new(&raw, NULL_CREATE, note, 1, EVF_WAKE_ALL, 1);
	ASSERT_OK(sched_setscheduler(0, SCHED_FIFO, &urgent));
	fire_and_take(any);
	fire_and_take(every);
	EXPECT_EQ(read_of(&workers[0].returned) + read_of(&workers[1].returned), 0);
	ASSERT_OK(sched_setscheduler(0, SCHED_OTHER, &normal));
	settle(2);
	EXPECT_EQ(workers[0].returned, 1);
	EXPECT_EQ(workers[1].returned, 1);
	EXPECT_EQ(workers[0].handled + workers[1].handled, 0);
}

TEST(whom_it_does_not_concern)
{
	struct aem_enter urgent = { .min_events = 1, .timeout = -1, .level = 10 };
	struct aem_enter many = { .min_events = 3, .timeout = -1 };
	struct aem_enter one = { .min_events = 1, .timeout = -1 };
	uint64_t low[3], high;
	int i;

	begin(0);
	start(urgent);
	settle(1);
	start(many);
	settle(2);
	start(one);
	settle(3);
	for (i = 0; i < 3; i++)
		low[i] = null_new(&raw, NULL_CREATE, i ? note : hold, i, 0, 9);
	high = null_new(&raw, NULL_CREATE, note, 3, EVF_WAKE_ALL, 10);
	/* Not urgent enough for the first, too few for the second. */
	null_fire(&raw, low[0], NULL_BY_IRQ, 1);
	sem_wait(&held);
	EXPECT_EQ(last - workers, 2);
	EXPECT_EQ(read_of(&workers[0].returned), 0);
	EXPECT_EQ(read_of(&workers[1].returned), 0);
	/* While the third is busy: two more are not enough either. */
	null_fire(&raw, low[1], NULL_BY_IRQ, 1);
	null_fire(&raw, low[2], NULL_BY_IRQ, 1);
	settle(2);
	EXPECT_EQ(read_of(&begun), 1);
	null_fire(&raw, high, NULL_BY_IRQ, 1);
	wait_for(&begun, 4);
	sem_post(&go[0]);
	wait_for(&ended, 4);
	settle(3);
	EXPECT_GE(workers[0].returned, 1);
	EXPECT_GE(workers[1].returned, 1);
}

/* It comes back while its handler ends, in a thread that does not take it. */
TEST(what_one_leaves_another_takes)
{
	struct aem_enter take = { 0 }, leave = { .level = AEM_PRIORITIES };
	uint64_t id;

	begin(0);
	id = null_new(&raw, NULL_CREATE, note, 0, 0, 1);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(&raw, &take));
	ASSERT_EQ(take.count, 1);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	start((struct aem_enter){ .min_events = 1, .timeout = -1 });
	settle(1);
	raw_dispatch(&raw, &take);
	ASSERT_OK(raw_enter(&raw, &leave));
	EXPECT_EQ(leave.count, 0);
	wait_for(&ended, 2);
	EXPECT(last == &workers[0]);
	settle(1);
}

/* A record that lies between those of handlers that need long does not keep its event. */
TEST(a_neighbour_that_needs_long)
{
	uint64_t id[3];
	int i;

	begin(THREADS);
	for (i = 0; i < 3; i++) {
		id[i] = null_new(&raw, NULL_CREATE, hold, i, 0, 1);
		null_fire(&raw, id[i], NULL_BY_IRQ, 1);
		sem_wait(&held);
	}
	for (i = 1; i <= ROUNDS; i++) {
		sem_post(&go[1]);
		wait_for(&ended, i);
		settle(1);
		null_fire(&raw, id[1], NULL_BY_IRQ, 1);
		sem_wait(&held);
	}
	for (i = 0; i < 3; i++)
		sem_post(&go[i]);
	wait_for(&ended, ROUNDS + 3);
	settle(THREADS);
}

/* A thread whose wait ends as it is woken leaves the event to the others. */
TEST(impatient)
{
	struct aem_enter soon = { .min_events = 1, .max_events = 1, .timeout = 50000 };
	unsigned long long i;
	uint64_t id;

	begin(1);
	start(soon);
	start(soon);
	id = null_new(&raw, NULL_CREATE, note, 0, 0, 1);
	for (i = 0; ktap_more(i, 5000); i++) {
		null_fire(&raw, id, i % 2 ? NULL_BY_IRQ : NULL_BY_CPU, 1);
		while (read_of(&ended) != i + 1)
			sched_yield();
	}
	NOTE("%llu events: %u, %u and %u", i, workers[0].handled, workers[1].handled,
	     workers[2].handled);
	EXPECT_EQ(workers[0].handled + workers[1].handled + workers[2].handled, i);
}

static uint32_t errors[AEM_WAITERS];

static void *wait_for_the_end(void *error)
{
	struct aem_enter enter = { .min_events = 1, .timeout = -1 };

	*(uint32_t *)error = raw_enter(&raw, &enter) ? errno : 0;
	return NULL;
}

/* More threads than may wait; and the end of the context is told to all. */
TEST(as_many_as_may_wait)
{
	struct aem_enter enter = { .min_events = 1, .timeout = -1 };
	pthread_t threads[AEM_WAITERS];
	uint32_t i;

	begin(0);
	for (i = 0; i < AEM_WAITERS; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, wait_for_the_end, &errors[i]), 0);
	settle(AEM_WAITERS);
	EXPECT_ERRNO(raw_enter(&raw, &enter), EBUSY);
	EXPECT_OK(munmap(raw.control, sysconf(_SC_PAGESIZE)));
	for (i = 0; i < AEM_WAITERS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(errors[i], ENXIO);
	}
}

static void pin(pthread_t thread, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	ASSERT_EQ(pthread_setaffinity_np(thread, sizeof(cpus), &cpus), 0);
}

/* Thread n of the pool runs, and has run, on processor n only. */
static void begin_pinned(void)
{
	uint64_t id;
	int i;

	begin(2);
	for (i = 0; i < 2; i++)
		pin(workers[i].thread, i);
	id = null_new(&raw, NULL_CREATE, note, 0, 0, 1);
	EXPECT_EQ(fire(id), 0);
	EXPECT_EQ(fire(id), 1);
}

TEST(near_the_stimulus)
{
	uint64_t id;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("one processor");
	begin_pinned();
	id = null_new(&raw, NULL_CREATE, note, 0, EVF_NEAR, 1);
	for (i = 0; i < 4 * ROUNDS; i++) {
		pin(pthread_self(), i / ROUNDS % 2);
		EXPECT_EQ(fire(id), i / ROUNDS % 2);
	}
	/* Not any more: first in, first out. */
	ASSERT_OK(raw_event(&raw, AEM_EVENT_NEAR, id, AEM_NEAR_ANY));
	pin(pthread_self(), 1);
	for (i = 0; i < 2 * ROUNDS; i++)
		EXPECT_EQ(fire(id), i % 2);
}

TEST(near_a_processor)
{
	struct aem_event info;
	uint64_t busy, id;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("one processor");
	begin_pinned();
	busy = null_new(&raw, NULL_CREATE, hold, 0, 0, 1);
	id = null_new(&raw, NULL_CREATE, note, 0, EVF_WAKE_LEAST, 1);
	ASSERT_OK(raw_event_out(&raw, AEM_EVENT_NEAR, id, 1, &info));
	EXPECT_EQ(info.flags, EVF_WAKE_LEAST | EVF_START | EVF_SAFEPOINT | EVF_NEAR_CPU | 1);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(fire(id), 1);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_NEAR, id, 0));
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(fire(id), 0);
	/* Better far away than not now. */
	ASSERT_OK(raw_event_out(&raw, AEM_EVENT_NEAR, busy, 0, &info));
	EXPECT_EQ(info.flags, EVF_START | EVF_SAFEPOINT | EVF_NEAR_CPU);
	null_fire(&raw, busy, NULL_BY_CALL, 1);
	sem_wait(&held);
	EXPECT(last == &workers[0]);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	wait_for(&workers[1].handled, ROUNDS + 2);
	sem_post(&go[0]);
	settle(2);
	EXPECT_EQ(workers[0].handled, ROUNDS + 1);
}

static void on_bell(int signo)
{
	struct aem_enter enter = { .flags = AEM_ENTER_INTERRUPT };

	(void)signo;
	if (!raw_enter(&raw, &enter))
		raw_dispatch(&raw, &enter);
}

/* A context whose owner is interrupted, its event of priority 5, and who waits for others. */
static uint64_t begin_with_bell(struct aem_enter *above)
{
	struct sigaction action = { .sa_handler = on_bell };

	ASSERT_OK(sigaction(SIGUSR1, &action, NULL));
	raw_start_signal(&raw, SIGUSR1);
	*above = (struct aem_enter){ .min_events = 1, .level = 10, .timeout = -1 };
	return null_new(&raw, NULL_CREATE, note, 0, 0, 5);
}

static void expect_the_owner_had_it(void)
{
	wait_for(&ended, 1);
	EXPECT(!last);
	settle(1);
	EXPECT_EQ(read_of(&workers[0].returned), 0);
}

/* What a sleeper does not wait for interrupts the owner, who computes. */
TEST(below_the_level_of_who_sleeps)
{
	struct aem_enter above;
	uint64_t id = begin_with_bell(&above);

	start(above);
	settle(1);
	null_fire(&raw, id, NULL_BY_IRQ, 1);
	expect_the_owner_had_it();
}

/* The same, when it happens just before the other goes to sleep, in its own AEM_IOC_ENTER. */
TEST(below_the_level_of_who_is_about_to_sleep)
{
	struct aem_enter above;
	struct null_fire fire = { .size = sizeof(fire), .how = NULL_BY_CALL, .count = 1 };
	struct aem_call call = { .size = sizeof(call), .arg = (uintptr_t)&fire };

	fire.id = begin_with_bell(&above);
	call.nr = raw.null + NULL_FIRE;
	above.calls = (uintptr_t)&call;
	above.n_calls = 1;
	start(above);
	expect_the_owner_had_it();
	EXPECT_EQ(call.result, 0);
}

TEST(flags_that_exclude_each_other)
{
	struct null_create create = null_request(note, 0, EVF_WAKE_LEAST | EVF_WAKE_ALL, 1);
	struct aem_event info;
	uint64_t id;

	begin(0);
	EXPECT_ERRNO(raw_call(&raw, raw.null + NULL_CREATE, &create), EINVAL);
	id = null_new(&raw, NULL_CREATE, note, 0, EVF_WAKE_LEAST, 1);
	ASSERT_OK(raw_event_out(&raw, AEM_EVENT_INFO, id, 0, &info));
	EXPECT_EQ(info.flags, EVF_WAKE_LEAST | EVF_START | EVF_SAFEPOINT);
	raw_end(&raw);
}

KTAP_MAIN()
