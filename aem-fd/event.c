// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of a watch's event.
 *
 * Nothing of an event belongs to this module: what is private to it is a group, whose watch and
 * marks aem-fd-marks knows and looks after. So another version takes it over as it is, in the one
 * layout that there can be as long as that module stays, and needs neither @yield nor @adopt.
 */
#include <linux/seq_file.h>
#include "fd.h"

static struct aem_fd_watch_state *watch_of(struct event_struct *ev)
{
	return aem_fd_group_of(ev)->private;
}

static void tell_one(struct aem_delivery *d, const struct aem_fd_note *note)
{
	d->word[0] = note->kinds;
	d->word[1] = note->number;
	d->word[4] = note->flags;
	d->word[5] = note->pid;
}

static void tell_many(struct aem_delivery *d, const struct aem_fd_taken *taken)
{
	d->word[0] = taken->bytes;
	d->word[1] = taken->n;
}

static int construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_fd_watch_state *w = watch_of(ev);
	struct aem_fd_taken taken;
	u32 bytes, least;
	bool more;
	int err;

	bytes = aem_fd_peek(w, &least);
	aem_fd_tree_fill(w);
	if (!bytes)
		return -EAGAIN;
	/* The block first: what is popped cannot be put back. */
	err = aem_vmt_alloc_some(d->caller.proc, bytes, least, &d->block);
	if (err)
		return err;
	more = aem_fd_pop(w, d, &taken);
	if (w->flags & AEM_FD_PACKED)
		tell_many(d, &taken);
	else
		tell_one(d, &taken.first);
	d->arg[1] = d->block.offset;
	d->count = taken.count;
	return more ? AEM_MORE : 0;
}

static int arm(struct event_struct *ev)
{
	u32 least;

	return aem_fd_peek(watch_of(ev), &least) ? AEM_READY : 0;
}

static void show(struct event_struct *ev, struct seq_file *seq)
{
	struct aem_fd_watch_state *w = watch_of(ev);

	seq_printf(seq, " kinds:%x flags:%x files:%u waiting:%u", w->kinds, w->flags,
		   READ_ONCE(w->n_files), READ_ONCE(w->queue.n));
}

const struct aem_event_ops aem_fd_events = {
	.construct = construct,
	.arm = arm,
	.release = aem_fd_release,
	.show = show,
	.multi = true,
};
