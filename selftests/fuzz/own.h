/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fuzzer's memory. Programs run in children, for each of which it would be copied, page by page
 * as we write to it: they inherit none of it, or share it.
 */
#ifndef FUZZ_OWN_H
#define FUZZ_OWN_H

#include <stddef.h>

void *own_memory(size_t bytes);
void *shared_memory(size_t bytes);
void *own_map(void *map, size_t bytes);

#endif /* FUZZ_OWN_H */
