/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Service "fd": what its files share. They are two modules. aem-fd is the service, of which there
 * may be several versions:
 *
 *	main.c		the calls, and who may watch what
 *	event.c		the operations of a watch's event
 *	poll.c		files as sources: readable, writable, hung up
 *
 * and aem-fd-marks is what they stand on:
 *
 *	base.c		its beginning and its end
 *	watch.c		a watch, and who hears of what
 *	queue.c		notes that wait
 *	mark.c		files that a watch looks at
 *	tell.c		what the kernel calls with, and who hears of it
 *	tree.c		directories that are watched from their birth
 *	lock.c		locks
 *	change.c	what notify_change() is about to change
 *	user.c		how many files a user watches
 *
 * Each watch is an fsnotify group of its own, as an inotify instance is; so an inode has one mark
 * of it at most, and both directories of a rename are seen at once. The kernel walks
 * marks under an SRCU that is not for modules, so its calls can come until the group is freed:
 * what they look at is the watch, which lives as long as the group, and not the event, which
 * leaves the watch under the lock.
 *
 * Locks, outermost first:
 *
 *	the VFS's		whatever is held where a file changes
 *	mark_mutex of a group	its list of marks
 *	a bucket of lock.c	its marks; raw, not in interrupts
 *	aem_fd_watch.lock	the watch's notes and its event; raw, not in interrupts
 *	the core's		an event is activated under its watch's lock
 *
 * The locks of change.c are leaves, and so is that of the core by which users are found.
 */
#ifndef _AEM_FD_FD_H
#define _AEM_FD_FD_H

#include <linux/bitops.h>
#include <linux/cred.h>
#include <linux/fsnotify_backend.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/spinlock.h>
#include <uapi/linux/aem_fd.h>
#include <aem/service.h>
#include <aem/user.h>

/** AEM_FD_LOCKS: Kinds that tracepoints tell of. */
#define AEM_FD_LOCKS		(AEM_FD_LOCK | AEM_FD_UNLOCK)
/** AEM_FD_ATTRIBUTES: Kinds that the kernel does not tell apart. */
#define AEM_FD_ATTRIBUTES	(AEM_FD_MODE | AEM_FD_OWNER | AEM_FD_ATTR | AEM_FD_XATTR)

/**
 * struct aem_fd_queue - notes that wait, a ring of bytes
 * @bytes: the ring; constant
 * @size:  of it, a multiple of 8; constant
 * @head:  where the oldest note begins
 * @tail:  where the newest note ends
 * @end:   where the notes end that come before those at the start of the ring, if there are such
 * @last:  where the newest note begins, if there is any
 * @n:     how many notes
 * @lost:  notes that found no room since the last record
 *
 * Under the watch's lock.
 */
struct aem_fd_queue {
	u8 *bytes;
	u32 size;
	u32 head;
	u32 tail;
	u32 end;
	u32 last;
	u32 n;
	u32 lost;
};

/**
 * struct aem_fd_taken - what was taken out of a queue
 * @bytes: of all notes
 * @n:     how many notes
 * @count: occurrences that they stand for
 * @first: if one was asked for: its head, for the note itself lies where others write
 */
struct aem_fd_taken {
	u32 bytes;
	u32 n;
	u32 count;
	struct aem_fd_note first;
};

/**
 * struct aem_fd_watch_state - what an event of the service watches; the group's private part
 * @lock:    protects @ev, @queue and @n_files
 * @ev:      the event; NULL: it is unregistered
 * @cred:    the credentials that registered it; constant
 * @owner:   the process that did; constant
 * @user:    whose files it counts; constant
 * @actor:   tell of this one only, or of all others; or NULL; constant
 * @flags:   AEM_FD_*; constant
 * @kinds:   enum aem_fd_kind; constant
 * @files:   most files; constant
 * @n_files: how many there are
 * @number:  of the newest file; mark_mutex
 * @queue:   notes
 * @store:   marks for directories that will be made; @lock
 * @n_stored: how many; @lock
 * @pattern: of names, empty: all; constant
 */
struct aem_fd_watch_state {
	raw_spinlock_t lock;
	struct event_struct *ev;
	const struct cred *cred;
	struct pid *owner;
	struct aem_user *user;
	struct pid *actor;
	u32 flags;
	u32 kinds;
	u32 files;
	u32 n_files;
	u32 number;
	struct aem_fd_queue queue;
	struct list_head store;
	u32 n_stored;
	char pattern[AEM_FD_PATTERN_MAX];
};

/**
 * struct aem_fd_event - the private part of an event of the service
 * @group: its watch is the group's private part; constant
 */
struct aem_fd_event {
	struct fsnotify_group *group;
};

/**
 * struct aem_fd_source - the private part of the event of a file that is a source
 * @file: with a reference, from before the job is attached until @release; constant
 * @fd:   the number that it was registered by, which handlers are told; constant
 * @how:  kinds that are asked for, and AEM_FD_EDGE; constant
 */
struct aem_fd_source {
	struct file *file;
	s32 fd;
	u32 how;
};

/** union aem_fd_private - what an event of the service may have */
union aem_fd_private {
	struct aem_fd_event watch;
	struct aem_fd_source source;
};

/**
 * struct aem_fd_mark - a file that is watched
 * @fsn:    the kernel's part
 * @number: by which the watch knows it; constant
 * @search: its directory may be searched by who registered it; constant
 * @mapped: it was found through a mount that maps users; constant
 * @locks:  it is part of a struct aem_fd_lock_mark; constant
 * @over:   its end was told, or asked for
 * @half:   the kernel has told of the first half of an exchange of names; the directory's lock
 */
struct aem_fd_mark {
	struct fsnotify_mark fsn;
	u32 number;
	bool search : 1;
	bool mapped : 1;
	bool locks : 1;
	bool over;
	bool half;
};

/**
 * struct aem_fd_lock_mark - a file whose locks are watched
 * @mark:  as any other
 * @node:  in its bucket; under the bucket's lock
 * @inode: compared only; constant
 */
struct aem_fd_lock_mark {
	struct aem_fd_mark mark;
	struct hlist_node node;
	const struct inode *inode;
};

/**
 * struct aem_fd_lock - a lock that a file got or lost
 * @kind:  enum aem_fd_lock_kind
 * @start: first byte
 * @end:   last byte
 */
struct aem_fd_lock {
	u32 kind;
	u64 start;
	u64 end;
};

/**
 * struct aem_fd_fact - something happened, and this watch looks at the file
 * @kinds: enum aem_fd_kind
 * @flags: AEM_FD_F_* that are known from the start
 * @mark:  the file's, of a rename the one of the old directory
 * @mark2: of a rename: that of the new directory
 * @inode: that it happened to, NULL: not known
 * @self:  its number, if it is a directory of a tree that is watched
 * @self2: likewise of what it changed places with
 * @child: that is not @mark's own
 * @link:  if an attribute changed, it is the number of links
 * @lock:  or NULL
 * @name:  in the directory, or NULL
 * @name2: of a rename: the new name, or NULL
 */
struct aem_fd_fact {
	u32 kinds;
	u32 flags;
	const struct aem_fd_mark *mark;
	const struct aem_fd_mark *mark2;
	const struct inode *inode;
	u32 self;
	u32 self2;
	bool child;
	bool link;
	const struct aem_fd_lock *lock;
	const struct qstr *name;
	const struct qstr *name2;
};

/**
 * struct aem_fd_change - what notify_change() found
 * @valid: ATTR_* that it was called with
 * @mode:  before
 * @uid:   before
 * @gid:   before
 */
struct aem_fd_change {
	unsigned int valid;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
};

/**
 * AEM_FD_LAYOUT: Of union aem_fd_private. What a watch leads to is of aem-fd-marks, so all versions
 * that can be loaded at a time have the same.
 */
#define AEM_FD_LAYOUT		1

/**
 * aem_fd_kinds_of() - kinds that stand for bits of the kernel's
 * @table: what each of the 32 bits stands for, enum aem_fd_kind
 * @mask:  bits
 */
static inline u32 aem_fd_kinds_of(const u32 *table, u32 mask)
{
	u32 kinds = 0;

	for (; mask; mask &= mask - 1)
		kinds |= table[__ffs(mask)];
	return kinds;
}

/* event.c */
extern const struct aem_event_ops aem_fd_events;

/* poll.c */
extern const struct aem_event_ops aem_fd_sources;
__poll_t fuse_file_poll(struct file *file, struct poll_table_struct *wait);
long aem_fd_poll(const struct aem_caller *caller, void *argument);

/* watch.c */
int aem_fd_init(struct event_struct *ev, const struct aem_fd_watch *request,
		const char *pattern, struct pid *actor);
void aem_fd_tell(struct aem_fd_watch_state *w, const struct aem_fd_fact *fact);
u32 aem_fd_peek(struct aem_fd_watch_state *w, u32 *least);
bool aem_fd_pop(struct aem_fd_watch_state *w, struct aem_delivery *d, struct aem_fd_taken *taken);
void aem_fd_release(struct event_struct *ev);
void aem_fd_watch_free(struct aem_fd_watch_state *w);
void aem_fd_await_end(void);

static inline struct fsnotify_group *aem_fd_group_of(struct event_struct *ev)
{
	return ((struct aem_fd_event *)aem_event_private(ev))->group;
}

/* queue.c */
int aem_fd_queue_init(struct aem_fd_queue *queue, u32 size);
void aem_fd_queue_free(struct aem_fd_queue *queue);
void aem_fd_queue_put(struct aem_fd_queue *queue, struct aem_fd_note *note,
		      const struct aem_fd_fact *fact, bool merge);
u32 aem_fd_queue_peek(const struct aem_fd_queue *queue, u32 limit, u32 *least);
void aem_fd_queue_pop(struct aem_fd_queue *queue, void *to, u32 limit,
		      struct aem_fd_taken *taken);

/* mark.c */
extern const struct fsnotify_ops aem_fd_ops;
int aem_fd_mark_init(void);
void aem_fd_mark_exit(void);
struct aem_fd_mark *aem_fd_mark_alloc(const struct aem_fd_watch_state *w);
void aem_fd_mark_free(struct aem_fd_mark *mark);
int aem_fd_mark_attach(struct fsnotify_group *group, struct aem_fd_mark *mark,
		       struct inode *inode, u32 *number);
int aem_fd_mark_add(struct fsnotify_group *group, const struct path *path, u32 *number);
int aem_fd_mark_remove(struct fsnotify_group *group, u32 number);
void aem_fd_mark_remove_all(struct fsnotify_group *group);

/* tell.c */
u32 aem_fd_mask(const struct aem_fd_watch_state *w, const struct inode *inode);
int aem_fd_happened(struct fsnotify_group *group, u32 mask, const void *data, int data_type,
		    struct inode *dir, const struct qstr *name, u32 cookie,
		    struct fsnotify_iter_info *iter);

/* tree.c */
void aem_fd_tree_fill(struct aem_fd_watch_state *w);
void aem_fd_tree_empty(struct aem_fd_watch_state *w);
u32 aem_fd_tree_born(struct fsnotify_group *group, const struct aem_fd_mark *parent,
		     struct inode *inode);
u32 aem_fd_tree_number(struct fsnotify_group *group, struct inode *inode);

/* lock.c */
void aem_fd_lock_join(struct aem_fd_lock_mark *mark, const struct inode *inode);
void aem_fd_lock_leave(struct aem_fd_lock_mark *mark);
bool aem_fd_lock_is_known(void);
void aem_fd_lock_init(void);
void aem_fd_lock_exit(void);

/* user.c */
struct aem_user *aem_fd_user_get(void);
bool aem_fd_user_charge(struct aem_user *user);

/* change.c */
void aem_fd_change_want(bool want);
bool aem_fd_change_find(const struct inode *inode, struct aem_fd_change *change);
bool aem_fd_change_is_known(void);
void aem_fd_change_init(void);
void aem_fd_change_exit(void);

#endif /* _AEM_FD_FD_H */
