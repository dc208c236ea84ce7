// SPDX-License-Identifier: GPL-2.0
/*
 * capacity: millions of registered timers of one process: what each takes of the guest's memory,
 * what registering and arming one costs, and what one expiry costs among them. In params, "what"
 * tells which, and "value" is bytes or instructions.
 * unit: bytes or instructions per timer
 * bench: mem=2048 load=core,timer timeout=7200 large
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "timers.h"

#define BURST 1000
#define AHEAD 20000000
#define REST 300000

enum what {
	MEMORY,
	REGISTER,
	FIRE,
	WHATS
};

/* Of the system and number at hand: found by the first row, told by all of them. Shared memory. */
static double *figures;

/**
 * struct work - of a row
 * @system: how
 * @n:      timers
 * @what:   is measured
 */
struct work {
	const struct timer_system *system;
	unsigned long n;
	enum what what;
};

/* How many at the clock's time, or a while after, until all have been handled. */
static double fire(struct bench *b, const struct timer_system *system)
{
	int64_t when = bench_now() + AHEAD;
	unsigned long i;

	for (i = 0; i < BURST; i++)
		system->cancel(b, i);
	for (i = 0; i < BURST; i++)
		system->arm(b, i, when);
	if (system->flush)
		system->flush(b);
	return timer_fire(b, system, when, BURST);
}

/* What the system before had is freed late: after a grace period, a ring by a worker. */
static long free_at_rest(struct bench *b)
{
	long before, now = bench_meminfo(b, "MemFree:");

	do {
		before = now;
		usleep(REST);
		now = bench_meminfo(b, "MemFree:");
	} while (now > before + before / 10000);
	return now;
}

static void find_figures(struct bench *b, const struct work *w)
{
	uint32_t seed = 1;
	unsigned long i;
	int64_t begun;

	figures[MEMORY] = free_at_rest(b);
	begun = bench_now();
	w->system->open(b, w->n);
	for (i = 0; i < w->n; i++)
		w->system->arm(b, i, timer_far(&seed));
	if (w->system->flush)
		w->system->flush(b);
	figures[REGISTER] = (double)(bench_now() - begun) / w->n;
	figures[MEMORY] = (figures[MEMORY] - bench_meminfo(b, "MemFree:")) / w->n;
	figures[FIRE] = fire(b, w->system);
}

static void run(struct bench *b, const void *arg)
{
	const struct work *w = arg;

	if (w->what == 0)
		find_figures(b, w);
	bench_assert(b, figures[FIRE] > 0);
	bench_rounds(b, 1);
	while (bench_next(b)) {
		bench_begin(b);
		bench_end(b, 1);
		bench_set(b, figures[w->what], figures[w->what]);
	}
}

static void rows(const struct timer_system *system, unsigned long n)
{
	static const char * const whats[] = { "bytes", "registering", "expiry" };
	struct work work = { .system = system, .n = n };
	char params[96];

	memset(figures, 0, WHATS * sizeof(*figures));
	for (work.what = 0; work.what < WHATS; work.what++) {
		snprintf(params, sizeof(params), "\"timers\":%lu,\"what\":\"%s\"", n,
			 whats[work.what]);
		bench_row(system->name, params, run, &work);
	}
}

int main(int argc, char **argv)
{
	bench_start(argc, argv);
	figures = mmap(NULL, WHATS * sizeof(*figures), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (figures == MAP_FAILED)
		return 1;
	rows(&timer_aem, 2000000);
	rows(&timer_aem, 4000000);
	rows(&timer_io_uring, 2000000);
	return 0;
}
