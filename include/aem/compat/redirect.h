/* SPDX-License-Identifier: GPL-2.0 */
/* What forbids to redirect the current task's registers, x86-64. */
#ifndef _AEM_COMPAT_REDIRECT_H
#define _AEM_COMPAT_REDIRECT_H

#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <uapi/linux/rseq.h>
#include <asm/prctl.h>

/* All that is known of restartable sequences is in a struct of its own since 6.19. */
static inline struct rseq __user *aem_rseq(void)
{
#ifndef CONFIG_RSEQ
	return NULL;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return current->rseq.usrptr;
#else
	return current->rseq;
#endif
}

/* Perhaps: user space need not clear the pointer at the end of a sequence. May sleep. */
static inline bool aem_is_in_rseq(void)
{
	struct rseq __user *rseq = aem_rseq();
	u64 sequence;

	return rseq && (get_user(sequence, &rseq->rseq_cs) || sequence);
}

/* Shadow stacks came with 6.6. */
static inline bool aem_has_shadow_stack(void)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return current->thread.features & ARCH_SHSTK_SHSTK;
#else
	return false;
#endif
}

#endif /* _AEM_COMPAT_REDIRECT_H */
