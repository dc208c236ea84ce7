// SPDX-License-Identifier: GPL-2.0
/*
 * Answers from the memory that a request came in, sent as its record is taken back.
 */
#include "internal.h"

#define FLAGS	(AEM_IP_SEND_MORE | AEM_IP_SEND_LAST | AEM_IP_ANSWER_END)

/* In front of the data that the running handler was given; NULL: none of this kind. */
static struct aem_ip_answer *head_of(struct aem *aem)
{
	const struct aem_record *record = aem_current(aem);

	/* Without data there is no block. */
	if (!record || record->flags & AEM_RECORD_F_REVOKED || !word_of(record, 4) ||
	    record->nr != (uint32_t)aem_ip_base(aem) + AEM_IP_EXCHANGE)
		return NULL;
	return (struct aem_ip_answer *)(aem->vmt + record->arg[1]);
}

size_t aem_ip_reply_room(struct aem *aem)
{
	const struct aem_ip_answer *head = head_of(aem);

	return head ? head->room : 0;
}

int aem_ip_reply(struct aem *aem, const void *answer, size_t length, unsigned int flags)
{
	struct aem_ip_answer *head = head_of(aem);
	size_t at;

	if (!head)
		return check(aem) ?: -EINVAL;
	/* What lies in front is far away, too. */
	at = (size_t)((const char *)answer - (const char *)(head + 1));
	if (!answer && !length)
		at = 0;
	if (at > head->room || length > head->room - at || flags & ~FLAGS)
		return -EINVAL;
	head->at = (uint32_t)at;
	head->bytes = (uint32_t)length;
	head->flags = flags;
	return 0;
}
