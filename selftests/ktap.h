/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program in KTAP, for C and C++.
 *
 *	#include "ktap.h"
 *
 *	TEST(addition) { EXPECT_EQ(1 + 1, 2); }
 *	TEST_TIMEOUT(patience, 300) { ASSERT_OK(ioctl(fd, ...)); }
 *
 *	KTAP_MAIN()
 *
 * Tests run in the order in which they are written, each in a child of its own that leads a
 * process group: a crash or a hang is that test's failure and nobody else's, and what a test
 * leaves running is killed. EXPECT_* notes a failure and goes on, ASSERT_* ends the test.
 * Both may be used in threads and in children of the test. ACTUAL comes first, EXPECTED second.
 *
 * Arguments: -l lists the tests; others are patterns of the tests to run.
 * Exit status: 0 passed, 1 failed, 4 all skipped.
 */
#ifndef SELFTESTS_KTAP_H
#define SELFTESTS_KTAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef __USE_GNU
/* A header came before this one, without _GNU_SOURCE. */
const char *strerrorname_np(int error);
#endif

#define ARRAY_SIZE(_array) (sizeof(_array) / sizeof((_array)[0]))

#define KTAP_PASS 0
#define KTAP_FAIL 1
#define KTAP_SKIP 4

/* Seconds that a test may take unless it says so itself. Guests are emulated. */
#define KTAP_TIMEOUT 60

struct ktap_test {
	const char *name;
	void (*run)(void);
	unsigned int timeout;
	struct ktap_test *next;
};

/* Shared with the children, so that a failure in any of them is the test's. */
struct ktap_shared {
	int failures;
	int skipped;
	char reason[160];
};

static struct ktap_test *ktap_first, **ktap_last = &ktap_first;
static struct ktap_shared *ktap_shared;
static volatile pid_t ktap_child;
static volatile sig_atomic_t ktap_timed_out;

static inline void ktap_add(struct ktap_test *test)
{
	*ktap_last = test;
	ktap_last = &test->next;
}

#define TEST_TIMEOUT(_name, _seconds)						\
	static void ktap_run_##_name(void);					\
	__attribute__((constructor)) static void ktap_add_##_name(void)		\
	{									\
		static struct ktap_test test = {				\
			#_name, ktap_run_##_name, _seconds, NULL };		\
		ktap_add(&test);						\
	}									\
	static void ktap_run_##_name(void)

#define TEST(_name) TEST_TIMEOUT(_name, KTAP_TIMEOUT)

/* A line for who reads the log. One write, so that lines of several processes stay whole. */
__attribute__((format(printf, 1, 2)))
static inline void ktap_note(const char *format, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line + 2, sizeof(line) - 3, format, args);
	va_end(args);
	if (n < 0)
		return;
	if (n > (int)sizeof(line) - 4)
		n = sizeof(line) - 4;
	line[0] = '#';
	line[1] = ' ';
	line[n + 2] = '\n';
	if (write(STDOUT_FILENO, line, n + 3) < 0)
		return;
}

#define NOTE(...) ktap_note(__VA_ARGS__)

__attribute__((noreturn)) static inline void ktap_stop(int status)
{
	fflush(NULL);
	_exit(status);
}

static inline void ktap_fail(int fatal)
{
	__atomic_fetch_add(&ktap_shared->failures, 1, __ATOMIC_SEQ_CST);
	if (fatal)
		ktap_stop(KTAP_FAIL);
}

__attribute__((noreturn, format(printf, 1, 2)))
static inline void ktap_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ktap_shared->reason, sizeof(ktap_shared->reason), format, args);
	va_end(args);
	__atomic_store_n(&ktap_shared->skipped, 1, __ATOMIC_SEQ_CST);
	ktap_stop(KTAP_SKIP);
}

/* What cannot be tested here, and why. To be called by the test itself, not by its children. */
#define SKIP(...) ktap_skip(__VA_ARGS__)

static inline const char *ktap_errno(int error)
{
	const char *name = error ? strerrorname_np(error) : "0";

	return name ? name : "?";
}

static inline int ktap_true(const char *file, int line, const char *text, int value, int fatal)
{
	if (value)
		return 1;
	ktap_note("%s:%d: %s is false (errno %s)", file, line, text, ktap_errno(errno));
	ktap_fail(fatal);
	return 0;
}

static inline int ktap_holds(long long a, const char *op, long long b)
{
	switch (op[0]) {
	case '=':
		return a == b;
	case '!':
		return a != b;
	case '<':
		return op[1] ? a <= b : a < b;
	default:
		return op[1] ? a >= b : a > b;
	}
}

static inline int ktap_compare(const char *file, int line, const char *text, const char *op,
			       const char *expected, long long a, long long b, int fatal)
{
	if (ktap_holds(a, op, b))
		return 1;
	ktap_note("%s:%d: %s %s %s: actual %lld (0x%llx), expected %s %lld (0x%llx)", file, line,
		  text, op, expected, a, (unsigned long long)a, op, b, (unsigned long long)b);
	ktap_fail(fatal);
	return 0;
}

/* @value is what a system call returned: -1 and @actual, or success. */
static inline int ktap_call(const char *file, int line, const char *text, long long value,
			    int actual, int expected, int fatal)
{
	if (value != -1)
		actual = 0;
	if (actual == expected)
		return 1;
	ktap_note("%s:%d: %s: actual %s (returned %lld), expected %s", file, line, text,
		  ktap_errno(actual), value, ktap_errno(expected));
	ktap_fail(fatal);
	return 0;
}

/* @value is 0 or positive, or -errno. */
static inline int ktap_result(const char *file, int line, const char *text, long long value,
			      int expected, int fatal)
{
	int actual = value < 0 ? (int)-value : 0;

	if (actual == expected)
		return 1;
	ktap_note("%s:%d: %s: actual %s (returned %lld), expected %s", file, line, text,
		  ktap_errno(actual), value, ktap_errno(expected));
	ktap_fail(fatal);
	return 0;
}

static inline int ktap_string(const char *file, int line, const char *text, const char *actual,
			      const char *expected, int fatal)
{
	if (actual && expected && !strcmp(actual, expected))
		return 1;
	ktap_note("%s:%d: %s: actual \"%s\", expected \"%s\"", file, line, text,
		  actual ? actual : "(null)", expected ? expected : "(null)");
	ktap_fail(fatal);
	return 0;
}

#define KTAP_OP(_a, _op, _b, _fatal)							\
	ktap_compare(__FILE__, __LINE__, #_a, _op, #_b, (long long)(_a), (long long)(_b), _fatal)

#define EXPECT(_c)	 ktap_true(__FILE__, __LINE__, #_c, !!(_c), 0)
#define EXPECT_EQ(_a, _b) KTAP_OP(_a, "==", _b, 0)
#define EXPECT_NE(_a, _b) KTAP_OP(_a, "!=", _b, 0)
#define EXPECT_LT(_a, _b) KTAP_OP(_a, "<", _b, 0)
#define EXPECT_LE(_a, _b) KTAP_OP(_a, "<=", _b, 0)
#define EXPECT_GT(_a, _b) KTAP_OP(_a, ">", _b, 0)
#define EXPECT_GE(_a, _b) KTAP_OP(_a, ">=", _b, 0)
#define EXPECT_STR(_a, _b) ktap_string(__FILE__, __LINE__, #_a, _a, _b, 0)

#define ASSERT(_c)	 ktap_true(__FILE__, __LINE__, #_c, !!(_c), 1)
#define ASSERT_EQ(_a, _b) KTAP_OP(_a, "==", _b, 1)
#define ASSERT_NE(_a, _b) KTAP_OP(_a, "!=", _b, 1)
#define ASSERT_LT(_a, _b) KTAP_OP(_a, "<", _b, 1)
#define ASSERT_LE(_a, _b) KTAP_OP(_a, "<=", _b, 1)
#define ASSERT_GT(_a, _b) KTAP_OP(_a, ">", _b, 1)
#define ASSERT_GE(_a, _b) KTAP_OP(_a, ">=", _b, 1)
#define ASSERT_STR(_a, _b) ktap_string(__FILE__, __LINE__, #_a, _a, _b, 1)

/* The value is a variable of its own, so that errno is read after the call. */
#define KTAP_CALL(_call, _errno, _fatal) __extension__({				\
	long long ktap_value = (errno = 0, (long long)(_call));				\
	ktap_call(__FILE__, __LINE__, #_call, ktap_value, errno, _errno, _fatal); })

/* Calls that return -1 and errno. */
#define EXPECT_ERRNO(_call, _errno) KTAP_CALL(_call, _errno, 0)
#define EXPECT_OK(_call)	    KTAP_CALL(_call, 0, 0)
#define ASSERT_ERRNO(_call, _errno) KTAP_CALL(_call, _errno, 1)
#define ASSERT_OK(_call)	    KTAP_CALL(_call, 0, 1)

/* Calls that return -errno, as libaem's do: ERROR is the positive errno, 0 is success. */
#define EXPECT_RESULT(_call, _errno)						\
	ktap_result(__FILE__, __LINE__, #_call, (long long)(_call), _errno, 0)
#define ASSERT_RESULT(_call, _errno)						\
	ktap_result(__FILE__, __LINE__, #_call, (long long)(_call), _errno, 1)

/* On the debug kernel everything takes several times as long. */
static inline bool ktap_is_slow(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, "-aem-debug-");
}

/*
 * Whether it is enough to see that all is the same: a program of 32 bits is to find structures that
 * differ, another kernel (AEM_BRIEF) what it does otherwise. Races are looked for by the others.
 */
static inline bool ktap_is_brief(void)
{
	return sizeof(long) == 4 || getenv("AEM_BRIEF");
}

/* How many of what there are usually many. */
static inline int ktap_rounds(int usual)
{
	int share = ktap_is_slow() ? 8 : ktap_is_brief() ? 4 : 1;

	return usual >= 8 ? usual / share : usual;
}

/* Seconds that a test may spend on what it does again and again. */
static inline long ktap_budget(void)
{
	return ktap_is_brief() ? 1 : 3;
}

static struct timespec ktap_begun;

/* Whole ones since the test began. */
static inline long ktap_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - ktap_begun.tv_sec - (now.tv_nsec < ktap_begun.tv_nsec);
}

/*
 * Whether to do something once more, that was done so many times: as often as usual, or as a slow
 * machine can in the time that there is for it, but for the first hundredth, and once at least.
 */
static inline bool ktap_more(unsigned long long done, unsigned long long usual)
{
	return done < usual && (done <= usual / 100 || ktap_seconds() < ktap_budget());
}

/*
 * Random numbers of a seed that the log tells: AEM_SEED=N repeats a run. One state per thread
 * and per child.
 */
static inline unsigned long long ktap_random(unsigned long long *state)
{
	unsigned long long x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL >> 16;
}

static inline unsigned long long ktap_seed(void)
{
	const char *given = getenv("AEM_SEED");
	unsigned long long seed = given ? strtoull(given, NULL, 0) : 0;
	struct timespec now;

	if (!seed) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		seed = (now.tv_nsec ^ (unsigned long long)getpid() << 32) | 1;
	}
	ktap_note("AEM_SEED=%llu", seed);
	return seed;
}

static inline void ktap_alarm(int signo)
{
	(void)signo;
	ktap_timed_out = 1;
	if (ktap_child > 0)
		kill(-ktap_child, SIGKILL);
}

static inline unsigned int ktap_patience(const struct ktap_test *test)
{
	return ktap_is_slow() ? 4 * test->timeout : test->timeout;
}

static inline int ktap_wait(struct ktap_test *test)
{
	int status;

	alarm(ktap_patience(test));
	while (waitpid(ktap_child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	alarm(0);
	kill(-ktap_child, SIGKILL);
	ktap_child = 0;
	return status;
}

/* Returns KTAP_*, having said what went wrong. */
static inline int ktap_judge(struct ktap_test *test, int status)
{
	if (ktap_timed_out)
		ktap_note("%s: not finished after %u s", test->name, ktap_patience(test));
	else if (status == -1)
		ktap_note("%s: waitpid: %s", test->name, strerror(errno));
	else if (WIFSIGNALED(status))
		ktap_note("%s: ended by signal %d (%s)", test->name, WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	else if (ktap_shared->failures)
		ktap_note("%s: %d checks failed", test->name, ktap_shared->failures);
	else if (WEXITSTATUS(status) == KTAP_SKIP && ktap_shared->skipped)
		return KTAP_SKIP;
	else if (WEXITSTATUS(status))
		ktap_note("%s: exited with %d", test->name, WEXITSTATUS(status));
	else
		return KTAP_PASS;
	return KTAP_FAIL;
}

static inline int ktap_run(struct ktap_test *test)
{
	memset(ktap_shared, 0, sizeof(*ktap_shared));
	ktap_timed_out = 0;
	fflush(NULL);
	clock_gettime(CLOCK_MONOTONIC, &ktap_begun);
	ktap_child = fork();
	if (ktap_child < 0) {
		ktap_note("fork: %s", strerror(errno));
		return KTAP_FAIL;
	}
	if (ktap_child == 0) {
		setpgid(0, 0);
		signal(SIGALRM, SIG_DFL);
		test->run();
		ktap_stop(KTAP_PASS);
	}
	setpgid(ktap_child, ktap_child);
	return ktap_judge(test, ktap_wait(test));
}

static inline int ktap_wanted(const struct ktap_test *test, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!fnmatch(argv[i], test->name, 0))
			return 1;
	return argc < 2;
}

static inline int ktap_list(void)
{
	struct ktap_test *test;

	for (test = ktap_first; test; test = test->next)
		puts(test->name);
	return 0;
}

static inline int ktap_main(int argc, char **argv)
{
	int result, n = 0, count[KTAP_SKIP + 1] = { 0 };
	struct sigaction action;
	struct ktap_test *test;

	if (argc == 2 && !strcmp(argv[1], "-l"))
		return ktap_list();
	setvbuf(stdout, NULL, _IOLBF, 0);
	memset(&action, 0, sizeof(action));
	action.sa_handler = ktap_alarm;
	sigaction(SIGALRM, &action, NULL);
	ktap_shared = (struct ktap_shared *)mmap(NULL, sizeof(*ktap_shared), PROT_READ | PROT_WRITE,
						 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ktap_shared == MAP_FAILED)
		return KTAP_FAIL;
	for (test = ktap_first; test; test = test->next)
		n += ktap_wanted(test, argc, argv);
	printf("KTAP version 1\n1..%d\n", n);
	n = 0;
	for (test = ktap_first; test; test = test->next) {
		if (!ktap_wanted(test, argc, argv))
			continue;
		result = ktap_run(test);
		count[result]++;
		if (ktap_seconds() > 2 * ktap_budget())
			ktap_note("%s took %ld s", test->name, ktap_seconds());
		printf("%sok %d %s%s%s\n", result == KTAP_FAIL ? "not " : "", ++n, test->name,
		       result == KTAP_SKIP ? " # SKIP " : "",
		       result == KTAP_SKIP ? ktap_shared->reason : "");
	}
	if (count[KTAP_FAIL] || !n)
		return KTAP_FAIL;
	return count[KTAP_PASS] ? KTAP_PASS : KTAP_SKIP;
}

#define KTAP_MAIN()						\
	int main(int argc, char **argv)				\
	{							\
		return ktap_main(argc, argv);			\
	}

#endif /* SELFTESTS_KTAP_H */
