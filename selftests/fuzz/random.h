/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers that look random and are the same for the same seed everywhere (splitmix64).
 */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/** struct random - a source of numbers; @state is the seed to begin with */
struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 to @n - 1, 0 for @n = 0. */
static inline uint64_t random_below(struct random *random, uint64_t n)
{
	return n ? random_next(random) % n : 0;
}

static inline bool random_percent(struct random *random, unsigned int percent)
{
	return random_below(random, 100) < percent;
}

/* A source of its own for part @index of what @seed stands for. */
static inline struct random random_part(uint64_t seed, uint64_t index)
{
	struct random random = { seed ^ (index * 0xd1342543de82ef95ULL + 1) };

	random_next(&random);
	return random;
}

#endif /* FUZZ_RANDOM_H */
