// SPDX-License-Identifier: GPL-2.0
/*
 * The soft real-time hint: how much it is, whose rights bound it, and that it is given back.
 *
 * vm: load=core,null
 */
#include "raw.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PARAMETERS "/sys/module/aem_core/parameters/"
#define NOBODY 65534
/* Of nice; what the module's parameter is by default. */
#define STEPS 10
/* The lowest priority that is worth real time. */
#define URGENT 16
/* Percent of a processor. */
#define SHARE 10

static int my_nice(void)
{
	int nice;

	errno = 0;
	nice = getpriority(PRIO_PROCESS, 0);
	ASSERT_EQ(errno, 0);
	return nice;
}

static void set_parameter(const char *name, unsigned int value)
{
	char path[100], text[16];
	int fd, n = snprintf(text, sizeof(text), "%u", value);

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	ASSERT_OK(fd);
	ASSERT_EQ(write(fd, text, n), n);
	close(fd);
}

static void start_with(struct raw *raw, unsigned int share)
{
	/* Who is nobody by now finds it as it was set before. */
	if (!geteuid())
		set_parameter("hint_realtime", share);
	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT | AEM_SETUP_HINT;
	raw->setup.vmt_size = 65536;
	raw_begin(raw);
	raw->null = raw_service(raw, NULL_SERVICE);
}

/* Where nice is all there is. */
static void start(struct raw *raw)
{
	start_with(raw, 0);
}

static uint64_t activate(struct raw *raw, uint32_t prio)
{
	uint64_t id = null_new(raw, NULL_CREATE, raw_nothing, 1, 0, prio);

	null_fire(raw, id, NULL_BY_IRQ, 1);
	return id;
}

static unsigned int steps_of(unsigned int prio, unsigned int ceiling)
{
	return (ceiling * (prio + 1) + 31) / 32;
}

static void expect_boost(struct raw *raw, int base, unsigned int steps)
{
	EXPECT_EQ(raw_query(raw).boost, steps);
	EXPECT_EQ(my_nice(), base - (int)steps);
}

/* It comes down some time after what it was for. */
static void expect_soon(struct raw *raw, unsigned int hint, int nice)
{
	int i;

	for (i = 0; i < 2000 && (raw_query(raw).hint != hint || my_nice() != nice); i++)
		raw_sleep_ms(10);
	EXPECT_EQ(raw_query(raw).hint, hint);
	EXPECT_EQ(my_nice(), nice);
}

TEST(as_urgent_as_the_most_urgent)
{
	struct raw raw;
	uint32_t prio;

	start(&raw);
	expect_boost(&raw, 0, 0);
	EXPECT_EQ(raw_query(&raw).hint, 0);
	for (prio = 0; prio < AEM_PRIORITIES; prio++) {
		activate(&raw, prio);
		EXPECT_EQ(raw_query(&raw).hint, prio + 1);
		expect_boost(&raw, 0, steps_of(prio, STEPS));
	}
	/* Nothing less urgent lowers it. */
	activate(&raw, 3);
	expect_boost(&raw, 0, STEPS);
	EXPECT_EQ(raw_drain(&raw), AEM_PRIORITIES + 1);
	expect_soon(&raw, 0, 0);
	activate(&raw, 7);
	expect_boost(&raw, 0, steps_of(7, STEPS));
	raw_end(&raw);
}

TEST(stays_while_events_are_active)
{
	struct raw raw;
	uint64_t urgent;

	start(&raw);
	activate(&raw, 2);
	urgent = activate(&raw, 20);
	raw_sleep_ms(200);
	expect_boost(&raw, 0, steps_of(20, STEPS));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, urgent, 0));
	expect_soon(&raw, 3, -(int)steps_of(2, STEPS));
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 0);
}

TEST(only_who_asks)
{
	struct raw raw;

	raw_start(&raw);
	activate(&raw, 31);
	EXPECT_EQ(raw_query(&raw).hint, 0);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

TEST(ceiling)
{
	struct raw raw;

	start(&raw);
	set_parameter("hint_ceiling", 0);
	activate(&raw, 31);
	expect_boost(&raw, 0, 0);
	raw_drain(&raw);
	expect_soon(&raw, 0, 0);
	set_parameter("hint_ceiling", 3);
	activate(&raw, 31);
	expect_boost(&raw, 0, 3);
	raw_drain(&raw);
	expect_soon(&raw, 0, 0);
	/* More than there are. */
	set_parameter("hint_ceiling", 4000000000U);
	activate(&raw, 31);
	expect_boost(&raw, 0, 20);
	set_parameter("hint_ceiling", STEPS);
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 0);
}

TEST(ones_own_choice_stays)
{
	struct raw raw;

	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 4));
	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 4, STEPS);
	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 7));
	raw_drain(&raw);
	expect_soon(&raw, 0, 7);
	activate(&raw, 31);
	expect_boost(&raw, 7, STEPS);
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 7);
}

/* RLIMIT_NICE of 20 - n allows nice values down to n. */
static void become_nobody(int lowest, int realtime)
{
	struct rlimit limit = { 20 - lowest, 20 - lowest };

	ASSERT_OK(setrlimit(RLIMIT_NICE, &limit));
	limit = (struct rlimit){ realtime, realtime };
	ASSERT_OK(setrlimit(RLIMIT_RTPRIO, &limit));
	ASSERT_OK(chmod(RAW_DEVICE, 0666));
	ASSERT_OK(setgid(NOBODY));
	ASSERT_OK(setuid(NOBODY));
}

TEST(within_rlimit)
{
	struct raw raw;

	become_nobody(-3, 0);
	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 0, 3);
	raw_end(&raw);
	EXPECT_EQ(my_nice(), 0);
}

TEST(without_rights)
{
	struct raw raw;

	become_nobody(20, 0);
	start(&raw);
	activate(&raw, 31);
	EXPECT_EQ(raw_query(&raw).hint, 32);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

TEST(not_by_a_user_namespace)
{
	struct raw raw;

	become_nobody(20, 0);
	if (unshare(CLONE_NEWUSER))
		ktap_skip("optional: no user namespaces for users");
	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

/* Rights that go while it is boosted take the boost with them. */
TEST(setuid_while_boosted)
{
	struct raw raw;

	start(&raw);
	activate(&raw, 31);
	expect_boost(&raw, 0, STEPS);
	become_nobody(20, 0);
	expect_soon(&raw, 32, 0);
	expect_boost(&raw, 0, 0);
	/* Not again either. */
	raw_drain(&raw);
	expect_soon(&raw, 0, 0);
	activate(&raw, 31);
	expect_boost(&raw, 0, 0);
	raw_end(&raw);
}

static int parent_nice;

static void *own(void *arg)
{
	struct raw raw;

	(void)arg;
	start(&raw);
	activate(&raw, 31);
	EXPECT_EQ(my_nice(), -STEPS);
	/* Left to the end of the process. */
	return NULL;
}

/* The owner is a thread; nobody else is boosted. */
TEST(only_the_owner)
{
	pthread_t thread;

	parent_nice = my_nice();
	ASSERT_EQ(pthread_create(&thread, NULL, own, NULL), 0);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(my_nice(), parent_nice);
}

/*
 * A child with so much real time goes on to another program when it is boosted; there the
 * @field of /proc/PID/stat becomes 0.
 */
static void expect_given_back_by_exec(unsigned int share, int (*is_boosted)(void),
				      const char *field)
{
	int status;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		struct raw raw;

		start_with(&raw, share);
		activate(&raw, 31);
		if (is_boosted())
			execl("/bin/sh", "sh", "-c",
			      "for i in 1 2 3 4 5 6 7 8 9; do n=$(cut -d ' ' -f $0 /proc/$$/stat);"
			      "[ $n = 0 ] && exit 7; sleep 1; done", field, NULL);
		_exit(1);
	}
	ASSERT_OK(waitpid(pid, &status, 0));
	EXPECT_EQ(WEXITSTATUS(status), 7);
}

static int is_nicer(void)
{
	return my_nice() == -STEPS;
}

TEST(given_back_by_exec)
{
	expect_given_back_by_exec(0, is_nicer, "19");
}

TEST(killed_while_boosted)
{
	int status, ready[2];
	pid_t pid;
	char c;

	ASSERT_OK(pipe(ready));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct raw raw;

		start(&raw);
		activate(&raw, 31);
		ASSERT_EQ(write(ready[1], "x", 1), 1);
		pause();
	}
	ASSERT_EQ(read(ready[0], &c, 1), 1);
	EXPECT_EQ(getpriority(PRIO_PROCESS, pid), -STEPS);
	ASSERT_OK(kill(pid, SIGKILL));
	ASSERT_OK(waitpid(pid, &status, 0));
	EXPECT(WIFSIGNALED(status));
}

/* Real time */

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int class_of(pid_t pid)
{
	return sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK;
}

static int class_soon(pid_t pid, int class)
{
	int i;

	for (i = 0; i < 2000 && class_of(pid) != class; i++)
		raw_sleep_ms(1);
	return class_of(pid) == class;
}

/*
 * Whether the owner, who is the caller and does not handle its event, comes into the class, again
 * and again as its time comes back.
 */
static int comes(int times)
{
	long long end = now() + 20000000000LL;
	int before = 0, is;

	while (times && now() < end) {
		is = class_of(0) == SCHED_FIFO;
		times -= is && !before;
		before = is;
	}
	return !times;
}

static void expect_never(struct raw *raw)
{
	int i;

	for (i = 0; i < 50; i++) {
		EXPECT_EQ(class_of(0), SCHED_OTHER);
		raw_sleep_ms(1);
	}
	EXPECT_NE(raw_query(raw).boost, AEM_BOOST_REALTIME);
}

TEST(urgent_events_bring_real_time)
{
	struct sched_param param;
	struct raw raw;
	int i;

	start_with(&raw, SHARE);
	EXPECT_EQ(class_of(0), SCHED_OTHER);
	activate(&raw, URGENT - 1);
	expect_never(&raw);
	expect_boost(&raw, 0, steps_of(URGENT - 1, STEPS));
	for (i = 0; i < 20; i++) {
		activate(&raw, i % 2 ? URGENT : 31);
		EXPECT(comes(1));
		/* The least that there is; or it has gone meanwhile. */
		ASSERT_OK(sched_getparam(0, &param));
		EXPECT_LE(param.sched_priority, 1);
		EXPECT_EQ(raw_drain(&raw), 1 + !i);
		EXPECT(class_soon(0, SCHED_OTHER));
	}
	/* Not nice at the same time. */
	expect_soon(&raw, 0, 0);
	raw_end(&raw);
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
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
		if (class_of(0) == SCHED_FIFO)
			there++;
		else
			others++;
	NOTE("%d of %d looks found it in the class", there, there + others);
	EXPECT_GT(there, 0);
	/* A machine that is busy with something else may end it late; that is made good for. */
	EXPECT_LT(there, others);
	raw_end(&raw);
	EXPECT_EQ(class_of(0), SCHED_OTHER);
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
	EXPECT_EQ(class_of(0), SCHED_OTHER);
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
	expect_given_back_by_exec(SHARE, comes_once, "41");
}

/* A child with an event that it never handles, told by @ready; then it does as it likes. */
static pid_t child_in_real_time(void)
{
	int ready[2];
	pid_t pid;
	char c;

	ASSERT_OK(pipe(ready));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct raw raw;

		start_with(&raw, SHARE);
		activate(&raw, 31);
		if (!comes(1))
			_exit(1);
		ASSERT_EQ(write(ready[1], "x", 1), 1);
		for (;;)
			__asm__ volatile("");
	}
	ASSERT_EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
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
		EXPECT(class_soon(pid, SCHED_OTHER));
		ASSERT_OK(kill(pid, SIGKILL));
		ASSERT_OK(waitpid(pid, &status, 0));
	}
}

/* What was handled while it had no time left does not keep the next one from being felt. */
TEST(felt_after_its_time_was_used_up)
{
	struct raw raw;
	int i;

	start_with(&raw, SHARE);
	for (i = 0; i < 40; i++) {
		activate(&raw, 31);
		ASSERT(comes(1));
		/* Whoever sleeps has time left. */
		while (class_of(0) == SCHED_FIFO)
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

/* Somebody's choice of a class stays, whenever it was made. */
TEST(ones_own_class_stays)
{
	struct sched_param param = { .sched_priority = 5 }, none = { 0 };
	struct raw raw;

	start_with(&raw, SHARE);
	ASSERT_OK(sched_setscheduler(0, SCHED_RR, &param));
	activate(&raw, 31);
	raw_sleep_ms(20);
	EXPECT_EQ(sched_getscheduler(0), SCHED_RR);
	ASSERT_OK(sched_setscheduler(0, SCHED_BATCH, &none));
	EXPECT(comes(1));
	raw_drain(&raw);
	EXPECT(class_soon(0, SCHED_BATCH));
	activate(&raw, 31);
	EXPECT(comes(1));
	ASSERT_OK(sched_setscheduler(0, SCHED_RR, &param));
	raw_end(&raw);
	EXPECT_EQ(sched_getscheduler(0), SCHED_RR);
	ASSERT_OK(sched_setscheduler(0, SCHED_OTHER, &none));
}

/* The nice value that it had or was given meanwhile, and the flag, are what they were. */
TEST(nice_value_is_kept_in_real_time)
{
	struct sched_param none = { 0 };
	struct raw raw;

	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 4));
	ASSERT_OK(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none));
	start_with(&raw, SHARE);
	activate(&raw, 31);
	EXPECT(comes(1));
	raw_drain(&raw);
	EXPECT_EQ(my_nice(), 4);
	activate(&raw, 31);
	EXPECT(comes(1));
	ASSERT_OK(setpriority(PRIO_PROCESS, 0, 7));
	raw_drain(&raw);
	EXPECT_EQ(my_nice(), 7);
	EXPECT(class_soon(0, SCHED_OTHER));
	EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER | SCHED_RESET_ON_FORK);
	raw_end(&raw);
}

KTAP_MAIN()
