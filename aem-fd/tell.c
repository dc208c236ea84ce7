// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel calls with when something happens to a file, and what becomes of it.
 *
 * Called in the context of who does it, before the system call returns, with whatever locks the
 * file system holds: nothing is allocated and nothing waits, but for a directory of a tree that is
 * made (tree.c), as who makes it does.
 */
#include <linux/dcache.h>
#include <linux/log2.h>
#include "fd.h"

/* By what the kernel calls them. */
static const u32 kinds[BITS_PER_TYPE(u32)] = {
	[ilog2(FS_ACCESS)] = AEM_FD_ACCESS,
	[ilog2(FS_MODIFY)] = AEM_FD_MODIFY,
	[ilog2(FS_OPEN)] = AEM_FD_OPEN,
	[ilog2(FS_CLOSE_WRITE)] = AEM_FD_CLOSE_WRITE,
	[ilog2(FS_CLOSE_NOWRITE)] = AEM_FD_CLOSE_READ,
	[ilog2(FS_ATTRIB)] = AEM_FD_ATTRIBUTES,
	[ilog2(FS_CREATE)] = AEM_FD_CREATE,
	[ilog2(FS_DELETE)] = AEM_FD_DELETE,
	[ilog2(FS_RENAME)] = AEM_FD_RENAME,
	[ilog2(FS_MOVE_SELF)] = AEM_FD_MOVED,
	[ilog2(FS_DELETE_SELF)] = AEM_FD_GONE,
	[ilog2(FS_UNMOUNT)] = AEM_FD_UNMOUNT,
};

#define OVER	(AEM_FD_GONE | AEM_FD_UNMOUNT)

/** aem_fd_mask() - what the kernel shall tell of an inode. */
u32 aem_fd_mask(const struct aem_fd_watch_state *w, const struct inode *inode)
{
	u32 mask = S_ISDIR(inode->i_mode) ? FS_EVENT_ON_CHILD : 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((w->kinds | OVER) & kinds[i])
			mask |= BIT(i);
	return mask;
}

static u32 flags_of(u32 mask, int data_type)
{
	return (mask & FS_ISDIR ? AEM_FD_F_DIR : 0) | (mask & FS_OPEN_EXEC ? AEM_FD_F_EXEC : 0) |
	       /* A new file comes as its dentry, one that was there as its inode. */
	       (mask & FS_CREATE && data_type == FSNOTIFY_EVENT_INODE ? AEM_FD_F_LINK : 0);
}

static bool is_tree(struct fsnotify_group *group, u32 mask)
{
	const struct aem_fd_watch_state *w = group->private;

	return w->flags & AEM_FD_TREE && mask & FS_ISDIR;
}

static u32 self_of(struct fsnotify_group *group, u32 mask, struct inode *inode)
{
	return is_tree(group, mask) ? aem_fd_tree_number(group, inode) : 0;
}

/*
 * What has the name that another has just lost: only with RENAME_EXCHANGE somebody does, as long
 * as the directories are locked. Or a whiteout, which hides what lies below it, and was nowhere
 * before.
 */
static struct dentry *partner_of(struct inode *dir, const struct qstr *name)
{
	struct dentry *parent = d_find_any_alias(dir), *partner;

	partner = parent ? d_lookup(parent, name) : NULL;
	dput(parent);
	if (partner && (d_is_negative(partner) || IS_WHITEOUT(d_inode(partner)))) {
		dput(partner);
		return NULL;
	}
	return partner;
}

/* The kernel tells of an exchange as of two renames. Both directories stay locked. */
static bool was_told(struct aem_fd_fact *fact)
{
	struct aem_fd_mark *marks[] = {
		(struct aem_fd_mark *)fact->mark, (struct aem_fd_mark *)fact->mark2,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!marks[i] || !marks[i]->half)
			continue;
		marks[i]->half = false;
		return true;
	}
	marks[marks[0] ? 0 : 1]->half = true;
	return false;
}

/* Return: it is to be told. */
static bool look_for_exchange(struct fsnotify_group *group, struct aem_fd_fact *fact,
			      struct inode *dir, const struct qstr *name)
{
	struct dentry *partner = partner_of(dir, name);
	bool first;

	if (!partner)
		return true;
	first = !was_told(fact);
	if (first) {
		fact->flags |= AEM_FD_F_EXCHANGE | (d_is_dir(partner) ? AEM_FD_F_DIR2 : 0);
		fact->self2 = self_of(group, d_is_dir(partner) ? FS_ISDIR : 0, d_inode(partner));
	}
	dput(partner);
	return first;
}

/*
 * The kernel calls once for a rename, with the marks of both directories, if there are two.
 */
static void renamed(struct fsnotify_group *group, u32 mask, struct dentry *moved,
		    struct inode *dir, const struct qstr *name, struct fsnotify_iter_info *iter)
{
	struct fsnotify_mark *old = fsnotify_iter_mark(iter, FSNOTIFY_ITER_TYPE_INODE);
	struct fsnotify_mark *new = fsnotify_iter_mark(iter, FSNOTIFY_ITER_TYPE_INODE2);
	struct aem_fd_fact fact = {
		.kinds = AEM_FD_RENAME, .flags = flags_of(mask & FS_ISDIR, 0), .child = true,
		.inode = d_inode(moved), .self = self_of(group, mask, d_inode(moved)),
	};

	/* Nobody can rename it meanwhile. */
	if (d_inode(moved->d_parent) == dir)
		new = old;
	if (old && old->mask & FS_RENAME) {
		fact.mark = container_of(old, struct aem_fd_mark, fsn);
		fact.name = name;
	}
	if (new && new->mask & FS_RENAME) {
		fact.mark2 = container_of(new, struct aem_fd_mark, fsn);
		fact.name2 = &moved->d_name;
	}
	if ((fact.mark || fact.mark2) && look_for_exchange(group, &fact, dir, name))
		aem_fd_tell(group->private, &fact);
}

/* The mark may have been asked because another of the same call is interested. */
static void tell(struct fsnotify_group *group, struct fsnotify_mark *fsn, u32 mask,
		 int data_type, struct inode *inode, const struct qstr *name)
{
	struct aem_fd_mark *mark = container_of(fsn, struct aem_fd_mark, fsn);
	struct aem_fd_fact fact = {
		.kinds = aem_fd_kinds_of(kinds, mask & fsn->mask),
		.flags = flags_of(mask, data_type),
		.mark = mark, .inode = inode, .child = name, .name = name,
		/* Other attributes come with the dentry. */
		.link = data_type == FSNOTIFY_EVENT_INODE,
	};

	if (!fact.kinds)
		return;
	if (fact.kinds & OVER)
		WRITE_ONCE(mark->over, true);
	if (name && mask & FS_CREATE && is_tree(group, mask))
		fact.self = aem_fd_tree_born(group, mark, inode);
	else if (name)
		fact.self = self_of(group, mask, inode);
	aem_fd_tell(group->private, &fact);
}

/** aem_fd_happened() - handle_event of the groups. Return: 0. */
int aem_fd_happened(struct fsnotify_group *group, u32 mask, const void *data, int data_type,
		    struct inode *dir, const struct qstr *name, u32 cookie,
		    struct fsnotify_iter_info *iter)
{
	struct fsnotify_mark *parent = fsnotify_iter_mark(iter, FSNOTIFY_ITER_TYPE_PARENT);
	struct fsnotify_mark *own = fsnotify_iter_mark(iter, FSNOTIFY_ITER_TYPE_INODE);
	struct inode *inode = fsnotify_data_inode(data, data_type);

	if (mask & FS_RENAME) {
		renamed(group, mask, fsnotify_data_dentry(data, data_type), dir, name, iter);
		return 0;
	}
	if (parent)
		tell(group, parent, mask, data_type, inode, name);
	/* What happens to the file itself may come with the name that it has in its directory. */
	if (own)
		tell(group, own, mask, data_type, inode,
		     mask & ALL_FSNOTIFY_DIRENT_EVENTS ? name : NULL);
	return 0;
}
