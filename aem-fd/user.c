// SPDX-License-Identifier: GPL-2.0
/*
 * How many files all watches of a user look at: each holds an inode in memory, which is not charged
 * to who watches it.
 */
#include <linux/limits.h>
#include <linux/module.h>
#include "fd.h"

static unsigned int max_user_files = 1 << 20;
module_param(max_user_files, uint, 0644);
MODULE_PARM_DESC(max_user_files, "watched files per user (EDQUOT past it)");

/* Who has watches, and how many files they look at. */
static DEFINE_AEM_USERS(watchers);

/** aem_fd_user_get() - the caller has a watch more. May sleep. Return: ERR_PTR: -ENOMEM. */
struct aem_user *aem_fd_user_get(void)
{
	return aem_user_get(&watchers, UINT_MAX);
}

/** aem_fd_user_charge() - count one more file. Any context. Return: false: there may be no more. */
bool aem_fd_user_charge(struct aem_user *user)
{
	return aem_user_charge(user, READ_ONCE(max_user_files));
}
