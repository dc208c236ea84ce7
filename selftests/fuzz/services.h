/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The services as the fuzzer sees them, from outside of programs.
 */
#ifndef FUZZ_SERVICES_H
#define FUZZ_SERVICES_H

#include <stdint.h>

int services_open(int lowest);
void services_find(uint32_t *base);
const char *services_idle(unsigned int ms);
const char *services_mend(unsigned int ms);

#endif /* FUZZ_SERVICES_H */
