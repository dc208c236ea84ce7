// SPDX-License-Identifier: GPL-2.0
/*
 * Pseudo-system calls, one by one and in batches, and the one crossing that takes back
 * finished records, makes calls, waits, and delivers.
 */
#include <linux/compat.h>
#include <linux/uaccess.h>
#include "active.h"
#include "copy.h"
#include "doorbell.h"
#include "enter.h"
#include "layer.h"
#include "range.h"
#include "ring.h"
#include "waiter.h"

/** AEM_CALLS_MAX: Calls in one AEM_IOC_ENTER. */
#define AEM_CALLS_MAX	65536
/** CALLS_AT_A_TIME: Calls before others may have the processor: a burst of sends is not cut up. */
#define CALLS_AT_A_TIME	64

/* The core's own calls: range 0. */
static long call_event(const struct aem_caller *caller, void *arg)
{
	return aem_event_control(caller->proc, arg);
}

static const struct aem_call_op core_calls[] = {
	AEM_CALL_OP(AEM_CALL_EVENT, struct aem_event, pad, call_event, NULL),
};

static u64 registered_id(const void *arg)
{
	const struct aem_registration *reg = arg + AEM_REGISTRATION;

	return reg->id;
}

/* @made is set on errors too, if only the answer could not be written. */
static long execute(const struct aem_call_op *op, const struct aem_caller *caller,
		    void __user *from, u64 *made)
{
	u64 arg[AEM_CALL_ARG_MAX / sizeof(u64)] AEM_UNINITIALIZED;
	u32 size;
	long ret;

	ret = aem_copy_in(arg, op->size, op->min_size, from, &size);
	/* An event whose id cannot be told must not come to be. */
	if (!ret && op->events)
		ret = aem_copy_out(from, arg, 0, op->size, size);
	ret = ret ?: aem_layer_call(caller, op, arg);
	if (ret)
		return ret;
	ret = aem_service_answer(op->execute(caller, arg));
	if (ret < 0)
		return ret;
	if (op->events)
		*made = registered_id(arg);
	return aem_copy_out(from, arg, op->out, op->size, size) ?: ret;
}

static long call_service(struct aem_caller *caller, struct aem_service *service, u32 nr,
			 void __user *arg, u64 *made)
{
	const struct aem_call_op *op;

	if (!service)
		return -ENODEV;
	caller->service = service;
	op = aem_service_call(service, nr);
	return op ? execute(op, caller, arg, made) : -ENOSYS;
}

/* @inside: see aem_range_pass(). What cannot be done behind a gate leaves it. */
static long call(struct aem_process *proc, u32 nr, void __user *arg, u64 *made,
		 struct aem_range **inside)
{
	struct aem_caller caller = { .proc = proc, .compat = in_compat_syscall() };
	long ret;

	*made = 0;
	if (nr < ARRAY_SIZE(core_calls)) {
		aem_range_pass(inside, NULL);
		return execute(&core_calls[nr], &caller, arg, made);
	}
	caller.range = aem_range_of(proc, nr);
	if (!caller.range)
		return -ENOSYS;
	aem_range_pass(inside, caller.range);
	ret = call_service(&caller, caller.range->service, nr, arg, made);
	/* After a swap, the event that is meant may be served by the version before. */
	if (ret == -ENOENT && caller.other)
		ret = call_service(&caller, caller.other, nr, arg, made);
	if (likely(ret >= 0 || !*made) && llist_empty(&proc->dying))
		return ret;
	aem_range_pass(inside, NULL);
	if (ret < 0 && *made)
		aem_event_undo(proc, *made);
	aem_event_bury(proc);
	return ret;
}

/**
 * aem_call() - AEM_IOC_CALL
 * @proc: the process
 * @nr:   number of the call
 * @arg:  its argument
 * @made: out: id of the event that the call registered, 0: none. If the caller cannot
 *        tell the process so, it ends the event: aem_event_undo()
 *
 * Return: what the call returns; -ENOSYS: its range is not bound here; -ENODEV: its service
 * was revoked.
 */
long aem_call(struct aem_process *proc, u32 nr, void __user *arg, u64 *made)
{
	struct aem_range *inside = NULL;
	long ret = call(proc, nr, arg, made, &inside);

	aem_range_pass(&inside, NULL);
	return ret;
}

/* One element of a batch: -EFAULT if the element itself cannot be read or written. */
static int make_call(struct aem_process *proc, struct aem_call __user *user,
		     struct aem_range **inside)
{
	struct aem_call element AEM_UNINITIALIZED;
	u64 made = 0;

	if (aem_copy_element(&element, sizeof(element), user))
		return -EFAULT;
	if (likely(element.size == sizeof(element)))
		element.result = call(proc, element.nr, u64_to_user_ptr(element.arg), &made,
				      inside);
	else
		element.result = -EINVAL;
	if (!put_user(element.result, &user->result))
		return 0;
	aem_range_pass(inside, NULL);
	if (element.result >= 0 && made)
		aem_event_undo(proc, made);
	return -EFAULT;
}

static int make_calls(struct aem_process *proc, struct aem_enter *enter)
{
	struct aem_call __user *calls = u64_to_user_ptr(enter->calls);
	struct aem_range *inside = NULL;
	int err = 0;

	for (; enter->done < enter->n_calls; enter->done++) {
		err = make_call(proc, &calls[enter->done], &inside);
		if (err)
			break;
		if (enter->done % CALLS_AT_A_TIME == CALLS_AT_A_TIME - 1) {
			aem_range_pass(&inside, NULL);
			cond_resched();
		}
	}
	aem_range_pass(&inside, NULL);
	return err;
}

static void reap(struct aem_process *proc)
{
	if (aem_ring_is_empty(proc))
		return;
	mutex_lock(&proc->enter_lock);
	aem_ring_reap(proc);
	mutex_unlock(&proc->enter_lock);
	aem_event_bury(proc);
}

/* Without locks: most often that is known without them. */
static bool is_anything_due(struct aem_process *proc, u32 level)
{
	return aem_active_is_due(proc, level) || READ_ONCE(proc->untold);
}

/* -ENXIO: the context was shut down while we waited. */
static int fill(struct aem_process *proc, struct aem_enter *enter)
{
	int err = -ENXIO;

	if (!is_anything_due(proc, enter->level))
		return aem_process_is_ready(proc) ? 0 : err;
	mutex_lock(&proc->enter_lock);
	if (proc->ready) {
		enter->count = aem_ring_fill(proc, enter->level,
					     !(enter->flags & AEM_ENTER_INTERRUPT),
					     enter->max_events ?: U32_MAX, &enter->first);
		err = 0;
	}
	mutex_unlock(&proc->enter_lock);
	aem_event_bury(proc);
	return err;
}

/*
 * Who is told what became of its calls may have memory to give back, of answers that were sent: not
 * while it sleeps, and what waits for that memory wakes nobody.
 */
static bool is_to_wait(struct aem_process *proc, const struct aem_enter *enter)
{
	if (!enter->min_events || aem_ring_has_untold(proc, enter->level))
		return false;
	if (enter->n_calls && READ_ONCE(proc->n_starved))
		return false;
	return enter->min_events > 1 || !aem_active_is_due(proc, enter->level);
}

static bool pause_is_good(const struct aem_enter *enter)
{
	return enter->timeout > 0 && enter->timeout <= AEM_PAUSE_MAX;
}

static bool enter_is_good(const struct aem_enter *enter)
{
	return !(enter->flags & ~(AEM_ENTER_INTERRUPT | AEM_ENTER_PAUSE)) &&
	       enter->level <= AEM_PRIORITIES && enter->n_calls <= AEM_CALLS_MAX &&
	       !(enter->min_events && enter->flags) &&
	       (!(enter->flags & AEM_ENTER_PAUSE) || pause_is_good(enter));
}

/* What is below the level waits a while. */
static void pause(struct aem_process *proc, struct aem_enter *enter)
{
	enter->pending = aem_doorbell_unhush(proc, enter->level);
	aem_doorbell_resume_after(proc, enter->timeout);
}

/**
 * aem_enter() - AEM_IOC_ENTER
 * @proc:  the process
 * @enter: what to do; out: what was done, also on errors
 *
 * Return: 0, -EINVAL, -EFAULT, -EINTR, -ETIME, -EBUSY, -ENXIO or -ENODEV.
 */
int aem_enter(struct aem_process *proc, struct aem_enter *enter)
{
	bool revoked = false;
	int err;

	enter->first = 0;
	enter->count = 0;
	enter->done = 0;
	enter->pending = 0;
	if (!enter_is_good(enter))
		return -EINVAL;
	aem_doorbell_hush(proc);
	reap(proc);
	err = make_calls(proc, enter);
	if (!err && is_to_wait(proc, enter))
		err = aem_waiter_wait(proc, enter->level, enter->min_events,
				      enter->timeout);
	if (err == -ENODEV) {
		revoked = true;
		err = 0;
	}
	if (!err && (enter->flags & AEM_ENTER_PAUSE)) {
		pause(proc, enter);
		aem_waiter_pass_on(proc);
		return 0;
	}
	if (!err)
		err = fill(proc, enter);
	revoked |= aem_active_was_revoked(proc);
	if (revoked && !err && !enter->count && enter->min_events)
		err = -ENODEV;
	enter->pending = aem_doorbell_unhush(proc, 0);
	aem_waiter_pass_on(proc);
	return err;
}

/**
 * aem_enter_untold() - what aem_enter() put into @enter could not be written
 * @proc:  the process
 * @enter: as aem_enter() left it
 *
 * The records are in the ring already, and what they tell is nowhere else any more: the
 * next AEM_IOC_ENTER tells of them again.
 */
void aem_enter_untold(struct aem_process *proc, const struct aem_enter *enter)
{
	mutex_lock(&proc->enter_lock);
	aem_ring_untell(proc, enter->first, enter->count);
	mutex_unlock(&proc->enter_lock);
}
