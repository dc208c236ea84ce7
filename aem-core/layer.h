/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layers: what sits above a service. They cost a jump that is not taken while there is none.
 */
#ifndef _AEM_CORE_LAYER_H
#define _AEM_CORE_LAYER_H

#include <linux/atomic.h>
#include <aem/service.h>

extern atomic_t aem_layers_in_use;

struct aem_layer *aem_layer_above(const char *name);
int aem_layer_ask_call(const struct aem_caller *caller, const struct aem_call_op *op,
		       const void *arg);
bool aem_layer_ask_activate(struct event_struct *ev);

/** aem_layer_call() - may this call be made? 0 or -errno. Behind the gate of its range. */
static inline int aem_layer_call(const struct aem_caller *caller, const struct aem_call_op *op,
				 const void *arg)
{
	if (!atomic_read(&aem_layers_in_use))
		return 0;
	return aem_layer_ask_call(caller, op, arg);
}

/** aem_layer_activate() - may this event be activated? Any context. */
static inline bool aem_layer_activate(struct event_struct *ev)
{
	if (!atomic_read(&aem_layers_in_use))
		return true;
	return aem_layer_ask_activate(ev);
}

#endif /* _AEM_CORE_LAYER_H */
