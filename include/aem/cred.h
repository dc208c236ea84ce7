/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may know what of whom, by credentials alone: for services that tell of what others do.
 *
 * The kernel's own checks are for the current task and at the current time. Security modules that
 * confine signals further are not asked.
 */
#ifndef _AEM_CRED_H
#define _AEM_CRED_H

#include <linux/cred.h>
#include <linux/user_namespace.h>

/**
 * aem_cred_has_cap() - has @cred this capability in the namespace @ns?
 * @cred: who
 * @ns:   where
 * @cap:  CAP_*
 *
 * As cap_capable(): in the namespace itself, in one above it, or as its owner there.
 */
static inline bool aem_cred_has_cap(const struct cred *cred, struct user_namespace *ns, int cap)
{
	for (;; ns = ns->parent) {
		if (ns == cred->user_ns)
			return cap_raised(cred->cap_effective, cap);
		if (ns->level <= cred->user_ns->level)
			return false;
		if (ns->parent == cred->user_ns && uid_eq(ns->owner, cred->euid))
			return true;
	}
}

/** aem_cred_may_signal() - might @cred kill(2) a process with the credentials @target? */
static inline bool aem_cred_may_signal(const struct cred *cred, const struct cred *target)
{
	return uid_eq(cred->euid, target->suid) || uid_eq(cred->euid, target->uid) ||
	       uid_eq(cred->uid, target->suid) || uid_eq(cred->uid, target->uid) ||
	       aem_cred_has_cap(cred, target->user_ns, CAP_KILL);
}

#endif /* _AEM_CRED_H */
