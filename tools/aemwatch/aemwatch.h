/* SPDX-License-Identifier: GPL-2.0 */
/*
 * aemwatch: prints what happens to processes.
 *
 *	main.c	options, and what is watched
 *	print.c	notes as lines or JSON
 *	tree.c	the processes that ended, as a tree
 */
#ifndef AEMWATCH_H
#define AEMWATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <aem/pexit.h>

void print_line(const struct aem_pexit_note *note, uint32_t lost);
void print_json(const struct aem_pexit_note *note, uint32_t lost);

/* How a process ended, in a few words: "exit 3", "signal 11 (SEGV), core dumped". */
const char *ending(const struct aem_pexit_note *note);

int tree_add(const struct aem_pexit_note *note);
void tree_print(void);

#endif /* AEMWATCH_H */
