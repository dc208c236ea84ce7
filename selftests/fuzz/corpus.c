// SPDX-License-Identifier: GPL-2.0
/*
 * At most CORPUS_MAX programs; after that a new one takes the place of any.
 */
#include <stdio.h>
#include <string.h>
#include "corpus.h"
#include "own.h"

/* Every other choice is made among so many of the newest. */
#define NEWEST	40

static struct program *entries;
static unsigned int count;

int corpus_init(void)
{
	entries = own_memory(CORPUS_MAX * sizeof(*entries));
	return entries ? 0 : -1;
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
