/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that did something new.
 */
#ifndef FUZZ_CORPUS_H
#define FUZZ_CORPUS_H

#include "program.h"

#define CORPUS_MAX	1000

int corpus_init(void);
void corpus_add(const struct program *program, struct random *random);
bool corpus_pick(struct program *program, struct random *random);
unsigned int corpus_count(void);
void corpus_dump(unsigned int most);

#endif /* FUZZ_CORPUS_H */
