// SPDX-License-Identifier: GPL-2.0
/*
 * The registry: services by name and version, ranges of call numbers, and who is bound.
 */
#include <linux/kmod.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "event.h"
#include "layer.h"
#include "pool.h"
#include "range.h"
#include "registry.h"

DEFINE_MUTEX(aem_registry);
LIST_HEAD(aem_services);
LIST_HEAD(aem_bound);
struct aem_range *aem_ranges[AEM_RANGES];

/** aem_service_name_is_good() - could a service be called so? */
bool aem_service_name_is_good(const char *name)
{
	size_t length = strnlen(name, AEM_NAME_MAX);

	return length && length < AEM_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static bool call_is_good(const struct aem_call_op *op)
{
	return op->execute && op->min_size >= sizeof(u32) &&
	       op->min_size <= op->size && op->size <= AEM_CALL_ARG_MAX &&
	       (!op->events || op->events->construct);
}

static bool service_is_good(const struct aem_service *service)
{
	unsigned int i;

	if (!service->version || !service->n_calls ||
	    service->n_calls > AEM_RANGE_CALLS || !aem_service_name_is_good(service->name))
		return false;
	for (i = 0; i < service->n_calls; i++)
		if (!call_is_good(&service->calls[i]))
			return false;
	return true;
}

/** aem_registry_find() - the service of this name and version, or NULL. */
struct aem_service *aem_registry_find(const char *name, u32 version)
{
	struct aem_service *service;

	lockdep_assert_held(&aem_registry);
	list_for_each_entry(service, &aem_services, link)
		if (service->version == version && !strcmp(service->name, name))
			return service;
	return NULL;
}

/* Index 0 is the core's. */
static int free_index(void)
{
	int i;

	lockdep_assert_held(&aem_registry);
	for (i = 1; i < AEM_RANGES; i++)
		if (!aem_ranges[i])
			return i;
	return -ENOSPC;
}

/** aem_registry_offer() - give a service a range of its own: 0, -ENOSPC or -ENOMEM. */
int aem_registry_offer(struct aem_service *service)
{
	struct aem_range *range;
	int index = free_index();

	if (index < 0)
		return index;
	range = kzalloc(sizeof(*range), GFP_KERNEL);
	if (!range)
		return -ENOMEM;
	if (aem_gate_init(&range->gate)) {
		kfree(range);
		return -ENOMEM;
	}
	range->index = index;
	range->service = service;
	range->room = kmem_cache_size(service->cache);
	RCU_INIT_POINTER(range->layer, aem_layer_above(service->name));
	service->range = range;
	aem_ranges[index] = range;
	return 0;
}

/**
 * aem_registry_drop() - a range goes, unless it is needed
 * @range: with what is in it up to date
 */
void aem_registry_drop(struct aem_range *range)
{
	lockdep_assert_held(&aem_registry);
	if (range->users || (range->service && range->service->range == range))
		return;
	aem_ranges[range->index] = NULL;
	aem_gate_destroy(&range->gate);
	kfree(range);
}

/** aem_registry_drop_unused() - every range goes that is not needed. */
void aem_registry_drop_unused(void)
{
	int i;

	for (i = 1; i < AEM_RANGES; i++)
		if (aem_ranges[i])
			aem_registry_drop(aem_ranges[i]);
}

/** aem_registry_users() - contexts that are bound to it, twice if by two ranges. */
u32 aem_registry_users(const struct aem_service *service)
{
	u32 users = 0;
	int i;

	lockdep_assert_held(&aem_registry);
	for (i = 1; i < AEM_RANGES; i++)
		if (aem_ranges[i] && aem_ranges[i]->service == service)
			users += aem_ranges[i]->users;
	return users;
}

int aem_service_register(struct aem_service *service)
{
	int err;

	if (!service_is_good(service))
		return -EINVAL;
	service->cache = aem_pool_get(service->event_size);
	if (!service->cache)
		return -ENOMEM;
	atomic_set(&service->events, 0);
	mutex_lock(&aem_registry);
	err = aem_registry_find(service->name, service->version) ? -EEXIST :
	      aem_registry_offer(service);
	if (!err)
		list_add_tail(&service->link, &aem_services);
	mutex_unlock(&aem_registry);
	return err;
}
EXPORT_SYMBOL_GPL(aem_service_register);

void aem_service_unregister(struct aem_service *service)
{
	struct aem_range *range;

	mutex_lock(&aem_registry);
	if (aem_registry_find(service->name, service->version) != service) {
		mutex_unlock(&aem_registry);
		pr_err("aem: service %s version %u is not registered, and cannot be taken back\n",
		       service->name, service->version);
		return;
	}
	list_del(&service->link);
	WARN_ON(atomic_read(&service->events));
	range = service->range;
	service->range = NULL;
	if (range && !WARN_ON(range->users))
		aem_registry_drop(range);
	mutex_unlock(&aem_registry);
	/* A job may have found it before a swap took its events away. */
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(aem_service_unregister);

static bool fits(const struct aem_service *service, const struct aem_bind *bind)
{
	return service->version >= bind->min_version &&
	       (!bind->max_version || service->version <= bind->max_version);
}

/* What the process is bound to goes before all others, retired or not. */
static struct aem_range *find_bound(struct aem_process *proc, const struct aem_bind *bind)
{
	int i;

	lockdep_assert_held(&aem_registry);
	for (i = 1; i < AEM_RANGES; i++) {
		const struct aem_range *range = proc->ranges[i];

		if (range && range->service && !strcmp(range->service->name, bind->name) &&
		    fits(range->service, bind))
			return proc->ranges[i];
	}
	return NULL;
}

/* The newest that is offered. -ENOENT: no such name; -ENOPROTOOPT: no such version. */
static struct aem_range *find_offered(const struct aem_bind *bind)
{
	struct aem_service *service, *best = NULL;
	int err = -ENOENT;

	lockdep_assert_held(&aem_registry);
	list_for_each_entry(service, &aem_services, link) {
		if (strcmp(service->name, bind->name))
			continue;
		err = -ENOPROTOOPT;
		if (service->range && fits(service, bind) &&
		    (!best || service->version > best->version))
			best = service;
	}
	return best ? best->range : ERR_PTR(err);
}

/* -ENOENT while the module is on its way out: it is as good as gone. */
static int bind_range(struct aem_process *proc, struct aem_range *range)
{
	lockdep_assert_held(&aem_registry);
	if (!try_module_get(range->service->owner))
		return -ENOENT;
	range->users++;
	if (list_empty(&proc->bound))
		list_add_tail(&proc->bound, &aem_bound);
	/* Pairs with aem_range_of(). */
	smp_store_release(&proc->ranges[range->index], range);
	return 0;
}

static int bind_once(struct aem_process *proc, struct aem_bind *bind)
{
	struct aem_range *range;
	int err = 0;

	mutex_lock(&aem_registry);
	range = find_bound(proc, bind);
	if (!range) {
		range = find_offered(bind);
		err = PTR_ERR_OR_ZERO(range) ?: bind_range(proc, range);
	}
	if (!err) {
		bind->version = range->service->version;
		bind->base = aem_range_base(range);
		bind->calls = range->service->n_calls;
	}
	mutex_unlock(&aem_registry);
	return err;
}

/**
 * aem_range_bind() - AEM_IOC_BIND
 * @proc: the process
 * @bind: in: name and versions; out: the rest
 *
 * A service that is not there is asked for as the module alias aem-service-NAME.
 *
 * Return: 0, -EINVAL, -ENOENT or -ENOPROTOOPT.
 */
int aem_range_bind(struct aem_process *proc, struct aem_bind *bind)
{
	int err;

	if (!aem_service_name_is_good(bind->name) ||
	    (bind->max_version && bind->max_version < bind->min_version))
		return -EINVAL;
	err = bind_once(proc, bind);
	if (err != -ENOENT || request_module("aem-service-%s", bind->name))
		return err;
	return bind_once(proc, bind);
}

/** aem_range_unbind_all() - the process has gone, and all its events. */
void aem_range_unbind_all(struct aem_process *proc)
{
	int i;

	mutex_lock(&aem_registry);
	list_del_init(&proc->bound);
	for (i = 1; i < AEM_RANGES; i++) {
		struct aem_range *range = proc->ranges[i];

		if (!range)
			continue;
		range->users--;
		if (range->service)
			module_put(range->service->owner);
		aem_registry_drop(range);
	}
	mutex_unlock(&aem_registry);
}

static void fill_info(struct aem_service_info *info, const struct aem_service *service)
{
	lockdep_assert_held(&aem_registry);
	info->version = service->version;
	info->base = service->range ? aem_range_base(service->range) : 0;
	info->calls = service->n_calls;
	info->users = aem_registry_users(service);
	info->events = atomic_read(&service->events);
	info->flags = (service->range ? 0 : AEM_SERVICE_S_RETIRED) |
		      (aem_layer_above(service->name) ? AEM_SERVICE_S_LAYERED : 0);
	strscpy_pad(info->name, service->name, AEM_NAME_MAX);
}

/** aem_range_info() - AEM_IOC_SERVICE. Return: 0 or -ENOENT. */
int aem_range_info(struct aem_service_info *info)
{
	struct aem_service *service;
	u32 left = info->index;
	int err = -ENOENT;

	mutex_lock(&aem_registry);
	list_for_each_entry(service, &aem_services, link) {
		if (left--)
			continue;
		fill_info(info, service);
		err = 0;
		break;
	}
	mutex_unlock(&aem_registry);
	return err;
}
