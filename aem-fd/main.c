// SPDX-License-Identifier: GPL-2.0
/*
 * aem-fd: what happens to files. Service "fd", version 1: the calls, and who may watch what.
 * Another version can take its place; the module of the marks stays.
 */
#include <linux/file.h>
#include <linux/namei.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <aem/cred.h>
#include "fd.h"

#define FIND_FLAGS	(AEM_FD_NOFOLLOW | AEM_FD_ONLYDIR)
#define WATCH_FLAGS \
	(FIND_FLAGS | AEM_FD_MERGE | AEM_FD_NOT_ACTOR | AEM_FD_TREE | AEM_FD_PACKED)

static int find_by_name(int fd, u64 name, u32 flags, struct path *path)
{
	int err;

	err = user_path_at(fd, u64_to_user_ptr(name),
			   (flags & AEM_FD_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			   (flags & AEM_FD_ONLYDIR ? LOOKUP_DIRECTORY : 0), path);
	if (err)
		return err;
	err = path_permission(path, MAY_READ);
	if (err)
		path_put(path);
	return err;
}

/* Who can read it already needs no permission. */
static int check_file(struct file *file, u32 flags)
{
	if (flags & AEM_FD_ONLYDIR && !S_ISDIR(file_inode(file)->i_mode))
		return -ENOTDIR;
	return file->f_mode & FMODE_READ ? 0 : path_permission(&file->f_path, MAY_READ);
}

static int find_by_descriptor(int fd, u32 flags, struct path *path)
{
	struct file *file = fget_raw(fd);
	int err;

	if (!file)
		return -EBADF;
	err = check_file(file, flags);
	if (!err) {
		*path = file->f_path;
		path_get(path);
	}
	fput(file);
	return err;
}

/* Inodes of the kernel's own file systems may be shared by those who know nothing of each other. */
static int find(int fd, u64 name, u32 flags, struct path *path)
{
	int err = name ? find_by_name(fd, name, flags, path) : find_by_descriptor(fd, flags, path);

	if (!err && path->mnt->mnt_sb->s_flags & SB_NOUSER) {
		path_put(path);
		err = -EINVAL;
	}
	return err;
}

/* Also checks that who asks might be told of it. */
static int find_actor(int number, struct pid **actor)
{
	struct task_struct *task;
	int err = 0;

	*actor = NULL;
	if (!number)
		return 0;
	rcu_read_lock();
	task = pid_task(find_vpid(number), PIDTYPE_TGID);
	if (!task)
		err = -ESRCH;
	else if (!same_thread_group(task, current) &&
		 !aem_cred_may_signal(current_cred(), __task_cred(task)))
		err = -EPERM;
	else
		*actor = get_pid(task_tgid(task));
	rcu_read_unlock();
	return err;
}

/* Bytes are read once; empty: all names. */
static int read_pattern(u64 address, char *pattern)
{
	long length;

	pattern[0] = '\0';
	if (!address)
		return 0;
	length = strncpy_from_user(pattern, u64_to_user_ptr(address), AEM_FD_PATTERN_MAX);
	if (length < 0)
		return length;
	return length && length < AEM_FD_PATTERN_MAX ? 0 : -EINVAL;
}

static bool request_is_good(const struct aem_fd_watch *request)
{
	if (request->flags & ~WATCH_FLAGS || !request->kinds || request->kinds & ~AEM_FD_ALL)
		return false;
	if (request->room && (request->room < AEM_FD_ROOM_MIN || request->room > AEM_FD_ROOM_MAX))
		return false;
	if (request->flags & AEM_FD_NOT_ACTOR && !request->actor)
		return false;
	if (request->flags & AEM_FD_TREE && !(request->kinds & AEM_FD_CREATE))
		return false;
	return request->files <= AEM_FD_FILES_MAX && request->actor >= 0;
}

/* The event, and its first file. */
static long watch(const struct aem_caller *caller, struct aem_fd_watch *request,
		  const struct path *path, const char *pattern, struct pid *actor)
{
	struct event_struct *ev;
	int err;

	ev = aem_event_create(caller, AEM_FD_WATCH, &request->reg);
	if (IS_ERR(ev)) {
		put_pid(actor);
		return PTR_ERR(ev);
	}
	err = aem_fd_init(ev, request, pattern, actor);
	if (!err)
		err = aem_fd_mark_add(aem_fd_group_of(ev), path, &request->number);
	if (err) {
		aem_event_abort(ev);
		return err;
	}
	return aem_event_commit(ev, NULL, &request->reg.id);
}

/* AEM_FD_WATCH */
static long fd_watch(const struct aem_caller *caller, void *argument)
{
	struct aem_fd_watch *request = argument;
	char pattern[AEM_FD_PATTERN_MAX];
	struct pid *actor;
	struct path path;
	long ret;

	if (!request_is_good(request))
		return -EINVAL;
	if (request->kinds & AEM_FD_LOCKS && !aem_fd_lock_is_known())
		return -EOPNOTSUPP;
	ret = read_pattern(request->pattern, pattern) ?:
	      find(request->fd, request->path, request->flags, &path);
	if (ret)
		return ret;
	ret = find_actor(request->actor, &actor);
	if (!ret)
		ret = watch(caller, request, &path, pattern, actor);
	path_put(&path);
	return ret;
}

/* AEM_FD_ADD */
static long fd_add(const struct aem_caller *caller, void *argument)
{
	struct aem_fd_add *request = argument;
	struct event_struct *ev;
	struct path path;
	long ret;

	if (request->flags & ~FIND_FLAGS)
		return -EINVAL;
	/* First: another version may serve it. */
	ev = aem_event_find(caller, request->id, AEM_FD_WATCH);
	if (!ev)
		return -ENOENT;
	ret = find(request->fd, request->path, request->flags, &path);
	if (!ret) {
		ret = aem_fd_mark_add(aem_fd_group_of(ev), &path, &request->number);
		aem_fd_tree_fill(aem_fd_group_of(ev)->private);
		path_put(&path);
	}
	aem_event_put(ev);
	return ret;
}

/* AEM_FD_REMOVE */
static long fd_remove(const struct aem_caller *caller, void *argument)
{
	struct aem_fd_remove *request = argument;
	struct event_struct *ev;
	long ret;

	ev = aem_event_find(caller, request->id, AEM_FD_WATCH);
	if (!ev)
		return -ENOENT;
	ret = aem_fd_mark_remove(aem_fd_group_of(ev), request->number);
	aem_event_put(ev);
	return ret;
}

static const struct aem_call_op calls[] = {
	AEM_CALL_OP(AEM_FD_WATCH, struct aem_fd_watch, number, fd_watch, &aem_fd_events),
	AEM_CALL_OP(AEM_FD_ADD, struct aem_fd_add, number, fd_add, NULL),
	AEM_CALL_OP(AEM_FD_REMOVE, struct aem_fd_remove, id, fd_remove, NULL,
		    .out = sizeof(struct aem_fd_remove)),
	AEM_CALL_OP(AEM_FD_POLL, struct aem_fd_poll, flags, aem_fd_poll, &aem_fd_sources),
};

static struct aem_service service = {
	.name = AEM_FD_SERVICE,
	.version = AEM_SERVICE_BUILT_AS(AEM_FD_VERSION),
	.owner = THIS_MODULE,
	.calls = calls,
	.n_calls = ARRAY_SIZE(calls),
	.event_size = sizeof(union aem_fd_private),
	.layout = AEM_FD_LAYOUT,
	.oldest_layout = AEM_FD_LAYOUT,
};

static_assert(ARRAY_SIZE(calls) == AEM_FD_CALLS);

aem_service_module(service);

MODULE_ALIAS("aem-service-" AEM_FD_SERVICE);
MODULE_DESCRIPTION("Changes of files for the Asynchronous Event Mechanism");
MODULE_AUTHOR("The AEM authors");
MODULE_LICENSE("GPL");
