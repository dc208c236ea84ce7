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
/*
 * Bursts that one interruption may run, and those that interrupt its handlers, together: each for
 * itself would give the program its turn after as many times as many.
 */
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
 * aem_storm_enter() - a dispatch begins that may take part in a storm
 * @aem: the context
 *
 * Those in its handlers count together with it.
 */
void aem_storm_enter(struct aem *aem)
{
	struct storm *storm = &aem->storm;

	if (storm->base && aem->depth >= storm->base)
		return;
	storm->base = aem->depth + 1;
	storm->bursts = 0;
	storm->top = 0;
}

/** aem_storm_leave() - it ends. */
void aem_storm_leave(struct aem *aem)
{
	if (aem->storm.base == aem->depth + 1)
		aem->storm.base = 0;
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

	aem_storm_enter(aem);
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
	aem_storm_leave(aem);
}

/**
 * aem_storm_is_enough() - a burst was run: has the interruption had its share?
 * @aem: the context
 * @top: priority of the most urgent of the burst
 *
 * What interrupts another's handlers ends when both have; nothing is forgotten before it has ended
 * as well.
 *
 * Return: true: the program is to get its turn now.
 */
bool aem_storm_is_enough(struct aem *aem, unsigned int top)
{
	struct storm *storm = &aem->storm;

	if (top > storm->top)
		storm->top = top;
	if (likely(++storm->bursts < BURSTS && storm->pressed < PRESSED))
		return false;
	if (storm->base == aem->depth + 1) {
		storm->bursts = 0;
		storm->pressed = 0;
	}
	return true;
}
