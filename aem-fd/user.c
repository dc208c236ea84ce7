// SPDX-License-Identifier: GPL-2.0
/*
 * How many files all watches of a user look at: each holds an inode in memory, which is not charged
 * to who watches it.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include "fd.h"

static unsigned int max_user_files = 1 << 20;
module_param(max_user_files, uint, 0644);
MODULE_PARM_DESC(max_user_files, "watched files per user (EDQUOT past it)");

/**
 * struct aem_fd_user - what one user watches
 * @node:    in users
 * @uid:     who
 * @watches: how many; the user is forgotten with the last. users_lock
 * @files:   that they look at
 */
struct aem_fd_user {
	struct hlist_node node;
	kuid_t uid;
	unsigned int watches;
	atomic_t files;
};

/* Protects the table and aem_fd_user.watches. A leaf, but for memory. */
static DEFINE_MUTEX(users_lock);
static DEFINE_HASHTABLE(users, 6);

static struct aem_fd_user *lookup(kuid_t uid)
{
	struct aem_fd_user *user;

	lockdep_assert_held(&users_lock);
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct aem_fd_user *enlist(kuid_t uid)
{
	struct aem_fd_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&users_lock);
	if (user) {
		user->uid = uid;
		hash_add(users, &user->node, __kuid_val(uid));
	}
	return user;
}

/** aem_fd_user_get() - the caller has a watch more. May sleep. Return: NULL: no memory. */
struct aem_fd_user *aem_fd_user_get(void)
{
	kuid_t uid = current_uid();
	struct aem_fd_user *user;

	mutex_lock(&users_lock);
	user = lookup(uid) ?: enlist(uid);
	if (user)
		user->watches++;
	mutex_unlock(&users_lock);
	return user;
}

/** aem_fd_user_put() - a watch has gone, with all its files. May sleep. */
void aem_fd_user_put(struct aem_fd_user *user)
{
	mutex_lock(&users_lock);
	if (!--user->watches) {
		hash_del(&user->node);
		kfree(user);
	}
	mutex_unlock(&users_lock);
}

/** aem_fd_user_charge() - count one more file. Any context. Return: false: there may be no more. */
bool aem_fd_user_charge(struct aem_fd_user *user)
{
	if (atomic_inc_return(&user->files) <= READ_ONCE(max_user_files))
		return true;
	atomic_dec(&user->files);
	return false;
}

/** aem_fd_user_uncharge() - one less. Any context. */
void aem_fd_user_uncharge(struct aem_fd_user *user)
{
	atomic_dec(&user->files);
}
