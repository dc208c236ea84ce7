// SPDX-License-Identifier: GPL-2.0
/*
 * timer-fire: instructions from the time that timers are armed for until all were handled, the
 * interrupt among them. At most 1,000 expire at a time; the others are armed for later. Nothing
 * else runs then, so the whole guest's are the process's: kernels that account for interrupts
 * by themselves leave them out of its CPU time.
 * unit: instructions per expiry
 * bench: mem=3500 load=core,timer timeout=7200
 * gate: timerfd
 */
#include <stdio.h>
#include "timers.h"

#define BURST_MAX 1000
/* From arming to the expiry: longer than it takes any system to arm them all among a million. */
#define AHEAD 100000000

/**
 * struct work - of a row
 * @system: how
 * @n:      timers
 */
struct work {
	const struct timer_system *system;
	unsigned long n;
};

static void fire(struct bench *b, const struct timer_system *system, unsigned long burst)
{
	int64_t when = bench_now() + AHEAD;
	unsigned long i;
	double taken;

	for (i = 0; i < burst; i++)
		system->arm(b, i, when);
	if (system->flush)
		system->flush(b);
	/* Counting begins here; what the clock says is set below. */
	bench_begin(b);
	taken = timer_fire(b, system, when, burst);
	bench_set(b, taken, taken);
	bench_end(b, burst);
}

static void run(struct bench *b, const void *arg)
{
	const struct work *w = arg;
	const struct timer_system *system = w->system;
	unsigned long i, burst = w->n < BURST_MAX ? w->n : BURST_MAX;
	uint32_t seed = 1;

	system->open(b, w->n);
	for (i = burst; i < w->n; i++)
		system->arm(b, i, timer_far(&seed));
	if (system->flush)
		system->flush(b);
	while (bench_next(b))
		fire(b, system, burst);
}

int main(int argc, char **argv)
{
	static const struct timer_system * const systems[] = {
		&timer_aem, &timer_timerfd, &timer_posix, &timer_io_uring,
	};
	static const unsigned long counts[] = { 1, 1000, 1000000 };
	unsigned int i, j;

	bench_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(counts) - bench_quick; i++) {
		for (j = 0; j < ARRAY_SIZE(systems); j++) {
			struct work work = { systems[j], counts[i] };
			char params[64];

			snprintf(params, sizeof(params), "\"timers\":%lu", counts[i]);
			bench_row(systems[j]->name, params, run, &work);
		}
	}
	return 0;
}
