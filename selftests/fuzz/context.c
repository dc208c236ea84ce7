// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts of the program: their memory, and what is done with records in their rings.
 */
#include <linux/aem_ip.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "run.h"

struct context *context_of(struct run *run, int fd)
{
	unsigned int i;

	for (i = 0; i < FUZZ_NUMBERS; i++)
		if (fd >= 0 && run->contexts[i].fd == fd)
			return &run->contexts[i];
	return NULL;
}

/* Of the statement that the thread is at. */
struct context *context_new(struct run *run, int fd)
{
	struct context *context = &run->contexts[self->statement->number];

	memset(context, 0, sizeof(*context));
	context->fd = fd;
	return context;
}

/* Maps one of the areas as it should be; its size is known already. */
int context_map(struct context *context, unsigned int which)
{
	static const uint32_t offsets[] = { AEM_MMAP_CONTROL, AEM_MMAP_RING, AEM_MMAP_VMT };
	void *area;

	area = mmap(NULL, context->bytes[which], PROT_READ | PROT_WRITE, MAP_SHARED, context->fd,
		    offsets[which]);
	if (area == MAP_FAILED) {
		context->bytes[which] = 0;
		return -1;
	}
	context->area[which] = area;
	return 0;
}

/* The descriptor of a new connection, if that is what the record tells. */
static int connection_of(const struct run *run, const struct aem_record *record)
{
	if (record->nr / AEM_RANGE_CALLS != run->base[2] / AEM_RANGE_CALLS || !run->base[2] ||
	    record->nr % AEM_RANGE_CALLS != AEM_IP_ACCEPT)
		return -1;
	return (int)(uint32_t)record->arg[0];
}

/* What came goes back, or is to, with whatever flags; each eighth is no answer at all. */
static void answer(const struct run *run, struct context *context,
		   const struct aem_record *record, uint32_t how)
{
	uint64_t offset = record->arg[1];
	struct aem_ip_answer answer = { .flags = how % 16, .bytes = (uint32_t)record->arg[2] };

	if (record->nr / AEM_RANGE_CALLS != run->base[2] / AEM_RANGE_CALLS || !run->base[2] ||
	    record->nr % AEM_RANGE_CALLS != AEM_IP_EXCHANGE || !answer.bytes)
		return;
	if (how % 8 == 7)
		answer.at = how * 2654435761U;
	if (context->bytes[2] >= sizeof(answer) && offset <= context->bytes[2] - sizeof(answer))
		memcpy(context->area[2] + offset, &answer, sizeof(answer));
}

/*
 * Takes records and leaves them in a state, which may be none at all; the last connection among
 * them, or -1.
 */
int context_dispatch(struct run *run, struct context *context, uint32_t state, unsigned int max)
{
	struct aem_record *ring = (struct aem_record *)context->area[1];
	uint32_t i, ready, entries = context->bytes[1] / sizeof(*ring);
	int fd = -1;

	for (i = 0; i < entries && max; i++) {
		ready = AEM_RECORD_READY;
		if (!__atomic_compare_exchange_n(&ring[i].state, &ready, AEM_RECORD_RUNNING, 0,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
		    ready != AEM_RECORD_RUNNING)
			continue;
		if (connection_of(run, &ring[i]) >= 0)
			fd = connection_of(run, &ring[i]);
		answer(run, context, &ring[i], i);
		__atomic_store_n(&ring[i].state, state, __ATOMIC_SEQ_CST);
		max--;
	}
	return fd;
}

/* The doorbell, in the handler of a signal. */
void context_answer(struct run *run, int signo)
{
	struct aem_enter enter = { .size = sizeof(enter), .flags = AEM_ENTER_INTERRUPT };
	unsigned int i;

	for (i = 0; i < FUZZ_NUMBERS; i++) {
		struct context *context = &run->contexts[i];

		if (context->fd < 0 || !context->bytes[1] ||
		    __atomic_sub_fetch(&run->bells, 1, __ATOMIC_RELAXED) < 0)
			continue;
		if (!ioctl(context->fd, AEM_IOC_ENTER, &enter) && signo % 2)
			context_dispatch(run, context, AEM_RECORD_DONE, 8);
	}
}
