// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_MANAGE: what the administrator does with services.
 */
#include <linux/capability.h>
#include "manage.h"
#include "registry.h"
#include "swap.h"

/* Milliseconds to wait for those who are inside; at the end everybody waits for the one. */
#define TIMEOUT_DEFAULT	1000
#define TIMEOUT_MAX	10000

static bool name_ends(const struct aem_manage *arg)
{
	return strnlen(arg->name, AEM_NAME_MAX) < AEM_NAME_MAX;
}

/* Fields that an operation has no use for are 0, so that they may get one. */
static int check(const struct aem_manage *arg)
{
	if (!name_ends(arg) || !arg->version || arg->flags & ~AEM_MANAGE_DRY_RUN)
		return -EINVAL;
	switch (arg->op) {
	case AEM_MANAGE_RETIRE:
		return arg->target || arg->timeout ? -EINVAL : 0;
	case AEM_MANAGE_SWAP:
		return arg->target && arg->timeout <= TIMEOUT_MAX ? 0 : -EINVAL;
	case AEM_MANAGE_REVOKE:
		return !arg->target && arg->timeout <= TIMEOUT_MAX ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* -ENOENT: no service has this name; -ENOPROTOOPT: none of these has this version. */
static struct aem_service *find(const char *name, u32 version)
{
	struct aem_service *service = aem_registry_find(name, version);
	int err = -ENOENT;

	if (service)
		return service;
	list_for_each_entry(service, &aem_services, link)
		if (!strcmp(service->name, name))
			err = -ENOPROTOOPT;
	return ERR_PTR(err);
}

/* Whoever is bound stays so; when the last has gone, the module can be unloaded. */
static int retire(struct aem_service *service, struct aem_manage *arg)
{
	struct aem_range *range = service->range;

	if (!range)
		return -EALREADY;
	arg->contexts = range->users;
	if (arg->flags & AEM_MANAGE_DRY_RUN)
		return 0;
	service->range = NULL;
	aem_registry_drop(range);
	return 0;
}

static int exchange(struct aem_service *service, struct aem_manage *arg)
{
	struct aem_service *target = find(arg->name, arg->target);

	return IS_ERR(target) ? PTR_ERR(target) : aem_swap(service, target, arg);
}

static int manage(struct aem_manage *arg)
{
	struct aem_service *service;

	lockdep_assert_held(&aem_registry);
	service = find(arg->name, arg->version);
	if (IS_ERR(service))
		return PTR_ERR(service);
	arg->events = atomic_read(&service->events);
	switch (arg->op) {
	case AEM_MANAGE_RETIRE:
		return retire(service, arg);
	case AEM_MANAGE_SWAP:
		return exchange(service, arg);
	default:
		return aem_revoke(service, arg);
	}
}

static void clear_answers(struct aem_manage *arg)
{
	arg->timeout = arg->timeout ?: TIMEOUT_DEFAULT;
	arg->pause = 0;
	arg->contexts = 0;
	arg->events = 0;
	arg->moved = 0;
	arg->refused = 0;
	arg->held = 0;
	arg->reason = 0;
}

/**
 * aem_manage() - AEM_IOC_MANAGE
 * @arg: what to do; out: what was done
 *
 * It concerns processes of all users, and makes the kernel run other code for them, so it takes
 * what loading a module takes.
 *
 * Return: 0, -EPERM, -EINVAL, -ENOENT, -ENOPROTOOPT, -EALREADY, or what aem_swap() and
 * aem_revoke() return.
 */
int aem_manage(struct aem_manage *arg)
{
	int err;

	if (!capable(CAP_SYS_MODULE))
		return -EPERM;
	err = check(arg);
	if (err)
		return err;
	clear_answers(arg);
	mutex_lock(&aem_registry);
	err = manage(arg);
	mutex_unlock(&aem_registry);
	return err;
}
