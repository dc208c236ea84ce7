/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_INODE_H
#define _AEM_COMPAT_INODE_H

#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/mnt_idmapping.h>
#endif

/* Permission as through a mount that maps no users, which has a type of its own since 6.3. */
static inline int aem_inode_permission(struct inode *inode, int mask)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return inode_permission(&nop_mnt_idmap, inode, mask);
#else
	return inode_permission(&init_user_ns, inode, mask);
#endif
}

/* The group's mark of an inode, with a reference; or NULL. Takes the inode itself since 6.10. */
static inline struct fsnotify_mark *aem_find_inode_mark(struct inode *inode,
							struct fsnotify_group *group)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return fsnotify_find_inode_mark(inode, group);
#else
	return fsnotify_find_mark(&inode->i_fsnotify_marks, group);
#endif
}

#endif /* _AEM_COMPAT_INODE_H */
