/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that lend owners their priority.
 */
#ifndef _AEM_CORE_BOOSTER_H
#define _AEM_CORE_BOOSTER_H

#include "process.h"

void aem_booster_init(struct aem_process *proc);
void aem_booster_setup(struct aem_process *proc);
int aem_booster_bind(struct aem_process *proc);
bool aem_booster_on(struct aem_process *proc);
void aem_booster_off(struct aem_process *proc);
void aem_booster_end(struct aem_process *proc);
void aem_booster_exit(void);

/** aem_booster_is_there() - has the owner somebody to lend it a priority? Read anywhere. */
static inline bool aem_booster_is_there(const struct aem_process *proc)
{
	return READ_ONCE(proc->realtime.booster);
}

#endif /* _AEM_CORE_BOOSTER_H */
