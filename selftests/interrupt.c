// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupting, by redirected registers and by signal: what was interrupted goes on as if
 * nothing had been, at any rate. One nanosecond is one instruction, so the interruptions fall
 * where they like, and in the same places in every run.
 *
 * AEM_INTERRUPTIONS in the environment: how many to make, instead of some thousands.
 *
 * vm: load=core,null smp=1 icount timeout=900
 */
#include "nulls.h"
#include "churn.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* Pages that an interruption may be the first to touch. */
#define FIRST_TOUCHES 3

#define NOW(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)

static const char *name_of(uint32_t flags)
{
	return flags & AEM_OPEN_SIGNAL ? "signal" : "redirection";
}

static int interruptions(int usual)
{
	const char *wish = getenv("AEM_INTERRUPTIONS");

	/* There, one takes fifty times what it takes elsewhere. */
	return wish ? atoi(wish) : usual / (ktap_is_slow() ? 64 : ktap_is_brief() ? 8 : 1);
}

static struct aem_query query(struct aem *aem)
{
	struct aem_query q;

	ASSERT_RESULT(aem_query(aem, &q), 0);
	return q;
}

static int can_redirect(void)
{
	static const struct aem_options look = { .flags = AEM_OPEN_LOOK };
	struct aem *aem;
	int can;

	ASSERT_RESULT(aem_open(&aem, &look), 0);
	can = !!(query(aem).features & AEM_FEATURE_REDIRECT);
	ASSERT_RESULT(aem_close(aem), 0);
	return can;
}

static void tick(struct aem *aem, struct null *null, uint64_t period, unsigned int prio)
{
	struct null_create arg = { .size = sizeof(arg), .period = period };

	aem_registration_init(&arg.reg, (void (*)(void))nulls_handler, null, AEM_PRIO(prio));
	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_TICK, &arg), 0);
	null->id = arg.reg.id;
}

/* Every kernel of Debian's can; what it says is what it does. */
TEST(doorbell_of_ones_choice)
{
	struct aem_options both = { .flags = AEM_OPEN_SIGNAL | AEM_OPEN_SAFEPOINT };
	struct null a = { 0 };
	struct aem *aem, *none;
	struct aem_query q;

	EXPECT_RESULT(aem_open(&none, &both), EINVAL);
	aem = nulls_open(AEM_OPEN_SIGNAL);
	q = query(aem);
	EXPECT(q.features & AEM_FEATURE_SIGNAL);
	EXPECT_EQ(q.flags, 0);
	EXPECT_GT(q.signo, 0);
	nulls_add(aem, &a, 1, 0);
	nulls_fire(aem, &a);
	EXPECT_RAN(1);
	EXPECT_EQ(query(aem).redirects, 0);
	EXPECT_EQ(query(aem).doorbells, 1);
	EXPECT_RESULT(aem_close(aem), 0);

	aem = nulls_open(0);
	q = query(aem);
	EXPECT_EQ(q.flags, can_redirect() ? AEM_SETUP_REDIRECT : 0);
	EXPECT_GT(q.signo, 0);
	nulls_add(aem, &a, 1, 0);
	nulls_fire(aem, &a);
	EXPECT_RAN(1);
	EXPECT_EQ(query(aem).redirects, can_redirect());
	EXPECT_EQ(query(aem).doorbells, 1);
	EXPECT_RESULT(aem_close(aem), 0);
}

/* How low the stack went in handlers. */
static uintptr_t lowest;

/* What a handler does to registers. */
static void clobber(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		    uint64_t constructed)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	(void)aem, (void)null, (void)id, (void)fired, (void)block, (void)constructed;
	if (here < lowest)
		lowest = here;
	__asm__ volatile("vpxor %%ymm0, %%ymm0, %%ymm0; vzeroall; fninit; fldz; fldpi; fninit;"
			 "ldmxcsr %0; std; stc; cld"
			 : : "m"((const uint32_t){ 0x5f80 })
			 : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			   "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)",
			   "st(7)");
}

/* How often the library's handler of the doorbell's signal was called. */
static int signals;
static struct sigaction library;

static void on_signal(int signo, siginfo_t *info, void *context)
{
	signals++;
	library.sa_sigaction(signo, info, context);
}

static void count_signals(int signo)
{
	struct sigaction action;

	signals = 0;
	ASSERT_OK(sigaction(signo, NULL, &library));
	action = library;
	action.sa_sigaction = on_signal;
	ASSERT_OK(sigaction(signo, &action, NULL));
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* What computing takes undisturbed: the least of a few, for something may come in between. */
static long long undisturbed(struct churn *churn)
{
	long long took, least = 0;
	int i;

	for (i = 0; i < 3; i++) {
		took = now();
		churn_compute(churn, 5000);
		took = now() - took;
		if (!i || took < least)
			least = took;
	}
	return least;
}

/*
 * An interruption takes some kilobytes of stack, with wide registers a dozen. However many come,
 * there are two for each priority at a time at most: its handler, and one that has ended but for
 * the return.
 */
#define DEEPEST(priorities) ((priorities) << 15)

/* That rang when disturb() ran last. */
static unsigned long long bells;

/*
 * Compute while being interrupted every @period instructions, or twice as often where there are
 * two priorities, one of which interrupts the other's handler. What an interruption took.
 */
static long long disturb(uint32_t flags, uint64_t period, int two, int wanted)
{
	static struct churn right, churn;
	struct null a = { .then = clobber }, b = { .then = clobber };
	struct aem *aem = nulls_open(flags);
	int rounds = 0, wrong = 0;
	long long alone, start;
	struct aem_query q;
	size_t deep;

	if (!churn_is_possible())
		ktap_skip("needs AVX2");
	churn_compute(&right, 5000);
	alone = undisturbed(&right);
	lowest = (uintptr_t)__builtin_frame_address(0);
	count_signals(query(aem).signo);
	start = now();
	tick(aem, &a, period, 3);
	if (two)
		tick(aem, &b, period * 3 / 2 + 7, 4);
	do {
		churn_compute(&churn, 5000);
		wrong += !!memcmp(&churn, &right, sizeof(churn));
		rounds++;
	} while (NOW(a.runs) + NOW(b.runs) < wanted || (two && !NOW(a.runs)));
	start = (now() - start - rounds * alone) / (a.runs + b.runs);
	EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
	if (two)
		EXPECT_RESULT(aem_event_stop(aem, b.id), 0);
	EXPECT_EQ(wrong, 0);
	deep = (uintptr_t)__builtin_frame_address(0) - lowest;
	EXPECT_LT(deep, DEEPEST(two + 1));
	q = query(aem);
	bells = q.doorbells;
	ASSERT_OK(sigaction(q.signo, &library, NULL));
	EXPECT_EQ(q.active, 0);
	EXPECT_EQ(q.records, a.runs + b.runs);
	NOTE("by %s, every %d: %d + %d handlers, %llu bells, %llu redirected, %d signals",
	     name_of(flags), (int)period, a.runs, b.runs, (unsigned long long)q.doorbells,
	     (unsigned long long)q.redirects, signals);
	NOTE("%d rounds, %lld instructions for each interruption, %zu bytes of stack", rounds,
	     start, deep);
	/*
	 * A page that is touched first in there, of the stack or the library, makes it a signal.
	 * There are fewer than bells: two that ring before the program runs are answered at once.
	 */
	if (q.flags & AEM_SETUP_REDIRECT)
		EXPECT_GE((long long)q.redirects, (signals - FIRST_TOUCHES) * 9);
	else
		EXPECT_EQ(q.redirects, 0);
	EXPECT_RESULT(aem_close(aem), 0);
	return start;
}

/* What a tick takes that nobody is told of: its interrupt, which no pause holds back. */
static long long cost_of_tick(uint32_t flags)
{
	static const int rounds = 20, period = 500000;
	struct aem *aem = nulls_open(flags);
	struct null a = { 0 };
	struct churn churn;
	unsigned int level;
	long long alone, spent;
	int i;

	alone = undisturbed(&churn);
	level = aem_level_raise(aem, AEM_LEVEL_ALL);
	tick(aem, &a, period, 3);
	spent = now();
	for (i = 0; i < rounds; i++)
		churn_compute(&churn, 5000);
	spent = now() - spent;
	EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
	aem_level_restore(aem, level);
	EXPECT_RESULT(aem_close(aem), 0);
	return (spent - rounds * alone) * period / spent;
}

/*
 * A period of about that, but one that leaves half of the time to others than the timer's
 * interrupts: on a kernel that checks itself one takes tens of thousands of instructions.
 */
static long long bearable(uint32_t flags, long long period, int two)
{
	/* The second priority's ticks come at two thirds of the rate. */
	long long least = cost_of_tick(flags) * (two ? 4 : 2);

	return period > least ? period : least;
}

/* So seldom that the program gets on in between, and is interrupted by each anew. */
static void disturb_one_by_one(uint32_t flags)
{
	long long took = disturb(flags, bearable(flags, 50000, 0), 0, 100);
	int wanted = interruptions(3000);

	disturb(flags, took * 2 > 20000 ? took * 2 : 20000, 0, wanted);
	EXPECT_GE(bells * 10, wanted * 9ULL);
}

TEST_TIMEOUT(registers_by_redirection, 800)
{
	disturb_one_by_one(0);
}

TEST_TIMEOUT(registers_by_signal, 800)
{
	disturb_one_by_one(AEM_OPEN_SIGNAL);
}

TEST_TIMEOUT(two_priorities_by_redirection, 800)
{
	disturb(0, bearable(0, 23456, 1), 1, interruptions(3000));
}

TEST_TIMEOUT(two_priorities_by_signal, 800)
{
	disturb(AEM_OPEN_SIGNAL, bearable(AEM_OPEN_SIGNAL, 23456, 1), 1, interruptions(3000));
}

/* So fast that little time is left for the program; but it gets on. */
TEST_TIMEOUT(storm_by_redirection, 800)
{
	if (!can_redirect())
		ktap_skip("optional: no redirection on this kernel");
	disturb(0, bearable(0, 7001, 0), 0, interruptions(3000));
}

TEST_TIMEOUT(storm_by_signal, 800)
{
	disturb(AEM_OPEN_SIGNAL, bearable(AEM_OPEN_SIGNAL, 10001, 0), 0, interruptions(3000));
}

/*
 * Two or three times in each interruption: without a pause the program would never get on. The
 * timer's own interrupts are to leave it half of its time.
 */
static void flood(uint32_t flags, int two)
{
	long long took;

	if (!churn_is_possible())
		ktap_skip("needs AVX2");
	took = disturb(flags, bearable(flags, 50000, 0), 0, 100);
	disturb(flags, bearable(flags, took * 3 / 10, two), two, interruptions(3000));
}

TEST_TIMEOUT(flood_by_redirection, 300)
{
	if (!can_redirect())
		ktap_skip("optional: no redirection on this kernel");
	flood(0, 0);
}

TEST_TIMEOUT(flood_by_signal, 300) { flood(AEM_OPEN_SIGNAL, 0); }

/* While the one is at its end, the other comes. */
TEST_TIMEOUT(two_floods_by_redirection, 300)
{
	if (!can_redirect())
		ktap_skip("optional: no redirection on this kernel");
	flood(0, 1);
}

TEST_TIMEOUT(two_floods_by_signal, 300) { flood(AEM_OPEN_SIGNAL, 1); }

/* System calls that an interruption finds waiting */

#define ENOUGH 3

static struct {
	int pipe[2];
	int listener;
	struct sockaddr_un address;
	uint32_t word;
	sem_t sem;
	int epoll;
} on;

/* The handler that makes happen what the call waits for, at its third run. */
static void let_go(struct aem *aem, struct null *null, aem_id id, uint64_t fired, void *block,
		   uint64_t constructed)
{
	int fd;

	(void)aem, (void)id, (void)fired, (void)block, (void)constructed;
	if (null->runs != ENOUGH)
		return;
	ASSERT_EQ(write(on.pipe[1], "x", 1), 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT_OK(connect(fd, (struct sockaddr *)&on.address, sizeof(on.address)));
	on.word = 1;
	sem_post(&on.sem);
}

static long futex(const struct timespec *timeout)
{
	return syscall(SYS_futex, &on.word, FUTEX_WAIT_PRIVATE, 0, timeout, NULL, 0);
}

static const struct timespec long_time = { 1000, 0 };

static int do_read(void)
{
	char c;

	return read(on.pipe[0], &c, 1) == 1 ? 0 : errno;
}

static int do_accept(void)
{
	return accept(on.listener, NULL, NULL) >= 0 ? 0 : errno;
}

static int do_futex(void)
{
	return futex(NULL) && errno != EAGAIN ? errno : 0;
}

static int do_futex_timeout(void)
{
	return futex(&long_time) ? errno : 0;
}

static int do_sem_wait(void)
{
	return sem_wait(&on.sem) ? errno : 0;
}

static int do_nanosleep(void)
{
	return nanosleep(&long_time, NULL) ? errno : 0;
}

static int do_epoll_wait(void)
{
	struct epoll_event event;

	return epoll_wait(on.epoll, &event, 1, -1) == 1 ? 0 : errno;
}

static int do_poll(void)
{
	struct pollfd fd = { .fd = on.pipe[0], .events = POLLIN };

	return poll(&fd, 1, -1) == 1 ? 0 : errno;
}

static int do_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(on.pipe[0], &set);
	return select(on.pipe[0] + 1, &set, NULL, NULL, NULL) == 1 ? 0 : errno;
}

static int do_pause(void)
{
	return pause() ? errno : 0;
}

/* The table in Documentation/libaem.rst. */
static const struct {
	const char *name;
	int (*call)(void);
	int error;
} waiting[] = {
	{ "read", do_read, 0 },
	{ "accept", do_accept, 0 },
	{ "futex", do_futex, 0 },
	{ "sem_wait", do_sem_wait, 0 },
	{ "futex with a timeout", do_futex_timeout, EINTR },
	{ "nanosleep", do_nanosleep, EINTR },
	{ "epoll_wait", do_epoll_wait, EINTR },
	{ "poll", do_poll, EINTR },
	{ "select", do_select, EINTR },
	{ "pause", do_pause, EINTR },
};

static void prepare(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	ASSERT_OK(pipe(on.pipe));
	on.address.sun_family = AF_UNIX;
	snprintf(on.address.sun_path + 1, 20, "interrupt%d", getpid());
	on.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT_OK(bind(on.listener, (struct sockaddr *)&on.address, sizeof(on.address)));
	ASSERT_OK(listen(on.listener, 5));
	on.word = 0;
	ASSERT_OK(sem_init(&on.sem, 0, 0));
	on.epoll = epoll_create1(0);
	ASSERT_OK(epoll_ctl(on.epoll, EPOLL_CTL_ADD, on.pipe[0], &event));
}

static void wait_interrupted(uint32_t flags)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct null a = { .then = let_go };
		struct aem *aem = nulls_open(flags);
		struct aem_query before, after;
		int error;

		prepare();
		before = query(aem);
		tick(aem, &a, 3000000, 3);
		error = waiting[i].call();
		EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
		after = query(aem);
		if (!EXPECT_EQ(error, waiting[i].error))
			NOTE("%s by %s", waiting[i].name, name_of(flags));
		EXPECT_GE(a.runs, error ? 1 : ENOUGH);
		if (after.flags & AEM_SETUP_REDIRECT)
			EXPECT_EQ(after.redirects - before.redirects,
				  after.doorbells - before.doorbells);
		EXPECT_RESULT(aem_close(aem), 0);
		close(on.listener);
		close(on.epoll);
	}
}

TEST(system_calls_by_redirection)
{
	wait_interrupted(0);
}

TEST(system_calls_by_signal)
{
	wait_interrupted(AEM_OPEN_SIGNAL);
}

/* Critical sections */

static uint64_t allocated;

static void allocate_some(unsigned long long *seed)
{
	void *some[4];
	int i;

	for (i = 0; i < 4; i++) {
		some[i] = malloc(ktap_random(seed) % 2000);
		ASSERT(some[i]);
		*(char *)some[i] = i;
	}
	for (i = 0; i < 4; i++)
		free(some[i]);
	allocated += 4;
}

/* At the level of its own event malloc() is interrupted by the more urgent one. */
static void allocate_here(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			  void *block, uint64_t constructed)
{
	unsigned int old = aem_level_raise(aem, AEM_LEVEL_ALL);
	unsigned long long seed = fired;

	(void)null, (void)id, (void)block, (void)constructed;
	allocate_some(&seed);
	aem_level_restore(aem, old);
}

static void allocate_interrupted(uint32_t flags)
{
	struct null a = { .then = allocate_here }, b = { .then = allocate_here };
	struct aem *aem = nulls_open(flags);
	unsigned long long seed = 1;
	int wanted = interruptions(4000);

	tick(aem, &a, 17011, 3);
	tick(aem, &b, 23029, 4);
	while (NOW(a.runs) + NOW(b.runs) < wanted) {
		unsigned int old = aem_level_raise(aem, AEM_LEVEL_ALL);

		allocate_some(&seed);
		aem_level_restore(aem, old);
	}
	EXPECT_RESULT(aem_event_stop(aem, a.id), 0);
	EXPECT_RESULT(aem_event_stop(aem, b.id), 0);
	NOTE("by %s: %d + %d handlers, %llu allocations", name_of(flags), a.runs, b.runs,
	     (unsigned long long)allocated);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST_TIMEOUT(malloc_under_a_level_by_redirection, 800)
{
	allocate_interrupted(0);
}

TEST_TIMEOUT(malloc_under_a_level_by_signal, 800)
{
	allocate_interrupted(AEM_OPEN_SIGNAL);
}

KTAP_MAIN()
