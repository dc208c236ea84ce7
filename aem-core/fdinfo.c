// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo tells of a context: its counters, and a line for each event.
 */
#include <linux/fs.h>
#include <linux/pid_namespace.h>
#include <linux/seq_file.h>
#include "device.h"
#include "doorbell.h"
#include "event.h"
#include "fdinfo.h"
#include "range.h"

/* A line each for more would make the reader's buffer grow past reason. */
#define EVENTS_SHOWN	16384

static void show_flag(struct seq_file *seq, bool *first, const char *name)
{
	seq_printf(seq, "%s%s", *first ? "" : ",", name);
	*first = false;
}

static void show_state(struct seq_file *seq, const struct event_struct *ev)
{
	u16 state = READ_ONCE(ev->state);
	bool first = true;

	seq_puts(seq, " state=");
	show_flag(seq, &first, state & EV_STARTED ? "started" : "stopped");
	if (state & EV_ACTIVE)
		show_flag(seq, &first, "active");
	if (READ_ONCE(ev->inflight))
		show_flag(seq, &first, "busy");
	if (state & EV_STARVED)
		show_flag(seq, &first, "starved");
}

/* Under RCU: neither the event nor its service's code goes. */
static void show_event(struct seq_file *seq, struct event_struct *ev)
{
	const struct aem_service *service = rcu_dereference(ev->service);
	const struct aem_event_ops *ops = aem_event_ops(ev, service);

	seq_printf(seq, "event:\tid=0x%llx cookie=0x%llx service=%s call=%s prio=%u",
		   aem_event_id(ev), ev->cookie, service->name,
		   aem_service_call(service, ev->nr)->name, READ_ONCE(ev->prio));
	show_state(seq, ev);
	seq_printf(seq, " flags=0x%x activations=%u starved=%u lost=%u inflight=%u parent=%u",
		   READ_ONCE(ev->flags), READ_ONCE(ev->activations), READ_ONCE(ev->starved),
		   READ_ONCE(ev->lost), READ_ONCE(ev->inflight), ev->parent);
	if (ops->show)
		ops->show(ev, seq);
	seq_putc(seq, '\n');
}

static void show_events(struct seq_file *seq, struct aem_process *proc)
{
	struct event_struct *ev;
	unsigned int shown = 0, omitted = 0;
	unsigned long index;

	rcu_read_lock();
	xa_for_each(&proc->events, index, ev) {
		if (READ_ONCE(ev->state) & EV_DEAD)
			continue;
		if (shown++ < EVENTS_SHOWN && !seq_has_overflowed(seq))
			show_event(seq, ev);
		else
			omitted++;
	}
	rcu_read_unlock();
	if (omitted)
		seq_printf(seq, "events-omitted:\t%u\n", omitted);
}

static void show_setup(struct seq_file *seq, const struct aem_process *proc,
		       const struct aem_query *query)
{
	seq_printf(seq, "mode:\t%s\n",
		   proc->flags & AEM_SETUP_SAFEPOINT ? "safepoint" : proc->bell->name);
	seq_printf(seq, "owner:\t%d\n",
		   task_pid_nr_ns(proc->owner, task_active_pid_ns(current)));
	seq_printf(seq, "signo:\t%u\n", proc->signo);
	seq_printf(seq, "level:\t%u\n", READ_ONCE(proc->control->level));
	seq_printf(seq, "hint:\t%u\n", query->hint);
	seq_printf(seq, "boost:\t%u\n", query->boost);
	seq_printf(seq, "realtime-ns:\t%llu\n", READ_ONCE(proc->realtime.used));
}

static void show_counters(struct seq_file *seq, const struct aem_process *proc,
			  const struct aem_query *query)
{
	seq_printf(seq, "ring-entries:\t%u\n", query->ring_entries);
	seq_printf(seq, "vmt-size:\t%llu\n", query->vmt_size);
	seq_printf(seq, "vmt-used:\t%llu\n", query->vmt_used);
	seq_printf(seq, "events:\t%u\n", query->events);
	seq_printf(seq, "active:\t%u\n", query->active);
	seq_printf(seq, "starved:\t%u\n", query->starved);
	seq_printf(seq, "activations:\t%llu\n", query->activations);
	seq_printf(seq, "records:\t%llu\n", query->records);
	seq_printf(seq, "doorbells:\t%llu\n", query->doorbells);
	seq_printf(seq, "waiters:\t%u\n", READ_ONCE(proc->n_waiters));
	seq_printf(seq, "starvations:\t%llu\n", query->starvations);
	seq_printf(seq, "redirects:\t%llu\n", query->redirects);
}

/** aem_fdinfo_show() - the show_fdinfo of /dev/aem. */
void aem_fdinfo_show(struct seq_file *seq, struct file *file)
{
	struct aem_process *proc = file->private_data;
	struct aem_query query = { 0 };

	aem_device_query(proc, &query);
	seq_printf(seq, "aem-abi:\t%u\n", query.abi);
	if (aem_process_is_ready(proc))
		show_setup(seq, proc, &query);
	show_counters(seq, proc, &query);
	show_events(seq, proc);
}
