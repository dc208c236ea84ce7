// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_MANAGE: what the administrator does with services.
 */
#include <linux/capability.h>
#include "manage.h"
#include "registry.h"

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

static int manage(struct aem_manage *arg)
{
	struct aem_service *service;

	lockdep_assert_held(&aem_registry);
	service = find(arg->name, arg->version);
	if (IS_ERR(service))
		return PTR_ERR(service);
	arg->events = atomic_read(&service->events);
	return retire(service, arg);
}

/**
 * aem_manage() - AEM_IOC_MANAGE
 * @arg: what to do; out: what was done
 *
 * It concerns processes of all users, and makes the kernel run other code for them, so it takes
 * what loading a module takes.
 *
 * Return: 0, -EPERM, -EINVAL, -ENOENT, -ENOPROTOOPT or -EALREADY.
 */
int aem_manage(struct aem_manage *arg)
{
	int err;

	if (!capable(CAP_SYS_MODULE))
		return -EPERM;
	err = check(arg);
	if (err)
		return err;
	mutex_lock(&aem_registry);
	err = manage(arg);
	mutex_unlock(&aem_registry);
	return err;
}
