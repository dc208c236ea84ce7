// SPDX-License-Identifier: GPL-2.0
/*
 * fd: instructions to be told of a change of a file: what the change costs more than it does while
 * nobody watches, and hearing of it, 64 of them at a time. Two files take turns, so that no
 * system has changes to merge.
 * unit: instructions per change
 * bench: mem=512 load=core,fd
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <aem/fd.h>
#include "bench.h"

#define BURST 64
#define REPEATS 16
#define FILES 2
#define FOLDER "/tmp/changed"

/**
 * struct work - of a row
 * @folder: the directory is watched, and names are told; otherwise the files are
 */
struct work {
	bool folder;
};

static int fds[FILES];
static unsigned long heard;

static const char *name_of(int i)
{
	static const char * const names[FILES] = { "this", "that" };

	return names[i];
}

static const char *path_of(int i)
{
	static char path[64];

	snprintf(path, sizeof(path), FOLDER "/%s", name_of(i));
	return path;
}

static void make_files(struct bench *b)
{
	int i;

	mkdir(FOLDER, 0700);
	for (i = 0; i < FILES; i++)
		fds[i] = (int)bench_try(b, open(path_of(i), O_CREAT | O_WRONLY | O_CLOEXEC, 0600),
					"open");
}

static void change(struct bench *b)
{
	int i;

	for (i = 0; i < BURST; i++)
		bench_assert(b, pwrite(fds[i % FILES], "x", 1, 0) == 1);
}

/* What they cost while nobody watches. */
static int64_t cost_of_changes(struct bench *b)
{
	int64_t begun;
	int i;

	change(b);
	begun = bench_now();
	for (i = 0; i < REPEATS; i++)
		change(b);
	return bench_now() - begun;
}

static void measure(struct bench *b, int64_t cost, void (*hear)(struct bench *b))
{
	int64_t begun;
	int i;

	while (bench_next(b)) {
		heard = 0;
		bench_begin(b);
		begun = bench_now();
		for (i = 0; i < REPEATS; i++) {
			change(b);
			hear(b);
			bench_assert(b, heard == (unsigned long)(i + 1) * BURST);
		}
		begun = bench_now() - begun - cost;
		bench_set(b, (double)begun / REPEATS / BURST, (double)begun / REPEATS / BURST);
		bench_end(b, (unsigned long)REPEATS * BURST);
	}
}

/* AEM */

static struct aem *aem;
static struct bench *row;

static void changed(struct aem *context, void *user, aem_id id, const struct aem_fd_note *note,
		    uint32_t lost)
{
	const struct work *w = user;

	(void)context;
	(void)id;
	bench_assert(row, note && !lost);
	for (; note; note = aem_fd_next(note)) {
		bench_assert(row, note->kinds == AEM_FD_MODIFY);
		bench_assert(row, !w->folder ||
			     !strcmp(aem_fd_name(note), name_of(heard % FILES)));
		heard++;
	}
}

static void hear_aem(struct bench *b)
{
	bench_assert(b, aem_dispatch(aem) > 0);
}

static void watch_files(struct bench *b, void *user)
{
	struct aem_fd_options options = { .room = 65536, .flags = AEM_FD_PACKED };
	aem_id id;
	int i;

	bench_assert(b, !aem_fd_watch(aem, &id, AT_FDCWD, path_of(0), AEM_FD_MODIFY, AEM_PRIO(0),
				      &options, changed, user));
	for (i = 1; i < FILES; i++)
		bench_assert(b, !aem_fd_add(aem, id, NULL, AT_FDCWD, path_of(i), 0));
}

static void with_aem(struct bench *b, const void *arg)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct aem_fd_options room = { .room = 65536, .flags = AEM_FD_PACKED };
	const struct work *w = arg;
	int64_t cost;

	row = b;
	make_files(b);
	cost = cost_of_changes(b);
	bench_assert(b, !aem_open(&aem, &options));
	if (w->folder)
		bench_assert(b, !aem_fd_watch(aem, NULL, AT_FDCWD, FOLDER, AEM_FD_MODIFY,
					      AEM_PRIO(0), &room, changed, (void *)w));
	else
		watch_files(b, (void *)w);
	measure(b, cost, hear_aem);
}

/* inotify */

static int inotify;
static bool named;

static void take(struct bench *b, const struct inotify_event *event)
{
	bench_assert(b, event->mask == IN_MODIFY);
	bench_assert(b, !named || !strcmp(event->name, name_of(heard % FILES)));
	heard++;
}

static void hear_inotify(struct bench *b)
{
	static struct inotify_event buffer[BURST * 2];
	const struct inotify_event *event;
	long n = bench_try(b, read(inotify, buffer, sizeof(buffer)), "read"), at;

	for (at = 0; at < n; at += (long)(sizeof(*event) + event->len)) {
		event = (const struct inotify_event *)((const char *)buffer + at);
		take(b, event);
	}
}

static void with_inotify(struct bench *b, const void *arg)
{
	const struct work *w = arg;
	int64_t cost;
	int i;

	make_files(b);
	cost = cost_of_changes(b);
	named = w->folder;
	inotify = (int)bench_try(b, inotify_init1(IN_CLOEXEC), "inotify_init1");
	if (named)
		bench_try(b, inotify_add_watch(inotify, FOLDER, IN_MODIFY), "inotify_add_watch");
	for (i = 0; !named && i < FILES; i++)
		bench_try(b, inotify_add_watch(inotify, path_of(i), IN_MODIFY),
			  "inotify_add_watch");
	measure(b, cost, hear_inotify);
}

int main(int argc, char **argv)
{
	static const char * const params[] = { "\"watch\":\"files\"", "\"watch\":\"directory\"" };
	struct work w;
	int i;

	bench_start(argc, argv);
	for (i = 0; i < 2; i++) {
		w.folder = i;
		bench_row("aem", params[i], with_aem, &w);
		bench_row("inotify", params[i], with_inotify, &w);
	}
	return 0;
}
