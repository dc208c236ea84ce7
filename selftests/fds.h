/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the service "fd" share: requests, a directory to work in, and what was told.
 */
#ifndef SELFTESTS_FDS_H
#define SELFTESTS_FDS_H

#include "raw.h"
#include <linux/aem_fd.h>
#include <sys/stat.h>

#define FD_TOLD		64
#define FD_NOTE_MAX	(sizeof(struct aem_fd_note) + 520)

/**
 * struct fd_told - what the records of one watch said
 * @id:    of the watch
 * @n:     how many
 * @lost:  summed up
 * @count: summed up
 * @bytes: the first notes, one after the other
 */
struct fd_told {
	uint64_t id;
	uint32_t n;
	uint32_t lost;
	uint32_t count;
	uint8_t bytes[FD_TOLD][FD_NOTE_MAX] __attribute__((aligned(8)));
};

static uint32_t fd_base;

static inline const struct aem_fd_note *fd_note(const struct fd_told *told, uint32_t i)
{
	ASSERT_LT(i, told->n);
	return (const struct aem_fd_note *)told->bytes[i];
}

static inline const char *fd_name(const struct aem_fd_note *note)
{
	return (const char *)note->names;
}

static inline const char *fd_name2(const struct aem_fd_note *note)
{
	return (const char *)note->names + note->name_length + 1;
}

/* One note of a record. */
static inline void fd_take_note(struct fd_told *told, const struct aem_fd_note *note)
{
	if (!(note->kinds & (AEM_FD_LOCK | AEM_FD_UNLOCK)))
		EXPECT_EQ(note->lock | note->start | note->end, 0);
	if (!(note->flags & AEM_FD_F_EXCHANGE))
		EXPECT_EQ(note->self2, 0);
	EXPECT_NE(note->time, 0);
	EXPECT_EQ(note->length % 8, 0);
	ASSERT_LE(note->length, FD_NOTE_MAX);
	EXPECT_EQ(strlen(fd_name(note)), note->name_length);
	EXPECT_EQ(strlen(fd_name2(note)), note->name2_length);
	told->count += note->count;
	if (told->n < FD_TOLD)
		memcpy(told->bytes[told->n], note, note->length);
	told->n++;
}

static inline void fd_take(struct raw *raw, struct aem_record *record)
{
	struct fd_told *told = (struct fd_told *)(uintptr_t)record->cookie;
	const struct aem_fd_note *note =
		(const struct aem_fd_note *)(raw->vmt + record->arg[1]);
	uint32_t word[6];

	memcpy(word, record->arg, sizeof(word));
	EXPECT_EQ(record->nr, fd_base + AEM_FD_WATCH);
	EXPECT_EQ(record->count, note->count);
	EXPECT_EQ(word[0], note->kinds);
	EXPECT_EQ(word[1], note->number);
	EXPECT_EQ(word[4], note->flags);
	EXPECT_EQ((int)word[5], note->pid);
	EXPECT(!(note->flags & AEM_FD_F_MORE));
	told->lost += record->lost;
	fd_take_note(told, note);
}

static inline void fds_bind(struct raw *raw)
{
	fd_base = raw_service(raw, AEM_FD_SERVICE);
}

static inline void fds_start(struct raw *raw)
{
	raw_start(raw);
	fds_bind(raw);
}

/* A directory of the test's own is where it works from now on. */
static inline void fds_go(void)
{
	char path[] = "/tmp/fd-XXXXXX";

	ASSERT(mkdtemp(path));
	ASSERT_OK(chdir(path));
	ASSERT_OK(chmod(".", 0755));
	umask(022);
}

static inline struct aem_fd_watch fd_request(struct fd_told *told, const char *path, uint32_t kinds)
{
	struct aem_fd_watch watch;

	memset(&watch, 0, sizeof(watch));
	watch.size = sizeof(watch);
	watch.fd = AT_FDCWD;
	watch.path = (uintptr_t)path;
	watch.kinds = kinds;
	watch.reg.handler = (uintptr_t)fd_take;
	watch.reg.cookie = (uintptr_t)told;
	watch.reg.flags = EVF_START;
	return watch;
}

static inline long long fd_try(const struct raw *raw, struct aem_fd_watch *watch)
{
	return raw_call(raw, fd_base + AEM_FD_WATCH, watch);
}

static inline void fd_make(const struct raw *raw, struct fd_told *told, struct aem_fd_watch *watch)
{
	memset(told, 0, sizeof(*told));
	ASSERT_OK(fd_try(raw, watch));
	ASSERT_NE(watch->reg.id, 0);
	EXPECT_EQ(watch->number, 1);
	told->id = watch->reg.id;
}

static inline void fd_watch(const struct raw *raw, struct fd_told *told, const char *path,
			    uint32_t kinds)
{
	struct aem_fd_watch watch = fd_request(told, path, kinds);

	fd_make(raw, told, &watch);
}

static inline long long fd_try_add(const struct raw *raw, uint64_t id, const char *path,
				   struct aem_fd_add *add)
{
	memset(add, 0, sizeof(*add));
	add->size = sizeof(*add);
	add->fd = AT_FDCWD;
	add->id = id;
	add->path = (uintptr_t)path;
	return raw_call(raw, fd_base + AEM_FD_ADD, add);
}

static inline uint32_t fd_add(const struct raw *raw, const struct fd_told *told, const char *path)
{
	struct aem_fd_add add;

	ASSERT_OK(fd_try_add(raw, told->id, path, &add));
	return add.number;
}

static inline long long fd_try_remove(const struct raw *raw, uint64_t id, uint32_t number)
{
	struct aem_fd_remove remove = { .size = sizeof(remove), .number = number, .id = id };

	return raw_call(raw, fd_base + AEM_FD_REMOVE, &remove);
}

static inline void fd_forget(struct fd_told *told)
{
	told->n = 0;
	told->lost = 0;
	told->count = 0;
}

static inline void fd_shutdown(const struct raw *raw, const struct fd_told *told)
{
	ASSERT_OK(raw_event(raw, AEM_EVENT_SHUTDOWN, told->id, 0));
}

/* Notes come before the system call that they are of returns: nothing is to be waited for. */
static inline void fd_expect(struct raw *raw, struct fd_told *told, uint32_t n)
{
	raw_drain(raw);
	EXPECT_EQ(told->n, n);
	EXPECT_EQ(told->lost, 0);
}

/* The one note that there is since the last time. */
static inline struct aem_fd_note fd_one(struct raw *raw, struct fd_told *told, uint32_t kinds,
					const char *name)
{
	struct aem_fd_note note;

	raw_drain(raw);
	ASSERT_EQ(told->n, 1);
	memcpy(&note, fd_note(told, 0), sizeof(note));
	EXPECT_EQ(note.kinds, kinds);
	EXPECT_STR(fd_name(fd_note(told, 0)), name);
	EXPECT_EQ(note.pid, getpid());
	EXPECT_EQ(note.uid, getuid());
	EXPECT(note.flags & AEM_FD_F_ACTOR);
	EXPECT_EQ(told->lost, 0);
	fd_forget(told);
	return note;
}

static inline int fd_touch(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	ASSERT_GE(fd, 0);
	return fd;
}

static inline void fd_create(const char *path)
{
	close(fd_touch(path));
}

static inline void fd_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, "x", 1), 1);
	close(fd);
}

#endif /* SELFTESTS_FDS_H */
