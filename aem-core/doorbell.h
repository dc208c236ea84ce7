/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The doorbell: breaks the flow of the thread that owns a context.
 */
#ifndef _AEM_CORE_DOORBELL_H
#define _AEM_CORE_DOORBELL_H

#include "process.h"

/**
 * struct aem_doorbell - a way to break a flow
 * @name:     for people
 * @ring:     have the owner (aem_process.owner) look soon at what is due, whatever it does now.
 *            What rings again before it has looked may be merged. Any context, none of
 *            our locks held; allocates nothing and does not fail
 * @withdraw: somebody looks now: what rang until now needs no answer. May be too late:
 *            who answers finds nothing then. Any context. NULL: it cannot
 *
 * The flow that is broken is the owner's, whoever made the event happen.
 */
struct aem_doorbell {
	const char *name;
	void (*ring)(struct aem_process *proc);
	void (*withdraw)(struct aem_process *proc);
};

int aem_doorbell_check(const struct aem_setup *setup);
void aem_doorbell_setup(struct aem_process *proc, const struct aem_setup *setup);
u32 aem_doorbell_features(void);
void aem_doorbell_ring(struct aem_process *proc, u32 prio);
void aem_doorbell_signal(struct aem_process *proc);
void aem_doorbell_redirected(struct aem_process *proc);
void aem_doorbell_init(struct aem_process *proc);
void aem_doorbell_hush(struct aem_process *proc);
u32 aem_doorbell_unhush(struct aem_process *proc, u32 from);
u32 aem_doorbell_lie_down(struct aem_process *proc, u32 level);
void aem_doorbell_resume_after(struct aem_process *proc, u64 ns);
void aem_doorbell_stop(struct aem_process *proc);
bool aem_doorbell_is_due(struct aem_process *proc, u32 *level);

/** aem_doorbell_withdraw() - what rang until now needs no answer. Any context. */
static inline void aem_doorbell_withdraw(struct aem_process *proc)
{
	if (proc->bell->withdraw)
		proc->bell->withdraw(proc);
}

#endif /* _AEM_CORE_DOORBELL_H */
