/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registry, for those who change it: range.c, manage.c, swap.c, revoke.c.
 */
#ifndef _AEM_CORE_REGISTRY_H
#define _AEM_CORE_REGISTRY_H

#include <linux/mutex.h>
#include "range.h"

/** aem_registry: Protects all below, and what is bound to what. Outermost. */
extern struct mutex aem_registry;
/** aem_services: Those that are registered, by aem_service.link. */
extern struct list_head aem_services;
/** aem_bound: The contexts that are bound to something, by aem_process.bound. */
extern struct list_head aem_bound;
/** aem_ranges: By index; NULL: free. */
extern struct aem_range *aem_ranges[AEM_RANGES];

struct aem_service *aem_registry_find(const char *name, u32 version);
int aem_registry_offer(struct aem_service *service);
u32 aem_registry_users(const struct aem_service *service);
void aem_registry_drop(struct aem_range *range);
void aem_registry_drop_unused(void);

#endif /* _AEM_CORE_REGISTRY_H */
