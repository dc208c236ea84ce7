/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _AEM_COMPAT_DUMPABLE_H
#define _AEM_COMPAT_DUMPABLE_H

#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
/* Where it is kept, if not in the mm. */
#ifndef SUID_DUMP_USER
#include <linux/sched/exec_state.h>
#endif

/* May those with the same user and group trace the caller? Moved from the mm to the task in 7.x. */
static inline bool aem_current_is_dumpable(void)
{
#ifdef SUID_DUMP_USER
	return current->mm && get_dumpable(current->mm) == SUID_DUMP_USER;
#else
	const struct task_exec_state *state;

	guard(rcu)();
	state = rcu_dereference(current->exec_state);
	return state && READ_ONCE(state->dumpable) == TASK_DUMPABLE_OWNER;
#endif
}

#endif /* _AEM_COMPAT_DUMPABLE_H */
