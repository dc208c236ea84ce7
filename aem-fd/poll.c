// SPDX-License-Identifier: GPL-2.0
/*
 * Files as sources: readable, writable, hung up.
 *
 * The job sits in the wait queues that poll() of the file names. A wakeup says little of what holds
 * by the time that the event has its turn, so the constructor asks poll() again, in process
 * context; and unless only edges are asked for, it is asked once more after the handler.
 *
 * The event holds the file, since queues go with it. Handlers use the number; so the constructor
 * also looks whether that is still the file's.
 */
#include <linux/file.h>
#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include "fd.h"

#define BIT_OF(_mask)	ilog2((__force u32)(_mask))

/* By what poll() calls them. */
static const u32 kinds_of[BITS_PER_TYPE(u32)] = {
	[BIT_OF(EPOLLIN)] = AEM_FD_IN,
	[BIT_OF(EPOLLRDNORM)] = AEM_FD_IN,
	[BIT_OF(EPOLLPRI)] = AEM_FD_PRI,
	[BIT_OF(EPOLLOUT)] = AEM_FD_OUT,
	[BIT_OF(EPOLLWRNORM)] = AEM_FD_OUT,
	[BIT_OF(EPOLLRDHUP)] = AEM_FD_RDHUP,
	[BIT_OF(EPOLLHUP)] = AEM_FD_HUP,
	[BIT_OF(EPOLLERR)] = AEM_FD_ERR,
};

/* Told whether asked for or not. */
#define ALWAYS	(AEM_FD_HUP | AEM_FD_ERR)

/* What holds now of @kinds. May sleep, for locks of the file's driver. */
static u32 look(const struct aem_fd_source *source, u32 kinds)
{
	return aem_fd_kinds_of(kinds_of, (__force u32)aem_job_poll(source->file)) & kinds;
}

/* A wakeup without a key says nothing, so it may be any. */
static enum aem_verdict job(struct event_struct *ev, unsigned long key)
{
	const struct aem_fd_source *source = aem_event_private(ev);

	if (!key)
		return AEM_ACTIVATE;
	return aem_fd_kinds_of(kinds_of, key) & (source->how | ALWAYS) ? AEM_ACTIVATE : AEM_SLEEP;
}

static int arm(struct event_struct *ev)
{
	const struct aem_fd_source *source = aem_event_private(ev);

	/* The event counts as started before the file is looked at: who wakes it later is heard. */
	smp_mb();
	return look(source, source->how | ALWAYS) ? AEM_READY : 0;
}

/* Is the number still the file's, for who is about to be told of it? */
static bool is_open(const struct aem_fd_source *source)
{
	struct file *file = fget(source->fd);

	if (file)
		fput(file);
	return file == source->file;
}

static int construct(struct event_struct *ev, struct aem_delivery *d)
{
	const struct aem_fd_source *source = aem_event_private(ev);
	u32 kinds;

	if (is_open(source) && aem_job_waits(ev)) {
		kinds = look(source, source->how | ALWAYS);
	} else {
		kinds = AEM_FD_NVAL;
		d->end = true;
	}
	if (!kinds)
		return -EAGAIN;
	d->word[0] = kinds;
	d->word[1] = source->fd;
	return 0;
}

/* What stays as it is for ever, once it is so, is told once: else a handler would never rest. */
static int destruct(struct event_struct *ev, const struct aem_block *block)
{
	const struct aem_fd_source *source = aem_event_private(ev);

	if (source->how & AEM_FD_EDGE)
		return 0;
	return look(source, source->how & AEM_FD_POLL_ALL) ? AEM_MORE : 0;
}

static void release(struct event_struct *ev)
{
	struct aem_fd_source *source = aem_event_private(ev);

	if (source->file)
		fput(source->file);
}

static void show(struct event_struct *ev, struct seq_file *seq)
{
	const struct aem_fd_source *source = aem_event_private(ev);

	seq_printf(seq, " fd:%d how:%x", source->fd, source->how);
}

const struct aem_event_ops aem_fd_sources = {
	.job = job,
	.arm = arm,
	.construct = construct,
	.destruct = destruct,
	.release = release,
	.show = show,
};

/* Exported for devices in user space; where it is not there, there are no such files. */
static bool asks_a_program(const struct file *file)
{
	const void *fuse = symbol_get(fuse_file_poll);

	if (fuse)
		symbol_put(fuse_file_poll);
	return fuse && file->f_op->poll == fuse;
}

/* The name of an anonymous inode is the kernel's own. */
static bool is_epoll(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp((const char *)file->f_path.dentry->d_name.name, "[eventpoll]");
}

/*
 * To ask is not to wait, where constructors run. poll() of FUSE waits for what a program answers,
 * and that of epoll asks all that is in it, which may be such.
 */
static bool answers(const struct file *file)
{
	return !asks_a_program(file) && !is_epoll(file);
}

/* The event takes over the reference on the file, on an error too. */
static long poll_file(const struct aem_caller *caller, struct aem_fd_poll *request,
		      struct file *file)
{
	struct aem_fd_source *source;
	struct event_struct *ev;
	int err;

	ev = aem_event_create(caller, AEM_FD_POLL, &request->reg);
	if (IS_ERR(ev)) {
		fput(file);
		return PTR_ERR(ev);
	}
	source = aem_event_private(ev);
	source->file = file;
	source->fd = request->fd;
	source->how = request->kinds | request->flags;
	err = aem_job_attach(ev, file);
	if (err < 0) {
		aem_event_abort(ev);
		return err;
	}
	return aem_event_commit(ev, NULL, &request->reg.id);
}

/** aem_fd_poll() - AEM_FD_POLL: a file that the caller has open as a source of events. */
long aem_fd_poll(const struct aem_caller *caller, void *argument)
{
	struct aem_fd_poll *request = argument;
	struct file *file;

	/* What is asked for and how share a word. */
	BUILD_BUG_ON(AEM_FD_POLL_ALL & AEM_FD_EDGE);
	if (request->kinds & ~AEM_FD_POLL_ALL || request->flags & ~AEM_FD_EDGE)
		return -EINVAL;
	file = fget(request->fd);
	if (!file)
		return -EBADF;
	if (!answers(file)) {
		fput(file);
		return -EOPNOTSUPP;
	}
	return poll_file(caller, request, file);
}
