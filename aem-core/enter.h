/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pseudo-system calls, one by one and in batches.
 */
#ifndef _AEM_CORE_ENTER_H
#define _AEM_CORE_ENTER_H

#include "process.h"

long aem_call(struct aem_process *proc, u32 nr, void __user *arg, u64 *made);
int aem_enter(struct aem_process *proc, struct aem_enter *enter);
void aem_enter_untold(struct aem_process *proc, const struct aem_enter *enter);

#endif /* _AEM_CORE_ENTER_H */
