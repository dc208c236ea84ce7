// SPDX-License-Identifier: GPL-2.0
/*
 * Rows, each in a child; rounds of a row: one to warm up, some that are timed, one in which system
 * calls and context switches are counted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
#include "bench.h"
#include "count.h"

#define ROUNDS_MAX 32
/* The kernel tests its own ciphers for a second or so after the boot. Idle time costs nothing. */
#define SETTLE_SECONDS 5

bool bench_quick;
static const char *only_system, *only_params, *only_peer;

/* For profile/plugin.c; they do nothing. */
#define MARK_BEGIN() __asm__ volatile("xchg %%bx, %%bx" ::: "memory")
#define MARK_END() __asm__ volatile("xchg %%cx, %%cx" ::: "memory")
#define MARK_ROW() __asm__ volatile("xchg %%dx, %%dx" ::: "memory")

/**
 * struct figures - of one round
 * @value: instructions per unit, of who is under test
 * @guest: the same, of all
 */
struct figures {
	double value;
	double guest;
};

/**
 * struct answer - what the child tells of its row
 * @error:    empty, or why there are no figures
 * @figures:  medians
 * @syscalls: per unit
 * @switches: per unit
 * @n:        units that were measured, in all rounds together
 */
struct answer {
	char error[256];
	struct figures figures;
	double syscalls;
	double switches;
	unsigned long n;
};

/**
 * struct bench - a row in the making
 * @answer:   shared with the parent
 * @pid:      who is under test: a process, or a thread of ours
 * @thread:   it is a thread
 * @clock:    its CPU time
 * @rounds:   that are timed
 * @round:    that runs: 0 warms up, the last one counts
 * @counter:  of system calls, in the last round; else -1
 * @switched: context switches at its beginning
 * @cpu:      CPU time at the beginning of the round
 * @wall:     time then
 * @cost:     what beginning and ending a round cost by themselves
 * @all:      of the rounds so far
 * @set:      the round's figures were set
 */
struct bench {
	struct answer *answer;
	pid_t pid;
	bool thread;
	clockid_t clock;
	unsigned int rounds;
	unsigned int round;
	int counter;
	long switched;
	int64_t cpu;
	int64_t wall;
	struct figures cost;
	struct figures all[ROUNDS_MAX];
	bool set;
};

void bench_start(int argc, char **argv)
{
	struct timespec settle = { .tv_sec = SETTLE_SECONDS };
	int option;

	while ((option = getopt(argc, argv, "qg:s:p:")) != -1) {
		if (option == 'q')
			bench_quick = true;
		else if (option == 'g')
			only_peer = optarg;
		else if (option == 's')
			only_system = optarg;
		else if (option == 'p')
			only_params = optarg;
		else
			exit(2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	nanosleep(&settle, NULL);
}

void bench_skip(struct bench *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->answer->error, sizeof(b->answer->error), format, args);
	va_end(args);
	_exit(0);
}

long bench_try(struct bench *b, long result, const char *what)
{
	if (result < 0)
		bench_skip(b, "%s: %s", what, strerror(errno));
	return result;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static struct figures medians(const struct figures *all, unsigned int n)
{
	double values[ROUNDS_MAX], guests[ROUNDS_MAX];
	unsigned int i;

	for (i = 0; i < n; i++) {
		values[i] = all[i].value;
		guests[i] = all[i].guest;
	}
	return (struct figures){ median(values, n), median(guests, n) };
}

/* The last but for the counting. */
static bool is_last(const struct bench *b)
{
	return b->round == b->rounds + 1;
}

void bench_rounds(struct bench *b, unsigned int rounds)
{
	b->rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
}

void bench_target(struct bench *b, pid_t pid)
{
	b->pid = pid;
	b->thread = false;
	if (clock_getcpuclockid(pid, &b->clock))
		bench_skip(b, "no clock of process %d", pid);
	b->cost = (struct figures){ 0 };
}

void bench_target_thread(struct bench *b, pid_t tid, clockid_t clock)
{
	b->pid = tid;
	b->thread = true;
	b->clock = clock;
	b->cost = (struct figures){ 0 };
}

bool bench_next(struct bench *b)
{
	b->round++;
	if (b->round == b->rounds + 2) {
		b->answer->figures = medians(b->all, b->rounds);
		return false;
	}
	b->set = false;
	if (is_last(b)) {
		b->counter = count_open(b->pid);
		if (b->counter < 0)
			bench_skip(b, "cannot count system calls: %s", strerror(errno));
	}
	return true;
}

void bench_begin(struct bench *b)
{
	if (is_last(b)) {
		b->switched = count_switches(b->pid, b->thread);
		count_start(b->counter);
		return;
	}
	b->wall = bench_now();
	b->cpu = bench_clock(b->clock);
	MARK_BEGIN();
}

void bench_end(struct bench *b, unsigned long units)
{
	int64_t cpu, wall;
	struct figures *f;

	if (is_last(b)) {
		b->answer->syscalls = (double)count_stop(b->counter, b->pid == getpid()) / units;
		b->answer->switches =
			(double)(count_switches(b->pid, b->thread) - b->switched) / units;
		return;
	}
	MARK_END();
	cpu = bench_clock(b->clock) - b->cpu;
	wall = bench_now() - b->wall;
	if (b->round == 0 || b->round > b->rounds)
		return;
	b->answer->n += units;
	if (b->set)
		return;
	f = &b->all[b->round - 1];
	f->value = (cpu - b->cost.value) / units;
	f->guest = (wall - b->cost.guest) / units;
}

void bench_set(struct bench *b, double value, double guest)
{
	if (b->round == 0 || b->round > b->rounds)
		return;
	b->set = true;
	b->all[b->round - 1] = (struct figures){ value, guest };
}

/* What an empty round costs: taken off each. */
static void calibrate(struct bench *b)
{
	struct figures all[ROUNDS_MAX];
	unsigned int i;

	b->rounds = ROUNDS_MAX;
	b->round = 1;
	for (i = 0; i < ROUNDS_MAX; i++) {
		b->round = i + 1;
		bench_begin(b);
		bench_end(b, 1);
		all[i] = b->all[i];
	}
	b->cost = medians(all, ROUNDS_MAX);
	b->answer->n = 0;
	/* bench_next() begins with round 0. */
	b->round = (unsigned int)-1;
	b->rounds = 5;
}

static void measure(struct answer *answer, bench_fn run, const void *arg)
{
	struct bench *b = calloc(1, sizeof(*b));

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!b)
		_exit(1);
	b->answer = answer;
	b->counter = -1;
	bench_target(b, getpid());
	calibrate(b);
	run(b, arg);
	_exit(0);
}

static void print_figures(const struct answer *answer)
{
	printf("\"value\":%.1f,\"guest\":%.1f,", answer->figures.value, answer->figures.guest);
	printf("\"syscalls\":%.4f,\"switches\":%.4f,", answer->syscalls, answer->switches);
	printf("\"n\":%lu}\n", answer->n);
}

static void print_row(const char *system, const char *params, const struct answer *answer,
		      int status)
{
	printf("{\"system\":\"%s\",\"params\":{%s},", system, params);
	if (answer->error[0])
		printf("\"error\":\"%s\"}\n", answer->error);
	else if (status)
		printf("\"error\":\"ended with status %#x\"}\n", status);
	else if (!answer->n)
		printf("\"error\":\"measured nothing\"}\n");
	else
		print_figures(answer);
}

static bool is_wanted(const char *system, const char *params)
{
	return (!only_system || !strcmp(system, only_system)) &&
	       (!only_peer || !strcmp(system, only_peer) || !strncmp(system, "aem", 3)) &&
	       (!only_params || !strcmp(params, only_params));
}

void bench_row(const char *system, const char *params, bench_fn run, const void *arg)
{
	struct answer *answer;
	int status = 0;
	pid_t pid;

	if (!is_wanted(system, params))
		return;
	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (answer == MAP_FAILED)
		exit(1);
	pid = fork();
	if (!pid)
		measure(answer, run, arg);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		status = -1;
	print_row(system, params, answer, status);
	MARK_ROW();
	munmap(answer, sizeof(*answer));
}

void *bench_memory(struct bench *b, size_t count, size_t size)
{
	void *memory = mmap(NULL, count * size ?: 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		bench_skip(b, "no memory for %zu objects", count);
	return memory;
}

void bench_descriptors(struct bench *b, unsigned long count)
{
	/* Standard input and the like, and what a benchmark needs beside. */
	struct rlimit limit = { count + 64, count + 64 };

	bench_try(b, setrlimit(RLIMIT_NOFILE, &limit), "raising the number of descriptors");
}

void bench_share(struct bench *b)
{
	struct sched_param param = { 0 };

	bench_try(b, sched_setscheduler(0, SCHED_BATCH, &param), "SCHED_BATCH");
}

void bench_sysctl(struct bench *b, const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(value, f) < 0 || fclose(f))
		bench_skip(b, "%s: %s", path, strerror(errno));
}

long bench_meminfo(struct bench *b, const char *name)
{
	char key[64];
	FILE *f = fopen("/proc/meminfo", "r");
	long value;

	if (!f)
		bench_skip(b, "/proc/meminfo: %s", strerror(errno));
	while (fscanf(f, "%63s %ld%*[^\n]", key, &value) == 2) {
		if (strcmp(key, name))
			continue;
		fclose(f);
		return value << 10;
	}
	bench_skip(b, "/proc/meminfo has no %s", name);
}
