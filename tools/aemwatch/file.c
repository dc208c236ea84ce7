// SPDX-License-Identifier: GPL-2.0
/*
 * Files and trees that are watched. All files are of one watch, so that what happens to them is
 * told in order, and a rename between two of the directories once; each tree is a watch of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aemwatch.h"

/**
 * struct target - a file, or a tree, that was asked for
 * @path:   as it was given
 * @recursive: it is a tree
 * @tree:   of a tree
 * @number: of a file, in notes
 * @stale:  something was lost of a tree: its names are not sure any more
 * @known:  what is found in a tree from now on is worth telling
 * @gone:   it is no more
 */
struct target {
	const char *path;
	bool recursive;
	struct aem_fd_tree *tree;
	uint32_t number;
	bool stale;
	bool known;
	bool gone;
};

static struct target *targets;
static int n_targets;
static aem_id files;

/** files_add() - one file or tree more. Return: 0 or -ENOMEM. */
int files_add(const char *path, bool recursive)
{
	struct target *more = realloc(targets, (n_targets + 1) * sizeof(*targets));

	if (!more)
		return -ENOMEM;
	targets = more;
	targets[n_targets++] = (struct target){ .path = path, .recursive = recursive };
	return 0;
}

bool files_given(void)
{
	return n_targets;
}

bool files_have_tree(void)
{
	int i;

	for (i = 0; i < n_targets; i++)
		if (targets[i].recursive)
			return true;
	return false;
}

/* Kinds that stand for several. */
static const struct kind families[] = {
	{ AEM_FD_CLOSE, "close" },
	{ AEM_FD_CREATE | AEM_FD_DELETE | AEM_FD_RENAME, "names" },
	{ AEM_FD_ALL, "all" },
	{ 0 }
};

static uint32_t find_kind(const struct kind *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table->bit & AEM_FD_ALL;
	return 0;
}

/** files_kinds() - kinds by their names, commas between. Return: 0: that is no such list. */
uint32_t files_kinds(char *list)
{
	uint32_t all = 0, kind;
	char *name, *rest;

	for (name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		kind = find_kind(kinds, name) | find_kind(families, name);
		if (!kind)
			return 0;
		all |= kind;
	}
	return all;
}

/* Bytes of the character of UTF-8 that is there; 0: that is none. */
static size_t character(const char *text)
{
	unsigned char first = (unsigned char)text[0];
	size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 :
			first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
	size_t i;

	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* What has a shorter form, what is no character, and what is beyond them. */
	if ((first == 0xe0 && !(text[1] & 0x20)) || (first == 0xed && text[1] & 0x20) ||
	    (first == 0xf0 && !(text[1] & 0x30)) || (first == 0xf4 && text[1] & 0x30))
		return 0;
	return length;
}

/* A name is bytes that its owner chose: what is no text is written as \ooo, as by ls -b. */
static void put_text(FILE *out, const char *text)
{
	size_t length;

	for (; *text; text += length) {
		length = character(text);
		if (length == 1 && ((unsigned char)*text < ' ' || *text == 0x7f || *text == '\\'))
			length = 0;
		if (length) {
			fwrite(text, 1, length, out);
		} else {
			fprintf(out, "\\%03o", (unsigned char)*text);
			length = 1;
		}
	}
}

/* To be freed; NULL: there is none, or no memory. */
static char *readable(const struct target *target, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = target ? open_memstream(&text, &size) : NULL;

	if (!out)
		return NULL;
	put_text(out, target->path);
	if (*name) {
		if (target->path[strlen(target->path) - 1] != '/')
			putc('/', out);
		put_text(out, name);
	}
	fclose(out);
	return text;
}

static void print(const struct aem_fd_note *note, uint32_t lost, const struct target *from,
		  const char *name, const struct target *to, const char *name2)
{
	char *path = readable(from, name), *path2 = readable(to, name2);
	struct file_event event = { .note = note, .lost = lost, .path = path, .path2 = path2 };

	if (options.json)
		print_file_json(&event);
	else
		print_file_line(&event);
	fflush(stdout);
	free(path);
	free(path2);
}

static void taken_away(struct aem *aem)
{
	fputs("aemwatch: the service fd was taken away\n", stderr);
	finish(aem, true);
}

/* There is nothing left to be watched. */
static bool all_gone(void)
{
	int i;

	for (i = 0; i < n_targets; i++)
		if (!targets[i].gone)
			return false;
	return true;
}

static void end(struct aem *aem, struct target *target)
{
	target->gone = true;
	if (all_gone() && !processes_left(aem))
		finish(aem, false);
}

/* Who asked for a file twice hears of it once. */
static struct target *find(uint32_t number)
{
	int i;

	for (i = 0; number && i < n_targets; i++)
		if (!targets[i].recursive && targets[i].number == number)
			return &targets[i];
	return NULL;
}

static void take(struct aem *aem, const struct aem_fd_note *note, uint32_t lost)
{
	struct target *target = find(note->number);

	print(note, lost, target, aem_fd_name(note), find(note->number2), aem_fd_name2(note));
	if (target && note->kinds & (AEM_FD_GONE | AEM_FD_UNMOUNT))
		end(aem, target);
}

static void heard(struct aem *aem, void *user, aem_id id, const struct aem_fd_note *note,
		  uint32_t lost)
{
	(void)user;
	(void)id;
	if (!note)
		taken_away(aem);
	for (; note; note = aem_fd_next(note)) {
		take(aem, note, lost);
		lost = 0;
	}
}

static void heard_of_tree(struct aem *aem, void *user, const struct aem_fd_note *note,
			  uint32_t lost, const char *path, const char *path2, int error)
{
	struct target *target = user;

	if (!note) {
		taken_away(aem);
		return;
	}
	if (error)
		fprintf(stderr, "aemwatch: %s: not all below it is watched: %s\n", target->path,
			strerror(-error));
	target->stale |= lost;
	if (target->known || !(note->kinds & AEM_FD_FOUND))
		print(note, lost, *path || !*path2 ? target : NULL, path,
		      *path2 ? target : NULL, path2);
	if (!*path && note->kinds & (AEM_FD_GONE | AEM_FD_UNMOUNT))
		end(aem, target);
}

static int watch_tree(struct aem *aem, struct target *target)
{
	struct aem_fd_options how = options.file;

	how.files = AEM_FD_FILES_MAX;
	return aem_fd_tree_open(aem, &target->tree, AT_FDCWD, target->path, options.kinds,
				AEM_PRIO(1), &how, heard_of_tree, target);
}

static int watch_file(struct aem *aem, struct target *target)
{
	struct aem_fd_options how = options.file;
	int ret;

	how.files = n_targets;
	how.flags |= AEM_FD_PACKED;
	if (files) {
		ret = aem_fd_add(aem, files, &target->number, AT_FDCWD, target->path, 0);
		return ret < 0 ? ret : 0;
	}
	target->number = 1;
	return aem_fd_watch(aem, &files, AT_FDCWD, target->path, options.kinds, AEM_PRIO(1), &how,
			    heard, NULL);
}

/**
 * files_watch() - hear of all that were added
 * @aem: the context
 *
 * Return: some are watched; each that is not is complained of.
 */
bool files_watch(struct aem *aem)
{
	int i, ret;

	for (i = 0; i < n_targets; i++) {
		ret = targets[i].recursive ? watch_tree(aem, &targets[i]) :
					     watch_file(aem, &targets[i]);
		targets[i].known = true;
		targets[i].gone = ret;
		if (ret)
			complain(targets[i].path, ret);
	}
	return !all_gone();
}

/**
 * files_renew() - look anew at trees of which something was lost
 * @aem: the context
 *
 * Return: 0 or -errno.
 */
int files_renew(struct aem *aem)
{
	int i, ret;

	for (i = 0; i < n_targets; i++) {
		if (!targets[i].stale || targets[i].gone)
			continue;
		targets[i].stale = false;
		aem_fd_tree_close(targets[i].tree);
		targets[i].tree = NULL;
		ret = watch_tree(aem, &targets[i]);
		if (ret) {
			complain(targets[i].path, ret);
			return ret;
		}
	}
	return 0;
}

void files_close(void)
{
	int i;

	for (i = 0; i < n_targets; i++)
		if (targets[i].tree)
			aem_fd_tree_close(targets[i].tree);
	free(targets);
}
