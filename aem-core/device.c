// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/aem: the ioctls, mmap and poll.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include "active.h"
#include "copy.h"
#include "device.h"
#include "doorbell.h"
#include "enter.h"
#include "event.h"
#include "fdinfo.h"
#include "manage.h"
#include "memory.h"
#include "range.h"
#include "user.h"

/**
 * struct aem_call_made - AEM_IOC_CALL, and what is known of it here only
 * @call: the argument
 * @made: the event that it registered, 0: none
 */
struct aem_call_made {
	struct aem_call call;
	u64 made;
};

/** union aem_ioctl_arg - room for the argument of any ioctl */
union aem_ioctl_arg {
	struct aem_query query;
	struct aem_setup setup;
	struct aem_bind bind;
	struct aem_call call;
	struct aem_call_made made;
	struct aem_enter enter;
	struct aem_event event;
	struct aem_vmt vmt;
	struct aem_service_info service;
	struct aem_manage manage;
};

/**
 * struct aem_ioctl_op - an ioctl
 * @size:     of its struct
 * @min_size: smallest size that is accepted
 * @command:  AEM_IOC_*
 * @out:      offset of the first byte that it may change, a multiple of 8
 * @always:   it needs no AEM_IOC_SETUP, and may be used from anywhere
 * @output:   what it has put into the struct holds on errors too
 * @creates:  only its answer names what it makes, so that it must not be made if the
 *            answer cannot be written
 * @answer:   fills the answer in where it is known before: it is written then, and not
 *            afterwards. NULL: it is not
 * @execute:  does it. 0, -errno, or DONE: there is nothing to write
 * @undo:     nobody can be told of what was done, since the answer cannot be written after all:
 *            the process has taken its memory away meanwhile. NULL: it may be done again
 */
struct aem_ioctl_op {
	unsigned int size;
	unsigned int min_size;
	unsigned int command;
	unsigned int out;
	bool always;
	bool output;
	bool creates;
	int (*answer)(struct aem_process *proc, union aem_ioctl_arg *arg);
	int (*execute)(struct aem_process *proc, union aem_ioctl_arg *arg);
	void (*undo)(struct aem_process *proc, const union aem_ioctl_arg *arg);
};

#define DONE	1

static void query_counters(struct aem_process *proc, struct aem_query *query)
{
	raw_spin_lock_irq(&proc->lock);
	query->active = proc->n_active;
	query->starved = proc->n_starved;
	query->activations = proc->counters.activations;
	query->records = proc->counters.records;
	query->doorbells = proc->counters.doorbells;
	query->starvations = proc->counters.starvations;
	query->redirects = proc->counters.redirects;
	raw_spin_unlock_irq(&proc->lock);
}

static int do_query(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	struct aem_query *query = &arg->query;

	aem_device_query(proc, query);
	return 0;
}

/**
 * aem_device_query() - what AEM_IOC_QUERY tells
 * @proc:  any context
 * @query: filled, but for its size
 */
void aem_device_query(struct aem_process *proc, struct aem_query *query)
{
	*query = (struct aem_query){
		.size = query->size,
		.abi = AEM_ABI,
		.features = aem_doorbell_features(),
		.max_events = READ_ONCE(aem_max_events),
		.events = atomic_read(&proc->n_events),
	};
	query_counters(proc, query);
	if (!aem_process_is_ready(proc))
		return;
	query->flags = proc->flags;
	query->ring_entries = proc->ring_entries;
	query->signo = proc->signo;
	query->hint = READ_ONCE(proc->hint.value);
	query->boost = READ_ONCE(proc->realtime.on) ? AEM_BOOST_REALTIME :
						      READ_ONCE(proc->hint.steps);
	query->vmt_size = (u64)proc->vmt.max_chunks * AEM_BLOCK_MAX;
	query->vmt_used = aem_vmtable_used(&proc->vmt);
}

static int answer_setup(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	return aem_process_check_setup(proc, &arg->setup);
}

static int do_setup(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	return aem_process_setup(proc, &arg->setup);
}

static int do_bind(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	return aem_range_bind(proc, &arg->bind);
}

static int do_call(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	struct aem_call *call = &arg->call;

	call->result = aem_call(proc, call->nr, u64_to_user_ptr(call->arg), &arg->made.made);
	return min_t(s64, call->result, 0);
}

static void undo_call(struct aem_process *proc, const union aem_ioctl_arg *arg)
{
	if (arg->made.made)
		aem_event_undo(proc, arg->made.made);
}

static int do_enter(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	return aem_enter(proc, &arg->enter);
}

static void undo_enter(struct aem_process *proc, const union aem_ioctl_arg *arg)
{
	aem_enter_untold(proc, &arg->enter);
}

static int do_event(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	int err = aem_event_control(proc, &arg->event);

	/* What cannot be done twice shall not fail when it is done. */
	return err ?: arg->event.op == AEM_EVENT_SHUTDOWN ? DONE : 0;
}

static int do_vmt(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	int err = aem_memory_control(proc, &arg->vmt);

	return err ?: arg->vmt.op == AEM_VMT_FREE ? DONE : 0;
}

static void undo_vmt(struct aem_process *proc, const union aem_ioctl_arg *arg)
{
	struct aem_vmt vmt = { .op = AEM_VMT_FREE, .offset = arg->vmt.offset };

	aem_memory_control(proc, &vmt);
}

static int do_service(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	return aem_range_info(&arg->service);
}

static int do_manage(struct aem_process *proc, union aem_ioctl_arg *arg)
{
	return aem_manage(&arg->manage);
}

#define IOCTL_OP(_command, _execute, _struct, _last, ...)		\
	[_IOC_NR(_command)] = {						\
		.size = sizeof(_struct) +				\
			BUILD_BUG_ON_ZERO(sizeof(union aem_ioctl_arg) <	\
					  sizeof(_struct)),		\
		.min_size = offsetofend(_struct, _last),		\
		.command = _command,					\
		.execute = _execute,					\
		__VA_ARGS__						\
	}

static const struct aem_ioctl_op ioctl_ops[] = {
	IOCTL_OP(AEM_IOC_QUERY, do_query, struct aem_query, boost, .always = true),
	IOCTL_OP(AEM_IOC_SETUP, do_setup, struct aem_setup, trampoline, .always = true,
		 .answer = answer_setup),
	IOCTL_OP(AEM_IOC_BIND, do_bind, struct aem_bind, name),
	IOCTL_OP(AEM_IOC_CALL, do_call, struct aem_call, result, .output = true,
		 .out = offsetof(struct aem_call, result), .creates = true, .undo = undo_call),
	IOCTL_OP(AEM_IOC_ENTER, do_enter, struct aem_enter, pending, .output = true,
		 .out = offsetof(struct aem_enter, first), .undo = undo_enter),
	IOCTL_OP(AEM_IOC_EVENT, do_event, struct aem_event, pad),
	IOCTL_OP(AEM_IOC_VMT, do_vmt, struct aem_vmt, length, .creates = true,
		 .undo = undo_vmt),
	IOCTL_OP(AEM_IOC_SERVICE, do_service, struct aem_service_info, name,
		 .always = true),
	IOCTL_OP(AEM_IOC_MANAGE, do_manage, struct aem_manage, name, .always = true,
		 .output = true),
};

static const struct aem_ioctl_op *find_op(unsigned int command)
{
	unsigned int nr = _IOC_NR(command);

	if (nr >= ARRAY_SIZE(ioctl_ops) || ioctl_ops[nr].command != command)
		return NULL;
	return &ioctl_ops[nr];
}

static int store(const struct aem_ioctl_op *op, const union aem_ioctl_arg *arg,
		 void __user *to, u32 size)
{
	return aem_copy_out(to, arg, op->out, op->size, size);
}

static long aem_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	const struct aem_ioctl_op *op = find_op(command);
	void __user *user = (void __user *)address;
	struct aem_process *proc = file->private_data;
	union aem_ioctl_arg arg AEM_UNINITIALIZED;
	int err;
	u32 size;

	if (!op)
		return -ENOTTY;
	err = op->always ? 0 : aem_process_check(proc);
	err = err ?: aem_copy_in(&arg, op->size, op->min_size, user, &size);
	if (!err && op->answer)
		err = op->answer(proc, &arg);
	if (!err && (op->creates || op->answer))
		err = store(op, &arg, user, size);
	if (err)
		return err;
	err = op->execute(proc, &arg);
	if (err == DONE || op->answer)
		return min(err, 0);
	if ((err && !op->output) || !store(op, &arg, user, size))
		return err;
	if (op->undo && !err)
		op->undo(proc, &arg);
	return -EFAULT;
}

static int aem_open(struct inode *inode, struct file *file)
{
	struct aem_process *proc = aem_process_create();

	if (IS_ERR(proc))
		return PTR_ERR(proc);
	file->private_data = proc;
	return nonseekable_open(inode, file);
}

static int aem_release(struct inode *inode, struct file *file)
{
	struct aem_process *proc = file->private_data;

	aem_process_close(proc);
	return 0;
}

static int aem_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct aem_process *proc = file->private_data;

	return aem_process_check(proc) ?: aem_memory_map(proc, vma);
}

static __poll_t aem_poll(struct file *file, poll_table *table)
{
	struct aem_process *proc = file->private_data;

	poll_wait(file, &proc->poll_queue, table);
	if (!aem_process_is_ready(proc))
		return EPOLLERR | EPOLLHUP;
	return aem_active_mask(proc) || READ_ONCE(proc->untold) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations device_ops = {
	.owner = THIS_MODULE,
	.open = aem_open,
	.release = aem_release,
	.unlocked_ioctl = aem_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = aem_mmap,
	.poll = aem_poll,
	.show_fdinfo = aem_fdinfo_show,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "aem",
	.mode = 0660,
	.fops = &device_ops,
};

/** aem_device_init() - /dev/aem appears. Return: 0 or an errno. */
int aem_device_init(void)
{
	return misc_register(&device);
}

/** aem_device_exit() - and goes. */
void aem_device_exit(void)
{
	misc_deregister(&device);
}
