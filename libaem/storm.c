// SPDX-License-Identifier: GPL-2.0
/*
 * Storms: events that come again as fast as their handlers run would leave the program that
 * they interrupt no time between two interruptions. It is given its turn then: AEM_ENTER_PAUSE.
 *
 * That a storm is on is seen by the time between interruptions, in which the program ran, but which
 * also has the price of breaking its flow and mending it. So no more is asked of it than twice the
 * time that the interruption itself took.
 */
#include <time.h>
#include "internal.h"

/* Interruptions in a row that were pressed together so. */
#define PRESSED		16
/* Bursts that one interruption may run. */
#define BURSTS		64

/* Any clock that is cheap, and about the same on all processors. */
static uint64_t ticks(void)
{
#if __has_builtin(__builtin_ia32_rdtsc)
	return __builtin_ia32_rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
#endif
}

/**
 * aem_storm_begin() - an interruption begins
 * @aem: the context
 *
 * Return: for aem_storm_end().
 */
uint64_t aem_storm_begin(struct aem *aem)
{
	struct storm *storm = &aem->storm;
	uint64_t now = ticks();

	if (now - storm->ended >= 2 * storm->took)
		storm->pressed = 0;
	else
		storm->pressed++;
	return now;
}

/**
 * aem_storm_end() - an interruption ends
 * @aem:   the context
 * @began: what aem_storm_begin() returned
 */
void aem_storm_end(struct aem *aem, uint64_t began)
{
	aem->storm.ended = ticks();
	aem->storm.took = aem->storm.ended - began;
}

/**
 * aem_storm_is_enough() - has an interruption had its share?
 * @aem:    the context
 * @bursts: that it has run
 *
 * Return: true: the program is to get its turn now.
 */
bool aem_storm_is_enough(struct aem *aem, unsigned int bursts)
{
	if (likely(bursts < BURSTS && aem->storm.pressed < PRESSED))
		return false;
	aem->storm.pressed = 0;
	return true;
}
