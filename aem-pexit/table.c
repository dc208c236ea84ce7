// SPDX-License-Identifier: GPL-2.0
/*
 * Which watches look at a process.
 *
 * The end of a process and the registration of a watch meet under the lock of a bucket: if the
 * last thread has not ended when the watch joins, it comes by after that, and finds it.
 */
#include <linux/hash.h>
#include <linux/sched/task.h>
#include "pexit.h"

#define TABLE_BITS	11

/**
 * struct bucket - members whose pids have one hash
 * @lock:    protects @members, and keeps their events: who lets an event go has
 *           taken its members out before
 * @members: the members
 */
struct bucket {
	raw_spinlock_t lock;
	struct hlist_head members;
};

static struct bucket buckets[1 << TABLE_BITS];

/*
 * Held while a child is on its way from its parent's bucket to its own, so that nobody joins a
 * child twice, and no watch goes meanwhile. Nests outside the buckets' locks.
 */
static DEFINE_RAW_SPINLOCK(followers);

/* How many watches there are of any kind, and how many want to hear of forks, of execs. */
static atomic_t n_watches, n_forks, n_execs;

static struct bucket *bucket_of(const struct pid *pid)
{
	return &buckets[hash_ptr(pid, TABLE_BITS)];
}

static struct aem_pexit_watch_state *watch_of(const struct aem_pexit_member *member)
{
	return aem_event_private(member->ev);
}

void aem_pexit_table_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(buckets); i++)
		raw_spin_lock_init(&buckets[i].lock);
}

/** aem_pexit_anybody() - is there a watch with any of these flags? 0: any watch. */
bool aem_pexit_anybody(u32 flags)
{
	if (!flags)
		return atomic_read(&n_watches);
	return ((flags & AEM_PEXIT_FORKS) && atomic_read(&n_forks)) ||
	       ((flags & AEM_PEXIT_EXECS) && atomic_read(&n_execs));
}

/** aem_pexit_count() - one watch more or less: before it joins, after it left. */
void aem_pexit_count(const struct aem_pexit_watch_state *w, int n)
{
	atomic_add(n, &n_watches);
	if (w->flags & (AEM_PEXIT_FOLLOW | AEM_PEXIT_FORKS))
		atomic_add(n, &n_forks);
	if (w->flags & AEM_PEXIT_EXECS)
		atomic_add(n, &n_execs);
}

static void add(struct aem_pexit_member *member, struct pid *pid, struct bucket *bucket)
{
	lockdep_assert_held(&bucket->lock);
	WRITE_ONCE(member->pid, pid);
	hlist_add_head(&member->node, &bucket->members);
}

/**
 * aem_pexit_join() - hear of the end of a process
 * @member: in no bucket
 * @task:   the process; under RCU
 *
 * Return: false: its last thread has ended, and nobody will say so again.
 */
bool aem_pexit_join(struct aem_pexit_member *member, struct task_struct *task)
{
	struct bucket *bucket = bucket_of(task_tgid(task));
	unsigned long flags;
	bool lives;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	lives = !aem_pexit_is_over(task);
	if (lives)
		add(member, task_tgid(task), bucket);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return lives;
}
EXPORT_SYMBOL_GPL(aem_pexit_join);

/** aem_pexit_join_group() - hear of the ends of those who are in a group then. */
void aem_pexit_join_group(struct aem_pexit_member *member, struct pid *group)
{
	struct bucket *bucket = bucket_of(group);

	raw_spin_lock_irq(&bucket->lock);
	add(member, group, bucket);
	raw_spin_unlock_irq(&bucket->lock);
}
EXPORT_SYMBOL_GPL(aem_pexit_join_group);

static struct aem_pexit_member *find(const struct event_struct *ev, const struct pid *pid,
				     const struct bucket *bucket)
{
	struct aem_pexit_member *member;

	lockdep_assert_held(&bucket->lock);
	hlist_for_each_entry(member, &bucket->members, node)
		if (member->pid == pid && member->ev == ev)
			return member;
	return NULL;
}

static bool is_member(const struct event_struct *ev, struct pid *pid)
{
	struct bucket *bucket = bucket_of(pid);
	unsigned long flags;
	bool found;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	found = find(ev, pid, bucket);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return found;
}

static bool may_follow(const struct aem_pexit_watch_state *w, struct task_struct *parent)
{
	return (w->flags & AEM_PEXIT_FOLLOW) && !w->group &&
	       (task_tgid(parent) == w->owner ||
		aem_cred_may_signal(w->cred, __task_cred(parent)));
}

/* A process that was there before: true if its children are to be looked for too. */
static bool join_relative(struct event_struct *ev, struct task_struct *task)
{
	struct task_struct *parent = rcu_dereference(task->real_parent);
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	struct aem_pexit_member *member;

	lockdep_assert_held(&followers);
	if (!is_member(ev, task_tgid(parent)) || !may_follow(w, parent) ||
	    aem_pexit_is_over(task) || is_member(ev, task_tgid(task)))
		return false;
	member = aem_pexit_take(w);
	if (!member)
		return false;
	if (aem_pexit_join(member, task))
		return true;
	aem_pexit_give(member);
	return false;
}

/**
 * aem_pexit_join_family() - follow the descendants that a process has
 * @ev: its process has joined, so that new children follow by themselves
 *
 * Whoever was made before is in the list of processes; parents come before their children
 * in it, but for those that changed their parent.
 */
void aem_pexit_join_family(struct event_struct *ev)
{
	struct task_struct *task;
	bool again;

	do {
		again = false;
		rcu_read_lock();
		for_each_process(task) {
			raw_spin_lock_irq(&followers);
			again |= join_relative(ev, task);
			raw_spin_unlock_irq(&followers);
		}
		rcu_read_unlock();
		cond_resched();
	} while (again);
}
EXPORT_SYMBOL_GPL(aem_pexit_join_family);

/*
 * A member that has no pid any more is one whose end was told: the probe that did so does not
 * touch the event after it has given the member back.
 */
static void leave(struct aem_pexit_watch_state *w, struct aem_pexit_member *member)
{
	struct bucket *bucket;
	struct pid *pid;

	raw_spin_lock_irq(&w->lock);
	pid = member->pid;
	raw_spin_unlock_irq(&w->lock);
	if (!pid)
		return;
	bucket = bucket_of(pid);
	raw_spin_lock_irq(&bucket->lock);
	if (member->pid)
		hlist_del_init(&member->node);
	raw_spin_unlock_irq(&bucket->lock);
}

/** aem_pexit_leave() - the watch goes: when this returns, no probe knows it any more. */
void aem_pexit_leave(struct event_struct *ev)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	u32 i;

	raw_spin_lock_irq(&w->lock);
	w->closing = true;
	raw_spin_unlock_irq(&w->lock);
	/* No child is on its way to us after this. */
	raw_spin_lock_irq(&followers);
	raw_spin_unlock_irq(&followers);
	leave(w, &w->self);
	for (i = 0; i < w->n_members; i++)
		leave(w, &w->members[i]);
}

static bool is_group(const struct aem_pexit_member *member)
{
	return watch_of(member)->group;
}

/* All watches that have this process as a member hear of its end, and let go of it. */
static void end_process(struct pid *process, struct aem_pexit_facts *facts)
{
	struct bucket *bucket = bucket_of(process);
	struct aem_pexit_member *member;
	struct hlist_node *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(member, next, &bucket->members, node) {
		if (member->pid != process || is_group(member))
			continue;
		hlist_del_init(&member->node);
		aem_pexit_tell_end(member, facts);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* All watches of this kind that want such notes hear of it. */
static void tell(struct pid *pid, bool group, u32 wanted, struct aem_pexit_facts *facts)
{
	struct bucket *bucket = bucket_of(pid);
	struct aem_pexit_member *member;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(member, &bucket->members, node)
		if (member->pid == pid && is_group(member) == group &&
		    (watch_of(member)->flags & wanted))
			aem_pexit_tell(member->ev, facts);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/** aem_pexit_ended() - a process has ended. Under RCU, once for each. */
void aem_pexit_ended(struct task_struct *task)
{
	struct aem_pexit_facts facts;

	aem_pexit_facts_init(&facts, AEM_PEXIT_END, task);
	end_process(task_tgid(task), &facts);
	tell(task_pgrp(task), true, AEM_PEXIT_GROUP, &facts);
}

/* Members for the child, of each watch that follows its parent. */
static void take_members(struct task_struct *parent, struct hlist_head *taken)
{
	struct bucket *bucket = bucket_of(task_tgid(parent));
	struct aem_pexit_member *member, *child;
	unsigned long flags;

	lockdep_assert_held(&followers);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(member, &bucket->members, node) {
		if (member->pid != task_tgid(parent) || !may_follow(watch_of(member), parent))
			continue;
		child = aem_pexit_take(watch_of(member));
		if (child)
			hlist_add_head(&child->node, taken);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* One that follows already found the child in the list of processes. */
static void put_members(struct pid *pid, struct hlist_head *taken)
{
	struct bucket *bucket = bucket_of(pid);
	struct aem_pexit_member *member;
	struct hlist_node *next;
	unsigned long flags;

	lockdep_assert_held(&followers);
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry_safe(member, next, taken, node) {
		hlist_del_init(&member->node);
		if (find(member->ev, pid, bucket))
			aem_pexit_give(member);
		else
			add(member, pid, bucket);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/** aem_pexit_forked() - a process was made, and does not run yet. Under RCU. */
void aem_pexit_forked(struct task_struct *parent, struct task_struct *child)
{
	struct hlist_head taken = HLIST_HEAD_INIT;
	struct aem_pexit_facts facts;
	unsigned long flags;

	raw_spin_lock_irqsave(&followers, flags);
	take_members(parent, &taken);
	put_members(task_tgid(child), &taken);
	raw_spin_unlock_irqrestore(&followers, flags);

	aem_pexit_facts_init(&facts, AEM_PEXIT_FORK, child);
	facts.parent = task_tgid(parent);
	tell(task_tgid(parent), false, AEM_PEXIT_FORKS, &facts);
	tell(task_pgrp(parent), true, AEM_PEXIT_FORKS, &facts);
}

/** aem_pexit_execed() - a process runs another program. Under RCU. */
void aem_pexit_execed(struct task_struct *task)
{
	struct aem_pexit_facts facts;

	aem_pexit_facts_init(&facts, AEM_PEXIT_EXEC, task);
	tell(task_tgid(task), false, AEM_PEXIT_EXECS, &facts);
	tell(task_pgrp(task), true, AEM_PEXIT_EXECS, &facts);
}
