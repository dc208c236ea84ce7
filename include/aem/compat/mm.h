/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_MM_H
#define _AEM_COMPAT_MM_H

#include <linux/mm.h>
#include <linux/version.h>

/* vm_flags became read-only with 6.3. */
static inline void aem_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void aem_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

#endif /* _AEM_COMPAT_MM_H */
