// SPDX-License-Identifier: GPL-2.0
/*
 * Looks out for settings of CLOCK_REALTIME (AEM_TIMER_CANCEL_ON_SET).
 *
 * timerfd has the kernel's own hook for this. Modules have the notifier that keeps
 * the clocks of virtual machines in step: its action says that the time was stepped. That is
 * also said when the clocksource changes, so each watch compares offsets, as timerfd
 * does. The notifier is called while the time is being changed and may do next to nothing:
 * an irq_work gets us out of there, and a work walks through the list.
 */
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "watch.h"

/* Protects the list; nests outside the timers' locks. */
static DEFINE_MUTEX(watches_lock);
static LIST_HEAD(watches);

static void walk(struct work_struct *work)
{
	struct aem_timer_watch *watch;

	mutex_lock(&watches_lock);
	list_for_each_entry(watch, &watches, link) {
		aem_timer_clock_was_set(watch->ev);
		cond_resched();
	}
	mutex_unlock(&watches_lock);
}

static DECLARE_WORK(walk_work, walk);

static void leave_timekeeping(struct irq_work *work)
{
	schedule_work(&walk_work);
}

static DEFINE_IRQ_WORK(leave_work, leave_timekeeping);

static int time_changes(struct notifier_block *nb, unsigned long was_set, void *timekeeper)
{
	if (was_set)
		irq_work_queue(&leave_work);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = {
	.notifier_call = time_changes,
};

/**
 * aem_timer_watch_attach() - give a timer its watch, unless it has one
 * @ev: the timer's event; the caller has a reference, or it is not committed
 *
 * The watch must be in the list before it starts: then a setting is either in its
 * offset, or the walk that follows the setting finds it.
 *
 * Return: 0 or -ENOMEM.
 */
int aem_timer_watch_attach(struct event_struct *ev)
{
	struct aem_timer *t = aem_event_private(ev);
	struct aem_timer_watch *watch;
	int ret = 0;

	mutex_lock(&watches_lock);
	if (aem_timer_watch_of(t))
		goto out;
	watch = kmalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	if (!watch) {
		ret = -ENOMEM;
		goto out;
	}
	watch->ev = ev;
	watch->offset = AEM_TIMER_NO_OFFSET;
	list_add(&watch->link, &watches);
	raw_spin_lock_irq(&t->lock);
	watch->interval = t->interval;
	t->watch = watch;
	t->state |= TIMER_WATCHED;
	raw_spin_unlock_irq(&t->lock);
out:
	mutex_unlock(&watches_lock);
	return ret;
}

/** aem_timer_watch_leave() - take the timer's watch, if it has one, out of the list. */
void aem_timer_watch_leave(struct event_struct *ev)
{
	struct aem_timer_watch *watch = aem_timer_watch_of(aem_event_private(ev));

	if (!watch)
		return;
	mutex_lock(&watches_lock);
	list_del(&watch->link);
	mutex_unlock(&watches_lock);
}

/** aem_timer_watch_join() - put it into the list again; the clock may have been set meanwhile. */
void aem_timer_watch_join(struct event_struct *ev)
{
	struct aem_timer_watch *watch = aem_timer_watch_of(aem_event_private(ev));

	if (!watch)
		return;
	mutex_lock(&watches_lock);
	list_add(&watch->link, &watches);
	aem_timer_clock_was_set(ev);
	mutex_unlock(&watches_lock);
}

/** aem_timer_watch_detach() - the timer goes; nobody else sees it any more. */
void aem_timer_watch_detach(struct event_struct *ev)
{
	aem_timer_watch_leave(ev);
	kfree(aem_timer_watch_of(aem_event_private(ev)));
}

int aem_timer_watch_init(void)
{
	return pvclock_gtod_register_notifier(&notifier);
}

/* Nobody has a timer any more, but the clock may be set at any time. */
void aem_timer_watch_exit(void)
{
	pvclock_gtod_unregister_notifier(&notifier);
	irq_work_sync(&leave_work);
	cancel_work_sync(&walk_work);
}
