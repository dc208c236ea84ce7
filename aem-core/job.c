// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs: the callbacks that activation points call. They belong to the core, and look
 * up the service's code under RCU, so that a service can be exchanged under them.
 */
#include <linux/slab.h>
#include <aem/compat/hrtimer.h>
#include "job.h"
#include "range.h"

/** aem_job_ask() - the service's answer to an occurrence. Under RCU. */
enum aem_verdict aem_job_ask(struct event_struct *ev, unsigned long key)
{
	const struct aem_event_ops *ops = aem_event_ops(ev, rcu_dereference(ev->service));

	return ops->job ? ops->job(ev, key) : AEM_ACTIVATE;
}

/*
 * The stimulus came. The activation is within the read side, too: who has waited for a grace
 * period finds done all that came of a job that ran before.
 */
static enum aem_verdict happen(struct event_struct *ev, unsigned long key)
{
	enum aem_verdict verdict;

	rcu_read_lock();
	verdict = aem_job_ask(ev, key);
	if (verdict != AEM_SLEEP)
		aem_event_activate(ev);
	rcu_read_unlock();
	return verdict;
}

static enum hrtimer_restart expire(struct hrtimer *timer)
{
	struct event_struct *ev = container_of(timer, struct event_struct, job.timer);

	return happen(ev, 0) == AEM_RESTART ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/** aem_job_note() - an event that is held was called with this key. Under the process's lock. */
void aem_job_note(struct event_struct *ev, unsigned long key)
{
	lockdep_assert_held(&ev->proc->lock);
	if (ev->job_kind != AEM_JOB_REACTIVE)
		return;
	ev->job.keys |= key;
	ev->job.blank |= !key;
}

/** aem_job_take_note() - what aem_job_note() noted. Under the process's lock. */
void aem_job_take_note(struct event_struct *ev, struct aem_noted *noted)
{
	lockdep_assert_held(&ev->proc->lock);
	*noted = (struct aem_noted){ 0 };
	if (ev->job_kind != AEM_JOB_REACTIVE)
		return;
	*noted = (struct aem_noted){ .keys = ev->job.keys, .blank = ev->job.blank };
	ev->job.keys = 0;
	ev->job.blank = false;
}

/**
 * aem_job_replay() - what was noted happens now
 * @ev:    let go
 * @noted: from aem_job_take_note()
 *
 * The timer of a periodic job was not restarted when it was noted.
 */
void aem_job_replay(struct event_struct *ev, const struct aem_noted *noted)
{
	if (ev->job_kind == AEM_JOB_REACTIVE) {
		if (noted->keys)
			happen(ev, noted->keys);
		if (noted->blank)
			happen(ev, 0);
	} else if (happen(ev, 0) == AEM_RESTART && ev->job_kind == AEM_JOB_PERIODIC) {
		hrtimer_start_expires(&ev->job.timer, HRTIMER_MODE_ABS);
	}
}

void aem_job_init_timer(struct event_struct *ev, clockid_t clock)
{
	ev->job_kind = AEM_JOB_PERIODIC;
	aem_hrtimer_setup(&ev->job.timer, expire, clock, HRTIMER_MODE_ABS);
}
EXPORT_SYMBOL_GPL(aem_job_init_timer);

void aem_job_start_timer(struct event_struct *ev, ktime_t time, u64 slack,
			 enum hrtimer_mode mode)
{
	hrtimer_start_range_ns(&ev->job.timer, time, slack, mode);
}
EXPORT_SYMBOL_GPL(aem_job_start_timer);

int aem_job_try_cancel_timer(struct event_struct *ev)
{
	return hrtimer_try_to_cancel(&ev->job.timer);
}
EXPORT_SYMBOL_GPL(aem_job_try_cancel_timer);

int aem_job_cancel_timer(struct event_struct *ev)
{
	return hrtimer_cancel(&ev->job.timer);
}
EXPORT_SYMBOL_GPL(aem_job_cancel_timer);

/*
 * To set a timer up anew is to clear it first, and whoever cancels it at that moment meets
 * a timer without a base. So the core cancels after EV_DEAD only, which is looked at here.
 */
int aem_job_switch_timer(struct event_struct *ev, clockid_t clock)
{
	unsigned long flags;
	int err = -ENOENT;

	raw_spin_lock_irqsave(&ev->proc->lock, flags);
	if (!(ev->state & EV_DEAD)) {
		aem_hrtimer_setup(&ev->job.timer, expire, clock, HRTIMER_MODE_ABS);
		err = 0;
	}
	raw_spin_unlock_irqrestore(&ev->proc->lock, flags);
	return err;
}
EXPORT_SYMBOL_GPL(aem_job_switch_timer);

/**
 * struct aem_places - a place in one more wait queue of the same file
 * @place: there
 * @next:  one more
 */
struct aem_places {
	struct aem_place place;
	struct aem_places *next;
};

/*
 * Called with the wait queue's lock. POLLFREE: the queue is about to go, without its
 * file going; RCU keeps it until after the reader in leave_queue().
 */
static int wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct aem_place *place = container_of(wait, struct aem_place, wait);
	struct event_struct *ev = wait->private;

	happen(ev, (unsigned long)key);
	if (key_to_poll(key) & POLLFREE) {
		list_del_init(&wait->entry);
		/* Pairs with leave_queue(); neither queue nor place are touched after it. */
		smp_store_release(&place->head, NULL);
	}
	return 1;
}

static void join_queue(struct aem_place *place, struct event_struct *ev,
		       struct wait_queue_head *head)
{
	init_waitqueue_func_entry(&place->wait, wake);
	place->wait.private = ev;
	place->head = head;
	add_wait_queue(head, &place->wait);
}

static void leave_queue(struct aem_place *place)
{
	struct wait_queue_head *head;

	rcu_read_lock();
	/* Pairs with wake(). */
	head = smp_load_acquire(&place->head);
	if (head)
		remove_wait_queue(head, &place->wait);
	rcu_read_unlock();
	place->head = NULL;
}

static void detach_wait(struct event_struct *ev)
{
	struct aem_places *more;

	leave_queue(&ev->job.place);
	while ((more = ev->job.more)) {
		ev->job.more = more->next;
		leave_queue(&more->place);
		kfree(more);
	}
}

/**
 * struct attachment - carries the event through vfs_poll()
 * @table: what that is given
 * @ev:    the event
 * @n:     queues so far
 * @error: why there may not be one more, or 0
 */
struct attachment {
	poll_table table;
	struct event_struct *ev;
	unsigned int n;
	int error;
};

/* The first place is the event's own: most files have one queue. NULL: @att->error says why. */
static struct aem_place *next_place(struct attachment *att)
{
	struct aem_places *more;

	if (!att->n++)
		return &att->ev->job.place;
	if (att->n > AEM_JOB_QUEUES) {
		att->error = -EOPNOTSUPP;
		return NULL;
	}
	more = kzalloc(sizeof(*more), GFP_KERNEL_ACCOUNT);
	if (!more) {
		att->error = -ENOMEM;
		return NULL;
	}
	more->next = att->ev->job.more;
	att->ev->job.more = more;
	return &more->place;
}

static void attach(struct file *file, struct wait_queue_head *head, poll_table *table)
{
	struct attachment *att = container_of(table, struct attachment, table);
	struct aem_place *place = att->error ? NULL : next_place(att);

	if (place)
		join_queue(place, att->ev, head);
}

int aem_job_attach(struct event_struct *ev, struct file *file)
{
	struct attachment att = { .ev = ev };
	__poll_t now;

	might_sleep();
	if (!file_can_poll(file))
		return -EOPNOTSUPP;
	ev->job_kind = AEM_JOB_REACTIVE;
	/* Nothing that we do ends in a socket's wait queue again. */
	if (!S_ISSOCK(file_inode(file)->i_mode))
		ev->state |= EV_NESTED;
	init_poll_funcptr(&att.table, attach);
	now = vfs_poll(file, &att.table);
	if (!att.n)
		att.error = -EOPNOTSUPP;
	if (att.error) {
		detach_wait(ev);
		return att.error;
	}
	return (__force int)now;
}
EXPORT_SYMBOL_GPL(aem_job_attach);

/**
 * aem_job_detach() - leave timer and wait queue; afterwards the job does not run
 * @ev: the event. Doing it again does no harm
 */
void aem_job_detach(struct event_struct *ev)
{
	might_sleep();
	if (ev->job_kind == AEM_JOB_PERIODIC)
		hrtimer_cancel(&ev->job.timer);
	else if (ev->job_kind == AEM_JOB_REACTIVE)
		detach_wait(ev);
}
