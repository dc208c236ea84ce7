// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of a watch's event.
 *
 * Nothing of an event belongs to this module: what is private to it is the watch, which the table's
 * module knows and looks after. So another version takes it over as it is, in the one layout that
 * there can be as long as that module stays, and needs neither @yield nor @adopt.
 */
#include <linux/seq_file.h>
#include "pexit.h"

static int construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	struct aem_pexit_note note;
	bool more;
	int err;

	/* The block first: what is popped cannot be put back. */
	err = aem_vmt_alloc(d->caller.proc, sizeof(note), &d->block);
	if (err)
		return err;
	if (!aem_pexit_pop(w, &note, d, &more))
		return -EAGAIN;
	memcpy(d->block.address, &note, sizeof(note));
	d->word[0] = note.pid;
	d->word[1] = note.status;
	d->arg[1] = d->block.offset;
	d->word[4] = note.kind;
	d->word[5] = note.flags;
	d->count = 1;
	return more ? AEM_MORE : 0;
}

static int arm(struct event_struct *ev)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	bool any;

	raw_spin_lock_irq(&w->lock);
	any = w->used;
	raw_spin_unlock_irq(&w->lock);
	return any ? AEM_READY : 0;
}

static void show(struct event_struct *ev, struct seq_file *seq)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);

	seq_printf(seq, " flags:%x waiting:%u watched:%u", w->flags, READ_ONCE(w->used),
		   w->group ? 0 : READ_ONCE(w->reserved));
}

const struct aem_event_ops aem_pexit_events = {
	.construct = construct,
	.arm = arm,
	.release = aem_pexit_release,
	.show = show,
	.multi = true,
};
