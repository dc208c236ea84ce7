/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a user has of something, all processes together, so that it can be limited.
 */
#ifndef _AEM_USER_H
#define _AEM_USER_H

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>

/** AEM_USER_BITS: Of the number of buckets. */
#define AEM_USER_BITS	6
/** AEM_USER_LAST: The last bucket. */
#define AEM_USER_LAST	((1 << AEM_USER_BITS) - 1)

/**
 * struct aem_users - users, and what they have of one thing: DEFINE_AEM_USERS()
 * @lock:  protects @table and aem_user.holds. A leaf, but for memory
 * @table: users, by their number
 */
struct aem_users {
	struct mutex lock;
	DECLARE_HASHTABLE(table, AEM_USER_BITS);
};

#define DEFINE_AEM_USERS(_name)						\
	struct aem_users _name = {					\
		.lock = __MUTEX_INITIALIZER((_name).lock),		\
		.table = { [0 ... AEM_USER_LAST] = HLIST_HEAD_INIT },	\
	}

/**
 * struct aem_user - what one user has
 * @node:  in the table
 * @users: the table; constant
 * @uid:   who; constant
 * @holds: who asked for it, and did not put it; the user is forgotten with the last. @users->lock
 * @count: what is counted by aem_user_charge()
 */
struct aem_user {
	struct hlist_node node;
	struct aem_users *users;
	kuid_t uid;
	unsigned int holds;
	atomic_t count;
};

/**
 * aem_user_get() - hold what the caller's user has
 * @users: of which
 * @max:   holds that a user may have at a time
 *
 * Context: process context, may sleep.
 * Return: the user, to be given back with aem_user_put(), whoever the caller is then; or ERR_PTR:
 * -EDQUOT, -ENOMEM.
 */
struct aem_user *aem_user_get(struct aem_users *users, unsigned int max);

/**
 * aem_user_put() - hold it no more; what was charged for it is uncharged already
 * @user: from aem_user_get()
 *
 * Context: process context, may sleep.
 */
void aem_user_put(struct aem_user *user);

/** aem_user_charge() - count one more. Any context. Return: false: there are @max already. */
static inline bool aem_user_charge(struct aem_user *user, unsigned int max)
{
	if (atomic_inc_return(&user->count) <= max)
		return true;
	atomic_dec(&user->count);
	return false;
}

/** aem_user_uncharge() - one less. Any context. */
static inline void aem_user_uncharge(struct aem_user *user)
{
	atomic_dec(&user->count);
}

#endif /* _AEM_USER_H */
