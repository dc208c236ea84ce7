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
 * AEM_FD_F_EXEC more of what it was.
 */
typedef void (*aem_fd_fn)(struct aem *aem, void *user, aem_id id,
			  const struct aem_fd_note *note, uint32_t lost);

/**
 * struct aem_fd_options - how to watch
 * @pattern: names in the directory must match it, as of glob(7); NULL: all
 * @flags:   AEM_FD_NOFOLLOW, AEM_FD_ONLYDIR, AEM_FD_MERGE, AEM_FD_NOT_ACTOR, AEM_FD_TREE
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
 * @handler: called for each note
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
 * looks at as many as it may;
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
