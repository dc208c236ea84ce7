/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of the modules' code was executed, where the kernel has KCOV.
 */
#ifndef FUZZ_COVERAGE_H
#define FUZZ_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct coverage - of one thread
 * @fd:      of kcov, -1: none
 * @counter: how many addresses follow
 */
struct coverage {
	int fd;
	uint64_t *counter;
};

int coverage_init(void);
bool coverage_open(struct coverage *coverage);
void coverage_reset(struct coverage *coverage);
void coverage_enable(struct coverage *coverage);
unsigned int coverage_merge(const struct coverage *coverage);
unsigned int coverage_note(uint64_t signal);
unsigned int coverage_edges(void);
unsigned int coverage_places(void);

#endif /* FUZZ_COVERAGE_H */
