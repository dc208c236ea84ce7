// SPDX-License-Identifier: GPL-2.0
/*
 * The service "pexit": many processes that end in all ways, eight watchers, and what wait4()
 * told their parent. PROCESSES=50000 for a long run.
 */
/* vm: smp=2 load=core,null,pexit mem=1024 timeout=240 */
#include "pexits.h"

#define WATCHERS	8
#define ABREAST		16

/** struct sum - what came, in any order: sums of a mixed value of each */
struct sum {
	uint64_t n;
	uint64_t killed;
	uint64_t mix;
	uint64_t lost;
};

struct shared {
	struct sum parent;
	struct sum watchers[WATCHERS];
	uint32_t ready;
	uint32_t over;
};

static struct shared *shared;

static uint64_t mix(uint64_t pid, uint64_t status)
{
	uint64_t x = (pid << 32 | status) * 0x9e3779b97f4a7c15ULL;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ULL;
}

static void add(struct sum *sum, pid_t pid, int status)
{
	sum->n++;
	sum->killed += WIFSIGNALED(status);
	sum->mix += mix(pid, status);
}

/* Four in five return, the others are killed, or fault. */
static void end_somehow(unsigned long long random)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGABRT, SIGHUP, SIGUSR1, SIGSEGV };
	unsigned int choice = random % 10;

	if (choice == 0)
		raise(signals[random / 10 % ARRAY_SIZE(signals)]);
	if (choice == 1 && random / 10 % 2)
		pexit_fault_at(8);
	if (choice == 1)
		__builtin_trap();
	_exit((int)(random / 10 & 0xff));
}

static int reap(void)
{
	int status;
	pid_t pid = wait(&status);

	if (pid > 0)
		add(&shared->parent, pid, status);
	return pid > 0;
}

/* The parent of all; it is one of those that are watched, and ends last. */
static void bear(long n, unsigned long long seed, long long until)
{
	unsigned long long random = seed;
	struct timespec now;
	int alive = 0;
	pid_t pid;

	while (n-- > 0) {
		ktap_random(&random);
		pid = fork();
		if (!pid)
			end_somehow(ktap_random(&random));
		alive += pid > 0;
		if (alive >= ABREAST)
			alive -= reap();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (until && now.tv_sec > until)
			break;
	}
	while (reap())
		;
	_exit(0);
}

static void tally(struct raw *raw, struct aem_record *record)
{
	struct sum *sum = (struct sum *)(uintptr_t)record->cookie;
	struct aem_pexit_note note;

	memcpy(&note, raw->vmt + record->arg[1], sizeof(note));
	EXPECT_EQ(note.kind, AEM_PEXIT_END);
	EXPECT(note.flags & AEM_PEXIT_F_STATUS);
	sum->lost += record->lost;
	add(sum, note.pid, note.status);
}

/* Half of them follow the parent, half watch its group. */
static void watch(int which, pid_t parent)
{
	struct aem_pexit_watch watch;
	struct sum *sum = &shared->watchers[which];
	struct raw raw;

	pexits_start(&raw);
	watch = pexit_request(NULL, parent, which & 1 ? AEM_PEXIT_GROUP : AEM_PEXIT_FOLLOW);
	watch.reg.handler = (uintptr_t)tally;
	watch.reg.cookie = (uintptr_t)sum;
	watch.notes = AEM_PEXIT_MAX;
	watch.members = which & 1 ? 0 : 4 * ABREAST;
	ASSERT_OK(pexit_try(&raw, &watch));
	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->over, __ATOMIC_SEQ_CST))
		raw_wait(&raw, RAW_SECOND / 10);
	raw_drain(&raw);
	raw_end(&raw);
	ktap_stop(0);
}

TEST_TIMEOUT(every_end_once_with_its_true_status, 3000)
{
	const char *given = getenv("AEM_PROCESSES");
	long n = given ? atol(given) : 2000;
	unsigned long long seed = ktap_seed();
	struct rlimit none = { 0, 0 };
	pid_t watchers[WATCHERS];
	struct timespec now;
	int gate[2], i;
	pid_t parent;
	char byte;

	ASSERT_OK(setrlimit(RLIMIT_CORE, &none));
	ASSERT_OK(pipe(gate));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT(shared != MAP_FAILED);
	parent = fork();
	if (!parent) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0)
			;
		clock_gettime(CLOCK_MONOTONIC, &now);
		bear(n, seed, given ? 0 : now.tv_sec + 8);
	}
	ASSERT_OK(setpgid(parent, parent));
	for (i = 0; i < WATCHERS; i++) {
		watchers[i] = fork();
		if (watchers[i])
			continue;
		close(gate[1]);
		watch(i, parent);
	}
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < WATCHERS)
		raw_sleep_ms(10);
	close(gate[1]);
	/* Two of them sleep through a part of it. */
	kill(watchers[0], SIGSTOP);
	kill(watchers[1], SIGSTOP);
	raw_sleep_ms(2000);
	kill(watchers[0], SIGCONT);
	kill(watchers[1], SIGCONT);
	add(&shared->parent, parent, pexit_reap(parent, NULL));
	__atomic_store_n(&shared->over, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < WATCHERS; i++)
		EXPECT_EQ(pexit_reap(watchers[i], NULL), 0);
	NOTE("%llu processes, %llu killed or faulting", (unsigned long long)shared->parent.n,
	     (unsigned long long)shared->parent.killed);
	EXPECT_GT(shared->parent.n, 1);
	for (i = 0; i < WATCHERS; i++) {
		EXPECT_EQ(shared->watchers[i].lost, 0);
		EXPECT_EQ(shared->watchers[i].n, shared->parent.n);
		EXPECT_EQ(shared->watchers[i].killed, shared->parent.killed);
		EXPECT_EQ(shared->watchers[i].mix, shared->parent.mix);
	}
}

KTAP_MAIN()
