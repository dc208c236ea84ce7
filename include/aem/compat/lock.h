/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_LOCK_H
#define _AEM_COMPAT_LOCK_H

#include <linux/fs.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

/* What all locks have in common is in a struct of its own since 6.9. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define AEM_LOCK_FIELD(_lock, _field)	((_lock)->c.flc_##_field)
#else
#define AEM_LOCK_FIELD(_lock, _field)	((_lock)->fl_##_field)
#endif

/** aem_lock_type() - F_RDLCK, F_WRLCK or F_UNLCK. */
static inline int aem_lock_type(const struct file_lock *lock)
{
	return AEM_LOCK_FIELD(lock, type);
}

/** aem_lock_flags() - FL_POSIX, FL_FLOCK, FL_OFDLCK and others. */
static inline unsigned int aem_lock_flags(const struct file_lock *lock)
{
	return AEM_LOCK_FIELD(lock, flags);
}

/** aem_lock_file() - the file that it is of; or NULL. */
static inline const struct file *aem_lock_file(const struct file_lock *lock)
{
	return AEM_LOCK_FIELD(lock, file);
}

#endif /* _AEM_COMPAT_LOCK_H */
