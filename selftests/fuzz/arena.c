// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses for pointers: good ones and all kinds of others.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>
#include "run.h"

int arena_init(struct arena *arena)
{
	int fd = memfd_create("arena", MFD_CLOEXEC);
	uint8_t *edge;

	if (fd < 0 || ftruncate(fd, ARENA_SIZE))
		return -1;
	arena->good = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	arena->read = mmap(NULL, ARENA_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	edge = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	close(fd);
	if (arena->good == MAP_FAILED || arena->read == MAP_FAILED || edge == MAP_FAILED ||
	    mprotect(edge + 4096, 4096, PROT_NONE))
		return -1;
	arena->edge = edge + 4096;
	return 0;
}

static void *shared_pointer(const struct thread *thread, unsigned int which, uint64_t offset,
			    const struct value *on)
{
	struct run *run = thread->run;
	const struct context *context = NULL;

	if (on->kind == VALUE_RESULT)
		context = &run->contexts[on->number % FUZZ_NUMBERS];
	if (!context || !context->bytes[which])
		return NULL;
	return context->area[which] + offset % context->bytes[which];
}

/* @on is the context whose shared memory may be meant, @base is where the good memory begins. */
void *arena_pointer(const struct thread *thread, const struct value *value, const struct value *on,
		    size_t base)
{
	uint64_t offset = value->number & 0xffffffff;
	const struct arena *arena = thread->arena;

	switch (value->number >> 32) {
	case PLACE_GOOD:
		return arena->good + base + offset % 4096;
	case PLACE_READ:
		return arena->read + base + offset % 4096;
	case PLACE_EDGE:
		return arena->edge - offset % 4096;
	case PLACE_NONE:
		return arena->edge + offset % 4096;
	case PLACE_KERNEL:
		return (void *)(0xffff888000000000 + offset);
	case PLACE_WILD:
		return (void *)(0x8000000000000000 + offset);
	case PLACE_CONTROL:
		return shared_pointer(thread, 0, offset, on);
	case PLACE_RING:
		return shared_pointer(thread, 1, offset, on);
	case PLACE_ZONE:
		return shared_pointer(thread, 2, offset, on);
	default:
		return NULL;
	}
}
