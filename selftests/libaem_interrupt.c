// SPDX-License-Identifier: GPL-2.0
/*
 * The library where handlers interrupt the program: no register is lost, no bell is missed,
 * only what is more urgent interrupts a handler, levels hold, and the queue and several
 * contexts and threads stand it.
 *
 * vm: load=core,null smp=2 timeout=400 m32
 */
#include "nulls.h"
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>

#define MS 1000000LL
#define US 1000LL

/* Handlers change these behind the program's back. */
#define NOW(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)

static void tick(struct aem *aem, struct null *null, uint64_t period)
{
	struct null_create arg = { .size = sizeof(arg), .period = period };

	aem_registration_init(&arg.reg, (void (*)(void))nulls_handler, null, AEM_PRIO(3));
	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_TICK, &arg), 0);
	null->id = arg.reg.id;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* No system call, as a program that computes: true if it came to be. */
static int spin_until(const int *what, int value)
{
	long long end = now() + 20000 * MS;

	while (NOW(*what) < value)
		if (now() > end)
			return 0;
	return 1;
}

static uint64_t fired(struct aem *aem, struct null *null)
{
	struct null_state state = { .size = sizeof(state), .id = null->id };

	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_STATE, &state), 0);
	return state.fired;
}

TEST(interrupts_at_once)
{
	struct null a = { 0 };
	struct aem *aem = nulls_open(0);
	struct aem_query query;
	int how;

	EXPECT_RESULT(aem_query(aem, &query), 0);
	EXPECT_EQ(query.flags & AEM_SETUP_SAFEPOINT, 0);
	EXPECT_GT(query.signo, SIGRTMIN);
	nulls_add(aem, &a, 1, AEM_PRIO(3));
	for (how = NULL_BY_CALL; how <= NULL_BY_IRQ; how++) {
		/* The handler has run when the call returns. */
		nulls_fire_how(aem, &a, how, 1);
		EXPECT_EQ(NOW(a.runs), how + 1);
	}
	nulls_fire_how(aem, &a, NULL_BY_CPU, 1);
	EXPECT(spin_until(&a.runs, 3));
	EXPECT_EQ(aem_level_raise(aem, 0), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* A computation whose registers and flags are all in use, in pieces of equal result. */
__attribute__((noipa)) static uint64_t compute(uint64_t x, int rounds)
{
	double f = 1.0, g = 0.5;
	uint64_t a = x, b = ~x, c = x * 3, d = x ^ 0x55;
	int i;

	for (i = 0; i < rounds; i++) {
		a += b << 7 | b >> 57;
		b ^= c + a;
		c = c * 6364136223846793005ULL + d;
		d += a < c;
		f = f * 1.000001 + g;
		g = g * 0.999999 + 0.25;
	}
	return a ^ b ^ c ^ d ^ (uint64_t)f ^ (uint64_t)(g * 1000);
}

TEST_TIMEOUT(computing_is_not_disturbed, 120)
{
	struct null a = { 0 };
	struct aem *aem = nulls_open(0);
	int rounds = 0;
	uint64_t right = compute(0, 20000);

	tick(aem, &a, 300 * US);
	do {
		ASSERT_EQ(compute(0, 20000), right);
		rounds++;
	} while (NOW(a.runs) < 2000);
	EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
	NOTE("%d interrupts in %d rounds", a.runs, rounds);
	EXPECT_RESULT(aem_close(aem), 0);
}

static struct null chain[6];

/* In a handler of priority 5: only 6 may interrupt it, and does so at once. */
static void fire_all(struct aem *aem, struct null *null, aem_id id, uint64_t fired_, void *block,
		     uint64_t constructed)
{
	(void)id, (void)fired_, (void)block, (void)constructed;
	if (null->runs > 1)
		return;
	nulls_fire(aem, &chain[2]);
	nulls_fire(aem, &chain[1]);
	nulls_fire(aem, null);
	nulls_fire_how(aem, &chain[3], NULL_BY_IRQ, 1);
	nulls_note(100);
	nulls_fire(aem, &chain[3]);
	nulls_note(101);
}

TEST(only_the_more_urgent_interrupts)
{
	struct aem *aem = nulls_open(0);

	chain[0].then = fire_all;
	nulls_add(aem, &chain[0], 10, AEM_PRIO(5));
	nulls_add(aem, &chain[1], 1, AEM_PRIO(4));
	nulls_add(aem, &chain[2], 2, AEM_PRIO(5));
	nulls_add(aem, &chain[3], 3, AEM_PRIO(6));
	nulls_fire(aem, &chain[0]);
	EXPECT_RAN(10, 3, 100, 3, 101, 2, 10, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(level_holds_back)
{
	struct null a = { 0 }, b = { 0 }, c = { 0 };
	struct aem *aem = nulls_open(0);
	unsigned int old;

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b, 2, AEM_PRIO(4));
	nulls_add(aem, &c, 3, AEM_PRIO(5));
	old = aem_level_raise(aem, 5);
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	nulls_fire(aem, &c);
	EXPECT_RAN(3);
	aem_level_restore(aem, 4);
	EXPECT_RAN(2);
	aem_level_restore(aem, old);
	EXPECT_RAN(1);
	old = aem_level_raise(aem, AEM_LEVEL_ALL);
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	nulls_fire(aem, &c);
	EXPECT_NONE_RAN();
	aem_level_restore(aem, old);
	EXPECT_RAN(3, 2, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(safepoint_events_wait)
{
	struct null a = { 0 }, b = { 0 };
	struct aem *aem = nulls_open(0);

	nulls_add(aem, &a, 1, AEM_PRIO(9) | EVF_SAFEPOINT);
	nulls_add(aem, &b, 2, AEM_PRIO(3));
	nulls_fire(aem, &a);
	nulls_fire(aem, &b);
	EXPECT_RAN(2);
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RAN(1);
	nulls_fire(aem, &a);
	EXPECT_EQ(aem_wait(aem, -1), 1);
	EXPECT_RAN(1);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* While we wait in the library no bell rings: we are woken, and the handler is ours. */
static void *fire_later(void *arg)
{
	struct null_fire fire = { .size = sizeof(fire), .count = 1 };
	struct aem *aem = *(struct aem **)arg;
	int i;

	fire.id = chain[0].id;
	for (i = 0; i < 50; i++) {
		usleep(5000);
		ASSERT_RESULT(aem_call(aem, nulls_base + NULL_FIRE, &fire), 0);
	}
	return NULL;
}

TEST(wait_needs_no_bell)
{
	struct aem *aem = nulls_open(0);
	struct aem_query query;
	pthread_t thread;
	int ret, ran = 0;

	nulls_add(aem, &chain[0], 1, AEM_PRIO(3));
	ASSERT_EQ(pthread_create(&thread, NULL, fire_later, &aem), 0);
	do {
		ret = aem_wait(aem, 1000 * MS);
		/* One that comes between two waits interrupts, and does not count here. */
		ran += ret > 0 ? ret : 0;
		if (ret == -ETIME && chain[0].count < 50)
			EXPECT(!"slept through");
		/* On a busy machine one handler may be told of several. */
	} while (chain[0].count < 50);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_RESULT(aem_query(aem, &query), 0);
	EXPECT_LT(query.doorbells, 50);
	EXPECT_GT(ran, 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

static int pipe_fds[2];

static void write_at_last(struct aem *aem, struct null *null, aem_id id, uint64_t fired_,
			  void *block, uint64_t constructed)
{
	(void)aem, (void)id, (void)fired_, (void)block, (void)constructed;
	/* What the interrupted program sees of errno is its own. */
	errno = EXDEV;
	if (null->runs == 10)
		EXPECT_EQ(write(pipe_fds[1], "x", 1), 1);
}

TEST(system_calls_go_on)
{
	struct null a = { .then = write_at_last };
	struct aem *aem = nulls_open(0);
	char c;

	ASSERT_OK(pipe(pipe_fds));
	errno = EDOM;
	tick(aem, &a, 2 * MS);
	errno = EDOM;
	EXPECT_EQ(read(pipe_fds[0], &c, 1), 1);
	EXPECT_EQ(errno, EDOM);
	EXPECT_GE(a.runs, 10);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* The context goes while its events come: whatever instruction they find, they find it whole. */
TEST(closed_while_interrupted)
{
	struct null a = { 0 };
	struct aem *aem;
	int i;

	for (i = 0; ktap_more(i, 100); i++) {
		aem = nulls_open(0);
		a.runs = 0;
		tick(aem, &a, MS / 50);
		while (NOW(a.runs) < 2)
			;
		ASSERT_RESULT(aem_close(aem), 0);
	}
}

/*
 * Lost bells: one event at a time, from another processor, about when the program lowers its
 * level or crosses. Afterwards the program calls nothing, and nothing else rings: a bell
 * that is missed then stays missed.
 */
static struct {
	struct aem *aem;
	struct null *null;
	int rounds;
	int go;
	int over;
} firing;

static void idle(unsigned int turns)
{
	while (turns--)
		__asm__ volatile("" : : : "memory");
}

static void *fire_one_by_one(void *unused)
{
	struct null_fire fire = { .size = sizeof(fire), .id = firing.null->id, .count = 1 };
	unsigned long long seed = 12345;
	int i;

	(void)unused;
	for (i = 1; i <= firing.rounds; i++) {
		while (NOW(firing.go) < i)
			if (NOW(firing.over))
				return NULL;
		idle(ktap_random(&seed) % 500);
		ASSERT_RESULT(aem_call(firing.aem, nulls_base + NULL_FIRE, &fire), 0);
	}
	return NULL;
}

static void lower_level(struct aem *aem, unsigned int delay, int turn)
{
	unsigned int old = aem_level_raise(aem, turn & 1 ? 4 : AEM_LEVEL_ALL);

	__atomic_store_n(&firing.go, turn, __ATOMIC_SEQ_CST);
	idle(delay);
	aem_level_restore(aem, old);
}

static void cross(struct aem *aem, unsigned int delay, int turn)
{
	__atomic_store_n(&firing.go, turn, __ATOMIC_SEQ_CST);
	idle(delay);
	switch (turn % 3) {
	case 0:
		EXPECT_GE(aem_dispatch(aem), 0);
		break;
	case 1:
		EXPECT_RESULT(aem_flush(aem), 0);
		break;
	default:
		aem_wait(aem, 10 * US);
	}
}

static void race(void (*with)(struct aem *aem, unsigned int delay, int turn), int rounds,
		 unsigned int window)
{
	unsigned long long seed = ktap_seed();
	struct aem *aem = nulls_open(0);
	struct null a = { 0 };
	pthread_t thread;
	int i;

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	firing.aem = aem;
	firing.null = &a;
	firing.rounds = rounds;
	ASSERT_EQ(pthread_create(&thread, NULL, fire_one_by_one, NULL), 0);
	for (i = 1; ktap_more(i - 1, rounds); i++) {
		with(aem, ktap_random(&seed) % window, i);
		if (!spin_until(&a.runs, i)) {
			NOTE("the bell of round %d was lost", i);
			break;
		}
	}
	__atomic_store_n(&firing.over, 1, __ATOMIC_SEQ_CST);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(a.runs, i - 1);
	NOTE("%d rounds", i - 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST_TIMEOUT(no_bell_is_lost_to_levels, 200)
{
	race(lower_level, 20000, 4000);
}

TEST_TIMEOUT(no_bell_is_lost_to_crossings, 200)
{
	race(cross, 10000, 4000);
}

/* The bell rang, then what it rang for was withdrawn: it must ring for the next. */
TEST(bell_rings_again_after_a_withdrawal)
{
	struct null a = { 0 };
	struct aem *aem = nulls_open(0);
	struct aem_query query;
	unsigned int old;
	sigset_t set;

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	EXPECT_RESULT(aem_query(aem, &query), 0);
	sigemptyset(&set);
	sigaddset(&set, query.signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	nulls_fire(aem, &a);
	EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
	old = aem_level_raise(aem, AEM_LEVEL_ALL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	aem_level_restore(aem, old);
	EXPECT_NONE_RAN();
	EXPECT_RESULT(aem_event_start(aem, a.id), 0);
	nulls_fire(aem, &a);
	EXPECT_RAN(1);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* A storm of three priorities over a program that raises, restores and queues. */
static uint64_t told;

static void note_done(struct aem *aem, void *user, const void *arg, int64_t result)
{
	(void)aem, (void)user, (void)arg;
	EXPECT_EQ(result, 0);
	told++;
}

static uint64_t asked;

static void ask(struct aem *aem, struct null *null)
{
	struct null_state state = { .size = sizeof(state), .id = null->id };
	unsigned int old = aem_level_raise(aem, AEM_LEVEL_ALL);

	ASSERT_RESULT(aem_queue(aem, nulls_base + NULL_STATE, &state, note_done, NULL), 0);
	asked++;
	aem_level_restore(aem, old);
}

static void ask_without_care(struct aem *aem, struct null *null)
{
	struct null_state state = { .size = sizeof(state), .id = null->id };

	ASSERT_RESULT(aem_queue(aem, nulls_base + NULL_STATE, &state, note_done, NULL), 0);
	__atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
}

static void ask_here(struct aem *aem, struct null *null, aem_id id, uint64_t fired_, void *block,
		     uint64_t constructed)
{
	(void)id, (void)fired_, (void)block, (void)constructed;
	ask_without_care(aem, null);
}

TEST_TIMEOUT(storm, 300)
{
	struct aem_options options = { .queue_calls = 5, .ring_entries = 64 };
	struct aem *aem = nulls_open_with(&options);
	struct null a[3] = { 0 };
	struct aem_query query;
	unsigned int old;
	long long end;
	int i;

	/* Handlers ask about their event: not before its id is noted. */
	old = aem_level_raise(aem, AEM_LEVEL_ALL);
	for (i = 0; i < 3; i++) {
		struct null_create arg = { .size = sizeof(arg), .period = (200 + 77 * i) * US };

		a[i].then = ask_here;
		aem_registration_init(&arg.reg, (void (*)(void))nulls_handler, &a[i],
				      AEM_PRIO(3 + i));
		ASSERT_RESULT(aem_call(aem, nulls_base + NULL_TICK, &arg), 0);
		a[i].id = arg.reg.id;
	}
	aem_level_restore(aem, old);
	end = now() + 5000 * MS;
	while (now() < end) {
		ask(aem, &a[0]);
		ask_without_care(aem, &a[1]);
		aem_level_restore(aem, aem_level_raise(aem, 4));
	}
	for (i = 0; i < 3; i++)
		EXPECT_RESULT(aem_event_stop(aem, a[i].id), 0);
	EXPECT_RESULT(aem_flush(aem), 0);
	EXPECT_EQ(told, asked);
	EXPECT_RESULT(aem_query(aem, &query), 0);
	EXPECT_EQ(query.active, 0);
	EXPECT_EQ(query.records, a[0].runs + a[1].runs + a[2].runs);
	for (i = 0; i < 3; i++)
		EXPECT_GT(a[i].runs, 100);
	NOTE("%d + %d + %d handlers, %llu calls, %llu bells", a[0].runs, a[1].runs, a[2].runs,
	     (unsigned long long)asked, (unsigned long long)query.doorbells);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* All occurrences are counted, whatever is merged. */
TEST_TIMEOUT(sums, 200)
{
	struct aem *aem = nulls_open(0);
	struct null a = { 0 };
	int i;

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	for (i = 0; i < 300; i++) {
		unsigned int old = aem_level_raise(aem, i % 3 ? 0 : 4);

		nulls_fire_how(aem, &a, i % 3, 100);
		aem_level_restore(aem, old);
	}
	for (i = 0; i < 1000 && NOW(a.count) < 30000; i++)
		usleep(1000);
	EXPECT_EQ(a.count, 30000);
	EXPECT_EQ(fired(aem, &a), 30000);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(two_contexts_of_a_thread)
{
	struct null a = { 0 }, b = { 0 };
	struct aem *one = nulls_open(0), *two = nulls_open(0);
	struct aem_query q1, q2;
	unsigned int old;

	EXPECT_RESULT(aem_query(one, &q1), 0);
	EXPECT_RESULT(aem_query(two, &q2), 0);
	EXPECT_EQ(q1.signo, q2.signo);
	nulls_add(one, &a, 1, AEM_PRIO(3));
	nulls_add(two, &b, 2, AEM_PRIO(3));
	nulls_fire(one, &a);
	nulls_fire(two, &b);
	EXPECT_RAN(1, 2);
	old = aem_level_raise(one, AEM_LEVEL_ALL);
	nulls_fire(one, &a);
	nulls_fire(two, &b);
	EXPECT_RAN(2);
	aem_level_restore(one, old);
	EXPECT_RAN(1);
	EXPECT_RESULT(aem_close(one), 0);
	nulls_fire(two, &b);
	EXPECT_RAN(2);
	EXPECT_RESULT(aem_close(two), 0);
}

static void close_other(struct aem *aem, struct null *null, aem_id id, uint64_t fired_,
			void *block, uint64_t constructed)
{
	(void)aem, (void)id, (void)fired_, (void)block, (void)constructed;
	EXPECT_RESULT(aem_close((struct aem *)null->other), 0);
}

TEST(closing_another_context_in_a_handler)
{
	struct null a = { .then = close_other };
	struct aem *first = nulls_open(0), *aem = nulls_open(0), *last = nulls_open(0);

	nulls_add(aem, &a, 1, AEM_PRIO(3));
	a.other = (struct null *)first;
	nulls_fire(aem, &a);
	a.other = (struct null *)last;
	nulls_fire(aem, &a);
	EXPECT_RAN(1, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void *work(void *unused)
{
	struct aem *aem = nulls_open(0);
	struct null a = { 0 };

	(void)unused;
	tick(aem, &a, 1 * MS);
	EXPECT(spin_until(&a.runs, 300));
	EXPECT_RESULT(aem_close(aem), 0);
	return NULL;
}

TEST_TIMEOUT(threads_each_with_its_own, 120)
{
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, work, NULL), 0);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_join(threads[i], NULL), 0);
}

static sigjmp_buf back;

static void jump(struct aem *aem, struct null *null, aem_id id, uint64_t fired_, void *block,
		 uint64_t constructed)
{
	(void)aem, (void)null, (void)id, (void)fired_, (void)block, (void)constructed;
	siglongjmp(back, 1);
}

TEST(siglongjmp_out_of_an_interrupt)
{
	static struct null a, b;
	static int i;
	struct aem *aem = nulls_open(0);

	a.then = jump;
	nulls_add(aem, &a, 1, AEM_PRIO(3));
	nulls_add(aem, &b, 2, AEM_PRIO(3));
	for (i = 0; i < 500; i++) {
		nulls_log.n = 0;
		if (!sigsetjmp(back, 1)) {
			aem_level_raise(aem, 5);
			nulls_fire(aem, &a);
			nulls_fire(aem, &b);
			aem_level_restore(aem, 0);
			EXPECT(!"reached");
		}
		EXPECT_EQ(aem_unwind(aem, 0), 1);
		EXPECT_RAN(1, 2);
	}
	/* Out of a signal handler proper. */
	for (i = 0; i < 500; i++) {
		nulls_log.n = 0;
		if (!sigsetjmp(back, 1)) {
			nulls_fire(aem, &a);
			EXPECT(!"reached");
		}
		nulls_fire(aem, &b);
		EXPECT_EQ(aem_unwind(aem, 0), 1);
		EXPECT_RAN(1, 2);
	}
	nulls_fire(aem, &b);
	EXPECT_RAN(2);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void on_usr1(int signo)
{
	(void)signo;
}

TEST(signal_of_ones_own_choice)
{
	struct aem_options options = { .signo = SIGUSR2 };
	struct null a = { 0 };
	struct aem *aem, *none;
	sigset_t set;

	/* It does not matter that it was blocked. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	aem = nulls_open_with(&options);
	nulls_add(aem, &a, 1, 0);
	nulls_fire(aem, &a);
	EXPECT_RAN(1);
	signal(SIGUSR1, on_usr1);
	options.signo = SIGUSR1;
	EXPECT_RESULT(aem_open(&none, &options), EBUSY);
	signal(SIGUSR1, SIG_IGN);
	EXPECT_RESULT(aem_open(&none, &options), EBUSY);
	/* A bell that nobody's context answers does no harm. */
	raise(SIGUSR2);
	EXPECT_RESULT(aem_close(aem), 0);
	raise(SIGUSR2);
}

static void *stop_later(void *arg)
{
	usleep(50000);
	aem_stop(arg);
	return NULL;
}

TEST(stop_by_another_thread)
{
	struct aem *aem = nulls_open(0);
	pthread_t thread;

	ASSERT_EQ(pthread_create(&thread, NULL, stop_later, aem), 0);
	EXPECT_RESULT(aem_run(aem), 0);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(fork_of_an_interrupted_program)
{
	struct null a = { 0 };
	struct aem *aem = nulls_open(0);
	struct aem_query query;
	int status, i;
	pid_t pid;

	EXPECT_RESULT(aem_query(aem, &query), 0);
	tick(aem, &a, 200 * US);
	for (i = 0; i < 50; i++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			int runs = a.runs;

			/* A stray one of that number does not touch what is not there. */
			raise(query.signo);
			usleep(2000);
			ASSERT_RESULT(aem_close(aem), 0);
			raise(query.signo);
			EXPECT_EQ(a.runs, runs);
			aem = nulls_open(0);
			nulls_add(aem, &chain[0], 1, 0);
			nulls_fire(aem, &chain[0]);
			EXPECT_EQ(chain[0].runs, 1);
			_exit(aem_close(aem));
		}
		ASSERT_OK(waitpid(pid, &status, 0));
		ASSERT_EQ(status, 0);
	}
	EXPECT(spin_until(&a.runs, a.runs + 10));
	EXPECT_RESULT(aem_close(aem), 0);
}

KTAP_MAIN()
