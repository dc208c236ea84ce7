// SPDX-License-Identifier: GPL-2.0
/*
 * Programs begin in a directory that is always the same, so that they find what they would find
 * alone: files "a", "b" and "d/a".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"

#define ROOT	"/tmp/programs"
#define DEPTH	16

static void path_of(char *path, size_t size, unsigned int index)
{
	snprintf(path, size, ROOT "/%u", index);
}

/* Whoever a program becomes may work there. */
static int make(const char *path)
{
	return (mkdir(path, 0777) && errno != EEXIST) || chmod(path, 0777) ? -1 : 0;
}

static void touch(int directory, const char *path)
{
	int fd = openat(directory, path, O_WRONLY | O_CREAT, 0666);

	fchmod(fd, 0666);
	close(fd);
}

static int fill(const char *path)
{
	int directory;

	if (make(path))
		return -1;
	directory = open(path, O_PATH | O_DIRECTORY);
	if (directory < 0)
		return -1;
	mkdirat(directory, "d", 0777);
	fchmodat(directory, "d", 0777, 0);
	touch(directory, "a");
	touch(directory, "b");
	touch(directory, "d/a");
	close(directory);
	return 0;
}

int files_make(unsigned int count)
{
	unsigned int i;
	char path[64];

	if (make(ROOT) || fill(ROOT "/all"))
		return -1;
	for (i = 0; i < count; i++) {
		path_of(path, sizeof(path), i);
		if (fill(path))
			return -1;
	}
	return 0;
}

int files_go(unsigned int index)
{
	char path[64];

	path_of(path, sizeof(path), index);
	return chdir(path);
}

static int take_away(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat;
	(void)kind;
	if (at->level && remove(path) && errno == EBUSY && !umount2(path, MNT_DETACH))
		remove(path);
	return 0;
}

/* What is mounted on what is mounted takes more than one turn. */
static void clean(const char *path)
{
	unsigned int i;

	for (i = 0; i < DEPTH; i++) {
		nftw(path, take_away, 4, FTW_DEPTH | FTW_PHYS);
		if (!rmdir(path))
			break;
	}
	fill(path);
}

void files_clean(unsigned int index)
{
	char path[64];

	path_of(path, sizeof(path), index);
	clean(path);
}

void files_clean_common(void)
{
	clean(ROOT "/all");
}
