/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The doorbell that redirects the owner's registers. Kbuild defines AEM_REDIRECT where the
 * kernel has what it takes.
 */
#ifndef _AEM_CORE_REDIRECT_H
#define _AEM_CORE_REDIRECT_H

#include "doorbell.h"

#ifdef AEM_REDIRECT
void aem_redirect_init(void);
void aem_redirect_exit(void);
bool aem_redirect_is_there(void);
int aem_redirect_check(const struct aem_trampoline *trampoline);
const struct aem_doorbell *aem_redirect_doorbell(struct aem_process *proc);
#else
static inline void aem_redirect_init(void) {}
static inline void aem_redirect_exit(void) {}
static inline bool aem_redirect_is_there(void)
{
	return false;
}

static inline int aem_redirect_check(const struct aem_trampoline *trampoline)
{
	return -EOPNOTSUPP;
}

static inline const struct aem_doorbell *aem_redirect_doorbell(struct aem_process *proc)
{
	return NULL;
}
#endif

#endif /* _AEM_CORE_REDIRECT_H */
