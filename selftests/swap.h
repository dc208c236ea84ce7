/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of AEM_IOC_MANAGE: the service "null" in two versions, aem-null 1 and
 * aem-null-twin 2, or timers and sockets under versioned names.
 */
#ifndef SELFTESTS_SWAP_H
#define SELFTESTS_SWAP_H

#include "raw.h"

static inline struct aem_manage swap_request(uint32_t op, const char *name, uint32_t version,
					     uint32_t target)
{
	struct aem_manage arg;

	memset(&arg, 0, sizeof(arg));
	arg.size = sizeof(arg);
	arg.op = op;
	arg.version = version;
	arg.target = target;
	arg.timeout = op == AEM_MANAGE_RETIRE ? 0 : 10000;
	memcpy(arg.name, name, strlen(name));
	return arg;
}

/* A context that is bound to this version of "null"; raw_service() would take the newest. */
static inline void swap_begin(struct raw *raw, uint32_t version)
{
	struct aem_bind bind;

	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(raw);
	ASSERT_OK(raw_bind(raw->fd, &bind, NULL_SERVICE, version, version));
	raw->null = bind.base;
}

static inline long swap_manage(int fd, struct aem_manage *arg)
{
	return ioctl(fd, AEM_IOC_MANAGE, arg);
}

static inline struct aem_manage swap_to(int fd, const char *name, uint32_t from, uint32_t to)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_SWAP, name, from, to);

	ASSERT_OK(swap_manage(fd, &arg));
	return arg;
}

static bool swap_stop;

static inline bool swap_stopped(void)
{
	return __atomic_load_n(&swap_stop, __ATOMIC_SEQ_CST);
}

/**
 * struct swaps - swaps in a thread of their own, there and back, until swap_stop
 * @service:    in versions 1 and 2
 * @may_refuse: some of its events may stay
 * @count:      how many there were
 */
struct swaps {
	const char *service;
	bool may_refuse;
	unsigned long count;
};

static inline void *swap_until_stopped(void *arg)
{
	struct swaps *s = (struct swaps *)arg;
	int fd = raw_open();

	while (!swap_stopped()) {
		EXPECT(!swap_to(fd, s->service, 1, 2).refused || s->may_refuse);
		EXPECT(!swap_to(fd, s->service, 2, 1).refused || s->may_refuse);
		s->count += 2;
	}
	close(fd);
	return NULL;
}

/* What the list says of a version; false: it is not in it. */
static inline bool swap_info(int fd, const char *name, uint32_t version,
			     struct aem_service_info *info)
{
	uint32_t i;

	for (i = 0;; i++) {
		memset(info, RAW_POISON, sizeof(*info));
		info->size = sizeof(*info);
		info->index = i;
		if (ioctl(fd, AEM_IOC_SERVICE, info))
			return false;
		if (!strcmp((const char *)info->name, name) && info->version == version)
			return true;
	}
}

static inline uint32_t swap_events(int fd, const char *name, uint32_t version)
{
	struct aem_service_info info;

	ASSERT(swap_info(fd, name, version, &info));
	return info.events;
}

static inline uint32_t swap_users(int fd, const char *name, uint32_t version)
{
	struct aem_service_info info;

	ASSERT(swap_info(fd, name, version, &info));
	return info.users;
}

static inline void swap_parameter(const char *module, const char *name, unsigned long value)
{
	char path[128], text[32];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	n = snprintf(text, sizeof(text), "%lu", value);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, n), n);
	close(fd);
}

static inline unsigned long swap_figure(const char *module, const char *name)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return strtoul(text, NULL, 10);
}

/* rmmod: 0 or errno. */
static inline int swap_unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? errno : 0;
}

/* insmod: 0 or errno. */
static inline int swap_try_load(const char *file, const char *parameters)
{
	char path[300], release[128] = "";
	FILE *f = fopen("/proc/sys/kernel/osrelease", "re");
	int fd, error;

	ASSERT(f && fgets(release, sizeof(release), f));
	fclose(f);
	release[strcspn(release, "\n")] = '\0';
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/%s.ko", release, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	error = syscall(SYS_finit_module, fd, parameters, 0) ? errno : 0;
	close(fd);
	return error;
}

static inline void swap_load(const char *file, const char *parameters)
{
	ASSERT_EQ(swap_try_load(file, parameters), 0);
}

#endif /* SELFTESTS_SWAP_H */
