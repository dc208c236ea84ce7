// SPDX-License-Identifier: GPL-2.0
/*
 * aem-null: a service for tests of the core alone. See aem_null.h.
 *
 * Parameters let a test load it under another name or version, and fail its init.
 */
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <aem/service.h>
#include "aem_null.h"

static char *name = NULL_SERVICE;
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "name of the service");

static uint version = NULL_VERSION;
module_param(version, uint, 0444);
MODULE_PARM_DESC(version, "version of the service");

static uint fail;
module_param(fail, uint, 0444);
MODULE_PARM_DESC(fail, "fail init: 1 before, 2 after the service is registered");

static uint bug;
module_param(bug, uint, 0444);
MODULE_PARM_DESC(bug, "for the fuzzer to find: 1: firing from an interrupt, if the plan says again");

/**
 * struct null_event - private part of an event
 * @lock:        guards all below but @fired
 * @file:        what is watched; constant
 * @period:      nanoseconds; constant
 * @fired:       how often it was fired
 * @plan:        what to do
 * @constructed: calls of the constructor
 * @destructed:  calls of the destructor
 * @armed:       calls of arm
 * @disarmed:    calls of disarm
 * @left:        what the handler left in the last block
 * @yielded_by:  version that has yielded it, 0: none
 */
struct null_event {
	spinlock_t lock;
	struct file *file;
	u64 period;
	atomic64_t fired;
	struct null_plan plan;
	u32 constructed;
	u32 destructed;
	u32 armed;
	u32 disarmed;
	u64 left;
	u32 yielded_by;
};

static uint layout = 1;
module_param(layout, uint, 0444);
MODULE_PARM_DESC(layout, "layout of the private part");

static uint refuse_adopt;
module_param(refuse_adopt, uint, 0644);
MODULE_PARM_DESC(refuse_adopt, "refuse to adopt every so manieth event, but those of our own");

static uint refuse_yield;
module_param(refuse_yield, uint, 0644);
MODULE_PARM_DESC(refuse_yield, "refuse to yield every so manieth event");

static atomic_t adoptions, yields;
static atomic64_t created, released, constructed, destructed;

static int null_arm(struct event_struct *ev)
{
	struct null_event *null = aem_event_private(ev);

	spin_lock(&null->lock);
	null->armed++;
	spin_unlock(&null->lock);
	if (null->period)
		aem_job_start_timer(ev, ns_to_ktime(null->period), 0, HRTIMER_MODE_REL);
	return null->file && aem_job_poll(null->file) & EPOLLIN ? AEM_READY : 0;
}

static void null_disarm(struct event_struct *ev)
{
	struct null_event *null = aem_event_private(ev);

	spin_lock(&null->lock);
	null->disarmed++;
	spin_unlock(&null->lock);
	if (null->period)
		aem_job_cancel_timer(ev);
}

static enum aem_verdict null_tick(struct event_struct *ev, unsigned long key)
{
	struct null_event *null = aem_event_private(ev);

	atomic64_add(hrtimer_forward_now(&ev->job.timer, ns_to_ktime(null->period)), &null->fired);
	return AEM_RESTART;
}

static enum aem_verdict null_woken(struct event_struct *ev, unsigned long key)
{
	struct null_event *null = aem_event_private(ev);

	if (key && !(key_to_poll(key) & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return AEM_SLEEP;
	atomic64_inc(&null->fired);
	return AEM_ACTIVATE;
}

/* The plan of one construction. */
static void next_plan(struct null_event *null, struct null_plan *plan)
{
	spin_lock(&null->lock);
	null->constructed++;
	*plan = null->plan;
	if (plan->times)
		null->plan.times--;
	else
		plan->answer = 0;
	if (plan->answer >= 0)
		null->plan.flags = 0;
	spin_unlock(&null->lock);
	atomic64_inc(&constructed);
}

static int fill_block(struct event_struct *ev, struct aem_delivery *d, u32 size, u64 value)
{
	int error;

	error = aem_vmt_alloc(d->caller.proc, size, &d->block);
	if (error)
		return error;
	memset64(d->block.address, value, d->block.size / 8);
	d->arg[1] = d->block.offset;
	return 0;
}

static int null_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct null_event *null = aem_event_private(ev);
	struct null_plan plan;
	int error;

	next_plan(null, &plan);
	if (plan.answer < 0)
		return plan.answer;
	if (null->file && !(aem_job_poll(null->file) & EPOLLIN))
		return -EAGAIN;
	d->arg[0] = atomic64_read(&null->fired);
	d->arg[2] = READ_ONCE(null->constructed);
	d->lost += plan.lost;
	d->stop = plan.flags & NULL_PLAN_STOP;
	d->end = plan.flags & NULL_PLAN_END;
	if (plan.block) {
		error = fill_block(ev, d, plan.block, d->arg[0]);
		if (error)
			return error;
	}
	return plan.answer;
}

static int null_destruct(struct event_struct *ev, const struct aem_block *block)
{
	struct null_event *null = aem_event_private(ev);
	bool again = null->file && aem_job_poll(null->file) & EPOLLIN;

	spin_lock(&null->lock);
	null->destructed++;
	if (block->address)
		null->left = READ_ONCE(*(u64 *)block->address);
	if (null->plan.again) {
		null->plan.again--;
		again = true;
	}
	spin_unlock(&null->lock);
	atomic64_inc(&destructed);
	return again ? AEM_MORE : 0;
}

static void null_release(struct event_struct *ev)
{
	struct null_event *null = aem_event_private(ev);

	if (null->file)
		fput(null->file);
	atomic64_inc(&released);
}

static void null_show(struct event_struct *ev, struct seq_file *seq)
{
	struct null_event *null = aem_event_private(ev);

	seq_printf(seq, " fired:%lld", (long long)atomic64_read(&null->fired));
}

static bool is_due(uint every, atomic_t *count)
{
	return every && atomic_inc_return(count) % every == 0;
}

/* What a version yields is marked, so that it knows its own. */
static int null_yield(struct event_struct *ev, u32 to)
{
	struct null_event *null = aem_event_private(ev);

	if (is_due(refuse_yield, &yields))
		return -EBUSY;
	null->yielded_by = version;
	return 0;
}

static int null_adopt(struct event_struct *ev, u32 from)
{
	struct null_event *null = aem_event_private(ev);

	if (null->yielded_by != version && is_due(refuse_adopt, &adoptions))
		return -ENOTUNIQ;
	spin_lock_init(&null->lock);
	null->yielded_by = 0;
	return 0;
}

static const struct aem_event_ops plain = {
	.arm		= null_arm,
	.disarm		= null_disarm,
	.construct	= null_construct,
	.destruct	= null_destruct,
	.release	= null_release,
	.show		= null_show,
	.yield		= null_yield,
	.adopt		= null_adopt,
};

static const struct aem_event_ops multi = {
	.arm		= null_arm,
	.disarm		= null_disarm,
	.construct	= null_construct,
	.destruct	= null_destruct,
	.release	= null_release,
	.show		= null_show,
	.yield		= null_yield,
	.adopt		= null_adopt,
	.multi		= true,
};

static const struct aem_event_ops tick = {
	.job		= null_tick,
	.arm		= null_arm,
	.disarm		= null_disarm,
	.construct	= null_construct,
	.destruct	= null_destruct,
	.release	= null_release,
	.show		= null_show,
	.yield		= null_yield,
	.adopt		= null_adopt,
};

static const struct aem_event_ops watch = {
	.job		= null_woken,
	.arm		= null_arm,
	.disarm		= null_disarm,
	.construct	= null_construct,
	.destruct	= null_destruct,
	.release	= null_release,
	.show		= null_show,
	.yield		= null_yield,
	.adopt		= null_adopt,
};

static struct event_struct *begin(const struct aem_caller *caller, u32 call,
				  const struct null_create *arg)
{
	struct event_struct *ev;
	struct null_event *null;

	ev = aem_event_create(caller, call, &arg->reg);
	if (IS_ERR(ev))
		return ev;
	null = aem_event_private(ev);
	spin_lock_init(&null->lock);
	atomic64_inc(&created);
	return ev;
}

static long create(const struct aem_caller *caller, struct null_create *arg, u32 call)
{
	struct event_struct *ev;

	if (arg->fd || arg->period)
		return -EINVAL;
	ev = begin(caller, call, arg);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	return aem_event_commit(ev, NULL, &arg->reg.id);
}

static long null_create(const struct aem_caller *caller, void *arg)
{
	return create(caller, arg, NULL_CREATE);
}

static long null_multi(const struct aem_caller *caller, void *arg)
{
	return create(caller, arg, NULL_MULTI);
}

static long null_create_tick(const struct aem_caller *caller, void *argument)
{
	struct null_create *arg = argument;
	struct event_struct *ev;
	struct null_event *null;

	if (arg->fd || arg->period < 1000)
		return -EINVAL;
	ev = begin(caller, NULL_TICK, arg);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	null = aem_event_private(ev);
	null->period = arg->period;
	aem_job_init_timer(ev, CLOCK_MONOTONIC);
	return aem_event_commit(ev, NULL, &arg->reg.id);
}

static long null_create_watch(const struct aem_caller *caller, void *argument)
{
	struct null_create *arg = argument;
	struct event_struct *ev;
	struct null_event *null;
	int error;

	if (arg->period)
		return -EINVAL;
	ev = begin(caller, NULL_WATCH, arg);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	null = aem_event_private(ev);
	null->file = fget(arg->fd);
	error = null->file ? aem_job_attach(ev, null->file) : -EBADF;
	if (error < 0) {
		aem_event_abort(ev);
		return error;
	}
	return aem_event_commit(ev, NULL, &arg->reg.id);
}

/**
 * struct volley - activations in an interrupt
 * @work:  brings us there
 * @ev:    the event
 * @count: how often
 */
struct volley {
	struct irq_work work;
	struct event_struct *ev;
	u32 count;
};

static void shoot(void *data)
{
	struct volley *volley = data;
	struct null_event *null = aem_event_private(volley->ev);
	u32 i;

	for (i = 0; i < volley->count; i++) {
		atomic64_inc(&null->fired);
		aem_event_activate(volley->ev);
	}
}

static void shoot_in_irq(struct irq_work *work)
{
	shoot(container_of(work, struct volley, work));
}

static int other_cpu(void)
{
	int cpu, self = raw_smp_processor_id();

	for_each_online_cpu(cpu)
		if (cpu != self)
			return cpu;
	return self;
}

static long fire(struct volley *volley, u32 how)
{
	switch (how) {
	case NULL_BY_CALL:
		shoot(volley);
		return 0;
	case NULL_BY_IRQ:
		volley->work = IRQ_WORK_INIT_HARD(shoot_in_irq);
		irq_work_queue(&volley->work);
		irq_work_sync(&volley->work);
		return 0;
	case NULL_BY_CPU:
		return smp_call_function_single(other_cpu(), shoot, volley, 1);
	default:
		return -EINVAL;
	}
}

static long null_fire(const struct aem_caller *caller, void *argument)
{
	struct null_fire *arg = argument;
	struct volley volley = { .count = arg->count };
	struct null_event *null;
	long error;

	if (arg->pad || arg->count > 1000000)
		return -EINVAL;
	volley.ev = aem_event_find(caller, arg->id, -1);
	if (!volley.ev)
		return -ENOENT;
	null = aem_event_private(volley.ev);
	WARN_ON(bug == 1 && arg->how == NULL_BY_IRQ && READ_ONCE(null->plan.again));
	error = fire(&volley, arg->how);
	aem_event_put(volley.ev);
	return error;
}

static long null_plan(const struct aem_caller *caller, void *argument)
{
	struct null_plan *arg = argument;
	struct event_struct *ev;
	struct null_event *null;

	if (arg->pad || arg->answer > NULL_MORE || arg->block > AEM_BLOCK_MAX ||
	    arg->flags & ~(NULL_PLAN_STOP | NULL_PLAN_END))
		return -EINVAL;
	ev = aem_event_find(caller, arg->id, -1);
	if (!ev)
		return -ENOENT;
	null = aem_event_private(ev);
	spin_lock(&null->lock);
	null->plan = *arg;
	spin_unlock(&null->lock);
	aem_event_put(ev);
	return 0;
}

static long null_state(const struct aem_caller *caller, void *argument)
{
	struct null_state *arg = argument;
	struct event_struct *ev;
	struct null_event *null;

	if (arg->pad)
		return -EINVAL;
	ev = aem_event_find(caller, arg->id, -1);
	if (!ev)
		return -ENOENT;
	null = aem_event_private(ev);
	spin_lock(&null->lock);
	arg->fired = atomic64_read(&null->fired);
	arg->constructed = null->constructed;
	arg->destructed = null->destructed;
	arg->armed = null->armed;
	arg->disarmed = null->disarmed;
	arg->left = null->left;
	spin_unlock(&null->lock);
	aem_event_put(ev);
	return 0;
}

static long null_totals(const struct aem_caller *caller, void *argument)
{
	struct null_totals *arg = argument;

	arg->compat = caller->compat;
	arg->created = atomic64_read(&created);
	arg->released = atomic64_read(&released);
	arg->constructed = atomic64_read(&constructed);
	arg->destructed = atomic64_read(&destructed);
	return 0;
}

static const struct aem_call_op calls[] = {
	AEM_CALL_OP(NULL_CREATE, struct null_create, period, null_create, &plain),
	AEM_CALL_OP(NULL_MULTI, struct null_create, period, null_multi, &multi),
	AEM_CALL_OP(NULL_TICK, struct null_create, period, null_create_tick, &tick),
	AEM_CALL_OP(NULL_WATCH, struct null_create, period, null_create_watch, &watch),
	AEM_CALL_OP(NULL_FIRE, struct null_fire, count, null_fire, NULL),
	AEM_CALL_OP(NULL_PLAN, struct null_plan, flags, null_plan, NULL),
	AEM_CALL_OP(NULL_STATE, struct null_state, left, null_state, NULL),
	AEM_CALL_OP(NULL_TOTALS, struct null_totals, destructed, null_totals, NULL),
};

static struct aem_service service = {
	.owner		= THIS_MODULE,
	.calls		= calls,
	.n_calls	= ARRAY_SIZE(calls),
	.event_size	= sizeof(struct null_event),
};

static int __init null_init(void)
{
	int error;

	if (fail == 1)
		return -ENODEV;
	service.name = name;
	service.version = version;
	service.layout = layout;
	service.oldest_layout = min(layout, 1U);
	error = aem_service_register(&service);
	if (error || fail != 2)
		return error;
	aem_service_unregister(&service);
	return -ENODEV;
}
module_init(null_init);

static void __exit null_exit(void)
{
	aem_service_unregister(&service);
}
module_exit(null_exit);

MODULE_DESCRIPTION("AEM service for tests");
MODULE_LICENSE("GPL");
