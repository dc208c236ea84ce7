// SPDX-License-Identifier: GPL-2.0
/*
 * Two sets, as bits by hash: places of the code, and steps from one place to the next.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "coverage.h"
#include "own.h"

#define WORDS	(64 << 10)
#define BITS	(1 << 20)

static uint64_t *edges, *places;
static unsigned int n_edges, n_places;

int coverage_init(void)
{
	edges = own_memory(BITS / 8);
	places = own_memory(BITS / 8);
	return edges && places ? 0 : -1;
}

/* False: this kernel has none. */
bool coverage_open(struct coverage *coverage)
{
	void *map = NULL;

	coverage->fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (coverage->fd < 0)
		return false;
	if (!ioctl(coverage->fd, KCOV_INIT_TRACE, WORDS))
		map = own_map(mmap(NULL, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE,
				   MAP_SHARED, coverage->fd, 0), WORDS * sizeof(uint64_t));
	if (!map) {
		close(coverage->fd);
		coverage->fd = -1;
		return false;
	}
	coverage->counter = map;
	return true;
}

void coverage_reset(struct coverage *coverage)
{
	if (coverage->fd >= 0)
		__atomic_store_n(coverage->counter, 0, __ATOMIC_RELAXED);
}

/* For the calling thread, until it ends. */
void coverage_enable(struct coverage *coverage)
{
	if (coverage->fd >= 0)
		ioctl(coverage->fd, KCOV_ENABLE, KCOV_TRACE_PC);
}

static unsigned int set_bit(uint64_t *bits, unsigned int *count, uint64_t hash)
{
	uint64_t bit = 1ULL << (hash % 64), *word;

	hash *= 0x9e3779b97f4a7c15ULL;
	bit = 1ULL << ((hash >> 40) % 64);
	word = &bits[(hash >> 46) % (BITS / 64)];
	if (*word & bit)
		return 0;
	*word |= bit;
	++*count;
	return 1;
}

/* Another kind of news: it counts like a step. */
unsigned int coverage_note(uint64_t signal)
{
	return set_bit(edges, &n_edges, signal);
}

/* How many steps are new. */
unsigned int coverage_merge(const struct coverage *coverage)
{
	uint64_t i, count, last = 0, pc;
	unsigned int news = 0;

	if (coverage->fd < 0)
		return 0;
	count = __atomic_load_n(coverage->counter, __ATOMIC_ACQUIRE);
	if (count >= WORDS)
		count = WORDS - 1;
	for (i = 1; i <= count; i++) {
		pc = coverage->counter[i];
		set_bit(places, &n_places, pc);
		news += set_bit(edges, &n_edges, pc ^ (last << 20 | last >> 44));
		last = pc;
	}
	return news;
}

unsigned int coverage_edges(void)
{
	return n_edges;
}

unsigned int coverage_places(void)
{
	return n_places;
}
