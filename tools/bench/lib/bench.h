/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Measuring: what every benchmark shares.
 *
 * Each row is measured in a process of its own, so that no system inherits another's heap,
 * descriptors or caches. One nanosecond of the guest is one instruction (aem-vm --icount): what
 * clocks tell are counts of instructions. System calls are counted by the kernel's own
 * tracepoint in a round of their own, which is not timed, for counting costs instructions.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define ARRAY_SIZE(_array) (sizeof(_array) / sizeof((_array)[0]))

struct bench;

typedef void (*bench_fn)(struct bench *b, const void *arg);

/* Fewer rows, for the regression gate. */
extern bool bench_quick;

/*
 * Reads the arguments of the program (-q: quick; -g PEER: only rows of AEM, and of that peer;
 * -s SYSTEM, -p PARAMS: only rows of that system, with these params), and lets the guest come to
 * rest.
 */
void bench_start(int argc, char **argv);

/*
 * One row: @run in a child. @params is the inside of a JSON object. @run may end without a round:
 * then the row says why it could not run.
 */
void bench_row(const char *system, const char *params, bench_fn run, const void *arg);

/* For @run: */

/* The row cannot be measured: says so, and ends the child. */
void bench_skip(struct bench *b, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* bench_skip() with errno if @result is negative. */
long bench_try(struct bench *b, long result, const char *what);

/* Something is not as it must be: the row is an error. */
#define bench_assert(_b, _true)							\
	do {									\
		if (!(_true))							\
			bench_skip(_b, "%s:%d: wrong: %s", __FILE__, __LINE__, #_true); \
	} while (0)

/*
 * Who is under test; otherwise it is the calling process. A thread: only that one, of this process,
 * is under test.
 */
void bench_target(struct bench *b, pid_t pid);
void bench_target_thread(struct bench *b, pid_t tid, clockid_t clock);

/* Rounds that are timed, 5 unless set. */
void bench_rounds(struct bench *b, unsigned int rounds);

/* True: do the work once more, between bench_begin() and bench_end(). */
bool bench_next(struct bench *b);
void bench_begin(struct bench *b);
void bench_end(struct bench *b, unsigned long units);

/* Instead of what bench_end() finds: figures per unit of this round, measured otherwise. */
void bench_set(struct bench *b, double value, double guest);

/* Nanoseconds, which are instructions. */
static inline int64_t bench_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline int64_t bench_now(void)
{
	return bench_clock(CLOCK_MONOTONIC);
}

/* A sequence that is the same in every run. */
static inline uint32_t bench_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* calloc(), mapped and touched, or bench_skip(). */
void *bench_memory(struct bench *b, size_t count, size_t size);

/* So many descriptors at once, or bench_skip(). */
void bench_descriptors(struct bench *b, unsigned long count);

/*
 * For a server and for its clients, which share this one processor: whoever is woken waits until
 * the other one sleeps, as if they were on machines of their own. Otherwise it depends on who
 * has had less of the processor, and on the order of answers, whether a burst comes whole or one
 * by one.
 */
void bench_share(struct bench *b);

/* Writes to a file of /proc/sys; bench_skip() if that cannot be. */
void bench_sysctl(struct bench *b, const char *path, const char *value);

/* A figure in kB of /proc/meminfo, as bytes. */
long bench_meminfo(struct bench *b, const char *name);

#endif /* BENCH_H */
