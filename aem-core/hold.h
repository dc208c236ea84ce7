/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Holding events: their jobs are not asked, and what happens is noted.
 */
#ifndef _AEM_CORE_HOLD_H
#define _AEM_CORE_HOLD_H

#include <linux/bitmap.h>
#include "event.h"
#include "registry.h"

/**
 * struct aem_hold - a service that is held
 * @service: whose ranges are closed
 * @closed:  the ranges that are
 * @start:   when they were shut, of ktime_get_ns()
 */
struct aem_hold {
	struct aem_service *service;
	DECLARE_BITMAP(closed, AEM_RANGES);
	u64 start;
};

/** typedef aem_visit - what is done with each event. */
typedef void (*aem_visit)(struct event_struct *ev, void *data);

int aem_hold_begin(struct aem_hold *hold, struct aem_service *service, u32 timeout);
void aem_hold_look(struct aem_service *service, aem_visit look, void *data);
u32 aem_hold_events(struct aem_hold *hold);
void aem_hold_visit(aem_visit visit, void *data);
bool aem_hold_let_go(struct event_struct *ev, struct aem_service *service);
u64 aem_hold_end(struct aem_hold *hold);

#endif /* _AEM_CORE_HOLD_H */
