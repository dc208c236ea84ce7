/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_CORE_DEVICE_H
#define _AEM_CORE_DEVICE_H

#include "process.h"

int aem_device_init(void);
void aem_device_exit(void);
void aem_device_query(struct aem_process *proc, struct aem_query *query);

#endif /* _AEM_CORE_DEVICE_H */
