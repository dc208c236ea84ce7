// SPDX-License-Identifier: GPL-2.0
/*
 * Who may know what of a process: the rules of ptrace(2), by credentials alone, since the
 * kernel's own are not for modules. <aem/cred.h> has those of kill(2).
 */
#include "pexit.h"

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
	if (!dumpable && !aem_cred_has_cap(cred, &init_user_ns, CAP_SYS_PTRACE))
		return false;
	return is_same(cred, target) || aem_cred_has_cap(cred, target->user_ns, CAP_SYS_PTRACE);
}
