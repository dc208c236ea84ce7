// SPDX-License-Identifier: GPL-2.0
/*
 * At most CORPUS_MAX programs; after that a new one takes the place of any.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "corpus.h"

/* Every other choice is made among so many of the newest. */
#define NEWEST	40

static struct program *entries;
static unsigned int count;

/* Programs run in children, which need none of this: it would be copied for each. */
int corpus_init(void)
{
	const size_t bytes = CORPUS_MAX * sizeof(*entries);

	entries = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return entries == MAP_FAILED ? -1 : madvise(entries, bytes, MADV_DONTFORK);
}

static void copy(struct program *to, const struct program *from)
{
	to->count = from->count;
	memcpy(to->list, from->list, from->count * sizeof(from->list[0]));
}

void corpus_add(const struct program *program, struct random *random)
{
	copy(&entries[count < CORPUS_MAX ? count++ : random_below(random, count)], program);
}

bool corpus_pick(struct program *program, struct random *random)
{
	unsigned int at = random_below(random, count);

	if (!count)
		return false;
	if (count > NEWEST && random_percent(random, 50))
		at = count - 1 - random_below(random, NEWEST);
	copy(program, &entries[at]);
	return true;
}

unsigned int corpus_count(void)
{
	return count;
}

/* On standard output, the newest first. */
void corpus_dump(unsigned int most)
{
	static char text[FUZZ_TEXT];
	unsigned int i;

	for (i = 0; i < count && i < most; i++) {
		text_print(&entries[count - 1 - i], text, sizeof(text));
		printf("corpus %u\n%s", i, text);
	}
}
