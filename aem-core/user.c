// SPDX-License-Identifier: GPL-2.0
/*
 * Limits. Memory itself is charged to the memory cgroup; these keep one user from taking
 * what the others need where no cgroup is set.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include "user.h"

unsigned int aem_max_events = 4 << 20;
module_param_named(max_events, aem_max_events, uint, 0644);
MODULE_PARM_DESC(max_events, "events per context (ENOSPC past it)");

static unsigned int max_user_events = 8 << 20;
module_param(max_user_events, uint, 0644);
MODULE_PARM_DESC(max_user_events, "events per user (EDQUOT past it)");

static unsigned int max_user_contexts = 4096;
module_param(max_user_contexts, uint, 0644);
MODULE_PARM_DESC(max_user_contexts, "open contexts per user (EDQUOT past it)");

unsigned long aem_vmt_max = 64UL << 20;
module_param_named(vmt_max, aem_vmt_max, ulong, 0644);
MODULE_PARM_DESC(vmt_max, "bytes of a context's vmtable (ENOSPC past it)");

/**
 * struct aem_user - what one user has, all contexts together
 * @node:     in users
 * @uid:      who
 * @contexts: open ones; the user is forgotten with the last. users_lock
 * @events:   registered ones
 */
struct aem_user {
	struct hlist_node node;
	kuid_t uid;
	unsigned int contexts;
	atomic_t events;
};

/* Protects the table and aem_user.contexts. A leaf. */
static DEFINE_MUTEX(users_lock);
static DEFINE_HASHTABLE(users, 6);

static struct aem_user *lookup(kuid_t uid)
{
	struct aem_user *user;

	lockdep_assert_held(&users_lock);
	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct aem_user *enlist(kuid_t uid)
{
	struct aem_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&users_lock);
	if (user) {
		user->uid = uid;
		hash_add(users, &user->node, __kuid_val(uid));
	}
	return user;
}

/**
 * aem_user_get_context() - count one more context of the caller
 *
 * Return: the user, or ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct aem_user *aem_user_get_context(void)
{
	kuid_t uid = current_uid();
	struct aem_user *user;

	mutex_lock(&users_lock);
	user = lookup(uid);
	if (user && user->contexts >= max_user_contexts)
		user = ERR_PTR(-EDQUOT);
	else if (!user && !max_user_contexts)
		user = ERR_PTR(-EDQUOT);
	else if (!user)
		user = enlist(uid) ?: ERR_PTR(-ENOMEM);
	if (!IS_ERR(user))
		user->contexts++;
	mutex_unlock(&users_lock);
	return user;
}

/** aem_user_put_context() - a context has gone, with all its events. */
void aem_user_put_context(struct aem_user *user)
{
	mutex_lock(&users_lock);
	if (!--user->contexts) {
		hash_del(&user->node);
		kfree(user);
	}
	mutex_unlock(&users_lock);
}

/** aem_user_charge_event() - count one more event. Return: 0 or -EDQUOT. */
int aem_user_charge_event(struct aem_user *user)
{
	if (atomic_inc_return(&user->events) <= READ_ONCE(max_user_events))
		return 0;
	atomic_dec(&user->events);
	return -EDQUOT;
}

/** aem_user_uncharge_event() - one less. */
void aem_user_uncharge_event(struct aem_user *user)
{
	atomic_dec(&user->events);
}
