// SPDX-License-Identifier: GPL-2.0
/*
 * Locks that files get and lose: by tracepoints, since fsnotify does not know of them.
 *
 * A tracepoint calls with an inode where nothing may sleep, so marks whose watches want to know of
 * locks are in a table by inode besides. A mark is in it from when it is added until it is freed
 * by the kernel or removed: whoever holds the bucket's lock keeps it, and its watch.
 */
#include <linux/dcache.h>
#include <linux/hash.h>
#include <linux/rcupdate.h>
#include <aem/compat/lock.h>
#include <aem/probe.h>
#include "fd.h"

#define BUCKET_BITS	6

/* Marks by their inodes. The locks are taken before that of a watch. */
static struct bucket {
	raw_spinlock_t lock;
	struct hlist_head marks;
} buckets[1 << BUCKET_BITS];

static atomic_t watched;
static bool attached;

static struct bucket *bucket_of(const struct inode *inode)
{
	return &buckets[hash_ptr((void *)inode, BUCKET_BITS)];
}

/** aem_fd_lock_join() - a mark's file is locked or unlocked from now on. */
void aem_fd_lock_join(struct aem_fd_lock_mark *mark, const struct inode *inode)
{
	struct bucket *bucket = bucket_of(inode);

	mark->inode = inode;
	atomic_inc(&watched);
	raw_spin_lock(&bucket->lock);
	hlist_add_head(&mark->node, &bucket->marks);
	raw_spin_unlock(&bucket->lock);
}

/** aem_fd_lock_leave() - no more; no probe knows the mark. */
void aem_fd_lock_leave(struct aem_fd_lock_mark *mark)
{
	struct bucket *bucket = bucket_of(mark->inode);

	raw_spin_lock(&bucket->lock);
	hlist_del(&mark->node);
	raw_spin_unlock(&bucket->lock);
	atomic_dec(&watched);
}

/* All watches that look at @inode hear of it. */
static void tell(const struct inode *inode, struct aem_fd_fact *fact)
{
	struct bucket *bucket = bucket_of(inode);
	struct aem_fd_lock_mark *mark;

	raw_spin_lock(&bucket->lock);
	hlist_for_each_entry(mark, &bucket->marks, node) {
		if (mark->inode != inode)
			continue;
		fact->mark = &mark->mark;
		aem_fd_tell(mark->mark.fsn.group->private, fact);
	}
	raw_spin_unlock(&bucket->lock);
}

/**
 * struct place - a file's name, and its directory
 * @dir:  of it; under RCU
 * @name: with @text
 * @text: the name's bytes
 */
struct place {
	const struct inode *dir;
	struct qstr name;
	unsigned char text[NAME_MAX + 1];
};

/* A name is replaced as a whole, and freed by RCU: what did not change meanwhile can be read. */
static bool read_place(const struct dentry *dentry, struct place *place)
{
	const seqcount_t *count = &dentry->d_seq.seqcount;
	const unsigned char *name;
	unsigned int seq;
	u32 length;

	seq = raw_read_seqcount(count);
	name = READ_ONCE(dentry->d_name.name);
	length = READ_ONCE(dentry->d_name.len);
	place->dir = READ_ONCE(READ_ONCE(dentry->d_parent)->d_inode);
	if (seq & 1 || length > NAME_MAX || read_seqcount_retry(count, seq))
		return false;
	memcpy(place->text, name, length);
	place->text[length] = '\0';
	place->name = (struct qstr)QSTR_INIT(place->text, length);
	return !read_seqcount_retry(count, seq);
}

/* Its lock cannot be taken here. */
static bool find_place(const struct file *file, struct place *place)
{
	const struct dentry *dentry = file->f_path.dentry;
	int attempts = 8;

	if (IS_ROOT(dentry))
		return false;
	while (attempts--)
		if (read_place(dentry, place))
			return place->dir;
	return false;
}

static u32 kind_of(const struct file_lock *lock)
{
	u32 how = aem_lock_type(lock) == F_WRLCK ? AEM_FD_LOCK_WRITE : 0;

	if (aem_lock_flags(lock) & FL_FLOCK)
		return how | AEM_FD_LOCK_FLOCK;
	return how | (aem_lock_flags(lock) & FL_OFDLCK ? AEM_FD_LOCK_OFD : AEM_FD_LOCK_POSIX);
}

static void tell_all(const struct inode *inode, const struct file_lock *lock)
{
	const struct file *file = aem_lock_file(lock);
	struct aem_fd_lock how = {
		.kind = kind_of(lock), .start = lock->fl_start, .end = lock->fl_end,
	};
	struct aem_fd_fact fact = {
		.kinds = aem_lock_type(lock) == F_UNLCK ? AEM_FD_UNLOCK : AEM_FD_LOCK,
		.inode = inode, .lock = &how,
	};
	struct place place;

	tell(inode, &fact);
	if (!file || !find_place(file, &place))
		return;
	fact.child = true;
	fact.name = &place.name;
	tell(place.dir, &fact);
}

static void probe(void *data, struct inode *inode, struct file_lock *lock, int ret)
{
	if (ret || !atomic_read(&watched))
		return;
	rcu_read_lock();
	tell_all(inode, lock);
	rcu_read_unlock();
}

static struct aem_probe probes[] = {
	{ "posix_lock_inode", probe },
	{ "flock_lock_inode", probe },
};

/** aem_fd_lock_is_known() - can locks be told of? */
bool aem_fd_lock_is_known(void)
{
	return attached;
}
EXPORT_SYMBOL_GPL(aem_fd_lock_is_known);

/** aem_fd_lock_init() - look for the tracepoints. Without them, nobody may ask for locks. */
void aem_fd_lock_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(buckets); i++)
		raw_spin_lock_init(&buckets[i].lock);
	attached = !aem_probes_attach(probes, ARRAY_SIZE(probes));
	if (!attached)
		pr_info("aem-fd: no tracepoints of file locks: cannot tell of them\n");
}

/** aem_fd_lock_exit() - no probe runs any more. */
void aem_fd_lock_exit(void)
{
	if (attached)
		aem_probes_detach(probes, ARRAY_SIZE(probes));
}
