/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs programs, each in a process of its own, and looks at what they leave behind.
 */
#ifndef FUZZ_RUNNER_H
#define FUZZ_RUNNER_H

#include "program.h"

/**
 * struct totals - of all programs
 * @programs:  how many ran
 * @killed:    of these, how many had to be ended
 * @users:     how many of them made each call
 * @tried:     how often it was made
 * @reached:   how often it got to what it was meant for
 * @succeeded: how often it succeeded
 */
struct totals {
	unsigned long programs;
	unsigned long killed;
	unsigned long users[FUZZ_CALLS];
	unsigned long tried[FUZZ_CALLS];
	unsigned long reached[FUZZ_CALLS];
	unsigned long succeeded[FUZZ_CALLS];
};

/* How many programs run beside one another, at most, and until what they left is looked at. */
#define FUZZ_BESIDE	16
#define FUZZ_BATCH	64

extern struct totals totals;

int runner_init(unsigned int patience);
bool runner_has_coverage(void);
void runner_run(const struct program *programs, unsigned int count, unsigned int beside,
		unsigned int *news);
const char *runner_finding(void);

#endif /* FUZZ_RUNNER_H */
