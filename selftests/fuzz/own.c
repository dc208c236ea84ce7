// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is not copied for children.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>
#include "own.h"

/* What mmap() returned, or NULL. */
void *own_map(void *map, size_t bytes)
{
	return map == MAP_FAILED || madvise(map, bytes, MADV_DONTFORK) ? NULL : map;
}

/* Zeroes, or NULL. */
void *own_memory(size_t bytes)
{
	return own_map(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0), bytes);
}

/*
 * The same for children: zeroes, or NULL. Programs write beyond the end of what they map, so
 * nothing comes right before it or after it.
 */
void *shared_memory(size_t bytes)
{
	const size_t page = 4096, whole = (bytes + page - 1) & ~(page - 1);
	uint8_t *map = mmap(NULL, whole + 2 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, whole, PROT_READ | PROT_WRITE))
		return NULL;
	return map + page;
}
