// SPDX-License-Identifier: GPL-2.0
/*
 * Files below one directory. The kernel sees to it that no path and no link leads out of it
 * (openat2). Small files stay in memory; that they are still the same is looked up at most once
 * a second, so that what is asked for often costs no system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>
#include "files.h"
#include "types.h"

void http_date(time_t time, char to[static 32])
{
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(to, 32, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

static int open_below(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	do
		fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return fd < 0 ? -errno : fd;
}

static int status_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return 404;
	case EACCES:
	case EPERM:
	case EXDEV:	/* leads out */
	case ELOOP:
	case ENXIO:	/* not a file at all */
	case ENODEV:
		return 403;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return 503;
	default:
		return 500;
	}
}

static unsigned int hash(const char *path)
{
	unsigned int value = 2166136261u;

	while (*path)
		value = (value ^ (unsigned char)*path++) * 16777619u;
	return value % FILES_BUCKETS;
}

static struct file *file_new(const char *path, int fd, const struct stat *stat)
{
	size_t length = strlen(path) + 1;
	struct file *file = calloc(1, sizeof(*file) + length);

	if (!file)
		return NULL;
	file->refs = 1;
	file->fd = fd;
	file->stat = *stat;
	file->type = type_of(path);
	http_date(stat->st_mtime, file->modified);
	memcpy(file->path, path, length);
	return file;
}

void file_put(struct file *file)
{
	if (--file->refs)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->data);
	free(file);
}

ssize_t file_read(const struct file *file, void *to, size_t length, off_t offset)
{
	ssize_t n;

	if (file->data) {
		memcpy(to, file->data + offset, length);
		return length;
	}
	do
		n = pread(file->fd, to, length, offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static size_t weight(const struct file *file)
{
	return sizeof(*file) + strlen(file->path) + file->stat.st_size;
}

static void forget(struct files *files, struct file *file)
{
	LIST_REMOVE(file, bucket);
	TAILQ_REMOVE(&files->ages, file, age);
	files->used -= weight(file);
	file_put(file);
}

static void remember(struct files *files, struct file *file)
{
	files->used += weight(file);
	file->refs++;
	LIST_INSERT_HEAD(&files->buckets[hash(file->path)], file, bucket);
	TAILQ_INSERT_HEAD(&files->ages, file, age);
	while (files->used > files->limit)
		forget(files, TAILQ_LAST(&files->ages, file_ages));
}

static struct file *find(struct files *files, const char *path)
{
	struct file *file;

	LIST_FOREACH(file, &files->buckets[hash(path)], bucket)
		if (!strcmp(file->path, path))
			return file;
	return NULL;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static time_t second(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* Whether a file of the cache is still what the path leads to. */
static bool is_fresh(struct files *files, struct file *file)
{
	time_t now = second();
	struct stat stat;

	if (file->checked == now)
		return true;
	if (fstatat(files->root, file->path, &stat, 0) || !same(&stat, &file->stat))
		return false;
	file->checked = now;
	return true;
}

/*
 * Reads all of a small file, and closes it. One that changes meanwhile is served from its
 * descriptor.
 */
static void load(struct files *files, struct file *file)
{
	size_t size = file->stat.st_size, done = 0;
	char *data;
	ssize_t n;

	if (size > FILE_CACHED_MAX || weight(file) > files->limit)
		return;
	data = malloc(size + 1);
	if (!data)
		return;
	do {
		n = file_read(file, data + done, size + 1 - done, done);
		done += n > 0 ? n : 0;
	} while (n > 0 && done <= size);
	if (n || done != size) {
		free(data);
		return;
	}
	file->data = data;
	close(file->fd);
	file->fd = -1;
	file->checked = second();
	remember(files, file);
}

static int open_file(struct files *files, const char *path, int fd, struct file **file)
{
	struct stat stat;

	if (fstat(fd, &stat)) {
		close(fd);
		return 500;
	}
	if (!S_ISREG(stat.st_mode)) {
		close(fd);
		return S_ISDIR(stat.st_mode) ? 301 : 403;
	}
	*file = file_new(path, fd, &stat);
	if (!*file) {
		close(fd);
		return 503;
	}
	load(files, *file);
	return 0;
}

/* A directory without index.html is not shown; what is no directory is not found. */
static int get_index(struct files *files, const char *path, struct file **file)
{
	char index[PATH_MAX];
	int status, fd;

	if (snprintf(index, sizeof(index), "%sindex.html", path) >= (int)sizeof(index))
		return 404;
	status = files_get(files, index, file);
	if (status == 301)
		return 403;
	if (status != 404)
		return status;
	fd = open_below(files->root, path);
	if (fd < 0)
		return status_of(-fd);
	close(fd);
	return 403;
}

static bool names_directory(const char *path)
{
	size_t length = strlen(path);

	return !length || path[length - 1] == '/';
}

int files_get(struct files *files, const char *path, struct file **file)
{
	struct file *known = find(files, path);
	int fd;

	if (known && is_fresh(files, known)) {
		TAILQ_REMOVE(&files->ages, known, age);
		TAILQ_INSERT_HEAD(&files->ages, known, age);
		known->refs++;
		*file = known;
		return 0;
	}
	if (known)
		forget(files, known);
	if (names_directory(path))
		return get_index(files, path, file);
	fd = open_below(files->root, path);
	return fd < 0 ? status_of(-fd) : open_file(files, path, fd, file);
}

int files_open(struct files *files, const char *root, size_t limit)
{
	files->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->root < 0)
		return -errno;
	files->limit = limit;
	files->used = 0;
	TAILQ_INIT(&files->ages);
	for (int i = 0; i < FILES_BUCKETS; i++)
		LIST_INIT(&files->buckets[i]);
	return 0;
}

void files_close(struct files *files)
{
	struct file *file;

	while ((file = TAILQ_FIRST(&files->ages)))
		forget(files, file);
	close(files->root);
}
