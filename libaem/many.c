// SPDX-License-Identifier: GPL-2.0
/*
 * Sends of many datagrams, from the memory that they came in.
 */
#include <string.h>
#include "internal.h"

/**
 * struct answer - a queued answer as it lies in the queue's memory
 * @arg:   for the kernel
 * @block: that the messages lie in, kept until they are sent
 */
struct answer {
	struct aem_ip_send_many arg;
	void *block;
};

static void fill(struct aem_ip_send_many *arg, aem_id id, const void *messages, size_t bytes)
{
	*arg = (struct aem_ip_send_many){
		.size = sizeof(*arg), .id = id, .messages = (uintptr_t)messages,
		.bytes = (uint32_t)bytes,
	};
}

/* The first message that is not done with is the program's own memory: nobody else changes it. */
static const struct aem_ip_message *stopped_at(const struct aem_ip_send_many *arg)
{
	return (const struct aem_ip_message *)((const char *)(uintptr_t)arg->messages + arg->at);
}

/* What the one that failed leaves to be sent. A length that leads nowhere leaves nothing. */
static void pass_over(struct aem_ip_send_many *arg, uint32_t length)
{
	uint32_t left = arg->bytes - arg->at;

	if (length < sizeof(struct aem_ip_message) || length > left)
		length = left;
	arg->messages += arg->at + length;
	arg->bytes = left - length;
	arg->at = 0;
}

/*
 * Nobody needs the messages any more. If the handler is still open, since something else handed the
 * queue over, its record takes the block along.
 */
static void give_back(struct aem *aem, void *block)
{
	uint32_t i;

	for (i = 0; i < aem->depth; i++) {
		struct frame *f = &aem->frames[i];
		const struct aem_record *r = &aem->ring[f->index & aem->mask];

		if (f->keep && aem->thunks[r->nr].block == 2 && aem->vmt + r->arg[1] == block) {
			f->keep = 0;
			return;
		}
	}
	aem_vmt_free(aem, block);
}

/* One peer that cannot be reached takes nothing from the others, nor does a full socket. */
static void report(struct aem *aem, const struct queued *queued, const void *made, int64_t result)
{
	const struct answer *answer = made;
	struct aem_ip_send_many arg = answer->arg;
	aem_ip_unsent_fn unsent = (aem_ip_unsent_fn)queued->done;
	const struct aem_ip_message *message;
	uint32_t length;

	while (arg.at < arg.bytes) {
		message = stopped_at(&arg);
		length = message->length;
		if (unsent && !message->error)
			unsent(aem, queued->user, arg.id, message,
			       result < 0 ? (int)-result : (int)arg.error);
		pass_over(&arg, length);
		if (result < 0 || !arg.bytes)
			continue;
		result = aem_call(aem, (uint32_t)aem_ip_base(aem) + AEM_IP_SEND_MANY, &arg);
	}
	give_back(aem, answer->block);
}

/* At AEM_LEVEL_ALL. */
static int queue_answer(struct aem *aem, uint32_t nr, const struct answer *answer,
			const struct queued *queued)
{
	struct answer now = *answer;
	void *copy;
	int ret = aem_queue_room(aem, sizeof(now), &copy);

	if (ret)
		return ret;
	if (!copy)
		return aem_queue_now(aem, nr, &now, queued);
	memcpy(copy, answer, sizeof(now));
	aem_queue_add(aem, nr, copy, sizeof(now), queued);
	/* That they went is nothing to hurry for: what sends them may go on to sleep. */
	aem->queue.wanted--;
	return 0;
}

static bool is_ours(const struct aem_record *record, uint32_t base)
{
	return record && record->nr == base + AEM_IP_DATAGRAMS &&
	       !(record->flags & AEM_RECORD_F_REVOKED);
}

int aem_ip_answer(struct aem *aem, aem_ip_unsent_fn unsent, void *user)
{
	struct queued queued = {
		.report = report, .done = (void (*)(void))unsent, .user = user,
	};
	const struct aem_record *record = aem_current(aem);
	int ret = check(aem), base;
	struct answer answer;
	unsigned int level;

	if (ret)
		return ret;
	base = aem_ip_base(aem);
	if (base < 0)
		return base;
	if (!is_ours(record, (uint32_t)base) || aem->frames[aem->depth - 1].keep)
		return -EINVAL;
	level = mask_all(aem);
	answer.block = aem_keep(aem);
	fill(&answer.arg, record->id, answer.block, word_of(record, 4));
	ret = queue_answer(aem, (uint32_t)base + AEM_IP_SEND_MANY, &answer, &queued);
	if (ret)
		aem->frames[aem->depth - 1].keep = 0;
	aem_dispatch_leave(aem, level);
	return ret;
}

int64_t aem_ip_send_many(struct aem *aem, aem_id id, const struct aem_ip_message *messages,
			 size_t bytes, size_t *done, int *error)
{
	struct aem_ip_send_many arg;
	int ret = check(aem), base;
	int64_t sent;

	if (ret)
		return ret;
	if (bytes > AEM_IP_MANY_BYTES)
		return -EINVAL;
	base = aem_ip_base(aem);
	if (base < 0)
		return base;
	fill(&arg, id, messages, bytes);
	sent = aem_call(aem, (uint32_t)base + AEM_IP_SEND_MANY, &arg);
	if (done)
		*done = arg.at;
	if (error)
		*error = (int)arg.error;
	return sent;
}
