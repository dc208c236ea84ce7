/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The doorbell: breaks the flow of the thread that owns a context.
 */
#ifndef _AEM_CORE_DOORBELL_H
#define _AEM_CORE_DOORBELL_H

#include "process.h"

bool aem_doorbell_signal_is_good(u32 signo);
void aem_doorbell_ring(struct aem_process *proc, u32 prio);

#endif /* _AEM_CORE_DOORBELL_H */
