// SPDX-License-Identifier: GPL-2.0
/*
 * Caches of events, one for each size: services of one size share it. An event outlives the
 * version of the service that it was made for, so its cache belongs to nobody else.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <aem/event.h>
#include "pool.h"

/**
 * struct aem_pool - a cache
 * @link:  in the list of all
 * @size:  of its events in bytes
 * @cache: it
 * @name:  what /proc/slabinfo calls it
 */
struct aem_pool {
	struct list_head link;
	size_t size;
	struct kmem_cache *cache;
	char name[32];
};

/* Protects the list. A leaf but for the allocator. */
static DEFINE_MUTEX(pools_lock);
static LIST_HEAD(pools);

static struct aem_pool *find(size_t size)
{
	struct aem_pool *pool;

	lockdep_assert_held(&pools_lock);
	list_for_each_entry(pool, &pools, link)
		if (pool->size == size)
			return pool;
	return NULL;
}

static struct aem_pool *make(size_t size)
{
	struct aem_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return NULL;
	pool->size = size;
	snprintf(pool->name, sizeof(pool->name), "aem_event_%zu", size);
	pool->cache = kmem_cache_create(pool->name, size, 8, SLAB_ACCOUNT, NULL);
	if (!pool->cache) {
		kfree(pool);
		return NULL;
	}
	list_add(&pool->link, &pools);
	return pool;
}

/**
 * aem_pool_get() - the cache of events with so big a private part
 * @private_size: in bytes
 *
 * It stays until the core goes.
 *
 * Context: process context, may sleep.
 * Return: the cache, or NULL: no memory.
 */
struct kmem_cache *aem_pool_get(size_t private_size)
{
	size_t size = ALIGN(sizeof(struct event_struct) + private_size, 8);
	struct aem_pool *pool;

	mutex_lock(&pools_lock);
	pool = find(size) ?: make(size);
	mutex_unlock(&pools_lock);
	return pool ? pool->cache : NULL;
}

/** aem_pool_exit() - at unload: no event is left, and none waits for its grace period. */
void aem_pool_exit(void)
{
	struct aem_pool *pool, *next;

	list_for_each_entry_safe(pool, next, &pools, link) {
		kmem_cache_destroy(pool->cache);
		kfree(pool);
	}
}
