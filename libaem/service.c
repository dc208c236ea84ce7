// SPDX-License-Identifier: GPL-2.0
/*
 * Services: binding, single calls, and what there is.
 */
#include <string.h>
#include "internal.h"

/* The kernel names calls by number in records, so what it says must fit our table. */
static bool fits(const struct aem_bind *bind)
{
	return bind->base >= AEM_RANGE_CALLS && bind->calls <= AEM_RANGE_CALLS &&
	       bind->base <= MAX_CALLS - AEM_RANGE_CALLS;
}

int aem_bind(struct aem *aem, const char *name, uint32_t min_version,
	     uint32_t max_version, const struct aem_thunk *thunks,
	     unsigned int n_thunks, uint32_t *base)
{
	struct aem_bind bind = {
		.size = sizeof(bind), .min_version = min_version, .max_version = max_version,
	};
	size_t length = strlen(name);
	int ret = check(aem);

	if (ret)
		return ret;
	if (length >= sizeof(bind.name))
		return -EINVAL;
	memcpy(bind.name, name, length);
	ret = call_ioctl(aem->fd, AEM_IOC_BIND, &bind);
	if (ret)
		return ret;
	if (!fits(&bind))
		return -EPROTO;
	if (n_thunks > bind.calls)
		n_thunks = bind.calls;
	/* No event of the service can be there before, so nobody reads them yet. */
	if (n_thunks)
		memcpy(&aem->thunks[bind.base], thunks, n_thunks * sizeof(*thunks));
	if (base)
		*base = bind.base;
	return 0;
}

/** aem_service_bind() - bind one of our own services, @version or newer: its base or -errno. */
int aem_service_bind(struct aem *aem, int index, const char *name, uint32_t version,
		     const struct aem_thunk *thunks, unsigned int n)
{
	uint32_t base;
	int ret = aem_bind(aem, name, version, 0, thunks, n, &base);

	if (ret)
		return ret;
	STORE(aem->bases[index], base);
	return (int)base;
}

void aem_registration_init(struct aem_registration *reg, void (*handler)(void),
			   void *user, uint32_t how)
{
	reg->handler = (uintptr_t)handler;
	reg->cookie = (uintptr_t)user;
	reg->prio = how & 0xffffU;
	reg->flags = how & ~(0xffffU | AEM_STOPPED);
	if (!(how & AEM_STOPPED))
		reg->flags |= EVF_START;
	reg->id = 0;
}

int64_t aem_call(struct aem *aem, uint32_t nr, void *arg)
{
	struct aem_call call = {
		.size = sizeof(call), .nr = nr, .arg = (uintptr_t)arg,
	};
	int ret = check(aem);

	if (!ret)
		ret = call_ioctl(aem->fd, AEM_IOC_CALL, &call);
	return ret < 0 ? ret : call.result;
}

int aem_query(struct aem *aem, struct aem_query *query)
{
	memset(query, 0, sizeof(*query));
	query->size = sizeof(*query);
	return aem->alive ? call_ioctl(aem->fd, AEM_IOC_QUERY, query) : -EPERM;
}

int aem_service_info(struct aem *aem, unsigned int index, struct aem_service_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->index = index;
	return aem->alive ? call_ioctl(aem->fd, AEM_IOC_SERVICE, info) : -EPERM;
}

int aem_manage(struct aem *aem, struct aem_manage *arg)
{
	arg->size = sizeof(*arg);
	return aem->alive ? call_ioctl(aem->fd, AEM_IOC_MANAGE, arg) : -EPERM;
}
