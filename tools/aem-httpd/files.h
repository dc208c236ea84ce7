/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* Larger files are read piece by piece as they are sent. */
#define FILE_CACHED_MAX	65536
#define FILES_BUCKETS	1024

/**
 * struct file - a file that is being served
 * @bucket:   in the cache, those of one hash
 * @age:      in the cache, those used last come first
 * @refs:     answers that use it, and the cache
 * @fd:       -1 if all of it is in @data
 * @data:     NULL if it is read from @fd
 * @stat:     as it was when it was opened
 * @checked:  second of the monotonic clock when that was last seen to be true
 * @modified: the text for Last-Modified
 * @type:     content type
 * @path:     below the root
 */
struct file {
	LIST_ENTRY(file) bucket;
	TAILQ_ENTRY(file) age;
	unsigned int refs;
	int fd;
	char *data;
	struct stat stat;
	time_t checked;
	char modified[32];
	const char *type;
	char path[];
};

/**
 * struct files - the directory that is served, and small files of it in memory
 * @ages:    by age
 * @buckets: by hash of the path
 * @root:    descriptor of the directory
 * @limit:   bytes that the cache may take
 * @used:    bytes that it takes
 */
struct files {
	TAILQ_HEAD(file_ages, file) ages;
	LIST_HEAD(, file) buckets[FILES_BUCKETS];
	int root;
	size_t limit;
	size_t used;
};

/* 0 or -errno. */
int files_open(struct files *files, const char *root, size_t limit);
void files_close(struct files *files);

/*
 * The file at a path below the root; that of a directory is its index.html. Returns 0, or the
 * status of the answer: 301 for a directory named without "/", 403, 404, 500, 503.
 */
int files_get(struct files *files, const char *path, struct file **file);
void file_put(struct file *file);

/* As pread(): bytes or -errno. */
ssize_t file_read(const struct file *file, void *to, size_t length, off_t offset);

/* "Sun, 06 Nov 1994 08:49:37 GMT", 29 characters. */
void http_date(time_t time, char to[static 32]);

#endif /* FILES_H */
