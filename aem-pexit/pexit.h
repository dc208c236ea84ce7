/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Service "pexit": what its files share. They are two modules. aem-pexit is the service, of which
 * there may be several versions:
 *
 *	main.c		the call, and who may be watched
 *	event.c		the event's operations
 *
 * and aem-pexit-table is what they stand on:
 *
 *	base.c		its beginning and its end
 *	watch.c		a watch: notes that wait
 *	table.c		which watches look at a process
 *	probe.c		the kernel's tracepoints
 *	note.c		what is known of a process that ends
 *	fault.c		remembers faults until the process has ended
 *	rights.c	who may know what
 *
 * Locks, outermost first; all are raw, since tracepoints call with preemption off:
 *
 *	followers (table.c)	children on their way from the fork into a bucket
 *	a bucket (table.c)	its members; whoever holds it keeps their watches
 *	aem_pexit_watch.lock	the watch's notes and free members
 *	the core's		an event is activated under its bucket's lock
 *
 * The lock of fault.c is taken under the siglock, and is a leaf.
 */
#ifndef _AEM_PEXIT_PEXIT_H
#define _AEM_PEXIT_PEXIT_H

#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <uapi/linux/aem_pexit.h>
#include <aem/cred.h>
#include <aem/service.h>

/**
 * struct aem_pexit_member - a process, or a group, that a watch looks at
 * @node: in a bucket, or in the watch's list of free ones
 * @pid:  which; compared only. A process leaves the table when it ends, before its pid is
 *        freed; of a group the watch holds a reference. NULL: none. Set under the
 *        bucket's lock, cleared under the watch's
 * @ev:   the watch's event; constant
 */
struct aem_pexit_member {
	struct hlist_node node;
	struct pid *pid;
	struct event_struct *ev;
};

/**
 * struct aem_pexit_watch_state - the private part of an event of the service
 * @lock:     protects what has no other remark
 * @flags:    AEM_PEXIT_*; constant
 * @cred:     the credentials that registered the watch; constant
 * @owner:    the process that registered the watch; constant
 * @group:    the process group, NULL: a process; constant
 * @notes:    the ring; constant
 * @size:     places in it; constant
 * @head:     the oldest note's place
 * @used:     notes that wait
 * @reserved: places kept for the ends of members that live
 * @lost:     notes that found no place since the last record
 * @closing:  no member may join any more
 * @self:     the process, or the group
 * @members:  room for followed processes; constant
 * @n_members: how many; constant
 * @free:     of these, those that are free
 * @single:   the ring of a watch that has one note
 *
 * @used + @reserved never exceeds @size, but for a group, which reserves nothing.
 */
struct aem_pexit_watch_state {
	raw_spinlock_t lock;
	u32 flags;
	const struct cred *cred;
	struct pid *owner;
	struct pid *group;
	struct aem_pexit_note *notes;
	u32 size;
	u32 head;
	u32 used;
	u32 reserved;
	u32 lost;
	bool closing;
	struct aem_pexit_member self;
	struct aem_pexit_member *members;
	u32 n_members;
	struct hlist_head free;
	struct aem_pexit_note single;
};

/**
 * struct aem_pexit_facts - what is known of a process, before rights are looked at
 * @note:     all fields but @pid, @parent and @uid
 * @task:     the process, any thread of it
 * @process:  its pid
 * @parent:   its parent's pid, NULL: look it up; under RCU
 * @cred:     its credentials; under RCU
 * @dumpable: its core might be dumped by its user
 * @known:    @note is filled
 */
struct aem_pexit_facts {
	struct aem_pexit_note note;
	struct task_struct *task;
	struct pid *process;
	struct pid *parent;
	const struct cred *cred;
	bool dumpable;
	bool known;
};

/**
 * AEM_PEXIT_LAYOUT: Of struct aem_pexit_watch_state. Its owner is aem-pexit-table, so all versions
 * that can be loaded at a time have the same.
 */
#define AEM_PEXIT_LAYOUT	1

/* event.c */
extern const struct aem_event_ops aem_pexit_events;

/* watch.c */
void aem_pexit_release(struct event_struct *ev);
bool aem_pexit_pop(struct aem_pexit_watch_state *w, struct aem_pexit_note *note,
		   struct aem_delivery *d, bool *more);
int aem_pexit_init(struct event_struct *ev, const struct aem_pexit_watch *request,
		   struct pid *group);
void aem_pexit_tell(struct event_struct *ev, struct aem_pexit_facts *facts);
void aem_pexit_tell_end(struct aem_pexit_member *member, struct aem_pexit_facts *facts);
struct aem_pexit_member *aem_pexit_take(struct aem_pexit_watch_state *w);
void aem_pexit_give(struct aem_pexit_member *member);

/* table.c */
void aem_pexit_table_init(void);
void aem_pexit_count(const struct aem_pexit_watch_state *w, int n);
bool aem_pexit_join(struct aem_pexit_member *member, struct task_struct *task);
void aem_pexit_join_group(struct aem_pexit_member *member, struct pid *group);
void aem_pexit_join_family(struct event_struct *ev);
void aem_pexit_leave(struct event_struct *ev);
bool aem_pexit_anybody(u32 flags);
void aem_pexit_ended(struct task_struct *task);
void aem_pexit_forked(struct task_struct *parent, struct task_struct *child);
void aem_pexit_execed(struct task_struct *task);

/* probe.c */
int aem_pexit_probes_attach(void);
void aem_pexit_probes_detach(void);

/* note.c */
void aem_pexit_facts_init(struct aem_pexit_facts *facts, enum aem_pexit_kind kind,
			  struct task_struct *task);
void aem_pexit_facts_write(struct aem_pexit_facts *facts,
			   const struct aem_pexit_watch_state *w, struct aem_pexit_note *note);
bool aem_pexit_is_over(struct task_struct *task);

/* fault.c */
void aem_pexit_fault_note(int sig, int code, unsigned long address);
void aem_pexit_fault_find(struct task_struct *task, struct aem_pexit_facts *facts);

/* rights.c */
bool aem_pexit_may_trace(const struct cred *cred, const struct cred *target, bool dumpable);

#endif /* _AEM_PEXIT_PEXIT_H */
