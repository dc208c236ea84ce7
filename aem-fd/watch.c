// SPDX-License-Identifier: GPL-2.0
/*
 * A watch: who hears of what.
 */
#include <linux/delay.h>
#include <linux/glob.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>
#include <aem/cred.h>
#include "fd.h"

/* Watches whose groups are not freed yet: as long the kernel may call us. */
static atomic_t alive;

static bool is_known(const struct aem_fd_watch_state *w)
{
	return task_tgid(current) == w->owner || aem_cred_may_signal(w->cred, current_cred());
}

/* Who cannot be told of cannot be chosen either. */
static bool is_wanted_actor(const struct aem_fd_watch_state *w)
{
	bool is_actor = task_tgid(current) == w->actor && is_known(w);

	return !w->actor || is_actor == !(w->flags & AEM_FD_NOT_ACTOR);
}

static bool matches(const struct aem_fd_watch_state *w, const struct qstr *name)
{
	return name && glob_match(w->pattern, name->name);
}

static bool is_wanted(const struct aem_fd_watch_state *w, const struct aem_fd_fact *fact, u32 kinds)
{
	if (!(kinds & w->kinds))
		return false;
	if (w->pattern[0] && fact->child && !matches(w, fact->name) && !matches(w, fact->name2))
		return false;
	return is_wanted_actor(w);
}

static u32 kinds_of_change(const struct aem_fd_change *change, const struct inode *inode)
{
	u32 kinds = 0;

	if (change->valid & ATTR_MODE || change->mode != inode->i_mode)
		kinds |= AEM_FD_MODE;
	if (change->valid & (ATTR_UID | ATTR_GID))
		kinds |= AEM_FD_OWNER;
	if (change->valid & (ATTR_ATIME | ATTR_MTIME))
		kinds |= AEM_FD_ATTR;
	return kinds;
}

/**
 * struct view - of a fact, as a watch may see it
 * @fact:   what is told
 * @kinds:  of it, attributes told apart
 * @note:   in the making
 * @change: what was before
 * @old:    that is known
 */
struct view {
	const struct aem_fd_fact *fact;
	u32 kinds;
	struct aem_fd_note note;
	struct aem_fd_change change;
	bool old;
};

/* The kernel has said only that it is one of them. */
static void tell_apart(struct view *view)
{
	const struct aem_fd_fact *fact = view->fact;
	u32 kinds = AEM_FD_ATTRIBUTES;

	if (!fact->inode)
		return;
	view->old = aem_fd_change_find(fact->inode, &view->change);
	if (view->old)
		kinds = kinds_of_change(&view->change, fact->inode);
	else if (fact->link)
		kinds = AEM_FD_ATTR;
	else if (aem_fd_change_is_known())
		kinds = AEM_FD_XATTR;
	else
		view->note.flags = AEM_FD_F_UNSURE;
	view->kinds = (fact->kinds & ~AEM_FD_ATTRIBUTES) | kinds;
}

/* Nearly always it is the first of all namespaces, where they are what they are. */
static u32 user_in(struct user_namespace *ns, kuid_t uid)
{
	return ns == &init_user_ns && uid_valid(uid) ? __kuid_val(uid) : from_kuid_munged(ns, uid);
}

static u32 group_in(struct user_namespace *ns, kgid_t gid)
{
	return ns == &init_user_ns && gid_valid(gid) ? __kgid_val(gid) : from_kgid_munged(ns, gid);
}

static void fill_actor(const struct aem_fd_watch_state *w, struct aem_fd_note *note)
{
	note->uid = overflowuid;
	if (!is_known(w))
		return;
	note->flags |= AEM_FD_F_ACTOR;
	note->pid = task_tgid_nr_ns(current, ns_of_pid(w->owner));
	note->uid = user_in(w->cred->user_ns, current_uid());
}

static bool may_stat(const struct aem_fd_fact *fact)
{
	return fact->inode && (!fact->mark || fact->mark->search || !fact->child) &&
	       (!fact->mark2 || fact->mark2->search);
}

static bool is_mapped(const struct aem_fd_fact *fact)
{
	return (fact->mark && fact->mark->mapped) || (fact->mark2 && fact->mark2->mapped);
}

static u32 user(const struct aem_fd_watch_state *w, const struct aem_fd_fact *fact, kuid_t uid)
{
	return is_mapped(fact) ? overflowuid : user_in(w->cred->user_ns, uid);
}

static u32 group(const struct aem_fd_watch_state *w, const struct aem_fd_fact *fact, kgid_t gid)
{
	return is_mapped(fact) ? overflowgid : group_in(w->cred->user_ns, gid);
}

static void fill_stat(const struct aem_fd_watch_state *w, struct view *view)
{
	const struct aem_fd_fact *fact = view->fact;
	struct aem_fd_note *note = &view->note;

	note->owner = overflowuid;
	note->group = overflowgid;
	note->old_owner = overflowuid;
	note->old_group = overflowgid;
	if (!may_stat(fact))
		return;
	note->flags |= AEM_FD_F_STAT;
	note->mode = fact->inode->i_mode;
	note->owner = user(w, fact, fact->inode->i_uid);
	note->group = group(w, fact, fact->inode->i_gid);
	note->inode = fact->inode->i_ino;
	if (!view->old)
		return;
	note->flags |= AEM_FD_F_OLD;
	note->old_mode = view->change.mode;
	note->old_owner = user(w, fact, view->change.uid);
	note->old_group = group(w, fact, view->change.gid);
}

static void fill(const struct aem_fd_watch_state *w, struct view *view)
{
	const struct aem_fd_fact *fact = view->fact;
	struct aem_fd_note *note = &view->note;

	note->time = ktime_get_ns();
	note->kinds = view->kinds & (w->kinds | AEM_FD_GONE | AEM_FD_UNMOUNT);
	note->flags |= fact->flags;
	note->number = fact->mark ? fact->mark->number : 0;
	note->number2 = fact->mark2 ? fact->mark2->number : 0;
	note->self = fact->self;
	note->self2 = fact->self2;
	if (fact->lock) {
		note->lock = fact->lock->kind;
		note->start = fact->lock->start;
		note->end = fact->lock->end;
	}
	fill_actor(w, note);
	fill_stat(w, view);
}

static void put(struct aem_fd_watch_state *w, struct view *view)
{
	raw_spin_lock(&w->lock);
	if (w->ev) {
		aem_fd_queue_put(&w->queue, &view->note, view->fact, w->flags & AEM_FD_MERGE);
		aem_event_activate(w->ev);
	}
	raw_spin_unlock(&w->lock);
}

/**
 * aem_fd_tell() - something happened to a file that a watch looks at
 * @w:    the watch
 * @fact: what
 *
 * Context: that of who does it.
 */
void aem_fd_tell(struct aem_fd_watch_state *w, const struct aem_fd_fact *fact)
{
	struct view view = { .fact = fact, .kinds = fact->kinds };

	if (view.kinds & AEM_FD_ATTRIBUTES)
		tell_apart(&view);
	if (!(view.kinds & (AEM_FD_GONE | AEM_FD_UNMOUNT)) && !is_wanted(w, fact, view.kinds))
		return;
	fill(w, &view);
	put(w, &view);
}

/**
 * aem_fd_peek() - bytes that the next record wants, 0: there is none
 * @w:     the watch
 * @least: out: bytes that it needs
 */
u32 aem_fd_peek(struct aem_fd_watch_state *w, u32 *least)
{
	u32 bytes;

	raw_spin_lock(&w->lock);
	bytes = aem_fd_queue_peek(&w->queue, w->flags & AEM_FD_PACKED ? AEM_FD_PACK : 0, least);
	raw_spin_unlock(&w->lock);
	return bytes;
}
EXPORT_SYMBOL_GPL(aem_fd_peek);

/**
 * aem_fd_pop() - take the oldest note, or with AEM_FD_PACKED as many as there is room for
 * @w:     the watch, whose event has one constructor at a time: so what was seen is still there
 * @d:     its block, as long as aem_fd_peek() said at least, is filled, and losses are added
 * @taken: out: what was taken
 *
 * Return: whether there are others.
 */
bool aem_fd_pop(struct aem_fd_watch_state *w, struct aem_delivery *d, struct aem_fd_taken *taken)
{
	bool more;

	raw_spin_lock(&w->lock);
	aem_fd_queue_pop(&w->queue, d->block.address,
			 w->flags & AEM_FD_PACKED ? d->block.size : 0, taken);
	d->lost += w->queue.lost;
	w->queue.lost = 0;
	more = w->queue.n;
	raw_spin_unlock(&w->lock);
	return more;
}
EXPORT_SYMBOL_GPL(aem_fd_pop);

/** aem_fd_watch_free() - the kernel does not call for it any more. */
void aem_fd_watch_free(struct aem_fd_watch_state *w)
{
	if (w->kinds & AEM_FD_ATTRIBUTES)
		aem_fd_change_want(false);
	aem_fd_tree_empty(w);
	aem_fd_queue_free(&w->queue);
	put_pid(w->actor);
	put_pid(w->owner);
	put_cred(w->cred);
	aem_user_put(w->user);
	kfree(w);
	atomic_dec(&alive);
}

/** aem_fd_release() - of an event. When the lock is given back, nobody knows the event any more. */
void aem_fd_release(struct event_struct *ev)
{
	struct fsnotify_group *group = aem_fd_group_of(ev);
	struct aem_fd_watch_state *w;

	/* Nothing was set up. */
	if (!group)
		return;
	w = group->private;
	raw_spin_lock(&w->lock);
	w->ev = NULL;
	raw_spin_unlock(&w->lock);
	aem_fd_mark_remove_all(group);
	fsnotify_put_group(group);
}
EXPORT_SYMBOL_GPL(aem_fd_release);

static struct aem_fd_watch_state *make(struct event_struct *ev, const struct aem_fd_watch *request)
{
	struct aem_fd_watch_state *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	if (aem_fd_queue_init(&w->queue, ALIGN(request->room ?: AEM_FD_ROOM, 8))) {
		kfree(w);
		return NULL;
	}
	w->user = aem_fd_user_get();
	if (IS_ERR(w->user)) {
		aem_fd_queue_free(&w->queue);
		kfree(w);
		return NULL;
	}
	raw_spin_lock_init(&w->lock);
	INIT_LIST_HEAD(&w->store);
	w->ev = ev;
	w->cred = get_current_cred();
	w->owner = get_pid(task_tgid(current));
	w->flags = request->flags;
	w->kinds = request->kinds;
	w->files = request->files ?: AEM_FD_FILES;
	atomic_inc(&alive);
	if (w->kinds & AEM_FD_ATTRIBUTES)
		aem_fd_change_want(true);
	return w;
}

/**
 * aem_fd_init() - fill a new event
 * @ev:      not committed
 * @request: checked
 * @pattern: of names
 * @actor:   with a reference that is taken over, or NULL
 *
 * Return: 0 or -ENOMEM; aem_fd_release() undoes it in either case.
 */
int aem_fd_init(struct event_struct *ev, const struct aem_fd_watch *request,
		const char *pattern, struct pid *actor)
{
	struct aem_fd_event *private = aem_event_private(ev);
	struct aem_fd_watch_state *w = make(ev, request);
	struct fsnotify_group *group;

	if (!w) {
		put_pid(actor);
		return -ENOMEM;
	}
	w->actor = actor;
	strscpy(w->pattern, pattern, sizeof(w->pattern));
	group = fsnotify_alloc_group(&aem_fd_ops, FSNOTIFY_GROUP_USER);
	if (IS_ERR(group)) {
		aem_fd_watch_free(w);
		return PTR_ERR(group);
	}
	group->private = w;
	private->group = group;
	aem_fd_tree_fill(w);
	return 0;
}
EXPORT_SYMBOL_GPL(aem_fd_init);

/**
 * aem_fd_await_end() - no event is there any more: the kernel does not call either
 *
 * The work that frees the last group may still be about to return to the kernel.
 */
void aem_fd_await_end(void)
{
	while (atomic_read(&alive)) {
		fsnotify_wait_marks_destroyed();
		msleep(20);
	}
	fsnotify_wait_marks_destroyed();
}
