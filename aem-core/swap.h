/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_CORE_SWAP_H
#define _AEM_CORE_SWAP_H

#include <aem/service.h>

int aem_swap(struct aem_service *from, struct aem_service *to, struct aem_manage *arg);
int aem_revoke(struct aem_service *service, struct aem_manage *arg);

#endif /* _AEM_CORE_SWAP_H */
