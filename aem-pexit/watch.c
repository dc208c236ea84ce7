// SPDX-License-Identifier: GPL-2.0
/*
 * A watch: the notes that wait to be told, and room for those whom it looks at.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "pexit.h"

static void lose(struct aem_pexit_watch_state *w)
{
	lockdep_assert_held(&w->lock);
	if (w->lost < U32_MAX)
		w->lost++;
}

/* The caller has seen to it that there is a place. */
static struct aem_pexit_note *place(struct aem_pexit_watch_state *w)
{
	lockdep_assert_held(&w->lock);
	return &w->notes[(w->head + w->used++) % w->size];
}

static bool is_full(const struct aem_pexit_watch_state *w)
{
	lockdep_assert_held(&w->lock);
	return w->used + w->reserved >= w->size;
}

/* A fork or an exec by somebody whose affairs are not the owner's, or a process not seen. */
static bool is_none_of_ours(const struct aem_pexit_note *note)
{
	return !note->pid ||
	       (note->kind != AEM_PEXIT_END && !(note->flags & AEM_PEXIT_F_STATUS));
}

/**
 * aem_pexit_tell() - something happened to a process that has no place of its own
 * @ev:    the watch
 * @facts: of it
 *
 * Under the lock of a bucket that has a member of the watch.
 */
void aem_pexit_tell(struct event_struct *ev, struct aem_pexit_facts *facts)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	struct aem_pexit_note note;
	unsigned long flags;

	aem_pexit_facts_write(facts, w, &note);
	if (is_none_of_ours(&note))
		return;
	raw_spin_lock_irqsave(&w->lock, flags);
	if (is_full(w))
		lose(w);
	else
		*place(w) = note;
	raw_spin_unlock_irqrestore(&w->lock, flags);
	aem_event_activate(ev);
}

/* What was reserved for it is given up, or used, already. */
static void give(struct aem_pexit_watch_state *w, struct aem_pexit_member *member)
{
	lockdep_assert_held(&w->lock);
	WRITE_ONCE(member->pid, NULL);
	if (member != &w->self)
		hlist_add_head(&member->node, &w->free);
}

/**
 * aem_pexit_tell_end() - the end of a member, in the place that is reserved for it
 * @member: not in its bucket any more
 * @facts:  of it
 *
 * Under the bucket's lock, or before the event is committed.
 */
void aem_pexit_tell_end(struct aem_pexit_member *member, struct aem_pexit_facts *facts)
{
	struct event_struct *ev = member->ev;
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	unsigned long flags;

	raw_spin_lock_irqsave(&w->lock, flags);
	w->reserved--;
	aem_pexit_facts_write(facts, w, place(w));
	raw_spin_unlock_irqrestore(&w->lock, flags);
	aem_event_activate(ev);
	/* The last that is done with the event: see leave() in table.c. */
	raw_spin_lock_irqsave(&w->lock, flags);
	give(w, member);
	raw_spin_unlock_irqrestore(&w->lock, flags);
}
EXPORT_SYMBOL_GPL(aem_pexit_tell_end);

/**
 * aem_pexit_take() - a free member, and a place for its end
 * @w: the watch
 *
 * Return: NULL: there is none. That is counted as a loss, unless the watch is going.
 */
struct aem_pexit_member *aem_pexit_take(struct aem_pexit_watch_state *w)
{
	struct aem_pexit_member *member = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&w->lock, flags);
	if (!w->closing && !hlist_empty(&w->free) && !is_full(w)) {
		member = hlist_entry(w->free.first, struct aem_pexit_member, node);
		hlist_del_init(&member->node);
		w->reserved++;
	} else if (!w->closing) {
		lose(w);
	}
	raw_spin_unlock_irqrestore(&w->lock, flags);
	return member;
}

/** aem_pexit_give() - undo aem_pexit_take(). */
void aem_pexit_give(struct aem_pexit_member *member)
{
	struct aem_pexit_watch_state *w = aem_event_private(member->ev);
	unsigned long flags;

	raw_spin_lock_irqsave(&w->lock, flags);
	w->reserved--;
	give(w, member);
	raw_spin_unlock_irqrestore(&w->lock, flags);
}

/**
 * aem_pexit_pop() - the oldest note
 * @w:    the watch; one caller at a time
 * @note: filled
 * @d:    is told of losses, and whether no other note can come
 * @more: there are others
 *
 * Return: false: there is none.
 */
bool aem_pexit_pop(struct aem_pexit_watch_state *w, struct aem_pexit_note *note,
		   struct aem_delivery *d, bool *more)
{
	bool any;

	raw_spin_lock_irq(&w->lock);
	any = w->used;
	if (any) {
		*note = w->notes[w->head];
		w->head = (w->head + 1) % w->size;
		w->used--;
		d->lost += w->lost;
		w->lost = 0;
		d->end = !w->used && !w->reserved && !w->group;
	}
	*more = w->used;
	raw_spin_unlock_irq(&w->lock);
	return any;
}
EXPORT_SYMBOL_GPL(aem_pexit_pop);

/** aem_pexit_release() - the watch goes: the event's @release. */
void aem_pexit_release(struct event_struct *ev)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);

	/* Nothing was set up. */
	if (!w->cred)
		return;
	aem_pexit_leave(ev);
	aem_pexit_count(w, -1);
	kvfree(w->members);
	if (w->notes != &w->single)
		kvfree(w->notes);
	put_pid(w->group);
	put_pid(w->owner);
	put_cred(w->cred);
}
EXPORT_SYMBOL_GPL(aem_pexit_release);

static int make_notes(struct aem_pexit_watch_state *w, u32 size)
{
	w->size = size;
	w->notes = &w->single;
	if (size > 1)
		w->notes = kvcalloc(size, sizeof(*w->notes), GFP_KERNEL_ACCOUNT);
	return w->notes ? 0 : -ENOMEM;
}

static int make_members(struct event_struct *ev, u32 n)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	u32 i;

	if (!n)
		return 0;
	w->members = kvcalloc(n, sizeof(*w->members), GFP_KERNEL_ACCOUNT);
	if (!w->members)
		return -ENOMEM;
	w->n_members = n;
	for (i = n; i--;) {
		w->members[i].ev = ev;
		hlist_add_head(&w->members[i].node, &w->free);
	}
	return 0;
}

static u32 wanted_notes(const struct aem_pexit_watch *request)
{
	return request->notes ?: request->flags ? AEM_PEXIT_NOTES : 1;
}

static u32 wanted_members(const struct aem_pexit_watch *request)
{
	if (!(request->flags & AEM_PEXIT_FOLLOW))
		return 0;
	return request->members ?: AEM_PEXIT_NOTES;
}

/**
 * aem_pexit_init() - fill a new event
 * @ev:      not committed, in no bucket
 * @request: checked
 * @group:   the process group, with a reference that is taken over; or NULL
 *
 * Return: 0 or -ENOMEM; aem_pexit_release() undoes it in either case.
 */
int aem_pexit_init(struct event_struct *ev, const struct aem_pexit_watch *request,
		   struct pid *group)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	u32 members = wanted_members(request);

	raw_spin_lock_init(&w->lock);
	w->flags = request->flags;
	w->cred = get_current_cred();
	w->owner = get_pid(task_tgid(current));
	w->group = group;
	w->reserved = !group;
	INIT_HLIST_NODE(&w->self.node);
	w->self.ev = ev;
	aem_pexit_count(w, 1);
	return make_notes(w, wanted_notes(request) + members + (members > 0)) ?:
	       make_members(ev, members);
}
EXPORT_SYMBOL_GPL(aem_pexit_init);
