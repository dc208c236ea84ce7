// SPDX-License-Identifier: GPL-2.0
/* A watch each on files that are there already. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "memories.h"

static int inotify;
static unsigned long watched;

void memory_make_files(struct bench *b, unsigned long n)
{
	char name[64];

	mkdir("/tmp/watched", 0700);
	while (n--) {
		snprintf(name, sizeof(name), "/tmp/watched/%lu", n);
		close(bench_try(b, open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), name));
	}
}

static void prepare(struct bench *b, unsigned long n)
{
	bench_sysctl(b, "/proc/sys/fs/inotify/max_user_watches", "1000000");
	inotify = bench_try(b, inotify_init1(IN_CLOEXEC), "inotify_init1");
	memory_make_files(b, n);
}

static void add(struct bench *b, unsigned long n)
{
	char name[64];

	while (n--) {
		snprintf(name, sizeof(name), "/tmp/watched/%lu", watched++);
		bench_try(b, inotify_add_watch(inotify, name, IN_MODIFY), "inotify_add_watch");
	}
}

const struct memory_system memory_inotify[] = {
	{ "inotify", "file", prepare, add, 5 },
	{ 0 }
};
