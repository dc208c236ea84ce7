// SPDX-License-Identifier: GPL-2.0
/* /dev/aem: what it says about itself, and what to do when it says nothing. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/aem.h>
#include "aemctl.h"

static void fail(int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		errx(1, DEVICE " is not there: load the module with \"modprobe aem-core\" or, "
		     "from the build directory, \"insmod aem-core.ko\"");
	case EACCES:
	case EPERM:
		errx(1, "no permission to open " DEVICE ": join its group with "
		     "\"adduser USER aem\" and log in anew, or run aemctl as root");
	case EDQUOT:
		errx(1, "this user has as many contexts open as the limit allows: "
		     "end a program, or run aemctl as another user");
	default:
		errx(1, "cannot open " DEVICE ": %s", strerror(error));
	}
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
		errx(1, "aem-core has ABI %u and this aemctl is for %u: install the aemctl that came with the module",
		     query.abi, AEM_ABI);
}

static int device_open(void)
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
	int length = strnlen(name, AEM_NAME_MAX);

	json_object_object_add(service, "name", json_object_new_string_len(name, length));
	json_object_object_add(service, "version", json_object_new_int64(info->version));
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
