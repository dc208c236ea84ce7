/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_CORE_MANAGE_H
#define _AEM_CORE_MANAGE_H

#include <uapi/linux/aem.h>

int aem_manage(struct aem_manage *arg);

#endif /* _AEM_CORE_MANAGE_H */
