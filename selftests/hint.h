/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the soft real-time hint share.
 */
#ifndef SELFTESTS_HINT_H
#define SELFTESTS_HINT_H

#include "raw.h"
#include <sys/resource.h>
#include <sys/stat.h>

#define PARAMETERS "/sys/module/aem_core/parameters/"
#define NOBODY 65534
/* Of nice; what the module's parameter is by default. */
#define STEPS 10

static inline int my_nice(void)
{
	int nice;

	errno = 0;
	nice = getpriority(PRIO_PROCESS, 0);
	ASSERT_EQ(errno, 0);
	return nice;
}

static inline void set_parameter(const char *name, unsigned int value)
{
	char path[100], text[16];
	int fd, n = snprintf(text, sizeof(text), "%u", value);

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	ASSERT_OK(fd);
	ASSERT_EQ(write(fd, text, n), n);
	close(fd);
}

static inline void start_with(struct raw *raw, unsigned int share)
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
static inline void start(struct raw *raw)
{
	start_with(raw, 0);
}

static inline uint64_t activate(struct raw *raw, uint32_t prio)
{
	uint64_t id = null_new(raw, NULL_CREATE, raw_nothing, 1, 0, prio);

	null_fire(raw, id, NULL_BY_IRQ, 1);
	return id;
}

static inline unsigned int steps_of(unsigned int prio, unsigned int ceiling)
{
	return (ceiling * (prio + 1) + 31) / 32;
}

static inline void expect_boost(struct raw *raw, int base, unsigned int steps)
{
	EXPECT_EQ(raw_query(raw).boost, steps);
	EXPECT_EQ(my_nice(), base - (int)steps);
}

/* It comes down some time after what it was for. */
static inline void expect_soon(struct raw *raw, unsigned int hint, int nice)
{
	int i;

	for (i = 0; i < 2000 && (raw_query(raw).hint != hint || my_nice() != nice); i++)
		raw_sleep_ms(10);
	EXPECT_EQ(raw_query(raw).hint, hint);
	EXPECT_EQ(my_nice(), nice);
}

/* RLIMIT_NICE of 20 - n allows nice values down to n. */
static inline void become_nobody(int lowest, int realtime)
{
	struct rlimit limit = { 20 - lowest, 20 - lowest };

	ASSERT_OK(setrlimit(RLIMIT_NICE, &limit));
	limit = (struct rlimit){ realtime, realtime };
	ASSERT_OK(setrlimit(RLIMIT_RTPRIO, &limit));
	ASSERT_OK(chmod(RAW_DEVICE, 0666));
	ASSERT_OK(setgid(NOBODY));
	ASSERT_OK(setuid(NOBODY));
}

/*
 * As fork(), of a child with so much real time and an event that it never handles: both go on when
 * it is boosted.
 */
static inline pid_t fork_boosted(unsigned int share, int (*is_boosted)(void))
{
	static struct raw raw;
	int ready[2];
	pid_t pid;
	char c;

	ASSERT_OK(pipe(ready));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid) {
		close(ready[1]);
		ASSERT_EQ(read(ready[0], &c, 1), 1);
		close(ready[0]);
		return pid;
	}
	start_with(&raw, share);
	activate(&raw, 31);
	if (!is_boosted())
		_exit(1);
	ASSERT_EQ(write(ready[1], "x", 1), 1);
	return 0;
}

/*
 * A child goes on to another program when it is boosted; there its priority, as /proc/PID/stat has
 * it, becomes what it was.
 */
static inline void expect_given_back_by_exec(unsigned int share, int (*is_boosted)(void))
{
	pid_t pid = fork_boosted(share, is_boosted);
	int status;

	if (!pid) {
		execl("/bin/sh", "sh", "-c",
		      "for i in 1 2 3 4 5 6 7 8 9; do n=$(cut -d ' ' -f 18 /proc/$$/stat);"
		      "[ $n = 20 ] && exit 7; sleep 1; done", NULL);
		_exit(1);
	}
	ASSERT_OK(waitpid(pid, &status, 0));
	EXPECT_EQ(WEXITSTATUS(status), 7);
}

#endif /* SELFTESTS_HINT_H */
