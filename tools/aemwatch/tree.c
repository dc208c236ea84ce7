// SPDX-License-Identifier: GPL-2.0
/*
 * The processes that ended, as a tree: each below the parent that it had when it was made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "aemwatch.h"

/**
 * struct entry - a process that ended
 * @note:   its end
 * @parent: who made it
 * @next:   in the order in which they ended
 * @shown:  it was printed
 */
struct entry {
	struct aem_pexit_note note;
	int32_t parent;
	struct entry *next;
	bool shown;
};

/** struct birth - a process that was made, until it has ended */
struct birth {
	int32_t pid;
	int32_t parent;
	struct birth *next;
};

static struct entry *entries, **last = &entries;
static struct birth *births;

static int add_birth(const struct aem_pexit_note *note)
{
	struct birth *birth = malloc(sizeof(*birth));

	if (!birth)
		return -ENOMEM;
	*birth = (struct birth){ note->pid, note->parent, births };
	births = birth;
	return 0;
}

/* Who made it; whoever lost its parent has another by the time it ends. */
static int32_t take_parent(const struct aem_pexit_note *note)
{
	struct birth **at, *birth;
	int32_t parent;

	for (at = &births; *at; at = &(*at)->next) {
		birth = *at;
		if (birth->pid != note->pid)
			continue;
		parent = birth->parent;
		*at = birth->next;
		free(birth);
		return parent;
	}
	return note->parent;
}

static int add_end(const struct aem_pexit_note *note)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->note = *note;
	entry->parent = take_parent(note);
	*last = entry;
	last = &entry->next;
	return 0;
}

/** tree_add() - a note for the tree. Return: 0 or -ENOMEM. */
int tree_add(const struct aem_pexit_note *note)
{
	switch (note->kind) {
	case AEM_PEXIT_FORK:
		return add_birth(note);
	case AEM_PEXIT_END:
		return add_end(note);
	default:
		return 0;
	}
}

static void print_below(int32_t parent, int depth);

static void print_entry(struct entry *entry, int depth)
{
	entry->shown = true;
	printf("%*s%d %s: %s\n", 2 * depth, "", entry->note.pid,
	       entry->note.flags & AEM_PEXIT_F_STATUS ? (const char *)entry->note.comm : "?",
	       ending(&entry->note));
	print_below(entry->note.pid, depth + 1);
}

static void print_below(int32_t parent, int depth)
{
	struct entry *entry;

	for (entry = entries; entry; entry = entry->next)
		if (!entry->shown && entry->parent == parent)
			print_entry(entry, depth);
}

static bool has_parent(const struct entry *child)
{
	const struct entry *entry;

	for (entry = entries; entry; entry = entry->next)
		if (entry != child && !entry->shown && entry->note.pid == child->parent)
			return true;
	return false;
}

/** tree_print() - all that ended so far, roots first. */
void tree_print(void)
{
	struct entry *entry;

	for (entry = entries; entry; entry = entry->next)
		if (!entry->shown && !has_parent(entry))
			print_entry(entry, 0);
	/* Numbers that were used again can make a ring of parents. */
	for (entry = entries; entry; entry = entry->next)
		if (!entry->shown)
			print_entry(entry, 0);
}
