// SPDX-License-Identifier: GPL-2.0
/*
 * What is loaded, whether it is in use, and how what a program took away comes back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "program.h"
#include "run.h"
#include "services.h"

static int device = -1;
/* How many use the core when no program runs. */
static unsigned int at_rest;
static char trouble[200];

/* Whose modules can be loaded anew. */
static const struct module {
	const char *service;
	unsigned int version;
	const char *file;
	const char *options;
} modules[] = {
	{ "null", 1, "aem-null", "" }, { "null", 2, "aem-null-twin", "version=2" },
	{ "timer", 1, "aem-timer", "" }, { "ip", 1, "aem-ip", "" },
	{ "pexit", 1, "aem-pexit", "" }, { "fd", 1, "aem-fd", "" },
};

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* Open contexts, also those without a service, and the services themselves. */
static unsigned int users_of_core(void)
{
	int fd = open("/sys/module/aem_core/refcnt", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		errno = 0;
	close(fd);
	return strtoul(text, NULL, 10);
}

/* By a descriptor that is at least @lowest: 0, or -1 and errno. */
int services_open(int lowest)
{
	int fd = open("/dev/aem", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	device = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
	close(fd);
	at_rest = users_of_core();
	return device < 0 ? -1 : 0;
}

static bool look(unsigned int index, struct aem_service_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->index = index;
	return !ioctl(device, AEM_IOC_SERVICE, info);
}

static bool is_loaded(const char *service, const uint32_t *base)
{
	unsigned int i;

	for (i = 0; i < FUZZ_SERVICES; i++)
		if (!strcmp(service, describe_service(i)))
			return base[i];
	return false;
}

/* Fills the ranges of FUZZ_SERVICES services. Calls of services that are not loaded are off. */
void services_find(uint32_t *base)
{
	struct aem_service_info info;
	const char *service;
	unsigned int i, j;

	for (i = 0; look(i, &info); i++)
		for (j = 0; j < FUZZ_SERVICES; j++)
			if (!strcmp((char *)info.name, describe_service(j)) && info.base)
				base[j] = info.base;
	for (i = 0; i < describe_count(); i++) {
		service = describe_call(i)->service;
		generate_enable(i, !service || is_loaded(service, base));
	}
}

/*
 * A descriptor that lies in the queue of a socket that lies there too is let go when another such
 * socket is closed, on newer kernels some time after.
 */
static void collect_garbage(void)
{
	close(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* If not, @trouble says why. */
static bool is_idle(void)
{
	unsigned int i, users = users_of_core();
	struct aem_service_info info;

	for (i = 0; look(i, &info); i++) {
		if (!info.users && !info.events)
			continue;
		snprintf(trouble, sizeof(trouble),
			 "left behind: service %s has %u users and %u events", info.name,
			 info.users, info.events);
		return false;
	}
	snprintf(trouble, sizeof(trouble), "left behind: %u contexts", users - at_rest);
	return users <= at_rest;
}

/* Waits until nobody uses any: NULL, or a sentence. */
const char *services_idle(unsigned int ms)
{
	long until = now_ms() + ms;

	for (;;) {
		collect_garbage();
		if (is_idle())
			return NULL;
		if (now_ms() >= until)
			return trouble;
		sleep_ms(2);
	}
}

static const struct module *module_of(const struct aem_service_info *info)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modules); i++)
		if (!strcmp((const char *)info->name, modules[i].service) &&
		    info->version == modules[i].version)
			return &modules[i];
	return NULL;
}

/* A module's name has no dashes. */
static void name_of(const struct module *module, char *name, size_t size)
{
	char *at;

	snprintf(name, size, "%s", module->file);
	while ((at = strchr(name, '-')))
		*at = '_';
}

/* As it was loaded at first. */
static void options_of(const struct module *module, const char *name, char *options, size_t size)
{
	char path[128], value[16] = "";
	int fd;

	snprintf(options, size, "%s", module->options);
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/bug", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, value, sizeof(value) - 1) > 0)
		snprintf(options, size, "%s bug=%s", module->options, value);
	close(fd);
}

static int load(const struct module *module, const char *options)
{
	struct utsname uts;
	char path[300];
	int fd, ret;

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/%s.ko", uts.release, module->file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, options, 0);
	close(fd);
	return ret;
}

static const char *reload(const struct module *module, unsigned int ms)
{
	long until = now_ms() + ms;
	char name[64], options[64];

	name_of(module, name, sizeof(name));
	options_of(module, name, options, sizeof(options));
	while (syscall(SYS_delete_module, name, O_NONBLOCK)) {
		if ((errno == EAGAIN || errno == EBUSY) && now_ms() < until) {
			sleep_ms(2);
			continue;
		}
		snprintf(trouble, sizeof(trouble), "busy: %s does not unload: %s", name,
			 strerror(errno));
		return trouble;
	}
	if (!load(module, options))
		return NULL;
	snprintf(trouble, sizeof(trouble), "%s does not load again: %s", name, strerror(errno));
	return trouble;
}

/* Services that were retired are loaded anew: NULL, or a sentence. */
const char *services_mend(unsigned int ms)
{
	const struct module *module;
	struct aem_service_info info;
	const char *sentence;
	unsigned int i;

	for (i = 0; look(i, &info); i++) {
		module = info.flags & AEM_SERVICE_S_RETIRED ? module_of(&info) : NULL;
		if (!module)
			continue;
		sentence = reload(module, ms);
		if (sentence)
			return sentence;
		/* The list has changed. */
		i = -1;
	}
	return NULL;
}
