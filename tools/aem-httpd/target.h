/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>

/*
 * Turns a request's target into a path below the root, in place: without query, decoded,
 * without "." and "..", never beginning with "/". Returns 0 or the status of the answer.
 */
int target_to_path(char *target, size_t length);

/* The same target with "/" behind its path, for a redirection: 0, or -1 if it does not fit. */
int target_with_slash(const char *target, char *to, size_t size);

#endif /* TARGET_H */
