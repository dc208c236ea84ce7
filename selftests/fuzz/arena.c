// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses for pointers: good ones and all kinds of others.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "run.h"
#include "runner.h"

/* Descriptors that programs do not hit by chance. */
#define HIGH	910
/* A page that can be written, and one that can not be reached. */
#define PAGE	4096
#define EDGE	(2 * PAGE)
/* A program's: each thread's arena, and behind them the edges. */
#define PLACE	(FUZZ_THREADS * (ARENA_SIZE + EDGE))

static int memory = -1;

int arena_init(void)
{
	int fd = memfd_create("arena", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, FUZZ_BESIDE * PLACE))
		return -1;
	memory = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	close(fd);
	return memory < 0 ? -1 : 0;
}

static uint8_t *map(size_t bytes, int prot, size_t offset)
{
	void *area = mmap(NULL, bytes, prot, MAP_SHARED, memory, offset);

	return area == MAP_FAILED ? NULL : area;
}

/* Those of a program with @count threads, which is the one at @place. */
int arena_map(struct arena *arenas, unsigned int count, unsigned int place)
{
	size_t offset = (size_t)place * PLACE;
	uint8_t *good, *read, *edges;
	unsigned int i;

	good = map(count * ARENA_SIZE, PROT_READ | PROT_WRITE, offset);
	read = map(count * ARENA_SIZE, PROT_READ, offset);
	edges = map(count * EDGE, PROT_READ | PROT_WRITE, offset + FUZZ_THREADS * ARENA_SIZE);
	if (!good || !read || !edges)
		return -1;
	for (i = 0; i < count; i++) {
		arenas[i].good = good + i * ARENA_SIZE;
		arenas[i].read = read + i * ARENA_SIZE;
		arenas[i].edge = edges + i * EDGE + PAGE;
		if (mprotect(arenas[i].edge, PAGE, PROT_NONE))
			return -1;
	}
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
