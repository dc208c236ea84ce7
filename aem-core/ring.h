/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring of records that a process shares with the kernel.
 */
#ifndef _AEM_CORE_RING_H
#define _AEM_CORE_RING_H

#include "event.h"

int aem_ring_init(struct aem_process *proc, u32 entries);
void aem_ring_destroy(struct aem_process *proc);
bool aem_ring_is_empty(const struct aem_process *proc);
void aem_ring_reap(struct aem_process *proc);
u32 aem_ring_fill(struct aem_process *proc, u32 level, bool safepoint, u32 max,
		  u32 *first);
void aem_ring_untell(struct aem_process *proc, u32 first, u32 count);
bool aem_ring_has_untold(struct aem_process *proc, u32 level);
void aem_ring_cancel(struct event_struct *ev);
struct event_struct *aem_ring_find_running(struct aem_process *proc, u64 id);
void aem_ring_clear(struct aem_process *proc);
int aem_ring_wait_idle(struct event_struct *ev);

#endif /* _AEM_CORE_RING_H */
