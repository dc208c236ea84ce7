// SPDX-License-Identifier: GPL-2.0
/*
 * Limits. Memory itself is charged to the memory cgroup; these keep one user from taking
 * what the others need where no cgroup is set.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/slab.h>
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

/* Who has contexts, and how many events in them. */
static DEFINE_AEM_USERS(owners);

static struct aem_user *lookup(struct aem_users *users, kuid_t uid)
{
	struct aem_user *user;

	lockdep_assert_held(&users->lock);
	hash_for_each_possible(users->table, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct aem_user *enlist(struct aem_users *users, kuid_t uid)
{
	struct aem_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&users->lock);
	if (!user)
		return ERR_PTR(-ENOMEM);
	user->users = users;
	user->uid = uid;
	hash_add(users->table, &user->node, __kuid_val(uid));
	return user;
}

struct aem_user *aem_user_get(struct aem_users *users, unsigned int max)
{
	kuid_t uid = current_uid();
	struct aem_user *user;

	mutex_lock(&users->lock);
	user = lookup(users, uid);
	if ((user ? user->holds : 0) >= max)
		user = ERR_PTR(-EDQUOT);
	else if (!user)
		user = enlist(users, uid);
	if (!IS_ERR(user))
		user->holds++;
	mutex_unlock(&users->lock);
	return user;
}
EXPORT_SYMBOL_GPL(aem_user_get);

void aem_user_put(struct aem_user *user)
{
	struct aem_users *users = user->users;

	mutex_lock(&users->lock);
	if (!--user->holds) {
		hash_del(&user->node);
		kfree(user);
	}
	mutex_unlock(&users->lock);
}
EXPORT_SYMBOL_GPL(aem_user_put);

/**
 * aem_user_get_context() - count one more context of the caller
 *
 * Return: the user, or ERR_PTR: -EDQUOT, -ENOMEM.
 */
struct aem_user *aem_user_get_context(void)
{
	return aem_user_get(&owners, READ_ONCE(max_user_contexts));
}

/** aem_user_charge_event() - count one more event. Return: 0 or -EDQUOT. */
int aem_user_charge_event(struct aem_user *user)
{
	return aem_user_charge(user, READ_ONCE(max_user_events)) ? 0 : -EDQUOT;
}
