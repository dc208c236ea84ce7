// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that are watched, until they have ended.
 */
#include <stdio.h>
#include <stdlib.h>
#include "aemwatch.h"

static uint64_t *watches;
static int n_watches;
static unsigned int watched;

static void heard(struct aem *aem, void *user, aem_id id, const struct aem_pexit_note *note,
		  uint32_t lost)
{
	const int32_t *pid = user;

	(void)id;
	if (!note) {
		fputs("aemwatch: the service pexit was taken away\n", stderr);
		finish(aem, true);
		return;
	}
	if (options.json)
		print_json(note, lost);
	else
		print_line(note, lost);
	fflush(stdout);
	if (options.tree && tree_add(note))
		fputs("aemwatch: no memory for the tree\n", stderr);
	if (note->kind == AEM_PEXIT_END && !options.group && !options.follow &&
	    note->pid == *pid && !--watched)
		finish(aem, false);
}

static int watch(struct aem *aem, int32_t *pid, aem_id *id)
{
	struct aem_pexit_options how = { .notes = 4096, .members = 4096 };
	int ret;

	if (options.group)
		how.flags |= AEM_PEXIT_GROUP;
	if (options.follow)
		how.flags |= AEM_PEXIT_FORKS | AEM_PEXIT_EXECS;
	if (options.follow && !options.group)
		how.flags |= AEM_PEXIT_FOLLOW;
	if (!(how.flags & AEM_PEXIT_FOLLOW))
		how.members = 0;
	if (!how.flags)
		how.notes = 0;
	ret = aem_pexit_watch(aem, id, *pid, AEM_PRIO(1), &how, heard, pid);
	if (!ret)
		watched++;
	return ret;
}

/**
 * processes_watch() - hear of processes
 * @aem:   the context
 * @pids:  theirs; stay where they are
 * @n:     how many
 * @names: by which they are complained of
 *
 * Return: how many are watched; one that is not is complained of.
 */
int processes_watch(struct aem *aem, int32_t *pids, int n, char *const *names)
{
	int i, ret;

	watches = calloc(n, sizeof(*watches));
	if (!watches)
		return 0;
	n_watches = n;
	for (i = 0; i < n; i++) {
		ret = watch(aem, &pids[i], &watches[i]);
		if (ret)
			complain(names[i], ret);
	}
	return (int)watched;
}

/**
 * processes_left() - is there anybody of whom is still to be heard?
 * @aem: the context
 *
 * A watch that follows ends by itself, when its last record is taken back.
 */
bool processes_left(struct aem *aem)
{
	struct aem_event info;
	int i;

	for (i = 0; i < n_watches; i++)
		if (watches[i] && !aem_event_info(aem, watches[i], &info))
			return true;
	return false;
}
