// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the service "fd". What happens to files is what programs do, see calls_path.c and
 * calls_file.c.
 */
#include <fcntl.h>
#include <linux/aem_fd.h>
#include "describe.h"

#define HERE	((uint32_t)AT_FDCWD)

static const uint64_t rooms[] = {
	0, 0, AEM_FD_ROOM_MIN, AEM_FD_ROOM_MIN, 4097, 65536, AEM_FD_ROOM_MAX,
};

static const uint64_t most[] = { 0, 0, 1, 2, 3, 8, AEM_FD_FILES_MAX };

#define WATCH(_name, _flags, _fd, _path, _actor)					\
	static const struct field _name[] = {						\
		SIZE(struct aem_fd_watch),						\
		_fd,									\
		REGISTRATION(struct aem_fd_watch),					\
		_path,									\
		FIELD(struct aem_fd_watch, pattern, TEXT, 0, TEXT_END - 1),		\
		FIELD(struct aem_fd_watch, kinds, FLAGS, AEM_FD_CREATE, AEM_FD_ALL),	\
		FIELD(struct aem_fd_watch, flags, FLAGS, 0, _flags),			\
		CHOICE(struct aem_fd_watch, room, rooms),				\
		CHOICE(struct aem_fd_watch, files, most),				\
		_actor,									\
	}

#define HOW	(AEM_FD_MERGE | AEM_FD_TREE | AEM_FD_PACKED)
#define ANY	(AEM_FD_NOFOLLOW | AEM_FD_ONLYDIR | AEM_FD_NOT_ACTOR | HOW)

#define FROM_HERE	FIELD(struct aem_fd_watch, fd, BOUNDED, HERE, HERE)
#define FROM(_what)	FIELD(struct aem_fd_watch, fd, WANT, _what, 0)
#define PATH(_lo, _hi)	FIELD(struct aem_fd_watch, path, TEXT, _lo, _hi)
#define NO_ACTOR	FIELD(struct aem_fd_watch, actor, ZERO, 0, 0)
#define ACTOR		FIELD(struct aem_fd_watch, actor, WANT, RES_PROCESS, 0)

WATCH(watch, HOW, FROM_HERE, PATH(TEXT_NAME, TEXT_PATTERN - 1), NO_ACTOR);
WATCH(watch_here, HOW, FROM_HERE, PATH(TEXT_FILE, TEXT_FILE + 2), NO_ACTOR);
WATCH(watch_file, AEM_FD_MERGE | AEM_FD_PACKED, FROM(RES_FILE), PATH(0, 0), NO_ACTOR);
WATCH(watch_actor, ANY, FROM(RES_FD), PATH(0, TEXT_NAME), ACTOR);

static const struct field add[] = {
	SIZE(struct aem_fd_add),
	FIELD(struct aem_fd_add, fd, BOUNDED, HERE, HERE),
	FIELD(struct aem_fd_add, id, WANT, RES_WATCH, 0),
	FIELD(struct aem_fd_add, path, TEXT, TEXT_NAME, TEXT_FILE + 2),
	FIELD(struct aem_fd_add, flags, FLAGS, 0, AEM_FD_NOFOLLOW | AEM_FD_ONLYDIR),
};

static const struct field add_file[] = {
	SIZE(struct aem_fd_add),
	FIELD(struct aem_fd_add, fd, WANT, RES_FD, 0),
	FIELD(struct aem_fd_add, id, WANT, RES_WATCH, 0),
	FIELD(struct aem_fd_add, path, TEXT, 0, 0),
};

static const struct field drop[] = {
	SIZE(struct aem_fd_remove),
	FIELD(struct aem_fd_remove, number, NUMBER, 1, 6),
	FIELD(struct aem_fd_remove, id, WANT, RES_WATCH, 0),
};

#define SOURCE(_name, _fds)								\
	static const struct field _name[] = {						\
		SIZE(struct aem_fd_poll),						\
		FIELD(struct aem_fd_poll, fd, WANT, _fds, 0),				\
		REGISTRATION(struct aem_fd_poll),					\
		FIELD(struct aem_fd_poll, kinds, FLAGS, 0, AEM_FD_POLL_ALL),		\
		FIELD(struct aem_fd_poll, flags, FLAGS, 0, AEM_FD_EDGE),		\
	}

SOURCE(source, RES_PIPE | RES_WAKER | RES_UNIX | RES_STREAM | RES_PIDFD);
SOURCE(source_any, RES_FD);

#define SOURCES(_name, _fields, ...)							\
	PSEUDO(_name, AEM_FD_SERVICE, AEM_FD_POLL, struct aem_fd_poll, _fields,		\
	       REGISTERS(struct aem_fd_poll, RES_SOURCE), __VA_ARGS__)

#define WATCHES(_name, _fields, ...)							\
	PSEUDO(_name, AEM_FD_SERVICE, AEM_FD_WATCH, struct aem_fd_watch, _fields,	\
	       REGISTERS(struct aem_fd_watch, RES_WATCH), __VA_ARGS__)

static const struct call calls[] = {
	WATCHES("fd_watch", watch, .weight = 8),
	WATCHES("fd_here", watch_here, .weight = 8),
	WATCHES("fd_file", watch_file, .weight = 4),
	WATCHES("fd_actor", watch_actor, .weight = 2),
	SOURCES("fd_poll", source, .weight = 8),
	SOURCES("fd_poll_any", source_any, .weight = 4),
	PSEUDO("fd_add", AEM_FD_SERVICE, AEM_FD_ADD, struct aem_fd_add, add),
	PSEUDO("fd_add_file", AEM_FD_SERVICE, AEM_FD_ADD, struct aem_fd_add, add_file,
	       .weight = 4),
	PSEUDO("fd_remove", AEM_FD_SERVICE, AEM_FD_REMOVE, struct aem_fd_remove, drop,
	       .weight = 4),
};

const struct call_table fd_table = { calls, ARRAY_SIZE(calls) };
