/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libaem: the end of any process.
 */
#ifndef AEM_PEXIT_H
#define AEM_PEXIT_H

#include <sys/types.h>
#include <aem/aem.h>
#include <linux/aem_pexit.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * typedef aem_pexit_fn - a process has ended, forked, or begun another program
 * @aem:  the context
 * @user: as given to aem_pexit_watch()
 * @id:   of the watch
 * @note: which process, and what is known of it; valid until the handler returns, or
 *        longer with aem_keep(). NULL: the service was taken away, the watch is gone
 * @lost: notes that were lost before this one, for want of room
 *
 * What the caller may not know, or nobody knows, is 0: look at @note->flags for
 * AEM_PEXIT_F_STATUS, AEM_PEXIT_F_FAULT and AEM_PEXIT_F_ADDRESS.
 *
 * A process that is told of may still be closing its descriptors: wait for it with a wait
 * that blocks. The watch of one process ends with that process: there is nothing to
 * shut down then.
 */
typedef void (*aem_pexit_fn)(struct aem *aem, void *user, aem_id id,
			     const struct aem_pexit_note *note, uint32_t lost);

/**
 * struct aem_pexit_options - what else to watch, and how much room to take for it
 * @flags:   AEM_PEXIT_GROUP, AEM_PEXIT_FOLLOW, AEM_PEXIT_FORKS, AEM_PEXIT_EXECS
 * @notes:   room for notes; 0: AEM_PEXIT_NOTES
 * @members: room for followed processes; 0: AEM_PEXIT_NOTES
 * @pad:     0
 */
struct aem_pexit_options {
	uint32_t flags;
	uint32_t notes;
	uint32_t members;
	uint32_t pad;
};

/**
 * aem_pexit_watch() - hear of the end of a process
 * @aem:     the context
 * @id:      out: id of the watch; may be NULL
 * @pid:     the process, as the caller's pid namespace has it, or a process group
 * @how:     priority and flags
 * @options: NULL: the end of this process
 * @handler: called when it has ended
 * @user:    for @handler
 *
 * A number may have gone to another process before the call. It cannot if the process
 * is a child that the caller has not waited for; else use aem_pexit_watch_fd().
 *
 * Return: 0; -ESRCH: no such process or group; -EPERM, -EINVAL, -ENOSPC, -EDQUOT,
 * -ENOMEM, or what aem_bind() says.
 */
int aem_pexit_watch(struct aem *aem, aem_id *id, pid_t pid, uint32_t how,
		    const struct aem_pexit_options *options, aem_pexit_fn handler,
		    void *user);

/**
 * aem_pexit_watch_fd() - the same for the process of a pidfd
 * @aem:     the context
 * @id:      out: id of the watch; may be NULL
 * @pidfd:   as from pidfd_open(2); may be closed afterwards
 * @how:     priority and flags
 * @options: without AEM_PEXIT_GROUP; or NULL
 * @handler: called when it has ended
 * @user:    for @handler
 *
 * The number is read from /proc/self/fdinfo, and the kernel checks it against the
 * descriptor.
 *
 * Return: as aem_pexit_watch(); -EBADF: not open, or no pidfd; -ENOSYS: /proc is
 * not mounted.
 */
int aem_pexit_watch_fd(struct aem *aem, aem_id *id, int pidfd, uint32_t how,
		       const struct aem_pexit_options *options, aem_pexit_fn handler,
		       void *user);

#ifdef __cplusplus
}
#endif

#endif /* AEM_PEXIT_H */
