/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Jobs, for those who hold events.
 */
#ifndef _AEM_CORE_JOB_H
#define _AEM_CORE_JOB_H

#include "event.h"

/**
 * struct aem_noted - what has happened to an event while it was held
 * @keys:  of its wait queue, together
 * @blank: it was woken without a key
 */
struct aem_noted {
	unsigned long keys;
	bool blank;
};

enum aem_verdict aem_job_ask(struct event_struct *ev, unsigned long key);
void aem_job_note(struct event_struct *ev, unsigned long key);
void aem_job_take_note(struct event_struct *ev, struct aem_noted *noted);
void aem_job_replay(struct event_struct *ev, const struct aem_noted *noted);

#endif /* _AEM_CORE_JOB_H */
