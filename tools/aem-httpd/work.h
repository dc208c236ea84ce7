/* SPDX-License-Identifier: GPL-2.0 */
#ifndef WORK_H
#define WORK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <aem/aem.h>

/**
 * struct work - what main() computes while it is interrupted: how many primes there are
 * @number: all below it are looked at
 * @primes: of these, how many are prime
 * @seal:   tells whether both belong together; outside of critical sections they do
 */
struct work {
	volatile uint64_t number;
	volatile uint64_t primes;
	volatile uint64_t seal;
};

void work_begin(struct work *work);

/* Goes on until *stop. */
void work_run(struct work *work, struct aem *aem, const volatile sig_atomic_t *stop);

/* For handlers. */
bool work_is_whole(const struct work *work);

/* Counts the primes in another way: whether the result is right. */
bool work_is_right(const struct work *work);

#endif /* WORK_H */
