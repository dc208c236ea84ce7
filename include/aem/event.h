/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events and their jobs, as authors of services see them.
 */
#ifndef _AEM_EVENT_H
#define _AEM_EVENT_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/aem.h>
#include <aem/vmtable.h>

struct aem_process;
struct aem_range;
struct aem_service;
struct seq_file;

/** AEM_JOB_QUEUES: Wait queues of one file that a job can be in. */
#define AEM_JOB_QUEUES	8

/**
 * struct aem_place - a place in a wait queue
 * @wait: the entry; its private pointer is the event
 * @head: the wait queue that @wait is in, NULL: none. Cleared by its owner with
 *        POLLFREE; read under RCU
 */
struct aem_place {
	struct wait_queue_entry wait;
	struct wait_queue_head *head;
};

struct aem_places;

/**
 * struct job_struct - what serves an event in the kernel
 * @timer: periodic: run by the job scheduler
 * @place: reactive: our place in a wait queue
 * @more:  reactive: places in further queues of the same file; constant while attached
 * @keys:  reactive, while the event is held: those it was woken with; the process's lock
 * @blank: ... and whether it was woken without one
 *
 * The callbacks belong to the core, which finds the service's code through the
 * event, so nothing here points into a module.
 */
struct job_struct {
	union {
		struct hrtimer timer;
		struct {
			struct aem_place place;
			struct aem_places *more;
			u32 keys;
			bool blank;
		};
	};
};

/**
 * struct event_struct - one registration
 * @active:      place in an active list or the list of the starved; the process's
 *               lock. An event is in one list at most
 * @rcu:         frees it, when it is in no list any more
 * @proc:        the process that registered it; constant
 * @service:     serves it; RCU, changes only while its range's gate is closed
 * @handler:     address in user space; constant
 * @cookie:      the user's; constant
 * @index:       place in the process's table; constant
 * @generation:  high half of the id; constant
 * @refs:        the table holds one, each record in the ring one, each user of
 *               aem_event_find() one
 * @state:       EV_*, the process's lock
 * @nr:          pseudo-system call that registered it; constant
 * @flags:       EVF_*; constant, but for where it is handled: the process's lock
 * @prio:        0 to 31; the process's lock
 * @job_kind:    enum aem_job_kind; constant once the event is committed
 * @inflight:    records in the ring; the process's lock
 * @count:       occurrences since the last record; the process's lock
 * @lost:        occurrences that were lost since the last record; the process's
 *               lock
 * @seq:         when it was activated; orders two lists of one priority; the
 *               process's lock
 * @activations: counter; the process's lock
 * @starved:     counter; the process's lock
 * @parent:      index of the event that made this one, 0: none; constant
 * @job:         serves it
 *
 * The service's private part follows: aem_event_private().
 */
struct event_struct {
	union {
		struct list_head active;
		struct rcu_head rcu;
	};
	struct aem_process *proc;
	struct aem_service __rcu *service;
	u64 handler;
	u64 cookie;
	u32 index;
	u32 generation;
	refcount_t refs;
	u16 state;
	u16 nr;
	u32 flags;
	u8 prio;
	u8 job_kind;
	u16 inflight;
	u32 count;
	u32 lost;
	u32 seq;
	u32 activations;
	u32 starved;
	u32 parent;
	struct job_struct job;
};

/** enum aem_job_kind - which part of struct job_struct is in use */
enum aem_job_kind {
	AEM_JOB_NONE,
	AEM_JOB_PERIODIC,
	AEM_JOB_REACTIVE,
};

/**
 * enum aem_verdict - answers of a job
 * @AEM_SLEEP:    not what the event waits for, or no more of it: stay as you are
 *                (a timer is not restarted)
 * @AEM_ACTIVATE: it happened: activate the event. A timer is not restarted
 * @AEM_RESTART:  activate the event, and restart its timer, which the job has
 *                forwarded
 */
enum aem_verdict {
	AEM_SLEEP,
	AEM_ACTIVATE,
	AEM_RESTART,
};

/**
 * struct aem_caller - on whose behalf a service is asked something
 * @proc:    the process
 * @range:   the call numbers that the process is bound to
 * @service: the one that is asked
 * @compat:  it is a 32-bit program
 * @other:   the core's: the version that serves the event that was looked for, if another
 */
struct aem_caller {
	struct aem_process *proc;
	struct aem_range *range;
	struct aem_service *service;
	bool compat;
	struct aem_service *other;
};

/**
 * struct aem_delivery - a record in the making
 * @caller: whose it is
 * @arg:    the handler's arguments, zeroed before
 * @word:   the same as words
 * @block:  memory for bigger arguments: aem_vmt_alloc(proc, size, &d->block). The
 *          core frees it after the destructor, or at once if no record is made
 * @count:  occurrences that the record stands for; the constructor may correct it
 * @lost:   occurrences known to be lost; the constructor adds to it
 * @stop:   set by the constructor: the event stops (EOF for instance)
 * @end:    set by the constructor: the event is unregistered after its handler;
 *          the record carries AEM_RECORD_F_LAST. With -EAGAIN it is unregistered at once
 * @revoked: the core's: the record carries AEM_RECORD_F_REVOKED
 */
struct aem_delivery {
	struct aem_caller caller;
	union {
		u64 arg[3];
		u32 word[6];
	};
	struct aem_block block;
	u32 count;
	u32 lost;
	bool stop;
	bool end;
	bool revoked;
};

/** AEM_MORE: Of a constructor: a record, and there is more where it came from. */
#define AEM_MORE	1
/** AEM_END: Of a destructor: the event is unregistered. */
#define AEM_END		2
/** AEM_READY: Of @arm: what the event waits for is there already. */
#define AEM_READY	1

/**
 * struct aem_event_ops - a service's code for one kind of event
 * @job:       the stimulus came. For a timer @key is 0, for a wait queue its key
 *             (poll events, 0: unknown). Called from the core's callback in any
 *             context, hard interrupts included, or after a swap, for what happened
 *             meanwhile: bounded, no allocation, no sleep, no sleeping lock. NULL:
 *             AEM_ACTIVATE always
 * @arm:       START: the activation point may fire from now on. AEM_READY activates
 *             at once. May sleep. NULL: nothing to do
 * @disarm:    STOP and unregistration. May sleep. The core removes the job itself from
 *             timer and wait queue before unregistration is complete. NULL: nothing
 *             to do
 * @construct: the event's turn has come: fill the delivery. In the owner's process
 *             context; may sleep for memory, never for events. 0 or AEM_MORE: a
 *             record; -EAGAIN: there was nothing after all; -ENOBUFS: no memory
 *             of the vmtable, try again when some comes back; -ENOMEM: the
 *             kernel is short of memory, try again in a while; any other error
 *             counts as an occurrence lost. Calls for one event never overlap
 * @destruct:  the handler has returned; @block (may be empty) holds what it left.
 *             Not called for a cancelled record. AEM_MORE activates the event
 *             again, AEM_END ends it. In process context; may sleep as @construct may. May be
 *             NULL
 * @release:   the event is going: let go of what the private part holds. Nobody else
 *             sees the event any more. In process context; may sleep. May be NULL
 * @show:      add " name:value" pairs to the event's line in fdinfo. May be NULL
 * @yield:     another version of the service shall serve the event from now on: leave the
 *             private part in this layout, and nothing anywhere that refers to code or
 *             data of this module: no work, no place in a list, no lock that lockdep knows
 *             by it. What is allocated for the event goes over with it. No job, call or
 *             constructor runs. May sleep, not for long. An error leaves all as it was,
 *             and the event with this version. NULL: the private part is plain data, the
 *             same in all layouts
 * @adopt:     the event comes in this layout, yielded by another version, or by this one,
 *             which nobody wanted. Then it must not fail; otherwise an error says that
 *             it cannot be taken, and leaves the private part as it came. As for @yield
 * @multi:     several records of one event may be in the ring at a time: after
 *             AEM_MORE the event takes its next turn without waiting for its
 *             handler
 *
 * All but @job and @show run behind the gate of the event's range, which a swap closes.
 */
struct aem_event_ops {
	enum aem_verdict (*job)(struct event_struct *ev, unsigned long key);
	int (*arm)(struct event_struct *ev);
	void (*disarm)(struct event_struct *ev);
	int (*construct)(struct event_struct *ev, struct aem_delivery *d);
	int (*destruct)(struct event_struct *ev, const struct aem_block *block);
	void (*release)(struct event_struct *ev);
	void (*show)(struct event_struct *ev, struct seq_file *seq);
	int (*yield)(struct event_struct *ev, u32 layout);
	int (*adopt)(struct event_struct *ev, u32 layout);
	bool multi;
};

/**
 * aem_event_private() - the service's part of an event
 * @ev: the event
 *
 * Return: event_size bytes, aligned to 8, zeroed at creation.
 */
static inline void *aem_event_private(struct event_struct *ev)
{
	return ev + 1;
}

/** aem_event_id() - the id that the user knows the event by. */
static inline u64 aem_event_id(const struct event_struct *ev)
{
	return (u64)ev->generation << 32 | ev->index;
}

/**
 * aem_event_create() - make an event, not yet to be found by anyone
 * @caller: on whose behalf
 * @call:   the service's call that stands for this kind of event
 * @reg:    what the user asked for; flags, priority and limits are checked here
 *
 * Then fill the private part, set up the job, and commit or abort.
 *
 * Context: process context, may sleep.
 * Return: the event or ERR_PTR: -ENXIO, -EINVAL, -EOPNOTSUPP, -ENOSPC, -EDQUOT,
 * -ENOMEM.
 */
struct event_struct *aem_event_create(const struct aem_caller *caller, u32 call,
				      const struct aem_registration *reg);

/**
 * aem_event_commit() - give an event its id and, with EVF_START, start it
 * @ev:     from aem_event_create()
 * @parent: the event that made it, or NULL
 * @id:     where its id goes, before the event can be found
 *
 * From here on the event can be activated, found and shut down by others: do not
 * touch it afterwards without a reference.
 *
 * Context: process context, may sleep.
 * Return: the id in @id and 0; or an error, and the event is gone (its @release
 * was called): -ENOMEM, -ENXIO (the context is being closed), what @arm said.
 */
int aem_event_commit(struct event_struct *ev, struct event_struct *parent,
		     u64 *id);

/**
 * aem_event_abort() - undo aem_event_create()
 * @ev: the event; its @release is called
 */
void aem_event_abort(struct event_struct *ev);

/**
 * aem_event_find() - the event with this id
 * @caller: whose
 * @id:     from the user
 * @call:   the kind of event it must be, or -1 for any of this service
 *
 * An event may be served by another version than the call that looks for it, after a swap
 * that could not move it. Then there is none for this call, which has done nothing yet and
 * returns -ENOENT; and the core makes the same call to that version.
 *
 * Return: the event with a reference, to be given back with aem_event_put(), or
 * NULL.
 */
struct event_struct *aem_event_find(const struct aem_caller *caller, u64 id,
				    int call);

/** aem_event_put() - give a reference back. Process context, may sleep. */
void aem_event_put(struct event_struct *ev);

/**
 * aem_event_activate() - it happened
 * @ev: the event; the caller sees to it that it stays (a reference, or the job's
 *      own context)
 *
 * For activation points that are not jobs. Constant time, allocates nothing.
 * Ignored while the event is stopped; merged and counted while it is
 * active; remembered while its handler runs.
 *
 * Context: any.
 */
void aem_event_activate(struct event_struct *ev);

/**
 * aem_event_start() - as AEM_EVENT_START, for calls that arm by themselves
 * @ev: the event, referenced; its @arm is not called
 *
 * Context: any.
 */
void aem_event_start(struct event_struct *ev);

/**
 * aem_event_withdraw() - take back activations that have no record yet
 * @ev: the event, referenced
 *
 * Context: any.
 */
void aem_event_withdraw(struct event_struct *ev);

/**
 * aem_job_init_timer() - make the event's job a periodic one
 * @ev:    not committed yet
 * @clock: CLOCK_*
 */
void aem_job_init_timer(struct event_struct *ev, clockid_t clock);

/**
 * aem_job_start_timer() - run the job at a time
 * @ev:    its timer may be armed already, and is armed anew. The job itself may do so
 * @time:  in nanoseconds of its clock
 * @slack: how much later will do, in nanoseconds
 * @mode:  HRTIMER_MODE_ABS or HRTIMER_MODE_REL
 */
void aem_job_start_timer(struct event_struct *ev, ktime_t time, u64 slack,
			 enum hrtimer_mode mode);

/**
 * aem_job_try_cancel_timer() - disarm without waiting
 * @ev: the event
 *
 * Return: 1 it was armed, 0 it was not, -1 the job runs at this moment.
 */
int aem_job_try_cancel_timer(struct event_struct *ev);

/**
 * aem_job_cancel_timer() - disarm; afterwards the job does not run
 * @ev: the event
 *
 * Context: process context.
 * Return: 1 it was armed, 0 it was not.
 */
int aem_job_cancel_timer(struct event_struct *ev);

/**
 * aem_job_switch_timer() - put the event's timer on another clock
 * @ev:    the event, referenced; its timer is not armed and its job does not run, and the
 *         service sees to it that nobody arms it meanwhile
 * @clock: CLOCK_*
 *
 * Context: any.
 * Return: 0; -ENOENT: the event is unregistered, and its timer is left as it is.
 */
int aem_job_switch_timer(struct event_struct *ev, clockid_t clock);

/**
 * aem_job_attach() - make the event's job a reactive one, in a file's wait queues
 * @ev:   not committed yet
 * @file: whose poll() queues to join; the service holds a reference on it until
 *        @release
 *
 * The job may be called from now on; activations before the start are ignored.
 *
 * Context: process context, may sleep.
 * Return: the poll events that hold now; -EOPNOTSUPP: the file cannot be polled,
 * or needs more than AEM_JOB_QUEUES queues; -ENOMEM.
 */
int aem_job_attach(struct event_struct *ev, struct file *file);

/**
 * aem_job_poll() - the poll events that hold now
 * @file: that the job is attached to
 */
static inline __poll_t aem_job_poll(struct file *file)
{
	return vfs_poll(file, NULL);
}

/**
 * aem_job_waits() - is the job in the file's wait queue?
 * @ev: whose job was attached
 *
 * Not any more if the queue went without its file.
 */
static inline bool aem_job_waits(const struct event_struct *ev)
{
	return READ_ONCE(ev->job.place.head);
}

#endif /* _AEM_EVENT_H */
