/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that sleep in AEM_IOC_ENTER, and which of them is woken for an event.
 */
#ifndef _AEM_CORE_WAITER_H
#define _AEM_CORE_WAITER_H

#include "process.h"

bool aem_waiter_tell(struct event_struct *ev);
void aem_waiter_tell_revoked(struct aem_process *proc);
void aem_waiter_pass_on(struct aem_process *proc);
void aem_waiter_wake_all(struct aem_process *proc);
int aem_waiter_wait(struct aem_process *proc, u32 level, u32 want, s64 timeout);

#endif /* _AEM_CORE_WAITER_H */
