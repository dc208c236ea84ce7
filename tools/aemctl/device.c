// SPDX-License-Identifier: GPL-2.0
/* /dev/aem: what it says about itself, and what to do when it says nothing. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <aem/aem.h>
#include "aemctl.h"

/* The library knows what to do about it. */
static void fail(int error)
{
	errx(1, "cannot open " DEVICE ": %s", aem_strerror_hint(-error));
}

void device_expect(void)
{
	if (access(DEVICE, F_OK))
		fail(errno);
}

static void expect_abi(int fd)
{
	struct aem_query query = { .size = sizeof(query) };

	if (ioctl(fd, AEM_IOC_QUERY, &query))
		err(1, DEVICE " does not answer as aem-core does");
	if (query.abi != AEM_ABI)
		errx(1, "aem-core has ABI %u, not %u: use the aemctl that came with the module",
		     query.abi, AEM_ABI);
}

int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail(errno);
	expect_abi(fd);
	return fd;
}

static struct json_object *service_new(const struct aem_service_info *info)
{
	struct json_object *service = json_object_new_object();
	const char *name = (const char *)info->name;
	bool layered = info->flags & AEM_SERVICE_S_LAYERED;
	const char *state = info->flags & AEM_SERVICE_S_RETIRED ?
			    layered ? "retired,layered" : "retired" :
			    layered ? "offered,layered" : "offered";
	int length = strnlen(name, AEM_NAME_MAX);

	json_object_object_add(service, "name", json_object_new_string_len(name, length));
	json_object_object_add(service, "version", json_object_new_int64(info->version));
	json_object_object_add(service, "state", json_object_new_string(state));
	json_object_object_add(service, "base", json_object_new_int64(info->base));
	json_object_object_add(service, "calls", json_object_new_int64(info->calls));
	json_object_object_add(service, "users", json_object_new_int64(info->users));
	json_object_object_add(service, "events", json_object_new_int64(info->events));
	return service;
}

struct json_object *device_services(void)
{
	struct json_object *services = json_object_new_array();
	int fd = device_open();

	for (unsigned int index = 0;; index++) {
		struct aem_service_info info = { .size = sizeof(info), .index = index };

		if (ioctl(fd, AEM_IOC_SERVICE, &info))
			break;
		json_object_array_add(services, service_new(&info));
	}
	if (errno != ENOENT)
		err(1, "cannot list the services");
	close(fd);
	return services;
}
