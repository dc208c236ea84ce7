/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that one open of /dev/aem owns.
 *
 * Locks, outermost first:
 *
 *   aem_process.enter_lock   the ring and its slots, constructors and
 *                            destructors, start, stop and unregistration
 *   aem_range.gate           (passing) a service's code; its own locks nest inside
 *   aem_vmtable's mutex      the allocator
 *   aem_process.events       (xa_lock) the table of ids, @closing
 *   aem_process.lock         active lists and the state of events; hard
 *                            interrupts take it
 *   aem_hint.lock            the owner's nice value; not inside of the former
 *   aem_realtime.lock        the owner's class; a mutex, inside of none of the others
 *   binding                  (booster.c) who lends whom a priority; a mutex, inside of none of
 *                            the others
 *
 * Copies from and to user space happen under none of them but aem_range.gate,
 * so that a page fault never meets enter_lock.
 */
#ifndef _AEM_CORE_PROCESS_H
#define _AEM_CORE_PROCESS_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/rtmutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <aem/event.h>
#include "vmtable.h"

struct aem_booster;
struct aem_doorbell;
struct aem_user;

/** AEM_RANGES: Ranges of call numbers; number 0 is the core's. */
#define AEM_RANGES	64

/**
 * struct aem_slot - the kernel's side of a record
 * @ev:        the event, with a reference; NULL: free, or taken back before its neighbours
 * @block:     what the record's arguments point to
 * @task:      who was given the record; compared, never dereferenced
 * @cancelled: the event was unregistered before the handler started
 * @untold:    AEM_IOC_ENTER could not write down that it made the record
 *
 * All under enter_lock.
 */
struct aem_slot {
	struct event_struct *ev;
	struct aem_block block;
	struct task_struct *task;
	bool cancelled;
	bool untold;
};

/**
 * struct aem_queue - active events that are delivered alike
 * @lists: one for each priority, first in first out
 * @mask:  bit p is set while lists[p] has an event
 *
 * Under the process's lock.
 */
struct aem_queue {
	struct list_head lists[AEM_PRIORITIES];
	u32 mask;
};

/**
 * enum aem_silence - why the bell is silent for every priority
 * @AEM_SILENCE_RUNG:   it has rung, and who answers it will look. Were it to ring again for what is
 *                      more urgent, the kernel would put one signal's frame upon the other's before
 *                      either handler runs, and a storm would pile up such pairs
 * @AEM_SILENCE_HUSHED: in AEM_IOC_ENTER is who will look: the owner, or another who does not sleep
 */
enum aem_silence {
	AEM_SILENCE_RUNG = AEM_PRIORITIES + 1,
	AEM_SILENCE_HUSHED,
};

/**
 * enum aem_queue_kind - which events are in an aem_queue
 * @AEM_QUEUE_INTERRUPT: those that may break the flow
 * @AEM_QUEUE_SAFEPOINT: those that wait for a safe point
 * @AEM_QUEUES:          how many kinds there are
 */
enum aem_queue_kind {
	AEM_QUEUE_INTERRUPT,
	AEM_QUEUE_SAFEPOINT,
	AEM_QUEUES,
};

/**
 * struct aem_counters - what has happened
 * @activations: events that were found true, merged ones included
 * @records:     calls of handlers that were prepared
 * @doorbells:   times that the doorbell rang
 * @starvations: times that an event had to wait for memory
 * @redirects:   times that the owner's registers were redirected
 *
 * Under the process's lock.
 */
struct aem_counters {
	u64 activations;
	u64 records;
	u64 doorbells;
	u64 starvations;
	u64 redirects;
};

/**
 * struct aem_hint - what the scheduler feels of active events, with AEM_SETUP_HINT
 * @lock:  protects the rest; raw, nests the scheduler's locks
 * @value: 1 + highest priority that was active lately, 0: none
 * @steps: of nice that the owner is boosted by
 * @base:  its nice value without that
 * @nice:  its nice value with that
 * @over:  no more boosts, the context ends
 * @cred:  of the owner if CAP_SYS_NICE was among them at setup; constant
 * @look:  looks whether the value is still right
 */
struct aem_hint {
	raw_spinlock_t lock;
	u32 value;
	u32 steps;
	int base;
	int nice;
	bool over;
	const struct cred *cred;
	struct delayed_work look;
};

/**
 * struct aem_realtime - the owner's time in the real-time class, with AEM_SETUP_HINT
 * @lock:   protects the rest; outside of the scheduler's locks. Who is urgent waits for it, and
 *          lends its priority to an owner that has just lost its own and holds it
 * @on:     the owner is in the class; read anywhere
 * @felt:   what becomes active need not tell: it is looked at as long as it matters. Written by
 *          who looks, read anywhere
 * @lacks:  it could not be, for want of a booster; read anywhere
 * @held:   the owner has it for ever; a booster waits for it, and the owner inherits its priority
 * @booster: the one that does, NULL: none. Written under locks of booster.c, read anywhere
 * @since:  when time was accounted, in ns
 * @ran:    how much the owner had run then, in ns
 * @left:   what it may use now, in ns; negative: it has used too much
 * @used:   what it has used, in ns
 * @timer:  has it looked at again
 * @work:   looks, for whom cannot sleep
 */
struct aem_realtime {
	struct rt_mutex lock;
	bool on;
	bool felt;
	bool lacks;
	struct rt_mutex held;
	struct aem_booster *booster;
	u64 since;
	u64 ran;
	s64 left;
	u64 used;
	struct hrtimer timer;
	struct kthread_work work;
};

/**
 * struct aem_process - what one open of /dev/aem owns
 * @refs:         the open file and the work each hold one
 * @user:         whose limits it counts against; constant
 * @mm:           the address space that handlers are in, for comparison only
 *                (mmgrab); set once, before @ready
 * @owner:        thread that the doorbell rings; set once, before @ready
 * @flags:        AEM_SETUP_*; set once, before @ready
 * @bell:         how the owner's flow is broken; set once, before @ready
 * @signo:        the doorbell's signal; set once, before @ready
 * @trampoline:   where redirected registers lead to; set once, before @ready
 * @pause:        ends a silence that the process asked for: AEM_ENTER_PAUSE. Started under
 *                enter_lock while @ready
 * @bell_work:    redirects them, in the owner's context
 * @bell_state:   bits of the doorbell's own; atomic
 * @hint:         the soft real-time hint
 * @realtime:     what it does for the urgent
 * @ready:        set up, and not shut down; written under enter_lock, read anywhere
 *                with acquire
 * @was_set_up:   AEM_IOC_SETUP has been done; enter_lock
 * @mappings:     of the control page, two while it is moved; mmap_lock of @mm
 * @orphan:       the control page was unmapped again: never ring
 * @shutdown:     work: unregister everything after that
 * @control:      the control page, shared with the process; trust nothing in it
 * @ring:         the records, shared with the process; trust nothing in them
 * @ring_entries: a power of two; set once, before @ready
 * @vmt:          the vmtable; locks itself
 * @enter_lock:   protects @slots, @head, @tail, @reaps, and serialises start, stop and
 *                unregistration of events
 * @slots:        the kernel's side of @ring
 * @head:         oldest record that is not taken back, free-running
 * @tail:         next record to fill, free-running, or back where a record is taken back there
 * @reaps:        counts records that were taken back; written under enter_lock
 * @taker:        who was given records last; compared, never dereferenced; enter_lock
 * @takers:       several threads were, in their time; enter_lock
 * @untold:       records that are untold; written under enter_lock
 * @events:       events by index, until they are freed. xa_lock protects @closing too
 * @generation:   of the newest event
 * @n_events:     how many there are, those that are going included
 * @closing:      no event may join @events any more
 * @ranges:       what the process is bound to, by index; only ever added to until the
 *                process goes
 * @bound:        in the list of those who are bound to something; the registry's mutex
 * @dying:        events without references, to be released outside of locks
 * @lock:         protects all below, and the state of events
 * @queues:       the active events
 * @at:           how many of them at each priority
 * @n_active:     their sum
 * @seq:          of the next activation
 * @starved:      events that wait for memory, in order
 * @n_starved:    how many
 * @frees:        counts blocks that came back; tells whether one did meanwhile
 * @feeder:       lets the starved try again after a shortage of pages
 * @waiters:      who sleeps in AEM_IOC_ENTER, or did and is about to see why it was woken, longest
 *                first
 * @n_waiters:    how many these are; read anywhere
 * @silence:      the bell is silent for priorities below: what AEM_ENTER_PAUSE asked for, or
 *                AEM_SILENCE_*
 * @revoked:      a service was revoked, and no AEM_IOC_ENTER has returned since
 * @revocations:  counts them
 * @counters:     statistics
 * @poll_queue:   poll() of the descriptor
 * @idle_queue:   waits for handlers to end
 * @teller:       rings and wakes pollers for what was activated where that cannot
 *                be done
 * @tell:         1 + the priority that @teller rings for, 0: it does not ring; atomic
 */
struct aem_process {
	struct kref refs;
	struct aem_user *user;
	struct mm_struct *mm;
	struct task_struct *owner;
	u32 flags;
	const struct aem_doorbell *bell;
	u32 signo;
	struct aem_trampoline trampoline;
	struct hrtimer pause;
	struct callback_head bell_work;
	unsigned long bell_state;
	struct aem_hint hint;
	struct aem_realtime realtime;
	bool ready;
	bool was_set_up;
	unsigned int mappings;
	bool orphan;
	struct work_struct shutdown;
	struct delayed_work feeder;

	struct aem_control *control;
	struct aem_record *ring;
	u32 ring_entries;
	struct aem_vmtable vmt;

	struct mutex enter_lock;
	struct aem_slot *slots;
	u32 head;
	u32 tail;
	u32 reaps;
	struct task_struct *taker;
	bool takers;
	u32 untold;

	struct xarray events;
	atomic_t generation;
	atomic_t n_events;
	bool closing;
	struct aem_range *ranges[AEM_RANGES];
	struct list_head bound;
	struct llist_head dying;

	raw_spinlock_t lock;
	struct aem_queue queues[AEM_QUEUES];
	u32 at[AEM_PRIORITIES];
	u32 n_active;
	u32 seq;
	struct list_head starved;
	u32 n_starved;
	u32 frees;
	struct list_head waiters;
	u32 n_waiters;
	u32 silence;
	bool revoked;
	u32 revocations;
	struct aem_counters counters;
	wait_queue_head_t poll_queue;
	wait_queue_head_t idle_queue;
	struct irq_work teller;
	atomic_t tell;
};

int aem_process_init(void);
void aem_process_exit(void);

struct aem_process *aem_process_create(void);
int aem_process_check_setup(struct aem_process *proc, struct aem_setup *setup);
int aem_process_setup(struct aem_process *proc, const struct aem_setup *setup);
void aem_process_shutdown(struct aem_process *proc);
void aem_process_orphan(struct aem_process *proc);
void aem_process_close(struct aem_process *proc);
void aem_process_put(struct aem_process *proc);

/** aem_process_is_ready() - is it set up, and not shut down? Then all of it may be read. */
static inline bool aem_process_is_ready(const struct aem_process *proc)
{
	/* Pairs with aem_process_setup(). */
	return smp_load_acquire(&proc->ready);
}

/** aem_process_check() - may the caller use this context? 0, -ENXIO or -EPERM. */
static inline int aem_process_check(const struct aem_process *proc)
{
	if (!aem_process_is_ready(proc))
		return -ENXIO;
	return current->mm == proc->mm ? 0 : -EPERM;
}

#endif /* _AEM_CORE_PROCESS_H */
