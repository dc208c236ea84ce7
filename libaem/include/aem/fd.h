/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libaem: what happens to files.
 */
#ifndef AEM_FD_H
#define AEM_FD_H

#include <sys/types.h>
#include <aem/aem.h>
#include <linux/aem_fd.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * typedef aem_fd_fn - something happened to a file
 * @aem:  the context
 * @user: as given to aem_fd_watch()
 * @id:   of the watch
 * @note: what; valid until the handler returns, or longer with aem_keep(). NULL: the service
 *        was taken away, the watch is gone
 * @lost: notes that were lost since the last one, for want of room
 *
 * @note->kinds is what happened, a bit for each. @note->flags says what is known:
 * AEM_FD_F_ACTOR who did it, AEM_FD_F_STAT and AEM_FD_F_OLD mode and owner now and before;
 * AEM_FD_F_UNSURE that it is one of the attributes named; and AEM_FD_F_DIR, AEM_FD_F_LINK and
 * AEM_FD_F_EXEC more of what it was. With AEM_FD_F_EXCHANGE two names changed places; AEM_FD_F_DIR2
 * says of the other one that it is a directory.
 *
 * With AEM_FD_PACKED @note is the first of those that waited: aem_fd_next() has the others, and
 * all are valid as long as it is.
 */
typedef void (*aem_fd_fn)(struct aem *aem, void *user, aem_id id,
			  const struct aem_fd_note *note, uint32_t lost);

/**
 * struct aem_fd_options - how to watch
 * @pattern: names in the directory must match it, as of glob(7); NULL: all
 * @flags:   AEM_FD_NOFOLLOW, AEM_FD_ONLYDIR, AEM_FD_MERGE, AEM_FD_NOT_ACTOR, AEM_FD_TREE,
 *           AEM_FD_PACKED
 * @room:    bytes for notes that wait; 0: AEM_FD_ROOM
 * @files:   most files to be watched by it; 0: AEM_FD_FILES
 * @actor:   only what this process does, with AEM_FD_NOT_ACTOR what all others do; 0: all
 */
struct aem_fd_options {
	const char *pattern;
	uint32_t flags;
	uint32_t room;
	uint32_t files;
	pid_t actor;
};

/**
 * aem_fd_watch() - hear of what happens to a file, or to the files of a directory
 * @aem:     the context
 * @id:      out: id of the watch; may be NULL
 * @fd:      where @path begins, or AT_FDCWD; without @path the file itself
 * @path:    the file, or NULL
 * @kinds:   enum aem_fd_kind
 * @how:     priority and flags
 * @options: NULL: all names, all processes, the usual room
 * @handler: called for each note, with AEM_FD_PACKED once for all that wait
 * @user:    for @handler
 *
 * The first file of a watch has the number 1. A watch ends when it is shut down
 * (aem_event_shutdown()), not when its files do.
 *
 * Return: 0; -EBADF, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG: no such file; -EACCES: the caller
 * may not read it; -ESRCH, -EPERM: @options->actor; -EINVAL, -EFAULT, -ENOSPC, -EDQUOT, -ENOMEM,
 * or what aem_bind() says.
 */
int aem_fd_watch(struct aem *aem, aem_id *id, int fd, const char *path, uint32_t kinds,
		 uint32_t how, const struct aem_fd_options *options, aem_fd_fn handler,
		 void *user);

/**
 * aem_fd_add() - let a watch look at one file more
 * @aem:    the context
 * @id:     of the watch
 * @number: out: of the file, in @note->number; may be NULL
 * @fd:     as for aem_fd_watch()
 * @path:   as for aem_fd_watch()
 * @flags:  AEM_FD_NOFOLLOW, AEM_FD_ONLYDIR
 *
 * Return: 0; 1: the watch looks at it already, and @number is the one that it has; -ENOSPC: it
 * looks at as many as it may; -EDQUOT: all watches of the user look at as many as they may;
 * -ENOENT: no such watch or file; others as aem_fd_watch().
 */
int aem_fd_add(struct aem *aem, aem_id id, uint32_t *number, int fd, const char *path,
	       uint32_t flags);

/**
 * aem_fd_remove() - let a watch not look at a file any more
 * @aem:    the context
 * @id:     of the watch
 * @number: of the file
 *
 * Notes that wait are told.
 *
 * Return: 0; -ENOENT: no such watch, or it does not look at that.
 */
int aem_fd_remove(struct aem *aem, aem_id id, uint32_t number);

/**
 * typedef aem_fd_poll_fn - a file can be read or written
 * @aem:   the context
 * @user:  as given to aem_fd_poll()
 * @id:    of the event
 * @fd:    as given to aem_fd_poll(); -1: the service was taken away
 * @kinds: what holds: AEM_FD_IN, AEM_FD_PRI, AEM_FD_OUT, AEM_FD_RDHUP as asked for, AEM_FD_HUP,
 *         AEM_FD_ERR. AEM_FD_NVAL: @fd was closed meanwhile, and the event is gone
 */
typedef void (*aem_fd_poll_fn)(struct aem *aem, void *user, aem_id id, int fd, uint32_t kinds);

/**
 * aem_fd_poll() - hear when a file can be read or written
 * @aem:     the context
 * @id:      out: id of the event; may be NULL
 * @fd:      a pipe, terminal, socket, eventfd, device: what poll(2) can wait for
 * @kinds:   AEM_FD_IN, AEM_FD_PRI, AEM_FD_OUT, AEM_FD_RDHUP
 * @how:     priority and flags
 * @flags:   AEM_FD_EDGE: what still holds after the handler is not told again
 * @handler: called while any of it holds
 * @user:    for @handler
 *
 * The handler need not read all: it is called again. AEM_FD_HUP and AEM_FD_ERR are told besides,
 * once for each time that the file says so. The event holds the file open: shut it down
 * (aem_event_shutdown()) before the descriptor is closed. To wait for room now and then, stop
 * and start an event for AEM_FD_OUT of its own.
 *
 * Return: 0; -EBADF; -EOPNOTSUPP: it cannot be polled, or poll(2) of it may have to wait (FUSE,
 * epoll); -EINVAL, -ENOSPC, -EDQUOT, -ENOMEM, or what aem_bind() says.
 */
int aem_fd_poll(struct aem *aem, aem_id *id, int fd, uint32_t kinds, uint32_t how, uint32_t flags,
		aem_fd_poll_fn handler, void *user);

/**
 * AEM_FD_FOUND: In @note->kinds, told by the library: nobody is known to have done it, but looking
 * into directories has shown it. Alone, that a name is there; with AEM_FD_RENAME or
 * AEM_FD_DELETE, that a directory has gone. @note->flags has AEM_FD_F_DIR, and nothing else is
 * known.
 */
#define AEM_FD_FOUND	(1U << 31)

/* A directory that is watched with all directories below it */
struct aem_fd_tree;

/**
 * typedef aem_fd_tree_fn - something happened in a tree
 * @aem:   the context
 * @user:  as given to aem_fd_tree_open()
 * @note:  what; its numbers are the library's. NULL: the service was taken away; nothing more
 *         will come
 * @lost:  notes that were lost since the last one: the tree has to be opened anew
 * @path:  the file, from the tree's root, "" the root itself. Of a rename that brings something
 *         into the tree: ""
 * @path2: of a rename: where to; "": out of the tree
 * @error: a directory could not be watched since the last call: -EACCES (the caller may not
 *         read it), -ENOSPC (as many as the watch may have), -EDQUOT (as the user may), -ENOMEM,
 *         -EMFILE, -ENAMETOOLONG; 0: none
 *
 * Who keeps the names of a tree as these calls tell them, comes to have those that are there:
 * AEM_FD_CREATE, AEM_FD_FOUND: there is a file, or a directory; nothing else has that name.
 * AEM_FD_DELETE: it is gone, with all below it. AEM_FD_RENAME: it is @path2, with all below it
 * that was known; what had that name is gone. With AEM_FD_F_EXCHANGE, what was known by @path and
 * @path2, with all below, changed places; AEM_FD_F_DIR is of what was @path, AEM_FD_F_DIR2 of the
 * other. If one of the two is not in the tree, or directories were looked into meanwhile, that is
 * told by several calls without the flag. What is told of a directory, by AEM_FD_F_DIR, does
 * not concern a file of that name that is known, nor the other way round. Directories that were
 * just seen may be told of once more by notes that waited.
 */
typedef void (*aem_fd_tree_fn)(struct aem *aem, void *user, const struct aem_fd_note *note,
			       uint32_t lost, const char *path, const char *path2, int error);

/**
 * aem_fd_tree_open() - hear of what happens in a directory and all below it
 * @aem:     the context
 * @tree:    out: the tree
 * @fd:      where @path begins, or AT_FDCWD
 * @path:    the directory; NULL: @fd
 * @kinds:   enum aem_fd_kind; AEM_FD_CREATE, AEM_FD_DELETE and AEM_FD_RENAME are told in any case
 * @how:     priority and flags; the handler runs at safe points only
 * @options: room for notes, flags, and @files: most directories; no pattern and no actor. Or NULL
 * @handler: called for each note, and by this call for what is there
 * @user:    for @handler
 *
 * Directories that are made in the tree are watched from their birth. What comes into it
 * otherwise is watched, and looked into, when its note is taken; as is the whole by this call.
 * Names from there are told by AEM_FD_FOUND, so nothing that stays is missed. What happens while
 * that goes on waits in @options->room. Other mounts in the tree are part of it.
 *
 * Looking into a directory takes a descriptor for each level of it.
 *
 * Context: safe points; not in interrupting handlers.
 * Return: 0; -EINVAL: a pattern or an actor; or what aem_fd_watch() says.
 */
int aem_fd_tree_open(struct aem *aem, struct aem_fd_tree **tree, int fd, const char *path,
		     uint32_t kinds, uint32_t how, const struct aem_fd_options *options,
		     aem_fd_tree_fn handler, void *user);

/**
 * aem_fd_tree_close() - hear no more of it
 * @tree: from aem_fd_tree_open(), not used any more. Not from its own handler
 *
 * Return: what aem_event_shutdown() says; the tree is gone in any case.
 */
int aem_fd_tree_close(struct aem_fd_tree *tree);

/**
 * aem_fd_next() - the note that follows
 * @note: of a handler, or from here
 *
 * Return: NULL: that was the last. Without AEM_FD_PACKED the first is.
 */
static inline const struct aem_fd_note *aem_fd_next(const struct aem_fd_note *note)
{
	if (!(note->flags & AEM_FD_F_MORE))
		return NULL;
	return (const struct aem_fd_note *)((const char *)note + note->length);
}

/** aem_fd_name() - the name in the directory, "": it happened to the watched file itself. */
static inline const char *aem_fd_name(const struct aem_fd_note *note)
{
	return (const char *)note->names;
}

/** aem_fd_name2() - the new name of a rename, "": none, or not known. */
static inline const char *aem_fd_name2(const struct aem_fd_note *note)
{
	return (const char *)note->names + note->name_length + 1;
}

#ifdef __cplusplus
}
#endif

#endif /* AEM_FD_H */
