// SPDX-License-Identifier: GPL-2.0
/*
 * Events from, and for, another version of this module.
 *
 * Layout 1 of the private part is struct aem_ip_event as it is. Sockets, and what waits in them,
 * stay where they are. A listener's work belongs to a module, and comes to an end there.
 */
#include "ip.h"

#ifdef AEM_SERVICE_OTHER_LAYOUT
/* The layout after the first, for tests of the way there and back: two fields have moved. */
static void convert(struct aem_ip_event *p)
{
	u32 length = p->length;

	p->length = p->fd;
	p->fd = length;
}
#else
static void convert(struct aem_ip_event *p)
{
}
#endif

/** aem_ip_event_yield() - another version shall have the event. Return: 0. */
int aem_ip_event_yield(struct event_struct *ev, u32 layout)
{
	if (layout != AEM_IP_LAYOUT)
		convert(aem_event_private(ev));
	return 0;
}

/** aem_ip_event_adopt() - it comes from another. Return: 0. */
int aem_ip_event_adopt(struct event_struct *ev, u32 layout)
{
	if (layout != AEM_IP_LAYOUT)
		convert(aem_event_private(ev));
	return 0;
}
