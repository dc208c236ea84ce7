// SPDX-License-Identifier: GPL-2.0
/*
 * What notify_change() is about to change.
 *
 * The kernel tells that an attribute changed, but not which, nor what it was. It tells so while
 * notify_change() runs, in the same task; so a return probe on that function, which all file
 * systems share, notes what is there before. An attribute that changes outside of it is an extended
 * one, or the number of links. Where there are no return probes, or too many changes at a time,
 * notes say that they are not sure.
 *
 * The probe is on only while somebody wants to know, and for a moment after: to put it on and off
 * the kernel's code is patched on all processors, which is no price for each watch that comes
 * and goes.
 */
#include <linux/hash.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "fd.h"

#ifdef CONFIG_KRETPROBES

#define BUCKET_BITS	6

/** CHANGES: So many may go on at a time and be known. */
#define CHANGES		64

/** LINGER: The probe stays on so long, in jiffies, after the last who wanted to know has gone. */
#define LINGER		(5 * HZ)

/**
 * struct going - a change that goes on, in the memory of its return probe
 * @node:   in its bucket
 * @task:   that makes it; compared only
 * @inode:  that it is made to; compared only
 * @change: what was there before
 */
struct going {
	struct hlist_node node;
	const struct task_struct *task;
	const struct inode *inode;
	struct aem_fd_change change;
};

/* Changes by their tasks. The locks are leaves, and taken where nothing may sleep. */
static struct bucket {
	raw_spinlock_t lock;
	struct hlist_head changes;
} buckets[1 << BUCKET_BITS];

/* Protects the rest: how many want to know, and whether the probe is there, and on. */
static DEFINE_MUTEX(probe_mutex);
static unsigned int wanted;
static bool registered;
static bool probed;

static struct bucket *bucket_of(const struct task_struct *task)
{
	return &buckets[hash_ptr(task, BUCKET_BITS)];
}

static int begin(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct dentry *dentry = (void *)regs_get_kernel_argument(regs, 1);
	const struct iattr *attr = (void *)regs_get_kernel_argument(regs, 2);
	struct bucket *bucket = bucket_of(current);
	struct going *going = (void *)instance->data;
	const struct inode *inode = dentry->d_inode;
	unsigned long flags;

	going->task = current;
	going->inode = inode;
	going->change = (struct aem_fd_change){
		.valid = attr->ia_valid, .mode = inode->i_mode,
		.uid = inode->i_uid, .gid = inode->i_gid,
	};
	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_add_head(&going->node, &bucket->changes);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return 0;
}

NOKPROBE_SYMBOL(begin);

static int end(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct going *going = (void *)instance->data;
	struct bucket *bucket = bucket_of(going->task);
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_del(&going->node);
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return 0;
}

NOKPROBE_SYMBOL(end);

static struct kretprobe probe = {
	.kp.symbol_name = "notify_change",
	.kp.flags = KPROBE_FLAG_DISABLED,
	.entry_handler = begin,
	.handler = end,
	.data_size = sizeof(struct going),
	.maxactive = CHANGES,
};

/** aem_fd_change_find() - does the current task change this inode? Then what was there before. */
bool aem_fd_change_find(const struct inode *inode, struct aem_fd_change *change)
{
	struct bucket *bucket = bucket_of(current);
	bool found = false;
	struct going *going;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	hlist_for_each_entry(going, &bucket->changes, node) {
		found = going->task == current && going->inode == inode;
		if (!found)
			continue;
		*change = going->change;
		break;
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return found;
}

/** aem_fd_change_is_known() - what aem_fd_change_find() does not find is none. */
bool aem_fd_change_is_known(void)
{
	return READ_ONCE(probed) && !READ_ONCE(probe.nmissed);
}

/* Nobody has come meanwhile. */
static void put_off(struct work_struct *work)
{
	mutex_lock(&probe_mutex);
	if (!wanted && probed) {
		WRITE_ONCE(probed, false);
		disable_kretprobe(&probe);
	}
	mutex_unlock(&probe_mutex);
}

static DECLARE_DELAYED_WORK(lingering, put_off);

/** aem_fd_change_want() - somebody wants to know of changes, or does not any more. May sleep. */
void aem_fd_change_want(bool want)
{
	mutex_lock(&probe_mutex);
	if (want && !wanted++ && !probed)
		WRITE_ONCE(probed, registered && !enable_kretprobe(&probe));
	else if (!want && !--wanted && probed)
		mod_delayed_work(system_wq, &lingering, LINGER);
	mutex_unlock(&probe_mutex);
}

/** aem_fd_change_init() - find the function. Without it, notes are not sure. */
void aem_fd_change_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(buckets); i++)
		raw_spin_lock_init(&buckets[i].lock);
	err = register_kretprobe(&probe);
	registered = !err;
	if (err)
		pr_info("aem-fd: no probe of notify_change (%d): attributes are not told apart\n",
			err);
}

/** aem_fd_change_exit() - nobody wants to know any more. */
void aem_fd_change_exit(void)
{
	cancel_delayed_work_sync(&lingering);
	if (registered)
		unregister_kretprobe(&probe);
}

#else

bool aem_fd_change_find(const struct inode *inode, struct aem_fd_change *change)
{
	return false;
}

bool aem_fd_change_is_known(void)
{
	return false;
}

void aem_fd_change_want(bool want)
{
}

void aem_fd_change_init(void)
{
}

void aem_fd_change_exit(void)
{
}

#endif
