// SPDX-License-Identifier: GPL-2.0
/*
 * Events by their ids, and blocks of the memory shared with the kernel.
 */
#include <string.h>
#include "internal.h"

static int control(struct aem *aem, aem_id id, uint32_t op, uint64_t arg,
		   struct aem_event *event)
{
	int ret = check(aem);

	if (ret)
		return ret;
	memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	event->op = op;
	event->id = id;
	event->arg = arg;
	return call_ioctl(aem->fd, AEM_IOC_EVENT, event);
}

int aem_event_start(struct aem *aem, aem_id id)
{
	struct aem_event event;

	return control(aem, id, AEM_EVENT_START, 0, &event);
}

int aem_event_stop(struct aem *aem, aem_id id)
{
	struct aem_event event;

	return control(aem, id, AEM_EVENT_STOP, 0, &event);
}

int aem_event_prio(struct aem *aem, aem_id id, unsigned int prio)
{
	struct aem_event event;

	return control(aem, id, AEM_EVENT_PRIO, prio, &event);
}

int aem_event_near(struct aem *aem, aem_id id, uint32_t cpu)
{
	struct aem_event event;

	return control(aem, id, AEM_EVENT_NEAR, cpu, &event);
}

int aem_event_info(struct aem *aem, aem_id id, struct aem_event *info)
{
	return control(aem, id, AEM_EVENT_INFO, 0, info);
}

int aem_event_shutdown(struct aem *aem, aem_id id)
{
	struct aem_event event;
	int ret = check(aem);

	if (ret)
		return ret;
	if (is_owner(aem) && aem->queue.made != aem->queue.tail) {
		ret = aem_flush(aem);
		if (ret)
			return ret;
	}
	ret = control(aem, id, AEM_EVENT_SHUTDOWN, 0, &event);
	if (likely(ret != -EINTR))
		return ret;
	/* Unregistered, but another thread is in its handler. */
	do
		ret = control(aem, id, AEM_EVENT_SHUTDOWN, 0, &event);
	while (ret == -EINTR);
	return ret == -ENOENT ? 0 : ret;
}

static int vmt(struct aem *aem, struct aem_vmt *arg)
{
	int ret = check(aem);

	return ret ? ret : call_ioctl(aem->fd, AEM_IOC_VMT, arg);
}

int aem_vmt_alloc(struct aem *aem, size_t length, void **block)
{
	struct aem_vmt arg = {
		.size = sizeof(arg), .op = AEM_VMT_ALLOC, .length = length,
	};
	int ret = vmt(aem, &arg);

	if (!ret)
		*block = aem->vmt + arg.offset;
	return ret;
}

int aem_vmt_free(struct aem *aem, void *block)
{
	struct aem_vmt arg = {
		.size = sizeof(arg), .op = AEM_VMT_FREE,
		.offset = (uint64_t)((char *)block - aem->vmt),
	};

	return vmt(aem, &arg);
}
