/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that a context shares with its process.
 */
#ifndef _AEM_CORE_MEMORY_H
#define _AEM_CORE_MEMORY_H

#include "process.h"

int aem_memory_init(struct aem_process *proc, u32 entries, u64 vmt_size);
void aem_memory_destroy(struct aem_process *proc);
int aem_memory_map(struct aem_process *proc, struct vm_area_struct *vma);
int aem_memory_control(struct aem_process *proc, struct aem_vmt *arg);

#endif /* _AEM_CORE_MEMORY_H */
