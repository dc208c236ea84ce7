// SPDX-License-Identifier: GPL-2.0
/*
 * Sends: queued with a copy of the bytes or without, or at once.
 */
#include <netinet/in.h>
#include <string.h>
#include "internal.h"

#define KERNEL_FLAGS	(AEM_IP_SEND_MORE | AEM_IP_SEND_LAST)
#define FLAGS		(KERNEL_FLAGS | AEM_SEND_BORROW | AEM_SEND_QUIET)

/**
 * struct send - a queued send as it lies in the queue's memory
 * @arg: for the kernel
 * @to:  receiver, arg.address points to it
 *
 * The bytes follow, unless they were borrowed.
 */
struct send {
	struct aem_ip_send arg;
	struct sockaddr_in6 to;
};

static void report_quiet(struct aem *aem, const struct queued *queued, const void *arg,
			 int64_t result)
{
	const struct aem_ip_send *send = arg;
	uint64_t taken = result > 0 ? (uint64_t)result : 0;
	uint64_t left = send->length - taken;
	int error = 0;

	if (likely(result >= 0 && !left))
		return;
	error = result < 0 ? (int)-result : EAGAIN;
	((aem_ip_sent_fn)queued->done)(aem, queued->user, send->id,
				       (const char *)(uintptr_t)send->data + taken,
				       (size_t)left, error);
}

static void report(struct aem *aem, const struct queued *queued, const void *arg,
		   int64_t result)
{
	const struct aem_ip_send *send = arg;

	if (unlikely(result < 0 || (uint64_t)result != send->length)) {
		report_quiet(aem, queued, arg, result);
		return;
	}
	((aem_ip_sent_fn)queued->done)(aem, queued->user, send->id, NULL, 0, 0);
}

static void fill(struct send *send, aem_id id, const void *data, size_t length,
		 const struct sockaddr *to, socklen_t to_length, unsigned int flags)
{
	send->arg.size = sizeof(send->arg);
	send->arg.flags = flags & KERNEL_FLAGS;
	send->arg.id = id;
	send->arg.data = (uintptr_t)data;
	send->arg.length = length;
	send->arg.address = 0;
	send->arg.addrlen = to_length;
	send->arg.pad = 0;
	if (to_length) {
		memcpy(&send->to, to, to_length);
		send->arg.address = (uintptr_t)&send->to;
	}
}

/* At AEM_LEVEL_ALL. */
static int queue_send(struct aem *aem, uint32_t nr, aem_id id, const void *data,
		      size_t length, const struct sockaddr *to, socklen_t to_length,
		      unsigned int flags, const struct queued *queued)
{
	size_t copied = flags & AEM_SEND_BORROW ? 0 : length;
	struct send *send, now;
	void *room = NULL;
	int ret = 0;

	/* No flush for what will never fit. */
	if (copied <= aem->queue.size)
		ret = aem_queue_room(aem, sizeof(*send) + copied, &room);
	if (ret)
		return ret;
	send = room;
	if (!send) {
		fill(&now, id, data, length, to, to_length, flags);
		return aem_queue_now(aem, nr, &now, queued);
	}
	if (copied)
		data = memcpy(send + 1, data, copied);
	fill(send, id, data, length, to, to_length, flags);
	aem_queue_add(aem, nr, send, sizeof(*send) + copied, queued);
	return 0;
}

int aem_ip_send_to(struct aem *aem, aem_id id, const void *data, size_t length,
		   const struct sockaddr *to, socklen_t to_length,
		   unsigned int flags, aem_ip_sent_fn sent, void *user)
{
	struct queued queued = { .done = (void (*)(void))sent, .user = user };
	int ret = check(aem), base;
	unsigned int level;

	if (ret)
		return ret;
	if (flags & ~FLAGS || to_length > sizeof(struct sockaddr_in6))
		return -EINVAL;
	base = aem_ip_base(aem);
	if (base < 0)
		return base;
	if (sent)
		queued.report = flags & AEM_SEND_QUIET ? report_quiet : report;
	level = mask_all(aem);
	ret = queue_send(aem, (uint32_t)base + AEM_IP_SEND, id, data, length, to,
			 to ? to_length : 0, flags, &queued);
	aem_dispatch_leave(aem, level);
	return ret;
}

int aem_ip_send(struct aem *aem, aem_id id, const void *data, size_t length,
		unsigned int flags, aem_ip_sent_fn sent, void *user)
{
	return aem_ip_send_to(aem, id, data, length, NULL, 0, flags, sent, user);
}

int64_t aem_ip_send_now(struct aem *aem, aem_id id, const void *data,
			size_t length, const struct sockaddr *to,
			socklen_t to_length, unsigned int flags)
{
	int ret = check(aem), base;
	struct send send;

	if (ret)
		return ret;
	if (flags & ~KERNEL_FLAGS || to_length > sizeof(struct sockaddr_in6))
		return -EINVAL;
	base = aem_ip_base(aem);
	if (base < 0)
		return base;
	fill(&send, id, data, length, to, to ? to_length : 0, flags);
	return aem_call(aem, (uint32_t)base + AEM_IP_SEND, &send.arg);
}
