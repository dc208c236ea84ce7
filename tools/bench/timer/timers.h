/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Timers: what the benchmarks timer-arm, timer-fire and capacity ask of every system.
 */
#ifndef BENCH_TIMERS_H
#define BENCH_TIMERS_H

#include "bench.h"

/**
 * struct timer_system - one way to have many timers
 * @name:    of it
 * @open:    makes so many timers, not armed
 * @arm:     arms a timer that is not armed, for a time of CLOCK_MONOTONIC
 * @cancel:  disarms one that is
 * @flush:   what was put off is done now; NULL: nothing ever is
 * @collect: waits for expiries and handles what there is: how many
 * @linear:  cancelling one takes time in proportion to how many there are
 */
struct timer_system {
	const char *name;
	void (*open)(struct bench *b, unsigned long n);
	void (*arm)(struct bench *b, unsigned long i, int64_t when);
	void (*cancel)(struct bench *b, unsigned long i);
	void (*flush)(struct bench *b);
	unsigned long (*collect)(struct bench *b);
	bool linear;
};

extern const struct timer_system timer_aem, timer_aem_batched, timer_timerfd, timer_posix,
	timer_io_uring;

/* Up to 37 minutes. */
static inline int64_t timer_spread(uint32_t *seed)
{
	return (int64_t)bench_random(seed) << 17;
}

/* Between one hour and two from now: does not happen. */
static inline int64_t timer_far(uint32_t *seed)
{
	return bench_now() + 3600000000000LL + timer_spread(seed);
}

/*
 * Of timers that are armed for then: instructions for each, from that time until all were handled.
 * Computes until it has come: who sleeps would be woken, and that is measured elsewhere.
 */
static inline double timer_fire(struct bench *b, const struct timer_system *system, int64_t when,
				unsigned long burst)
{
	unsigned long handled = 0;

	bench_assert(b, bench_now() < when);
	while (bench_now() < when)
		;
	while (handled < burst)
		handled += system->collect(b);
	when = bench_now() - when;
	bench_assert(b, handled == burst);
	return (double)when / burst;
}

#endif /* BENCH_TIMERS_H */
