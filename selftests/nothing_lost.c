// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 1: nothing is lost. What happens during its own handler is seen again after it, no
 * sleeper misses its wake-up, and the counts of all records add up to what was fired.
 *
 * vm: load=core,null m32 timeout=400
 */
#include "raw.h"
#include <pthread.h>

#define MANY	8

static struct raw raw;
static uint64_t id[MANY];
static uint64_t counted[MANY], last[MANY];
static int stop;

static void count(struct raw *r, struct aem_record *record)
{
	(void)r;
	counted[record->cookie] += (uint64_t)record->count + record->lost;
	last[record->cookie] = record->arg[0];
}

static uint64_t self;
static uint32_t self_how, self_times;

static void fire_myself(struct raw *r, struct aem_record *record)
{
	count(r, record);
	if (self_times) {
		self_times--;
		null_fire(r, self, self_how, 3);
	}
}

TEST(during_its_own_handler)
{
	uint32_t how;

	raw_start(&raw);
	self = null_new(&raw, NULL_CREATE, fire_myself, 0, 0, 1);
	for (how = NULL_BY_CALL; how <= NULL_BY_CPU; how++) {
		counted[0] = 0;
		self_how = how;
		self_times = 10;
		null_fire(&raw, self, how, 1);
		/* Ten handlers that fired, and the one after. */
		EXPECT_EQ(raw_drain(&raw), 11);
		EXPECT_EQ(counted[0], 31);
	}
	raw_end(&raw);
}

/* Between delivery and the handler's start as well. */
TEST(while_its_record_waits)
{
	struct aem_enter enter = { 0 };
	uint64_t one;

	raw_start(&raw);
	one = null_new(&raw, NULL_CREATE, count, 0, 0, 1);
	null_fire(&raw, one, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(&raw, &enter));
	null_fire(&raw, one, NULL_BY_IRQ, 5);
	EXPECT_EQ(raw_state_of(&raw, one), AEM_EVENT_S_STARTED | AEM_EVENT_S_BUSY);
	EXPECT_EQ(raw_dispatch(&raw, &enter), 1);
	EXPECT_EQ(counted[0], 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(counted[0], 6);
	raw_end(&raw);
}

static void *storm(void *seed)
{
	unsigned long long state = *(unsigned long long *)seed;
	int i;

	/* Each once, however little time there is. */
	for (i = 0; i < MANY; i++)
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	for (i = 0; ktap_more(i, 3000); i++)
		null_fire(&raw, id[ktap_random(&state) % MANY], ktap_random(&state) % 3,
			  ktap_random(&state) % 10);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void drain_until_stopped(void)
{
	do {
		raw_wait(&raw, 20000000);
	} while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST));
	raw_drain(&raw);
}

static void expect_sums(void)
{
	struct null_state state;
	int i;

	for (i = 0; i < MANY; i++) {
		state = null_state(&raw, id[i]);
		EXPECT_GT(state.fired, 0);
		EXPECT_EQ(counted[i], state.fired);
		EXPECT_EQ(last[i], state.fired);
		EXPECT_EQ(raw_state_of(&raw, id[i]), AEM_EVENT_S_STARTED);
	}
}

static void storm_on(uint32_t call, uint32_t block)
{
	unsigned long long seed = ktap_seed();
	pthread_t thread;
	int i;

	for (i = 0; i < MANY; i++) {
		id[i] = null_new(&raw, call, count, i, 0, i);
		null_plan(&raw, id[i], (struct null_plan){ .block = block });
	}
	ASSERT_EQ(pthread_create(&thread, NULL, storm, &seed), 0);
	drain_until_stopped();
	pthread_join(thread, NULL);
	raw_drain(&raw);
	expect_sums();
}

TEST_TIMEOUT(storm_of_activations, 120)
{
	raw_start(&raw);
	storm_on(NULL_CREATE, 0);
	raw_end(&raw);
}

TEST_TIMEOUT(storm_with_several_records_each, 120)
{
	raw_start(&raw);
	storm_on(NULL_MULTI, 256);
	raw_end(&raw);
}

/* Two blocks for eight events: they wait for memory, are counted, and resume. */
TEST_TIMEOUT(storm_without_memory, 120)
{
	struct aem_query query;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.vmt_size = 65536;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	storm_on(NULL_CREATE, 32768);
	query = raw_query(&raw);
	EXPECT_GT(query.starvations, 0);
	EXPECT_EQ(query.starved, 0);
	EXPECT_EQ(query.vmt_used, 0);
	raw_end(&raw);
}

/* A constructor that finds nothing, and one that fails, while more happens. */
TEST_TIMEOUT(constructors_that_fail_meanwhile, 120)
{
	uint64_t one, fired;
	int i;

	raw_start(&raw);
	one = null_new(&raw, NULL_CREATE, count, 0, 0, 1);
	for (i = 0; i < 1000; i++) {
		null_plan(&raw, one, (struct null_plan){ .times = 1, .answer = -EIO });
		null_fire(&raw, one, i % 3, 2);
		EXPECT_EQ(raw_round(&raw), 0);
		null_fire(&raw, one, i % 3, 1);
		EXPECT_EQ(raw_drain(&raw), 1);
	}
	fired = null_state(&raw, one).fired;
	EXPECT_EQ(fired, 3000);
	EXPECT_EQ(counted[0], fired);
	raw_end(&raw);
}

/*
 * No wake-up is missed: the other side fires once per answer, and never sleeps itself. Each needs
 * both processors to have their turn, which is slow where two share one.
 */
static uint64_t pings = UINT64_MAX;

static void *ping(void *unused)
{
	uint64_t i;

	(void)unused;
	for (i = 1; i <= __atomic_load_n(&pings, __ATOMIC_SEQ_CST); i++) {
		/* Who answers the last one knows that it is. */
		if (!ktap_more(i, 2000))
			__atomic_store_n(&pings, i, __ATOMIC_SEQ_CST);
		null_fire(&raw, id[0], i % 3, 1);
		while (__atomic_load_n(&last[0], __ATOMIC_SEQ_CST) != i)
			sched_yield();
	}
	return NULL;
}

static bool is_over(void)
{
	return __atomic_load_n(&last[0], __ATOMIC_SEQ_CST) >=
	       __atomic_load_n(&pings, __ATOMIC_SEQ_CST);
}

static void answer(struct raw *r, struct aem_record *record)
{
	(void)r;
	__atomic_store_n(&last[0], record->arg[0], __ATOMIC_SEQ_CST);
}

TEST_TIMEOUT(no_sleeper_misses_its_event, 180)
{
	pthread_t thread;

	raw_start(&raw);
	id[0] = null_new(&raw, NULL_CREATE, answer, 0, 0, 1);
	ASSERT_EQ(pthread_create(&thread, NULL, ping, NULL), 0);
	while (!is_over())
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	pthread_join(thread, NULL);
	raw_end(&raw);
}

/* The same by doorbell: main() computes, the handler of the signal enters. */
static struct raw *bell;

static void on_bell(int signo)
{
	struct aem_enter enter = { .flags = AEM_ENTER_INTERRUPT, .level = bell->control->level };
	int saved = errno;

	(void)signo;
	/* No bell rings for what came while we were in the kernel: we look. */
	do {
		if (raw_enter(bell, &enter))
			break;
		raw_dispatch(bell, &enter);
	} while (enter.count || (raw_interrupts(bell) && !enter.level));
	errno = saved;
}

static void start_bell(void)
{
	struct sigaction action = { .sa_handler = on_bell, .sa_flags = SA_RESTART };

	ASSERT_OK(sigaction(SIGUSR1, &action, NULL));
	raw_start_signal(&raw, SIGUSR1);
	bell = &raw;
	id[0] = null_new(&raw, NULL_CREATE, answer, 0, 0, 7);
}

static pthread_t start_ping(void)
{
	sigset_t set;
	pthread_t thread;

	/* The bell is for the owner; nobody else would take it anyway. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(pthread_create(&thread, NULL, ping, NULL), 0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return thread;
}

TEST_TIMEOUT(the_bell_rings_for_every_burst, 180)
{
	pthread_t thread;

	start_bell();
	thread = start_ping();
	while (!is_over())
		;
	pthread_join(thread, NULL);
	raw_end(&raw);
}

/*
 * Raising and lowering the level beside all that. Whoever lowers it looks afterwards; one of
 * the two sees the other.
 */
TEST_TIMEOUT(lowering_the_level_misses_nothing, 180)
{
	pthread_t thread;
	uint64_t masked = 0;

	start_bell();
	thread = start_ping();
	while (!is_over()) {
		__atomic_store_n(&raw.control->level, 8, __ATOMIC_SEQ_CST);
		__atomic_store_n(&raw.control->level, 0, __ATOMIC_SEQ_CST);
		if (raw_interrupts(&raw)) {
			masked++;
			on_bell(0);
		}
	}
	pthread_join(thread, NULL);
	NOTE("%llu of %llu found pending", (unsigned long long)masked,
	     (unsigned long long)pings);
	raw_end(&raw);
}

TEST(periodic_jobs_are_counted)
{
	struct aem_event event;
	uint64_t tick;
	int i;

	raw_start(&raw);
	tick = null_new_tick(&raw, count, 0, 0, 1, 200000);
	for (i = 0; i < 200; i++)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, tick, 0));
	raw_drain(&raw);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, tick, 0));
	ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	/* What was active when it was stopped is told of by the first record after. */
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, tick, 0));
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_INFO, tick, 0, &event));
	EXPECT_LE(counted[0], event.activations);
	EXPECT_GE(counted[0] + 200, event.activations);
	EXPECT_GE(counted[0], 201);
	raw_end(&raw);
}

KTAP_MAIN()
