/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits: what a process and a user may take.
 */
#ifndef _AEM_CORE_USER_H
#define _AEM_CORE_USER_H

#include <linux/types.h>
#include <aem/user.h>

extern unsigned int aem_max_events;
extern unsigned long aem_vmt_max;

struct aem_user *aem_user_get_context(void);
int aem_user_charge_event(struct aem_user *user);

#endif /* _AEM_CORE_USER_H */
