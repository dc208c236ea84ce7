// SPDX-License-Identifier: GPL-2.0
/*
 * Files that a watch looks at: the marks of its group.
 *
 * A mark holds its inode in memory until the file is gone, its file system is unmounted, or it is
 * removed. Whichever comes first calls freeing_mark(), once, where the reference of the maker
 * is given back.
 */
#include <linux/mount.h>
#include <linux/slab.h>
#include "fd.h"

static struct kmem_cache *marks, *lock_marks;

static struct aem_fd_mark *mark_of(struct fsnotify_mark *fsn)
{
	return container_of(fsn, struct aem_fd_mark, fsn);
}

static struct aem_fd_lock_mark *lock_mark_of(struct aem_fd_mark *mark)
{
	return container_of(mark, struct aem_fd_lock_mark, mark);
}

/** aem_fd_mark_alloc() - a mark of no file yet. Return: NULL: no memory. */
struct aem_fd_mark *aem_fd_mark_alloc(const struct aem_fd_watch_state *w)
{
	struct aem_fd_lock_mark *lock_mark;

	if (!(w->kinds & AEM_FD_LOCKS))
		return kmem_cache_zalloc(marks, GFP_KERNEL);
	lock_mark = kmem_cache_zalloc(lock_marks, GFP_KERNEL);
	if (!lock_mark)
		return NULL;
	lock_mark->mark.locks = true;
	return &lock_mark->mark;
}

/** aem_fd_mark_free() - of no file. */
void aem_fd_mark_free(struct aem_fd_mark *mark)
{
	if (mark->locks)
		kmem_cache_free(lock_marks, lock_mark_of(mark));
	else
		kmem_cache_free(marks, mark);
}

static void free_mark(struct fsnotify_mark *fsn)
{
	aem_fd_mark_free(mark_of(fsn));
}

/* One more, if there is room. Return: 0, -ENOSPC, -EDQUOT. */
static int count(struct aem_fd_watch_state *w)
{
	bool room;

	if (!aem_fd_user_charge(w->user))
		return -EDQUOT;
	raw_spin_lock(&w->lock);
	room = w->n_files < w->files;
	w->n_files += room;
	raw_spin_unlock(&w->lock);
	if (room)
		return 0;
	aem_user_uncharge(w->user);
	return -ENOSPC;
}

static void uncount(struct aem_fd_watch_state *w)
{
	raw_spin_lock(&w->lock);
	w->n_files--;
	raw_spin_unlock(&w->lock);
	aem_user_uncharge(w->user);
}

/* Some file systems let go of an inode without a word. */
static void freeing_mark(struct fsnotify_mark *fsn, struct fsnotify_group *group)
{
	struct aem_fd_watch_state *w = group->private;
	struct aem_fd_mark *mark = mark_of(fsn);
	struct aem_fd_fact fact = { .kinds = AEM_FD_GONE, .mark = mark };

	if (mark->locks)
		aem_fd_lock_leave(lock_mark_of(mark));
	if (!READ_ONCE(mark->over))
		aem_fd_tell(w, &fact);
	uncount(w);
	fsnotify_put_mark(fsn);
}

/* The last mark of the group, or who made it, has gone: no call is on its way. */
static void free_group_priv(struct fsnotify_group *group)
{
	aem_fd_watch_free(group->private);
}

const struct fsnotify_ops aem_fd_ops = {
	.handle_event = aem_fd_happened,
	.free_group_priv = free_group_priv,
	.freeing_mark = freeing_mark,
	.free_mark = free_mark,
};

static u32 next_number(struct fsnotify_group *group)
{
	struct aem_fd_watch_state *w = group->private;
	u32 number;

	fsnotify_group_lock(group);
	number = ++w->number;
	fsnotify_group_unlock(group);
	return number;
}

/* It must be in the table before the kernel can call freeing_mark(). */
static int add(struct fsnotify_group *group, struct aem_fd_mark *mark, struct inode *inode)
{
	int err;

	if (mark->locks)
		aem_fd_lock_join(lock_mark_of(mark), inode);
	err = fsnotify_add_inode_mark(&mark->fsn, inode, 0);
	if (!err)
		return 0;
	if (mark->locks)
		aem_fd_lock_leave(lock_mark_of(mark));
	/* Not attached, it is freed at once. */
	fsnotify_put_mark(&mark->fsn);
	return err;
}

/**
 * aem_fd_mark_attach() - a watch looks at an inode from now on
 * @group:  of the watch, where the mark is counted; if it fails it is not any more
 * @mark:   of no file yet; taken over
 * @inode:  the file
 * @number: out: of the file, set before the kernel calls for it
 *
 * Context: may sleep.
 * Return: 0, -EEXIST: the watch looks at it already; -ENOMEM.
 */
int aem_fd_mark_attach(struct fsnotify_group *group, struct aem_fd_mark *mark,
		       struct inode *inode, u32 *number)
{
	struct aem_fd_watch_state *w = group->private;
	int err;

	fsnotify_init_mark(&mark->fsn, group);
	mark->fsn.mask = aem_fd_mask(w, inode);
	mark->number = next_number(group);
	*number = mark->number;
	err = add(group, mark, inode);
	if (err)
		uncount(w);
	return err;
}

/**
 * aem_fd_mark_add() - a watch looks at one file more
 * @group:  of the watch
 * @path:   the file, which the caller may watch
 * @number: out: of the file
 *
 * Context: process context, may sleep.
 * Return: 0; 1: the watch looks at it already; -ENOSPC, -EDQUOT, -ENOMEM.
 */
int aem_fd_mark_add(struct fsnotify_group *group, const struct path *path, u32 *number)
{
	struct aem_fd_watch_state *w = group->private;
	struct inode *inode = d_inode(path->dentry);
	struct aem_fd_mark *mark;
	int err;

	*number = aem_fd_tree_number(group, inode);
	if (*number)
		return 1;
	err = count(w);
	if (err)
		return err;
	mark = aem_fd_mark_alloc(w);
	if (!mark) {
		uncount(w);
		return -ENOMEM;
	}
	mark->search = !S_ISDIR(inode->i_mode) || !path_permission(path, MAY_EXEC);
	mark->mapped = is_idmapped_mnt(path->mnt);
	err = aem_fd_mark_attach(group, mark, inode, number);
	if (err != -EEXIST)
		return err;
	/* Meanwhile somebody else did so. */
	*number = aem_fd_tree_number(group, inode);
	return *number ? 1 : -ENOENT;
}
EXPORT_SYMBOL_GPL(aem_fd_mark_add);

/* A reference on the mark with this number, 0: the first; or NULL. */
static struct fsnotify_mark *get(struct fsnotify_group *group, u32 number)
{
	struct fsnotify_mark *fsn, *found = NULL;

	fsnotify_group_lock(group);
	list_for_each_entry(fsn, &group->marks_list, g_list) {
		if (number && mark_of(fsn)->number != number)
			continue;
		refcount_inc(&fsn->refcnt);
		found = fsn;
		break;
	}
	fsnotify_group_unlock(group);
	return found;
}

/** aem_fd_mark_remove() - a watch does not look at a file any more. Return: 0, -ENOENT. */
int aem_fd_mark_remove(struct fsnotify_group *group, u32 number)
{
	struct fsnotify_mark *fsn = number ? get(group, number) : NULL;

	if (!fsn)
		return -ENOENT;
	WRITE_ONCE(mark_of(fsn)->over, true);
	fsnotify_destroy_mark(fsn, group);
	fsnotify_put_mark(fsn);
	return 0;
}
EXPORT_SYMBOL_GPL(aem_fd_mark_remove);

/** aem_fd_mark_remove_all() - a watch, which has no event any more, looks at nothing. */
void aem_fd_mark_remove_all(struct fsnotify_group *group)
{
	struct fsnotify_mark *fsn;

	while ((fsn = get(group, 0))) {
		fsnotify_destroy_mark(fsn, group);
		fsnotify_put_mark(fsn);
		cond_resched();
	}
}

/** aem_fd_mark_init() - before the first mark. Return: 0 or -ENOMEM. */
int aem_fd_mark_init(void)
{
	marks = KMEM_CACHE(aem_fd_mark, SLAB_ACCOUNT);
	lock_marks = KMEM_CACHE(aem_fd_lock_mark, SLAB_ACCOUNT);
	if (marks && lock_marks)
		return 0;
	aem_fd_mark_exit();
	return -ENOMEM;
}

/** aem_fd_mark_exit() - after the last one. */
void aem_fd_mark_exit(void)
{
	kmem_cache_destroy(marks);
	kmem_cache_destroy(lock_marks);
}
