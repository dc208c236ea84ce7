// SPDX-License-Identifier: GPL-2.0
/*
 * Ends of processes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

static void run_watch(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_pexit_fn handler = (aem_pexit_fn)(uintptr_t)r->handler;
	bool revoked = r->flags & AEM_RECORD_F_REVOKED;

	handler(aem, (void *)(uintptr_t)r->cookie, r->id, revoked ? NULL : block, r->lost);
}

/* arg[1] is the offset of the block. */
static const struct aem_thunk thunks[AEM_PEXIT_CALLS] = {
	[AEM_PEXIT_WATCH] = { .run = run_watch, .block = 2 },
};

static int watch(struct aem *aem, aem_id *id, pid_t pid, int pidfd, uint32_t how,
		 const struct aem_pexit_options *options, aem_pexit_fn handler, void *user)
{
	struct aem_pexit_watch arg = { .size = sizeof(arg), .pid = pid, .pidfd = pidfd };
	int base = base_of(aem, BASE_PEXIT, AEM_PEXIT_SERVICE, AEM_PEXIT_VERSION, thunks,
			   AEM_PEXIT_CALLS);
	int64_t ret;

	if (base < 0)
		return base;
	aem_registration_init(&arg.reg, (void (*)(void))handler, user, how);
	if (options) {
		arg.flags = options->flags;
		arg.notes = options->notes;
		arg.members = options->members;
	}
	ret = aem_call(aem, (uint32_t)base + AEM_PEXIT_WATCH, &arg);
	if (ret < 0)
		return (int)ret;
	if (id)
		*id = arg.reg.id;
	return 0;
}

int aem_pexit_watch(struct aem *aem, aem_id *id, pid_t pid, uint32_t how,
		    const struct aem_pexit_options *options, aem_pexit_fn handler,
		    void *user)
{
	return watch(aem, id, pid, -1, how, options, handler, user);
}

/* The process's number in our namespace: positive, or -errno. */
static pid_t pid_of(int pidfd)
{
	char path[64], text[512], *line;
	ssize_t n;
	int fd, pid;

	if (fcntl(pidfd, F_GETFD) < 0)
		return -EBADF;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENOSYS;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "\nPid:");
	if (!line)
		return -EBADF;
	pid = atoi(line + sizeof("\nPid:") - 1);
	return pid > 0 ? pid : -ESRCH;
}

int aem_pexit_watch_fd(struct aem *aem, aem_id *id, int pidfd, uint32_t how,
		       const struct aem_pexit_options *options, aem_pexit_fn handler,
		       void *user)
{
	pid_t pid = pid_of(pidfd);

	return pid < 0 ? pid : watch(aem, id, pid, pidfd, how, options, handler, user);
}
