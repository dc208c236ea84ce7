// SPDX-License-Identifier: GPL-2.0
/*
 * The soft real-time hint for urgent events, which is moments in the real-time class: how much
 * it is, whose rights bound it, that it is given back, and that nothing of it can be kept.
 *
 * vm: load=core,null
 */
#include "hint.h"
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

/* The lowest priority that is worth real time. */
#define URGENT 16
/* Percent of a processor; what the module's parameter is by default. */
#define SHARE 10
#define WHILE 200000
/* Of sched_attr. */
#define KEEP_POLICY 0x08
#define KEEP_PARAMS 0x10

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/*
 * The effective priority of a thread, its own or inherited from who waits for it: from -2 on
 * downwards it is in the real-time class. Its policy does not tell.
 */
static int priority_in(int stat)
{
	char text[512];
	const char *field;
	ssize_t n = pread(stat, text, sizeof(text) - 1, 0);
	int i;

	ASSERT_GT(n, 0);
	text[n] = 0;
	/* The name is the second field, and may contain anything. */
	field = strrchr(text, ')') + 1;
	for (i = 2; i < 17; i++)
		field = strchr(field + 1, ' ');
	return atoi(field);
}

static int open_stat(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	ASSERT_OK(fd);
	return fd;
}

static int priority_of(pid_t pid)
{
	int fd = open_stat(pid), priority = priority_in(fd);

	close(fd);
	return priority;
}

static bool is_real_time(pid_t pid)
{
	return priority_of(pid) < 0;
}

static bool ends_soon(pid_t pid)
{
	int i;

	/* It may come back at the next look. */
	for (i = 0; i < 2000 && is_real_time(pid); i++)
		raw_sleep_ms(1);
	return i < 2000;
}

/*
 * Whether the owner, who is the caller and does not handle its event, comes into the class, again
 * and again as its time comes back.
 */
static int comes(int times)
{
	long long end = now() + 20000000000LL;
	int before = 0, is, stat = open_stat(raw_gettid());

	while (times && now() < end) {
		is = priority_in(stat) < 0;
		times -= is && !before;
		before = is;
	}
	close(stat);
	return !times;
}

static void expect_never(struct raw *raw)
{
	int i;

	for (i = 0; i < 50; i++) {
		EXPECT(!is_real_time(raw_gettid()));
		raw_sleep_ms(1);
	}
	EXPECT_NE(raw_query(raw).boost, AEM_BOOST_REALTIME);
}

TEST(urgent_events_bring_real_time)
{
	struct raw raw;
	unsigned long i;

	start_with(&raw, SHARE);
	EXPECT_EQ(priority_of(raw_gettid()), 20);
	activate(&raw, URGENT - 1);
	expect_never(&raw);
	expect_boost(&raw, 0, steps_of(URGENT - 1, STEPS));
	for (i = 0; ktap_more(i, 20); i++) {
		activate(&raw, i % 2 ? URGENT : 31);
		EXPECT(comes(1));
		/* The least that there is; or it has gone meanwhile. */
		EXPECT_GE(priority_of(raw_gettid()), -2);
		EXPECT_EQ(raw_drain(&raw), 1 + !i);
		EXPECT(ends_soon(raw_gettid()));
	}
	/* Not nice at the same time. */
	expect_soon(&raw, 0, 0);
	raw_end(&raw);
	EXPECT_EQ(priority_of(raw_gettid()), 20);
}

/* Nothing is ever handled: it does not get more than its share, but gets that again and again. */
TEST(no_more_than_a_share)
{
	struct raw raw;
	int there = 0, others = 0;
	long long end;

	start_with(&raw, SHARE);
	activate(&raw, 31);
	EXPECT(comes(5));
	end = now() + 1000000000LL;
	while (now() < end)
		if (is_real_time(raw_gettid()))
			there++;
		else
			others++;
	NOTE("%d of %d looks found it in the class", there, there + others);
	EXPECT_GT(there, 0);
	/* A machine that is busy with something else may end it late; that is made good for. */
	EXPECT_LT(there, others);
	raw_end(&raw);
	EXPECT(!is_real_time(raw_gettid()));
}

TEST(real_time_within_rlimit)
{
	struct raw raw;

	set_parameter("hint_realtime", SHARE);
	become_nobody(20, 1);
	start(&raw);
	activate(&raw, 31);
	EXPECT(comes(2));
	raw_end(&raw);
	EXPECT(!is_real_time(raw_gettid()));
}

TEST(no_real_time_without_rights)
{
	struct raw raw;

	set_parameter("hint_realtime", SHARE);
	become_nobody(20, 0);
	start(&raw);
	activate(&raw, 31);
	expect_never(&raw);
	raw_end(&raw);
}

TEST(no_real_time_by_a_user_namespace)
{
	struct raw raw;

	set_parameter("hint_realtime", SHARE);
	become_nobody(20, 0);
	if (unshare(CLONE_NEWUSER))
		ktap_skip("optional: no user namespaces for users");
	start(&raw);
	activate(&raw, 31);
	expect_never(&raw);
	raw_end(&raw);
}

/* A signal would end it. */
TEST(no_real_time_under_a_limit_of_it)
{
	struct rlimit limit = { 100000, 100000 };
	struct raw raw;

	ASSERT_OK(setrlimit(RLIMIT_RTTIME, &limit));
	start_with(&raw, SHARE);
	activate(&raw, 31);
	expect_never(&raw);
	expect_boost(&raw, 0, STEPS);
	raw_end(&raw);
}

static int comes_once(void)
{
	return comes(1);
}

TEST(exec_in_real_time)
{
	expect_given_back_by_exec(SHARE, comes_once);
}

/* A child that computes. */
static pid_t child_in_real_time(void)
{
	pid_t pid = fork_boosted(SHARE, comes_once);

	if (!pid)
		for (;;)
			__asm__ volatile("");
	return pid;
}

TEST(killed_in_real_time)
{
	int status, i;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = child_in_real_time();
		ASSERT_OK(kill(pid, SIGKILL));
		ASSERT_OK(waitpid(pid, &status, 0));
		EXPECT(WIFSIGNALED(status));
	}
}

static void *come_and_go(void *arg)
{
	struct raw raw;

	(void)arg;
	start_with(&raw, SHARE);
	activate(&raw, 31);
	EXPECT(comes(1));
	return NULL;
}

/* The thread has ended, its context has not, and others are made and end. */
TEST(owner_ends_in_real_time)
{
	pthread_t thread;
	struct raw raw;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pthread_create(&thread, NULL, come_and_go, NULL), 0);
		ASSERT_EQ(pthread_join(thread, NULL), 0);
	}
	EXPECT_EQ(priority_of(raw_gettid()), 20);
	raw_sleep_ms(20);
	start_with(&raw, SHARE);
	raw_end(&raw);
	EXPECT_EQ(priority_of(raw_gettid()), 20);
}

/* Who stops it with a debugger does not stop the clock. */
TEST(traced_in_real_time)
{
	int status, i;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = child_in_real_time();
		ASSERT_OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
		ASSERT_OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
		ASSERT_OK(waitpid(pid, &status, 0));
		EXPECT(WIFSTOPPED(status));
		EXPECT(ends_soon(pid));
		ASSERT_OK(kill(pid, SIGKILL));
		ASSERT_OK(waitpid(pid, &status, 0));
	}
}

/* What was handled while it had no time left does not keep the next one from being felt. */
TEST(felt_after_its_time_was_used_up)
{
	struct raw raw;
	unsigned long i;

	start_with(&raw, SHARE);
	for (i = 0; ktap_more(i, 40); i++) {
		activate(&raw, 31);
		ASSERT(comes(1));
		/* Whoever sleeps has time left. */
		while (is_real_time(raw_gettid()))
			;
		EXPECT_EQ(raw_drain(&raw), 1);
		/* Until there is some again, or the hint forgets, or neither. */
		raw_sleep_ms(i % 10);
		activate(&raw, URGENT);
		ASSERT(comes(1));
		EXPECT_EQ(raw_drain(&raw), 1);
	}
	raw_end(&raw);
}

/* Somebody's choice of a class stays, whenever it was made, and shows while it is felt more. */
TEST(ones_own_class_stays)
{
	struct sched_param param = { .sched_priority = 5 }, none = { 0 };
	struct raw raw;

	start_with(&raw, SHARE);
	ASSERT_OK(sched_setscheduler(0, SCHED_RR, &param));
	activate(&raw, 31);
	raw_sleep_ms(20);
	EXPECT_EQ(sched_getscheduler(0), SCHED_RR);
	EXPECT_EQ(priority_of(raw_gettid()), -6);
	ASSERT_OK(sched_setscheduler(0, SCHED_BATCH, &none));
	EXPECT(comes(1));
	EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
	raw_drain(&raw);
	EXPECT(ends_soon(raw_gettid()));
	EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
	activate(&raw, 31);
	EXPECT(comes(1));
	ASSERT_OK(sched_setscheduler(0, SCHED_RR, &param));
	raw_end(&raw);
	EXPECT_EQ(sched_getscheduler(0), SCHED_RR);
	EXPECT_EQ(priority_of(raw_gettid()), -6);
	ASSERT_OK(sched_setscheduler(0, SCHED_OTHER, &none));
}

/* What it had or was given meanwhile is what it has, then and after. */
TEST(nothing_of_its_own_changes_in_real_time)
{
	struct sched_param none = { 0 };
	struct raw raw;

	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 4));
	ASSERT_OK(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none));
	ASSERT_OK(prctl(PR_SET_TIMERSLACK, 77777));
	start_with(&raw, SHARE);
	EXPECT_EQ(priority_of(raw_gettid()), 24);
	activate(&raw, 31);
	EXPECT(comes(1));
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	EXPECT_EQ(my_nice(), 4);
	raw_drain(&raw);
	EXPECT(ends_soon(raw_gettid()));
	EXPECT_EQ(priority_of(raw_gettid()), 24);
	activate(&raw, 31);
	EXPECT(comes(1));
	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 7));
	raw_drain(&raw);
	EXPECT(ends_soon(raw_gettid()));
	EXPECT_EQ(my_nice(), 7);
	EXPECT_EQ(priority_of(raw_gettid()), 27);
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	EXPECT_EQ(prctl(PR_GET_TIMERSLACK), 77777);
	raw_end(&raw);
}

/* Tries to keep for @pid what it may have for a moment, in each way that there is. */
static void try_to_keep(pid_t pid)
{
	static const int policies[] = {
		SCHED_FIFO, SCHED_RR, SCHED_FIFO | SCHED_RESET_ON_FORK,
		SCHED_RR | SCHED_RESET_ON_FORK,
	};
	struct sched_param param = { .sched_priority = 1 };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .flags = KEEP_POLICY, .priority = 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(policies); i++)
		EXPECT_ERRNO(sched_setscheduler(pid, policies[i], &param), EPERM);
	/* Without a policy that has it, a priority is not valid. */
	EXPECT_ERRNO(sched_setparam(pid, &param), EINVAL);
	EXPECT_ERRNO(syscall(SYS_sched_setattr, pid, &attr, 0), EINVAL);
	attr.flags |= KEEP_PARAMS;
	attr.priority = 0;
	EXPECT_OK(syscall(SYS_sched_setattr, pid, &attr, 0));
	EXPECT_ERRNO(setpriority(PRIO_PROCESS, pid, -1), EACCES);
}

/* Rights that go take it with them, and nothing that is left of it can be kept. */
TEST(setuid_in_real_time)
{
	struct raw raw;

	start_with(&raw, SHARE);
	activate(&raw, 31);
	EXPECT(comes(1));
	become_nobody(20, 0);
	try_to_keep(0);
	EXPECT(ends_soon(raw_gettid()));
	expect_never(&raw);
	raw_drain(&raw);
	activate(&raw, 31);
	expect_never(&raw);
	raw_end(&raw);
}

/* So many rounds. Up to WHILE of them take as long as a moment in the class does. */
static void compute(unsigned long rounds)
{
	while (rounds--)
		__asm__ volatile("");
}

/* What the limit allows now; it may be raised again. */
static void may_have(int realtime)
{
	struct rlimit limit = { realtime, 1 };

	ASSERT_OK(setrlimit(RLIMIT_RTPRIO, &limit));
}

/* One call after the right has gone it is still there, but cannot be kept. */
TEST(limit_goes_in_real_time)
{
	unsigned long i;
	struct raw raw;

	set_parameter("hint_realtime", SHARE);
	become_nobody(20, 1);
	start(&raw);
	for (i = 0; ktap_more(i, 50); i++) {
		may_have(1);
		activate(&raw, 31);
		EXPECT(comes(1));
		may_have(0);
		try_to_keep(0);
		EXPECT(ends_soon(raw_gettid()));
		EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
		EXPECT_EQ(raw_drain(&raw), 1);
	}
	activate(&raw, 31);
	expect_never(&raw);
	raw_end(&raw);
}

/* Those who try at the moment when the right has gone. */
static int gone[2];

static void try_when_gone(pid_t pid)
{
	char c;
	int i;

	ASSERT_EQ(read(gone[0], &c, 1), 1);
	for (i = 0; i < 20; i++)
		try_to_keep(pid);
}

static void *try_in_thread(void *arg)
{
	(void)arg;
	try_when_gone(getpid());
	return NULL;
}

/*
 * The right to it is there, and goes, and those of the process, of its user, of its user in
 * a namespace of its own try to keep what is still there, and what goes.
 */
static void race(bool in_namespace, unsigned long wait)
{
	pid_t owner = getpid(), other;
	pthread_t thread;
	struct raw raw;
	int status;

	become_nobody(20, 1);
	ASSERT_OK(pipe(gone));
	ASSERT_EQ(pthread_create(&thread, NULL, try_in_thread, NULL), 0);
	other = fork();
	ASSERT_GE(other, 0);
	if (!other) {
		if (in_namespace)
			(void)!unshare(CLONE_NEWUSER);
		try_when_gone(owner);
		_exit(0);
	}
	start(&raw);
	activate(&raw, 31);
	EXPECT(comes(1));
	compute(wait);
	may_have(0);
	ASSERT_EQ(write(gone[1], "xx", 2), 2);
	try_to_keep(0);
	ASSERT_OK(waitpid(other, &status, 0));
	EXPECT_EQ(status, 0);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT(ends_soon(owner));
	expect_never(&raw);
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
	raw_end(&raw);
}

TEST(nothing_can_be_kept)
{
	unsigned long long seed = ktap_seed();
	unsigned long i;
	int status;
	pid_t pid;

	set_parameter("hint_realtime", SHARE);
	for (i = 0; ktap_more(i, 100); i++) {
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid) {
			race(i % 2, ktap_random(&seed) % WHILE);
			_exit(0);
		}
		ASSERT_OK(waitpid(pid, &status, 0));
		EXPECT_EQ(status, 0);
	}
}

/* As if never boosted; nor does it become so while its parent is. */
static int is_ordinary(int nice)
{
	int i;

	for (i = 0; i < 3; i++)
		if (sched_getscheduler(0) != SCHED_OTHER || my_nice() != nice ||
		    priority_of(raw_gettid()) != 20 + nice || prctl(PR_GET_TIMERSLACK) != 77777)
			return 0;
	return 1;
}

/* Whenever it happens: a child is what it would be without. */
TEST(fork_in_real_time)
{
	unsigned long long seed = ktap_seed();
	struct raw raw;
	unsigned long i;
	int status;
	pid_t pid;

	ASSERT_OK(setpriority(PRIO_PROCESS, 0, -3));
	ASSERT_OK(prctl(PR_SET_TIMERSLACK, 77777));
	start_with(&raw, SHARE);
	activate(&raw, 31);
	for (i = 0; ktap_more(i, 200); i++) {
		EXPECT(comes(1));
		/* At any moment of its time, and when that ends. */
		compute(ktap_random(&seed) % WHILE);
		pid = fork();
		ASSERT_GE(pid, 0);
		if (!pid)
			_exit(!is_ordinary(-3));
		ASSERT_OK(waitpid(pid, &status, 0));
		EXPECT_EQ(status, 0);
	}
	raw_end(&raw);
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

/* A process with events, until it has been in real time once; it tells that, and stays. */
static void be_one_of_many(int seen)
{
	bool came = false;
	struct raw raw;
	uint64_t id;
	int i;

	start_with(&raw, SHARE);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 31);
	while (!came) {
		null_fire(&raw, id, NULL_BY_IRQ, 1);
		for (i = 0; i < 20 && !came; i++)
			came = is_real_time(raw_gettid());
		raw_drain(&raw);
	}
	ASSERT_EQ(write(seen, "x", 1), 1);
	for (;;) {
		raw_drain(&raw);
		raw_sleep_ms(100);
	}
}

/* There are two threads per processor that lend them their priority, and all come to theirs. */
TEST(more_owners_than_threads)
{
	int i, status, seen[2], n = 2 * sysconf(_SC_NPROCESSORS_ONLN) + 2;
	pid_t pids[64];
	char c;

	n = n < 64 ? n : 64;
	ASSERT_OK(pipe(seen));
	for (i = 0; i < n; i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (!pids[i])
			be_one_of_many(seen[1]);
	}
	for (i = 0; i < n; i++)
		ASSERT_EQ(read(seen[0], &c, 1), 1);
	for (i = 0; i < n; i++) {
		ASSERT_OK(kill(pids[i], SIGKILL));
		ASSERT_OK(waitpid(pids[i], &status, 0));
	}
}

KTAP_MAIN()
