// SPDX-License-Identifier: GPL-2.0
/*
 * A program runs in a process group of its own, so that all that it forked ends with it; we are
 * the reaper of what it leaves. When it has ended, no service may be in use.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "log.h"
#include "run.h"
#include "runner.h"

#define HIGH		920
#define DESCRIPTORS	1024
/* How many times longer than a program a process may take to die, or a context to go. */
#define DEATH		8

struct totals totals;

static unsigned int patience_ms;
static struct arena arenas[FUZZ_THREADS];
static struct coverage cover[FUZZ_THREADS];
static struct shared *shared;
static struct run run;
static int device = -1;
static char finding[256];

static const char *const parameters[] = {
	"aem_core/parameters/max_events", "aem_core/parameters/max_user_events",
	"aem_core/parameters/max_user_contexts", "aem_core/parameters/vmt_max",
	"aem_ip/parameters/connect",
};

static char values[ARRAY_SIZE(parameters)][32];

#define found(...) do {									\
	if (!*finding)									\
		snprintf(finding, sizeof(finding), __VA_ARGS__);			\
} while (0)

/* What was wrong, or NULL. */
const char *runner_finding(void)
{
	return *finding ? finding : NULL;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void parameter(unsigned int i, bool set)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s", parameters[i]);
	fd = open(path, set ? O_WRONLY : O_RDONLY);
	if (fd < 0)
		return;
	if (set ? write(fd, values[i], strlen(values[i])) < 0 :
		  read(fd, values[i], sizeof(values[i]) - 1) < 0)
		errno = 0;
	close(fd);
}

static void all_parameters(bool set)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parameters); i++)
		parameter(i, set);
}

/* The allocations of programs that ask for failures fail, also those that may wait. */
static void prepare_failures(void)
{
	static const char *const switches[] = {
		"failslab/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem", "fail_page_alloc/min-order",
		"failslab/verbose", "fail_page_alloc/verbose", "fail_usercopy/verbose",
	};
	unsigned int i;
	char path[128];
	int fd;

	for (i = 0; i < ARRAY_SIZE(switches); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", switches[i]);
		fd = open(path, O_WRONLY);
		if (fd < 0)
			continue;
		if (write(fd, i < 3 ? "N" : "0", 1) < 0)
			errno = 0;
		close(fd);
	}
}

/* Events in the modules' tracepoints, so that these run too. */
static void enable_tracing(void)
{
	int fd = open("/sys/kernel/tracing/events/aem/enable", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		errno = 0;
	close(fd);
}

/** struct usage - of a service */
struct usage {
	char name[AEM_NAME_MAX + 1];
	unsigned int base;
	unsigned int users;
	unsigned int events;
};

static bool look(unsigned int index, struct usage *usage)
{
	struct aem_service_info info = { .size = sizeof(info), .index = index };

	if (ioctl(device, AEM_IOC_SERVICE, &info))
		return false;
	memcpy(usage->name, info.name, AEM_NAME_MAX);
	usage->base = info.base;
	usage->users = info.users;
	usage->events = info.events;
	return true;
}

/* Calls of services that are not loaded are off. */
static void find_services(void)
{
	struct usage usage = { "", 0, 0, 0 };
	const char *service;
	unsigned int i, j;

	for (i = 0; look(i, &usage); i++)
		for (j = 0; j < describe_services() && j < ARRAY_SIZE(run.base); j++)
			if (!strcmp(usage.name, describe_service(j)))
				run.base[j] = usage.base;
	for (i = 0; i < describe_count(); i++) {
		service = describe_call(i)->service;
		generate_enable(i, !service);
		for (j = 0; service && j < describe_services(); j++)
			if (!strcmp(service, describe_service(j)))
				generate_enable(i, run.base[j]);
	}
}

static int make_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	close(fd);
	return high;
}

int runner_init(unsigned int patience)
{
	unsigned int i;
	sigset_t set;

	patience_ms = patience * 1000;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	device = open("/dev/aem", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return fprintf(stderr, "fuzz: /dev/aem: %s\n", strerror(errno)), -1;
	device = make_high(device);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	for (i = 0; i < FUZZ_THREADS; i++) {
		if (arena_init(&arenas[i]))
			return fprintf(stderr, "fuzz: no memory\n"), -1;
		if (coverage_open(&cover[i]))
			cover[i].fd = make_high(cover[i].fd);
	}
	all_parameters(false);
	prepare_failures();
	enable_tracing();
	find_services();
	return 0;
}

bool runner_has_coverage(void)
{
	return cover[0].fd >= 0;
}

static void become_program(const struct program *program)
{
	struct rlimit files = { DESCRIPTORS, DESCRIPTORS }, core = { 0, 0 };
	unsigned int i;
	sigset_t set;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &core);
	run.program = program;
	run.shared = shared;
	run.cover = cover;
	run.bells = 40;
	memset(run.made, -1, sizeof(run.made));
	for (i = 0; i < FUZZ_NUMBERS; i++)
		run.contexts[i].fd = -1;
	for (i = 0; i < FUZZ_THREADS; i++) {
		run.threads[i].run = &run;
		run.threads[i].index = i;
		run.threads[i].arena = &arenas[i];
		run.threads[i].left = -1;
	}
	execute_program(&run);
}

/*
 * Waits until @pid has gone, or with 0 until every child has; false: the time is over. All
 * children are reaped: SIGCHLD stands for any number of them.
 */
static bool wait_gone(pid_t pid, long until)
{
	struct timespec pause = { 0, 50000000 };
	sigset_t set;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		while ((child = waitpid(-1, NULL, WNOHANG)) > 0)
			if (child == pid)
				return true;
		if (child < 0)
			return true;
		if (now_ms() > until)
			return false;
		sigtimedwait(&set, NULL, &pause);
	}
}

/* Tells what everybody was doing, for who reads the log. */
static void tell_blocked(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "w", 1) < 0 || write(fd, "l", 1) < 0)
		errno = 0;
	close(fd);
}

static void check_idle(void)
{
	long until = now_ms() + (long)patience_ms * DEATH / 2;
	struct timespec pause = { 0, 2000000 };
	struct usage usage = { "", 0, 0, 0 };
	unsigned int i;

	for (i = 0; look(i, &usage); i++) {
		while ((usage.users || usage.events) && now_ms() < until) {
			nanosleep(&pause, NULL);
			look(i, &usage);
		}
		if (usage.users || usage.events)
			found("left behind: service %s has %u users and %u events", usage.name,
			      usage.users, usage.events);
	}
}

static unsigned int collect(void)
{
	unsigned int i, j, news = 0;

	for (i = 0; i < describe_count(); i++) {
		totals.tried[i] += shared->tried[i];
		totals.succeeded[i] += shared->succeeded[i];
		for (j = 0; j < 256; j++)
			if (shared->outcomes[i][j / 64] & 1ULL << j % 64)
				news += coverage_note((uint64_t)i << 16 | j | 1ULL << 63);
	}
	for (i = 0; i < FUZZ_THREADS; i++)
		news += coverage_merge(&cover[i]);
	return news;
}

static void check_answers(void)
{
	if (shared->trouble)
		found("a wrong answer: %s said errno %u",
		      describe_call(shared->trouble - 1)->name, shared->errno_of);
}

/* Runs it: how much that was new it did. */
unsigned int runner_run(const struct program *program)
{
	char line[200];
	unsigned int i;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	for (i = 0; i < FUZZ_THREADS; i++)
		coverage_reset(&cover[i]);
	pid = fork();
	if (!pid)
		become_program(program);
	if (pid < 0) {
		found("fork: %s", strerror(errno));
		return 0;
	}
	setpgid(pid, pid);
	totals.programs++;
	if (!wait_gone(pid, now_ms() + patience_ms))
		totals.killed++;
	kill(-pid, SIGKILL);
	if (!wait_gone(0, now_ms() + (long)patience_ms * DEATH)) {
		tell_blocked();
		found("stuck: a process does not die");
	}
	if (shared->parameter)
		all_parameters(true);
	check_answers();
	if (!runner_finding())
		check_idle();
	if (log_complaint(line, sizeof(line)))
		found("the kernel complained: %s", line);
	return collect();
}
