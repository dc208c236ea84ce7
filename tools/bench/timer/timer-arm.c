// SPDX-License-Identifier: GPL-2.0
/*
 * timer-arm: instructions to disarm a timer and arm it again, among so many that are armed. Which,
 * and for when, is random: half of those that are armed for the second time are due earlier then.
 * unit: instructions per cancel and arm
 * bench: mem=3500 load=core,timer timeout=7200
 * gate: timerfd
 */
#include <stdio.h>
#include "timers.h"

/**
 * struct work - of a row
 * @system: how
 * @n:      timers
 */
struct work {
	const struct timer_system *system;
	unsigned long n;
};

static unsigned long units_of(const struct work *w)
{
	if (w->system->linear && w->n > 1000)
		return w->n > 100000 ? 10 : 100;
	return 1000;
}

static void run(struct bench *b, const void *arg)
{
	const struct work *w = arg;
	const struct timer_system *system = w->system;
	unsigned long i, units = units_of(w);
	uint32_t seed = 1;

	system->open(b, w->n);
	for (i = 0; i < w->n; i++)
		system->arm(b, i, timer_far(&seed));
	if (system->flush)
		system->flush(b);
	while (bench_next(b)) {
		int64_t far = timer_far(&seed);

		bench_begin(b);
		for (i = 0; i < units; i++) {
			unsigned long which = bench_random(&seed) % w->n;

			system->cancel(b, which);
			system->arm(b, which, far + timer_spread(&seed));
		}
		if (system->flush)
			system->flush(b);
		bench_end(b, units);
	}
}

int main(int argc, char **argv)
{
	static const struct timer_system * const systems[] = {
		&timer_aem, &timer_aem_batched, &timer_timerfd, &timer_posix, &timer_io_uring,
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
