/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of sources of the service "fd" share.
 */
#ifndef SELFTESTS_FD_POLLS_H
#define SELFTESTS_FD_POLLS_H

#include "fds.h"
#include <sys/mount.h>

/**
 * struct source - a file, and what was told of it
 * @id:    of the event
 * @fd:    its descriptor
 * @n:     how often its handler ran
 * @kinds: what the last record said
 * @all:   what all said
 * @flags: of the last record
 * @act:   what else the handler does, or NULL
 */
struct source {
	uint64_t id;
	int fd;
	uint32_t n;
	uint32_t kinds;
	uint32_t all;
	uint32_t flags;
	void (*act)(struct source *source);
};

static inline void source_hear(struct raw *raw, struct aem_record *record)
{
	struct source *source = (struct source *)(uintptr_t)record->cookie;
	uint32_t word[6];

	(void)raw;
	memcpy(word, record->arg, sizeof(word));
	EXPECT_EQ(record->nr, fd_base + AEM_FD_POLL);
	EXPECT_NE(word[0], 0);
	EXPECT_EQ((int)word[1], source->fd);
	EXPECT_EQ(record->lost, 0);
	source->n++;
	source->kinds = word[0];
	source->all |= word[0];
	source->flags = record->flags;
	if (source->act)
		source->act(source);
}

static inline void read_byte(struct source *source)
{
	char byte;

	EXPECT_EQ(read(source->fd, &byte, 1), 1);
}

static inline void close_it(struct source *source)
{
	if (source->kinds != AEM_FD_NVAL)
		EXPECT_OK(close(source->fd));
}

static inline void polls_start(struct raw *raw)
{
	raw_start(raw);
	fds_bind(raw);
}

static inline struct aem_fd_poll source_request(struct source *source, int fd, uint32_t kinds,
						uint32_t flags)
{
	struct aem_fd_poll request;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	request.fd = fd;
	request.kinds = kinds;
	request.flags = flags;
	request.reg.handler = (uintptr_t)source_hear;
	request.reg.cookie = (uintptr_t)source;
	request.reg.flags = EVF_START;
	return request;
}

static inline long long source_try(const struct raw *raw, struct source *source, int fd,
				   uint32_t kinds, uint32_t flags)
{
	struct aem_fd_poll request = source_request(source, fd, kinds, flags);
	long long ret;

	memset(source, 0, sizeof(*source));
	source->fd = fd;
	ret = raw_call(raw, fd_base + AEM_FD_POLL, &request);
	source->id = request.reg.id;
	return ret;
}

static inline void source_make_how(const struct raw *raw, struct source *source, int fd,
				   uint32_t kinds, uint32_t flags,
				   void (*act)(struct source *source), uint32_t how)
{
	struct aem_fd_poll request = source_request(source, fd, kinds, flags);

	memset(source, 0, sizeof(*source));
	source->fd = fd;
	source->act = act;
	request.reg.flags |= how;
	ASSERT_OK(raw_call(raw, fd_base + AEM_FD_POLL, &request));
	source->id = request.reg.id;
}

static inline void source_make(const struct raw *raw, struct source *source, int fd,
			       uint32_t kinds, uint32_t flags,
			       void (*act)(struct source *source))
{
	source_make_how(raw, source, fd, kinds, flags, act, 0);
}

static inline void mount_terminals(void)
{
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, NULL);
}

/* Both ends of a new terminal, where they are mounted. Return: false: there are none. */
static inline bool open_terminal(int *master, int *slave)
{
	char name[64];

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0)
		return false;
	ASSERT_OK(unlockpt(*master));
	ASSERT_EQ(ptsname_r(*master, name, sizeof(name)), 0);
	*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ASSERT_GE(*slave, 0);
	return true;
}

/* Waits until it was told, by whatever number of records. */
static inline void source_await(struct raw *raw, struct source *source, uint32_t kind)
{
	source->all = 0;
	while (!(source->all & kind))
		ASSERT_EQ(raw_wait(raw, RAW_LONG), 0);
}

#endif /* SELFTESTS_FD_POLLS_H */
