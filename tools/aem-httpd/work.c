// SPDX-License-Identifier: GPL-2.0
/* A computation that knows of the events that interrupt it by one critical section only. */
#include <stdlib.h>
#include "work.h"

#define SEAL 0x9e3779b97f4a7c15ULL

static uint64_t seal_of(const struct work *work)
{
	return (work->number * SEAL) ^ work->primes;
}

void work_begin(struct work *work)
{
	work->number = 2;
	work->primes = 0;
	work->seal = seal_of(work);
}

bool work_is_whole(const struct work *work)
{
	return work->seal == seal_of(work);
}

static bool is_prime(uint64_t number)
{
	for (uint64_t i = 2; i * i <= number; i++)
		if (number % i == 0)
			return false;
	return true;
}

/*
 * A handler in the critical section would see a broken seal. Half of the work is done in there, so
 * that many events come just then and have to wait, and half outside, where they interrupt.
 */
void work_run(struct work *work, struct aem *aem, const volatile sig_atomic_t *stop)
{
	while (!*stop) {
		bool inside = work->number % 4 == 1;
		bool prime = !inside && is_prime(work->number);
		unsigned int level = aem_level_raise(aem, AEM_LEVEL_ALL);

		work->seal = 0;
		if (inside)
			prime = is_prime(work->number);
		work->primes += prime;
		work->number++;
		work->seal = seal_of(work);
		aem_level_restore(aem, level);
	}
}

/* By a sieve, in the end, when nothing interrupts any more. */
bool work_is_right(const struct work *work)
{
	uint64_t primes = 0, end = work->number;
	char *composite = calloc(end, 1);

	if (!composite)
		return false;
	for (uint64_t i = 2; i < end; i++) {
		primes += !composite[i];
		for (uint64_t j = i * i; !composite[i] && j < end; j += i)
			composite[j] = 1;
	}
	free(composite);
	return work_is_whole(work) && primes == work->primes;
}
