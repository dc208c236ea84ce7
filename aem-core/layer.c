// SPDX-License-Identifier: GPL-2.0
/*
 * Layers: a module that sits above a service and sees its calls and activations first.
 *
 * A layer belongs to a name, not to a version, and so to all ranges of that name: those that are
 * there and those that come. A swap below it changes nothing for it, and neither does it hold
 * anything of what is below. It goes at any time: its own code runs under SRCU (calls) and RCU
 * (activations), never over the service's, so that a call that it let pass, however long that may
 * take, is not waited for.
 */
#include <linux/srcu.h>
#include "layer.h"
#include "registry.h"

/* A count, not a jump label: that stops all processors where it is changed, on a live system. */
atomic_t aem_layers_in_use = ATOMIC_INIT(0);
DEFINE_STATIC_SRCU(calls_srcu);

/* By aem_layer.link; the registry's mutex. */
static LIST_HEAD(layers);

/** aem_layer_above() - the layer of services of this name, or NULL. */
struct aem_layer *aem_layer_above(const char *name)
{
	struct aem_layer *layer;

	lockdep_assert_held(&aem_registry);
	list_for_each_entry(layer, &layers, link)
		if (!strcmp(layer->name, name))
			return layer;
	return NULL;
}

/* Ranges that were revoked have no name any more, and nobody below. */
static void put_above(const char *name, struct aem_layer *layer)
{
	int i;

	lockdep_assert_held(&aem_registry);
	for (i = 1; i < AEM_RANGES; i++) {
		struct aem_range *range = aem_ranges[i];

		if (range && range->service && !strcmp(range->service->name, name))
			rcu_assign_pointer(range->layer, layer);
	}
}

int aem_layer_register(struct aem_layer *layer)
{
	int err = -EBUSY;

	if (!aem_service_name_is_good(layer->name))
		return -EINVAL;
	atomic_inc(&aem_layers_in_use);
	mutex_lock(&aem_registry);
	if (!aem_layer_above(layer->name)) {
		list_add_tail(&layer->link, &layers);
		put_above(layer->name, layer);
		err = 0;
	}
	mutex_unlock(&aem_registry);
	if (err)
		atomic_dec(&aem_layers_in_use);
	return err;
}
EXPORT_SYMBOL_GPL(aem_layer_register);

void aem_layer_unregister(struct aem_layer *layer)
{
	mutex_lock(&aem_registry);
	list_del(&layer->link);
	put_above(layer->name, NULL);
	mutex_unlock(&aem_registry);
	atomic_dec(&aem_layers_in_use);
	synchronize_srcu(&calls_srcu);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(aem_layer_unregister);

/**
 * aem_layer_ask_call() - what the layer says of a call
 * @caller: on whose behalf
 * @op:     the call; of @caller->service, or of the core, which nobody sits above
 * @arg:    its argument
 *
 * Once for each call, though the core may make it to two versions.
 *
 * Return: 0 or -errno.
 */
int aem_layer_ask_call(const struct aem_caller *caller, const struct aem_call_op *op,
		       const void *arg)
{
	const struct aem_layer *layer;
	int idx, ret = 0;

	if (!caller->range || caller->other)
		return 0;
	idx = srcu_read_lock(&calls_srcu);
	layer = srcu_dereference(caller->range->layer, &calls_srcu);
	if (layer && layer->call)
		ret = layer->call(caller, op - caller->service->calls, arg);
	srcu_read_unlock(&calls_srcu, idx);
	return min_t(long, aem_service_answer(ret), 0);
}

/** aem_layer_ask_activate() - what the layer says of an activation. */
bool aem_layer_ask_activate(struct event_struct *ev)
{
	const struct aem_layer *layer;
	bool passes;

	rcu_read_lock();
	layer = rcu_dereference(aem_event_range(ev)->layer);
	passes = !layer || !layer->activate || layer->activate(ev);
	rcu_read_unlock();
	return passes;
}
