// SPDX-License-Identifier: GPL-2.0
/*
 * The registry of services: names, versions, ranges of call numbers.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "event.h"
#include "range.h"

/* Protects ranges[] and the writing of aem_process.ranges[]. Outermost. */
static DEFINE_MUTEX(registry_lock);
static struct aem_range *ranges[AEM_RANGES];

static bool name_is_good(const char *name)
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
	    service->n_calls > AEM_RANGE_CALLS || !name_is_good(service->name))
		return false;
	for (i = 0; i < service->n_calls; i++)
		if (!call_is_good(&service->calls[i]))
			return false;
	return true;
}

static void free_range(struct aem_range *range)
{
	kmem_cache_destroy(range->cache);
	percpu_free_rwsem(&range->rwsem);
	kfree(range);
}

static struct aem_range *make_range(struct aem_service *service)
{
	struct aem_range *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return ERR_PTR(-ENOMEM);
	if (percpu_init_rwsem(&range->rwsem)) {
		kfree(range);
		return ERR_PTR(-ENOMEM);
	}
	range->service = service;
	snprintf(range->cache_name, sizeof(range->cache_name), "aem_%s_%u",
		 service->name, service->version);
	range->cache = kmem_cache_create(range->cache_name,
					 sizeof(struct event_struct) +
					 service->event_size, 8,
					 SLAB_ACCOUNT, NULL);
	if (!range->cache) {
		free_range(range);
		return ERR_PTR(-ENOMEM);
	}
	return range;
}

static bool same_service(const struct aem_service *a,
			 const struct aem_service *b)
{
	return a->version == b->version && !strcmp(a->name, b->name);
}

/* A free index for the range, or -EEXIST, -ENOSPC. Index 0 is the core's. */
static int find_index(const struct aem_service *service)
{
	int i, free = -ENOSPC;

	lockdep_assert_held(&registry_lock);
	for (i = AEM_RANGES - 1; i > 0; i--) {
		if (!ranges[i])
			free = i;
		else if (same_service(ranges[i]->service, service))
			return -EEXIST;
	}
	return free;
}

int aem_service_register(struct aem_service *service)
{
	struct aem_range *range;
	int index;

	if (!service_is_good(service))
		return -EINVAL;
	range = make_range(service);
	if (IS_ERR(range))
		return PTR_ERR(range);
	mutex_lock(&registry_lock);
	index = find_index(service);
	if (index > 0) {
		range->index = index;
		ranges[index] = range;
		service->range = range;
	}
	mutex_unlock(&registry_lock);
	if (index < 0) {
		free_range(range);
		return index;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(aem_service_register);

void aem_service_unregister(struct aem_service *service)
{
	struct aem_range *range = service->range;

	mutex_lock(&registry_lock);
	ranges[range->index] = NULL;
	mutex_unlock(&registry_lock);
	WARN_ON(atomic_read(&range->users));
	/* Events are freed by RCU; the cache must see the last of them. */
	rcu_barrier();
	free_range(range);
	service->range = NULL;
}
EXPORT_SYMBOL_GPL(aem_service_unregister);

static bool version_in(u32 version, const struct aem_bind *bind)
{
	return version >= bind->min_version &&
	       (!bind->max_version || version <= bind->max_version);
}

/*
 * The newest version in the caller's range; one that the process is bound to goes
 * before all others. -ENOENT: no such name; -ENOPROTOOPT: no such version.
 */
static struct aem_range *find_range(struct aem_process *proc,
				    const struct aem_bind *bind)
{
	struct aem_range *best = ERR_PTR(-ENOENT);
	int i;

	lockdep_assert_held(&registry_lock);
	for (i = 1; i < AEM_RANGES; i++) {
		struct aem_range *range = ranges[i];

		if (!range || strcmp(range->service->name, bind->name))
			continue;
		if (!version_in(range->service->version, bind)) {
			if (IS_ERR(best))
				best = ERR_PTR(-ENOPROTOOPT);
			continue;
		}
		if (proc->ranges[i])
			return range;
		if (IS_ERR(best) ||
		    range->service->version > best->service->version)
			best = range;
	}
	return best;
}

/* -ENOENT while the module is on its way out: it is as good as gone. */
static int bind_range(struct aem_process *proc, struct aem_range *range)
{
	lockdep_assert_held(&registry_lock);
	if (proc->ranges[range->index])
		return 0;
	if (!try_module_get(range->service->owner))
		return -ENOENT;
	atomic_inc(&range->users);
	/* Pairs with aem_range_of(). */
	smp_store_release(&proc->ranges[range->index], range);
	return 0;
}

/**
 * aem_range_bind() - AEM_IOC_BIND
 * @proc: the process
 * @bind: in: name and versions; out: the rest
 *
 * Return: 0, -EINVAL, -ENOENT or -ENOPROTOOPT.
 */
int aem_range_bind(struct aem_process *proc, struct aem_bind *bind)
{
	struct aem_range *range;
	int err;

	if (!name_is_good(bind->name) ||
	    (bind->max_version && bind->max_version < bind->min_version))
		return -EINVAL;
	mutex_lock(&registry_lock);
	range = find_range(proc, bind);
	err = PTR_ERR_OR_ZERO(range) ?: bind_range(proc, range);
	if (!err) {
		bind->version = range->service->version;
		bind->base = aem_range_base(range);
		bind->calls = range->service->n_calls;
	}
	mutex_unlock(&registry_lock);
	return err;
}

/** aem_range_unbind_all() - the process has gone, and all its events. */
void aem_range_unbind_all(struct aem_process *proc)
{
	int i;

	for (i = 1; i < AEM_RANGES; i++) {
		struct aem_range *range = proc->ranges[i];

		if (!range)
			continue;
		atomic_dec(&range->users);
		module_put(range->service->owner);
	}
}

/** aem_range_info() - AEM_IOC_SERVICE. Return: 0 or -ENOENT. */
int aem_range_info(struct aem_service_info *info)
{
	struct aem_range *range = NULL;
	u32 left = info->index;
	int i;

	mutex_lock(&registry_lock);
	for (i = 1; i < AEM_RANGES && !range; i++)
		if (ranges[i] && !left--)
			range = ranges[i];
	if (range) {
		info->version = range->service->version;
		info->base = aem_range_base(range);
		info->calls = range->service->n_calls;
		info->users = atomic_read(&range->users);
		info->events = atomic_read(&range->events);
		info->flags = 0;
		strscpy_pad(info->name, range->service->name, AEM_NAME_MAX);
	}
	mutex_unlock(&registry_lock);
	return range ? 0 : -ENOENT;
}
