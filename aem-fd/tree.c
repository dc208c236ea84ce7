// SPDX-License-Identifier: GPL-2.0
/*
 * Watches of trees: a directory that is made in one that is watched is watched from its birth.
 *
 * The mark is added while mkdir(2) is on its way, before it returns: who made the directory cannot
 * have put anything into it. Marks are taken from a store that the watcher keeps filled, and
 * pays for. What is not added here (the store is empty, a directory comes from elsewhere, a mount
 * maps users) is told as a directory that is not watched: the watcher adds it, and looks into it.
 */
#include <linux/cred.h>
#include <linux/slab.h>
#include <aem/compat/inode.h>
#include "fd.h"

/** STORE: Marks that wait for directories to be made. */
#define STORE	256

static bool is_full(struct aem_fd_watch_state *w)
{
	bool full;

	raw_spin_lock(&w->lock);
	full = w->n_stored >= STORE || w->n_stored + w->n_files >= w->files;
	raw_spin_unlock(&w->lock);
	return full;
}

static void store(struct aem_fd_watch_state *w, struct aem_fd_mark *mark)
{
	raw_spin_lock(&w->lock);
	list_add(&mark->fsn.g_list, &w->store);
	w->n_stored++;
	raw_spin_unlock(&w->lock);
}

/* Counts as a file from now on. */
static struct aem_fd_mark *take(struct aem_fd_watch_state *w)
{
	struct aem_fd_mark *mark = NULL;

	raw_spin_lock(&w->lock);
	if (w->ev && w->n_stored && w->n_files < w->files && aem_fd_user_charge(w->user)) {
		mark = list_first_entry(&w->store, struct aem_fd_mark, fsn.g_list);
		list_del(&mark->fsn.g_list);
		w->n_stored--;
		w->n_files++;
	}
	raw_spin_unlock(&w->lock);
	return mark;
}

/** aem_fd_tree_fill() - fill the store, in the watcher's context. May sleep. */
void aem_fd_tree_fill(struct aem_fd_watch_state *w)
{
	struct aem_fd_mark *mark;

	if (!(w->flags & AEM_FD_TREE))
		return;
	while (!is_full(w)) {
		mark = aem_fd_mark_alloc(w);
		if (!mark)
			return;
		store(w, mark);
	}
}
EXPORT_SYMBOL_GPL(aem_fd_tree_fill);

/** aem_fd_tree_empty() - free the store of a watch that goes. */
void aem_fd_tree_empty(struct aem_fd_watch_state *w)
{
	struct aem_fd_mark *mark, *next;

	list_for_each_entry_safe(mark, next, &w->store, fsn.g_list)
		aem_fd_mark_free(mark);
}

/* As if the watcher itself opened it, from the directory that it watches. */
static bool may_watch(const struct aem_fd_watch_state *w, struct inode *inode, bool *search)
{
	const struct cred *old = override_creds(w->cred);
	bool may = !aem_inode_permission(inode, MAY_READ);

	*search = !aem_inode_permission(inode, MAY_EXEC);
	revert_creds(old);
	return may;
}

/*
 * The watch may have gone meanwhile, and not have seen the mark. Until the kernel's call returns
 * neither mark nor group are freed.
 */
static bool is_over(struct aem_fd_watch_state *w)
{
	bool over;

	raw_spin_lock(&w->lock);
	over = !w->ev;
	raw_spin_unlock(&w->lock);
	return over;
}

/**
 * aem_fd_tree_born() - a directory was made in one that is watched
 * @group:  of the watch
 * @parent: the mark of the one that it is in
 * @inode:  the directory, or NULL
 *
 * Context: that of who made it; may sleep.
 * Return: its number; 0: it is not watched.
 */
u32 aem_fd_tree_born(struct fsnotify_group *group, const struct aem_fd_mark *parent,
		     struct inode *inode)
{
	struct aem_fd_watch_state *w = group->private;
	struct aem_fd_mark *mark;
	bool search;
	u32 number;

	if (!inode || parent->mapped || !parent->search || !may_watch(w, inode, &search))
		return 0;
	mark = take(w);
	if (!mark)
		return 0;
	mark->search = search;
	if (aem_fd_mark_attach(group, mark, inode, &number))
		return 0;
	if (is_over(w))
		fsnotify_destroy_mark(&mark->fsn, group);
	return number;
}

/** aem_fd_tree_number() - the number of a directory, 0: the watch does not look at it. */
u32 aem_fd_tree_number(struct fsnotify_group *group, struct inode *inode)
{
	struct fsnotify_mark *fsn = inode ? aem_find_inode_mark(inode, group) : NULL;
	u32 number;

	if (!fsn)
		return 0;
	number = container_of(fsn, struct aem_fd_mark, fsn)->number;
	fsnotify_put_mark(fsn);
	return number;
}
