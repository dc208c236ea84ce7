/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs are noted in the kernel's log before they run: it is memory, and so costs next to
 * nothing, and a kernel that panics with panic_print=32 says all of it once more.
 */
#ifndef FUZZ_LOG_H
#define FUZZ_LOG_H

#include <stdbool.h>

/* Those of which one may have left what is found in the end. */
#define LOG_RECENT	64

int log_open(void);
void log_program(unsigned long number, const char *text);
void log_recent(void);
bool log_complaint(char *line, unsigned int size);

#endif /* FUZZ_LOG_H */
