/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults on demand: the n-th allocation or copy to or from the user that this thread makes from
 * now on fails. Only the debug kernel does that; on others nothing fails. And a context that has
 * everything, to try it with.
 */
#ifndef SELFTESTS_FAULTS_H
#define SELFTESTS_FAULTS_H

#include "ip.h"
#include <dirent.h>
#include <linux/aem_timer.h>

/* No call makes so many allocations. */
#define MANY	2000

static struct raw raw;
static uint32_t timer_base;
static int pair[2], udp[2], listener;

static int nth_fd = -1;

static inline void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_GT(write(fd, text, strlen(text)), 0);
	close(fd);
}

/* By default allocations that may wait never fail, and each failure is worth a stack trace. */
static inline bool have_faults(void)
{
	static const char * const setting[][2] = {
		{ "failslab/ignore-gfp-wait", "N" }, { "failslab/verbose", "0" },
		{ "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ "fail_page_alloc/min-order", "0" }, { "fail_page_alloc/verbose", "0" },
		{ "fail_usercopy/verbose", "0" },
	};
	char path[128];
	size_t i;

	if (access("/proc/thread-self/fail-nth", W_OK))
		return false;
	for (i = 0; i < ARRAY_SIZE(setting); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", setting[i][0]);
		put_file(path, setting[i][1]);
	}
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_GE(nth_fd, 0);
	return true;
}

/* A stack that cannot grow is a SIGSEGV. */
static inline void use_stack(void)
{
	volatile char deep[256 << 10];
	size_t i;

	for (i = 0; i < sizeof(deep); i += 4096)
		deep[i] = 1;
}

static inline void arm(unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	use_stack();
	if (nth_fd >= 0)
		ASSERT_EQ(pwrite(nth_fd, text, n, 0), n);
}

/* Whether a fault came. To read the number is a copy as well, and so is to write it. */
static inline bool disarm(void)
{
	char text[16] = "";
	int error = errno;
	ssize_t n;

	if (nth_fd < 0)
		return false;
	n = pread(nth_fd, text, sizeof(text) - 1, 0);
	while (pwrite(nth_fd, "0", 1, 0) != 1)
		ASSERT_EQ(errno, EFAULT);
	errno = error;
	return n > 0 && text[0] == '0';
}

static inline uint32_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;

	ASSERT(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline struct aem_timer_create timer_request(uint32_t clock, uint32_t flags, uint64_t value)
{
	struct aem_timer_create create;

	memset(&create, 0, sizeof(create));
	create.size = sizeof(create);
	create.clockid = clock;
	create.reg.handler = (uintptr_t)raw_nothing;
	create.flags = flags;
	create.value = value;
	return create;
}

/* A context bound to everything, with sockets. */
static inline void begin(void)
{
	ip_start(&raw, 0, 0);
	raw.null = raw_service(&raw, NULL_SERVICE);
	timer_base = raw_service(&raw, AEM_TIMER_SERVICE);
	listener = ip_listen(AF_INET);
	ip_pair(AF_INET, pair);
	udp[0] = ip_bound(AF_INET, SOCK_DGRAM);
	udp[1] = ip_bound(AF_INET, SOCK_DGRAM);
}

#endif /* SELFTESTS_FAULTS_H */
