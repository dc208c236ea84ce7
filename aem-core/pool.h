/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_CORE_POOL_H
#define _AEM_CORE_POOL_H

#include <linux/slab.h>

struct kmem_cache *aem_pool_get(size_t private_size);
void aem_pool_exit(void);

#endif /* _AEM_CORE_POOL_H */
