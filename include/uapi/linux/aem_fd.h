/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aem-fd: what happens to files. Service "fd", version 1.
 */
#ifndef _UAPI_LINUX_AEM_FD_H
#define _UAPI_LINUX_AEM_FD_H

#include <linux/aem.h>

#define AEM_FD_SERVICE	"fd"
#define AEM_FD_VERSION	1

/**
 * enum aem_fd_call - pseudo-system calls, counted from the range's base
 * @AEM_FD_WATCH:  struct aem_fd_watch; registers an event
 * @AEM_FD_ADD:    struct aem_fd_add; the event watches one file more
 * @AEM_FD_REMOVE: struct aem_fd_remove; the event watches one file less
 * @AEM_FD_POLL:   struct aem_fd_poll; registers an event for a file that can be read or written
 * @AEM_FD_CALLS:  how many there are
 */
enum aem_fd_call {
	AEM_FD_WATCH		= 0,
	AEM_FD_ADD		= 1,
	AEM_FD_REMOVE		= 2,
	AEM_FD_POLL		= 3,
	AEM_FD_CALLS
};

/**
 * DOC: what a watch promises
 *
 * ``order``    notes come in the order in which it happened, to all files of one event
 * ``once``     each change is one note, a rename too, if it happens between directories that one
 *              event watches. With AEM_FD_MERGE notes that say the same as the one before them,
 *              which was not told yet, are counted instead
 * ``room``     notes wait in memory that is taken at the registration. What finds no
 *              room is lost; the next record's @lost says how many
 * ``stop``     AEM_EVENT_STOP holds notes back; they wait
 * ``rights``   the caller may watch what it may read, and needs no capability. Mode and
 *              owner of the files in a directory are told if the caller may search the directory.
 *              Who did it is told of processes that the caller might kill(2), by the
 *              credentials that registered the watch. The other name of a rename is told
 *              if the event watches the other directory too
 * ``numbers``  pids are those of the pid namespace, users and groups those of the user
 *              namespace in which the watch was registered; what has none there is 0 or the
 *              overflow id
 * ``file``     what is watched is the file, not its name: renamed, it is still watched
 */

/**
 * enum aem_fd_kind - what happened; bits, for one change can be several
 * @AEM_FD_ACCESS:      read
 * @AEM_FD_MODIFY:      written, or its size or time of modification was set
 * @AEM_FD_OPEN:        opened
 * @AEM_FD_CLOSE_WRITE: closed, that was open for writing
 * @AEM_FD_CLOSE_READ:  closed, that was not
 * @AEM_FD_CLOSE:       either
 * @AEM_FD_MODE:        permissions were set
 * @AEM_FD_OWNER:       owner or group was set
 * @AEM_FD_ATTR:        times were set, or the number of links changed
 * @AEM_FD_XATTR:       an extended attribute was set or removed
 * @AEM_FD_CREATE:      a name came into the directory
 * @AEM_FD_DELETE:      a name was removed from the directory
 * @AEM_FD_RENAME:      a name of the directory was changed, left it, came from another, or changed
 *                      places with another
 * @AEM_FD_MOVED:       the watched file itself was renamed
 * @AEM_FD_LOCK:        locked, or a part of it
 * @AEM_FD_UNLOCK:      unlocked, if it was locked
 * @AEM_FD_GONE:        the watched file itself is no more, and not watched any more;
 *                      told whether asked for or not
 * @AEM_FD_UNMOUNT:     as AEM_FD_GONE, since its file system was unmounted
 * @AEM_FD_ALL:         all that can be asked for, of a watch
 * @AEM_FD_IN:          readable
 * @AEM_FD_PRI:         something urgent can be read
 * @AEM_FD_OUT:         writable
 * @AEM_FD_RDHUP:       the peer of a stream socket has ended what it sends
 * @AEM_FD_POLL_ALL:    all that can be asked for, of a source
 * @AEM_FD_HUP:         hung up; told whether asked for or not
 * @AEM_FD_ERR:         there is an error; likewise
 * @AEM_FD_NVAL:        the descriptor was closed, or what it waited for is gone: the event has
 *                      ended
 */
enum aem_fd_kind {
	AEM_FD_ACCESS		= 1 << 0,
	AEM_FD_MODIFY		= 1 << 1,
	AEM_FD_OPEN		= 1 << 2,
	AEM_FD_CLOSE_WRITE	= 1 << 3,
	AEM_FD_CLOSE_READ	= 1 << 4,
	AEM_FD_CLOSE		= AEM_FD_CLOSE_WRITE | AEM_FD_CLOSE_READ,
	AEM_FD_MODE		= 1 << 5,
	AEM_FD_OWNER		= 1 << 6,
	AEM_FD_ATTR		= 1 << 7,
	AEM_FD_XATTR		= 1 << 8,
	AEM_FD_CREATE		= 1 << 9,
	AEM_FD_DELETE		= 1 << 10,
	AEM_FD_RENAME		= 1 << 11,
	AEM_FD_MOVED		= 1 << 12,
	AEM_FD_LOCK		= 1 << 13,
	AEM_FD_UNLOCK		= 1 << 14,
	AEM_FD_ALL		= (1 << 15) - 1,
	AEM_FD_IN		= 1 << 16,
	AEM_FD_PRI		= 1 << 17,
	AEM_FD_OUT		= 1 << 18,
	AEM_FD_RDHUP		= 1 << 19,
	AEM_FD_POLL_ALL		= AEM_FD_IN | AEM_FD_PRI | AEM_FD_OUT | AEM_FD_RDHUP,
	AEM_FD_HUP		= 1 << 20,
	AEM_FD_ERR		= 1 << 21,
	AEM_FD_NVAL		= 1 << 22,
	AEM_FD_GONE		= 1 << 24,
	AEM_FD_UNMOUNT		= 1 << 25,
};

/**
 * struct aem_fd_watch - register for what happens to a file, or to the files of a directory
 * @size:    sizeof(struct aem_fd_watch)
 * @fd:      where @path begins if it is relative, or AT_FDCWD; without @path the file itself
 * @reg:     handler, cookie, flags, priority; out: id
 * @path:    address of the file's name; 0: the file is @fd
 * @pattern: address of a pattern as of glob(7), shorter than AEM_FD_PATTERN_MAX, that
 *           names in the directory must match, of a rename either one; 0: all
 * @kinds:   enum aem_fd_kind, what to tell of
 * @flags:   AEM_FD_NOFOLLOW, _ONLYDIR, _MERGE, _NOT_ACTOR, _TREE, _PACKED
 * @room:    bytes for notes that wait, AEM_FD_ROOM_MIN to AEM_FD_ROOM_MAX; 0: AEM_FD_ROOM
 * @files:   most files that are watched at a time, 1 to AEM_FD_FILES_MAX; 0: AEM_FD_FILES
 * @actor:   tell only of what this process does, with AEM_FD_NOT_ACTOR only of what others
 *           do; 0: of all
 * @number:  out: of the file, for this event; others are AEM_FD_ADD's
 *
 * Handler's arguments: word[0] kinds, word[1] number of the file, arg[1] offset of a block
 * with a struct aem_fd_note, word[4] AEM_FD_F_*, word[5] the actor's pid. One record for
 * each note.
 *
 * With AEM_FD_PACKED one record has many notes: word[0] bytes of all of them, word[1] how many
 * they are, arg[1] offset of a block, where they lie one after the other. Each is as long as its
 * @length says, and so begins at a multiple of 8; all but the last have AEM_FD_F_MORE. The record's
 * @count is the sum of theirs. It has at least one note, and no more than AEM_FD_PACK bytes
 * hold, or fewer if the vmtable has no block for so many; the rest comes with the next record.
 *
 * Errors: EBADF, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG (the file), EFAULT, EACCES (the caller may
 * not read it), EINVAL, ESRCH (@actor), EPERM (@actor is one that the caller might not
 * kill(2)), EOPNOTSUPP (AEM_FD_LOCK, AEM_FD_UNLOCK: the kernel does not tell of locks), EDQUOT
 * (the user's watches look at as many files as they may), those of the registration.
 */
struct aem_fd_watch {
	__u32 size;
	__s32 fd;
	struct aem_registration reg;
	__aligned_u64 path;
	__aligned_u64 pattern;
	__u32 kinds;
	__u32 flags;
	__u32 room;
	__u32 files;
	__s32 actor;
	__u32 number;
};

/**
 * struct aem_fd_add - watch one file more by the same event
 * @size:   sizeof(struct aem_fd_add)
 * @fd:     as of struct aem_fd_watch
 * @id:     of the event
 * @path:   as of struct aem_fd_watch
 * @flags:  AEM_FD_NOFOLLOW, _ONLYDIR
 * @number: out: of the file
 *
 * Result: 0; 1: the event watches it already, and @number is the one that it has.
 *
 * Errors: as of struct aem_fd_watch; ENOENT (no such event too), ENOSPC (as many as it
 * may watch), EDQUOT (as many as all watches of its user may).
 */
struct aem_fd_add {
	__u32 size;
	__s32 fd;
	__aligned_u64 id;
	__aligned_u64 path;
	__u32 flags;
	__u32 number;
};

/**
 * struct aem_fd_remove - do not watch a file any more
 * @size:   sizeof(struct aem_fd_remove)
 * @number: of the file
 * @id:     of the event
 *
 * Notes that wait are told. Takes the longer, the more files the event watches.
 *
 * Errors: ENOENT (no such event, or no such file).
 */
struct aem_fd_remove {
	__u32 size;
	__u32 number;
	__aligned_u64 id;
};

/**
 * struct aem_fd_poll - register for a file that becomes readable or writable
 * @size:  sizeof(struct aem_fd_poll)
 * @fd:    a descriptor of it
 * @reg:   handler, cookie, flags, priority; out: id
 * @kinds: AEM_FD_IN, _PRI, _OUT, _RDHUP; 0: errors and hanging up only
 * @flags: AEM_FD_EDGE
 *
 * Any file that poll(2) can wait for: pipes, terminals, sockets, eventfd, inotify, devices. What
 * holds is found by asking the file when the handler is due, so it is told of what holds then.
 * After the handler, what still holds of @kinds is told again; with AEM_FD_EDGE only after the file
 * has woken who waits for it, as with EPOLLET. AEM_FD_HUP and AEM_FD_ERR are always told so.
 *
 * The event holds the file open, whatever becomes of the descriptor: who is at the other end of a
 * pipe hears of a close(2) only when the event is gone. If @fd is not that file's any more when
 * something is to be told, AEM_FD_NVAL is told instead, and the event ends after that
 * (AEM_RECORD_F_LAST). AEM_EVENT_STOP lets what happens pass; AEM_EVENT_START tells what holds
 * then.
 *
 * Handler's arguments: word[0] kinds that hold, word[1] @fd.
 *
 * Errors: EBADF, EINVAL; EOPNOTSUPP: the file cannot be polled (regular files, directories), or its
 * answer may have to wait (files and devices of FUSE; epoll, which may contain such); ENOMEM, those
 * of the registration.
 */
struct aem_fd_poll {
	__u32 size;
	__s32 fd;
	struct aem_registration reg;
	__u32 kinds;
	__u32 flags;
};

/** AEM_FD_ROOM: Bytes for notes that wait, unless asked otherwise. */
#define AEM_FD_ROOM		4096
/** AEM_FD_ROOM_MIN: The least that can be asked for: the longest note. */
#define AEM_FD_ROOM_MIN		1024
/** AEM_FD_ROOM_MAX: The most that can be asked for. */
#define AEM_FD_ROOM_MAX		16777216
/** AEM_FD_FILES: Files that one event may watch, unless asked otherwise. */
#define AEM_FD_FILES		1024
/** AEM_FD_FILES_MAX: The most that can be asked for. */
#define AEM_FD_FILES_MAX	1048576
/** AEM_FD_PATTERN_MAX: Bytes of a pattern, its end included. */
#define AEM_FD_PATTERN_MAX	64

/** AEM_FD_PACK: Bytes of the notes of one record, at most. */
#define AEM_FD_PACK		8192

/** AEM_FD_NOFOLLOW: If the last part of the path is a symbolic link, watch the link. */
#define AEM_FD_NOFOLLOW		(1U << 0)
/** AEM_FD_ONLYDIR: ENOTDIR if it is not a directory. */
#define AEM_FD_ONLYDIR		(1U << 1)
/** AEM_FD_MERGE: Count notes that repeat the one before them. */
#define AEM_FD_MERGE		(1U << 2)
/** AEM_FD_NOT_ACTOR: All but what the actor does. */
#define AEM_FD_NOT_ACTOR	(1U << 3)
/**
 * AEM_FD_TREE: Directories that are made in one that is watched are watched too, before the call
 * that makes them returns; if the caller may read them, and there is room. @kinds must have
 * AEM_FD_CREATE.
 */
#define AEM_FD_TREE		(1U << 4)
/** AEM_FD_EDGE: Of AEM_FD_POLL: do not tell again what has been told, and still holds. */
#define AEM_FD_EDGE		(1U << 5)
/** AEM_FD_PACKED: One record for all notes that wait, see struct aem_fd_watch. */
#define AEM_FD_PACKED		(1U << 6)

/**
 * struct aem_fd_note - in the block of a record, with AEM_FD_PACKED one of several
 * @length:    of the note in bytes, names included; a multiple of 8
 * @count:     how often it happened in a row
 * @time:      when first, in nanoseconds of CLOCK_MONOTONIC
 * @kinds:     enum aem_fd_kind
 * @flags:     AEM_FD_F_*
 * @number:    of the watched file; of a rename: of the directory that the name left, 0:
 *             not watched
 * @number2:   of a rename: of the directory that it came to, 0: not watched
 * @pid:       who did it
 * @uid:       its real user
 * @mode:      the file's type and permissions, as of stat(2)
 * @owner:     its user
 * @group:     its group
 * @old_mode:  before
 * @old_owner: before
 * @old_group: before
 * @inode:     its number
 * @name_length:  bytes of the name in the directory; 0: it happened to the watched file itself
 * @name2_length: bytes of a rename's new name
 * @lock:      enum aem_fd_lock_kind
 * @self:      with AEM_FD_TREE, of a directory that came, went or was renamed: its own
 *             number, 0: it is not watched
 * @self2:     with AEM_FD_TREE and AEM_FD_F_EXCHANGE, of a directory that got the old name: its
 *             own number, 0: it is not watched
 * @start:     first byte of what was locked or unlocked
 * @end:       its last byte; 0x7fffffffffffffff: whatever the length
 * @names:     the name and a NUL, the new name and a NUL; either may be empty
 *
 * What AEM_FD_F_* does not say to be known is 0, users and groups the overflow id.
 */
struct aem_fd_note {
	__u32 length;
	__u32 count;
	__aligned_u64 time;
	__u32 kinds;
	__u32 flags;
	__u32 number;
	__u32 number2;
	__s32 pid;
	__u32 uid;
	__u32 mode;
	__u32 owner;
	__u32 group;
	__u32 old_mode;
	__u32 old_owner;
	__u32 old_group;
	__aligned_u64 inode;
	__u16 name_length;
	__u16 name2_length;
	__u32 lock;
	__u32 self;
	__u32 self2;
	__aligned_u64 start;
	__aligned_u64 end;

	__extension__ __u8 names[];
};

/**
 * enum aem_fd_lock_kind - what lock it is
 * @AEM_FD_LOCK_POSIX: of a process, by fcntl(2)
 * @AEM_FD_LOCK_OFD:   of an open file description, by fcntl(2)
 * @AEM_FD_LOCK_FLOCK: of the whole file, by flock(2)
 * @AEM_FD_LOCK_WRITE: besides: exclusive
 */
enum aem_fd_lock_kind {
	AEM_FD_LOCK_POSIX	= 1,
	AEM_FD_LOCK_OFD		= 2,
	AEM_FD_LOCK_FLOCK	= 3,
	AEM_FD_LOCK_WRITE	= 1 << 8,
};

/** AEM_FD_F_DIR: It happened to a directory. */
#define AEM_FD_F_DIR		(1U << 0)
/** AEM_FD_F_ACTOR: @pid and @uid say who did it. */
#define AEM_FD_F_ACTOR		(1U << 1)
/** AEM_FD_F_STAT: @mode, @owner, @group and @inode say what it is now. */
#define AEM_FD_F_STAT		(1U << 2)
/** AEM_FD_F_OLD: @old_mode, @old_owner and @old_group say what they were before. */
#define AEM_FD_F_OLD		(1U << 3)
/**
 * AEM_FD_F_UNSURE: Which attribute changed is not known: @kinds has all that it can be, and
 * was asked for.
 */
#define AEM_FD_F_UNSURE		(1U << 4)
/** AEM_FD_F_LINK: The name that came is one more of a file that there was. */
#define AEM_FD_F_LINK		(1U << 5)
/** AEM_FD_F_EXEC: Opened to be executed. */
#define AEM_FD_F_EXEC		(1U << 6)
/**
 * AEM_FD_F_EXCHANGE: Of a rename: what had the new name has the old one now. @mode, @inode and the
 * like are of the one that has the new name.
 */
#define AEM_FD_F_EXCHANGE	(1U << 7)
/** AEM_FD_F_DIR2: With AEM_FD_F_EXCHANGE: what has the old name now is a directory. */
#define AEM_FD_F_DIR2		(1U << 8)
/** AEM_FD_F_MORE: With AEM_FD_PACKED: another note follows, @length bytes from its start. */
#define AEM_FD_F_MORE		(1U << 9)

#endif /* _UAPI_LINUX_AEM_FD_H */
