// SPDX-License-Identifier: GPL-2.0
/*
 * Who may know what of a process: the rules of kill(2) and ptrace(2), by credentials alone.
 *
 * The kernel's own checks are for the current task and at the current time, and those
 * of ptrace(2) are not for modules. Security modules that confine signals further are
 * not asked.
 */
#include <linux/user_namespace.h>
#include "pexit.h"

/* As cap_capable(): in the namespace itself, in one above it, or as its owner there. */
static bool has_cap(const struct cred *cred, struct user_namespace *ns, int cap)
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

/** aem_pexit_may_signal() - might @cred kill(2) a process with the credentials @target? */
bool aem_pexit_may_signal(const struct cred *cred, const struct cred *target)
{
	return uid_eq(cred->euid, target->suid) || uid_eq(cred->euid, target->uid) ||
	       uid_eq(cred->uid, target->suid) || uid_eq(cred->uid, target->uid) ||
	       has_cap(cred, target->user_ns, CAP_KILL);
}
EXPORT_SYMBOL_GPL(aem_pexit_may_signal);

static bool is_same(const struct cred *cred, const struct cred *target)
{
	return uid_eq(cred->uid, target->uid) && uid_eq(cred->uid, target->euid) &&
	       uid_eq(cred->uid, target->suid) && gid_eq(cred->gid, target->gid) &&
	       gid_eq(cred->gid, target->egid) && gid_eq(cred->gid, target->sgid);
}

/**
 * aem_pexit_may_trace() - might @cred ptrace(2) a process?
 * @cred:     who asks
 * @target:   the process's credentials
 * @dumpable: what the process said, or exec found
 *
 * The namespace that the memory of one that is not dumpable belongs to is not known any
 * more: then the outermost counts.
 */
bool aem_pexit_may_trace(const struct cred *cred, const struct cred *target, bool dumpable)
{
	if (!dumpable && !has_cap(cred, &init_user_ns, CAP_SYS_PTRACE))
		return false;
	return is_same(cred, target) || has_cap(cred, target->user_ns, CAP_SYS_PTRACE);
}
