// SPDX-License-Identifier: GPL-2.0
/*
 * aem-pexit: the end of any process. Service "pexit", version 1: the call, and who may be
 * watched. Another version can take its place; the table's module stays.
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/poll.h>
#include "pexit.h"

#define PEXIT_FLAGS	(AEM_PEXIT_GROUP | AEM_PEXIT_FOLLOW | AEM_PEXIT_FORKS | AEM_PEXIT_EXECS)

/** struct question - carries what is asked through vfs_poll() */
struct question {
	poll_table table;
	struct pid *pid;
	bool yes;
};

static void compare(struct file *file, struct wait_queue_head *head, poll_table *table)
{
	struct question *question = container_of(table, struct question, table);

	question->yes |= head == &question->pid->wait_pidfd;
}

/*
 * Modules cannot ask a pidfd whose it is. But who polls one waits in its pid's queue, and nothing
 * else does: it is the queue's address that tells.
 */
static int check_pidfd(int fd, struct pid *pid)
{
	struct question question = { .pid = pid };
	struct file *file = fget(fd);

	if (!file)
		return -EBADF;
	init_poll_funcptr(&question.table, compare);
	if (file_can_poll(file))
		vfs_poll(file, &question.table);
	fput(file);
	return question.yes ? 0 : -EINVAL;
}

/* 0 would be everybody's, and is nobody's. */
static struct pid *find(int number, enum pid_type type)
{
	struct pid *pid;

	rcu_read_lock();
	pid = find_vpid(number);
	if (pid && !pid_task(pid, type))
		pid = NULL;
	get_pid(pid);
	rcu_read_unlock();
	return pid;
}

static bool may_signal(struct task_struct *task)
{
	return aem_cred_may_signal(current_cred(), __task_cred(task));
}

/*
 * The status of a process that has ended is settled, but the thread that ended it may not have
 * added up its totals yet. It is about to.
 */
static void await_totals(struct pid *pid)
{
	struct task_struct *task, *t;
	int attempts = 100;
	bool busy;

	do {
		busy = false;
		rcu_read_lock();
		task = pid_task(pid, PIDTYPE_TGID);
		if (task)
			for_each_thread(task, t)
				busy |= !!READ_ONCE(t->mm);
		rcu_read_unlock();
		if (busy)
			usleep_range(200, 1000);
	} while (busy && --attempts);
}

static int tell_of_ended(struct event_struct *ev, struct pid *pid)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	struct aem_pexit_facts facts;
	struct task_struct *task;
	int err = -ESRCH;

	await_totals(pid);
	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task) {
		aem_pexit_facts_init(&facts, AEM_PEXIT_END, task);
		aem_pexit_tell_end(&w->self, &facts);
		err = 0;
	}
	rcu_read_unlock();
	return err;
}

static int watch_process(struct event_struct *ev, struct pid *pid)
{
	struct aem_pexit_watch_state *w = aem_event_private(ev);
	struct task_struct *task;
	bool lives = false;
	int err = 0;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (!task)
		err = -ESRCH;
	else if (w->flags && !may_signal(task))
		err = -EPERM;
	else
		lives = aem_pexit_join(&w->self, task);
	rcu_read_unlock();
	if (!err && !lives)
		err = tell_of_ended(ev, pid);
	if (!err && (w->flags & AEM_PEXIT_FOLLOW))
		aem_pexit_join_family(ev);
	return err;
}

static long watch(const struct aem_caller *caller, struct aem_pexit_watch *request,
		  struct pid *pid)
{
	bool group = request->flags & AEM_PEXIT_GROUP;
	struct aem_pexit_watch_state *w;
	struct event_struct *ev;
	int err;

	ev = aem_event_create(caller, AEM_PEXIT_WATCH, &request->reg);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	w = aem_event_private(ev);
	err = aem_pexit_init(ev, request, group ? get_pid(pid) : NULL);
	if (!err && group)
		aem_pexit_join_group(&w->self, pid);
	else if (!err)
		err = watch_process(ev, pid);
	if (err) {
		aem_event_abort(ev);
		return err;
	}
	return aem_event_commit(ev, NULL, &request->reg.id);
}

static bool request_is_good(const struct aem_pexit_watch *request)
{
	if (request->flags & ~PEXIT_FLAGS || request->pidfd < -1 || request->pid <= 0 ||
	    request->notes > AEM_PEXIT_MAX || request->members > AEM_PEXIT_MAX)
		return false;
	if ((request->flags & AEM_PEXIT_GROUP) &&
	    (request->pidfd != -1 || (request->flags & AEM_PEXIT_FOLLOW)))
		return false;
	return !request->members || (request->flags & AEM_PEXIT_FOLLOW);
}

/* AEM_PEXIT_WATCH */
static long pexit_watch(const struct aem_caller *caller, void *argument)
{
	struct aem_pexit_watch *request = argument;
	struct pid *pid;
	long ret = 0;

	if (!request_is_good(request))
		return -EINVAL;
	pid = find(request->pid,
		   request->flags & AEM_PEXIT_GROUP ? PIDTYPE_PGID : PIDTYPE_TGID);
	if (!pid)
		return -ESRCH;
	if (request->pidfd != -1)
		ret = check_pidfd(request->pidfd, pid);
	if (!ret)
		ret = watch(caller, request, pid);
	put_pid(pid);
	return ret;
}

static const struct aem_call_op calls[] = {
	AEM_CALL_OP(AEM_PEXIT_WATCH, struct aem_pexit_watch, members, pexit_watch,
		    &aem_pexit_events),
};

static struct aem_service service = {
	.name = AEM_PEXIT_SERVICE,
	.version = AEM_SERVICE_BUILT_AS(AEM_PEXIT_VERSION),
	.owner = THIS_MODULE,
	.calls = calls,
	.n_calls = ARRAY_SIZE(calls),
	.event_size = sizeof(struct aem_pexit_watch_state),
	.layout = AEM_PEXIT_LAYOUT,
	.oldest_layout = AEM_PEXIT_LAYOUT,
};

static_assert(ARRAY_SIZE(calls) == AEM_PEXIT_CALLS);

aem_service_module(service);

MODULE_ALIAS("aem-service-" AEM_PEXIT_SERVICE);
MODULE_DESCRIPTION("Ends of processes for the Asynchronous Event Mechanism");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
