// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to files.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

static void run_watch(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_fd_fn handler = (aem_fd_fn)(uintptr_t)r->handler;
	bool revoked = r->flags & AEM_RECORD_F_REVOKED;

	handler(aem, (void *)(uintptr_t)r->cookie, r->id, revoked ? NULL : block, r->lost);
}

static void run_poll(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_fd_poll_fn handler = (aem_fd_poll_fn)(uintptr_t)r->handler;
	bool revoked = r->flags & AEM_RECORD_F_REVOKED;
	uint32_t word[2];

	(void)block;
	memcpy(word, r->arg, sizeof(word));
	handler(aem, (void *)(uintptr_t)r->cookie, r->id, revoked ? -1 : (int)word[1],
		revoked ? AEM_FD_NVAL : word[0]);
}

/* arg[1] is the offset of the block. */
static const struct aem_thunk thunks[AEM_FD_CALLS] = {
	[AEM_FD_WATCH] = { .run = run_watch, .block = 2 },
	[AEM_FD_POLL] = { .run = run_poll },
};

static int base(struct aem *aem)
{
	return base_of(aem, BASE_FD, AEM_FD_SERVICE, AEM_FD_VERSION, thunks, AEM_FD_CALLS);
}

static int call(struct aem *aem, uint32_t nr, void *arg)
{
	int first = base(aem);
	int64_t ret;

	if (first < 0)
		return first;
	ret = aem_call(aem, (uint32_t)first + nr, arg);
	return (int)ret;
}

int aem_fd_watch(struct aem *aem, aem_id *id, int fd, const char *path, uint32_t kinds,
		 uint32_t how, const struct aem_fd_options *options, aem_fd_fn handler, void *user)
{
	struct aem_fd_watch arg = {
		.size = sizeof(arg), .fd = fd, .path = (uintptr_t)path, .kinds = kinds,
	};
	int ret;

	aem_registration_init(&arg.reg, (void (*)(void))handler, user, how);
	if (options) {
		arg.pattern = (uintptr_t)options->pattern;
		arg.flags = options->flags;
		arg.room = options->room;
		arg.files = options->files;
		arg.actor = options->actor;
	}
	ret = call(aem, AEM_FD_WATCH, &arg);
	if (!ret && id)
		*id = arg.reg.id;
	return ret;
}

int aem_fd_add(struct aem *aem, aem_id id, uint32_t *number, int fd, const char *path,
	       uint32_t flags)
{
	struct aem_fd_add arg = {
		.size = sizeof(arg), .fd = fd, .id = id, .path = (uintptr_t)path, .flags = flags,
	};
	int ret = call(aem, AEM_FD_ADD, &arg);

	if (ret >= 0 && number)
		*number = arg.number;
	return ret;
}

int aem_fd_remove(struct aem *aem, aem_id id, uint32_t number)
{
	struct aem_fd_remove arg = { .size = sizeof(arg), .number = number, .id = id };

	return call(aem, AEM_FD_REMOVE, &arg);
}

int aem_fd_poll(struct aem *aem, aem_id *id, int fd, uint32_t kinds, uint32_t how, uint32_t flags,
		aem_fd_poll_fn handler, void *user)
{
	struct aem_fd_poll arg = {
		.size = sizeof(arg), .fd = fd, .kinds = kinds, .flags = flags,
	};
	int ret;

	aem_registration_init(&arg.reg, (void (*)(void))handler, user, how);
	ret = call(aem, AEM_FD_POLL, &arg);
	if (!ret && id)
		*id = arg.reg.id;
	return ret;
}
