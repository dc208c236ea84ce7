// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <aem/fd.h>
#include <aem/ip.h>
#include <aem/timer.h>
#include "memories.h"

static struct aem *aem;

static void on_timer(struct aem *context, void *user, aem_id timer, uint64_t overruns,
		     uint64_t expiry, int error)
{
	(void)context;
	(void)user;
	(void)timer;
	(void)overruns;
	(void)expiry;
	(void)error;
}

static void on_datagram(struct aem *context, void *user, aem_id id, int fd, void *data,
			size_t length, const struct sockaddr *from, socklen_t from_length,
			unsigned int flags, int error)
{
	(void)context;
	(void)user;
	(void)id;
	(void)fd;
	(void)data;
	(void)length;
	(void)from;
	(void)from_length;
	(void)flags;
	(void)error;
}

static void on_change(struct aem *context, void *user, aem_id id, const struct aem_fd_note *note,
		      uint32_t lost)
{
	(void)context;
	(void)user;
	(void)id;
	(void)note;
	(void)lost;
}

static void must(struct bench *b, int result, const char *what)
{
	if (result)
		bench_skip(b, "%s: %s", what, strerror(-result));
}

static void open_context(struct bench *b, unsigned long n)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };

	(void)n;
	must(b, aem_open(&aem, &options), "aem_open");
}

static void prepare_sockets(struct bench *b, unsigned long n)
{
	open_context(b, n);
	memory_make_sockets(b, n);
}

static void add_timers(struct bench *b, unsigned long n)
{
	struct aem_timer_spec spec = { .value = 3600000000000ULL };

	while (n--)
		must(b, aem_timer_create(aem, NULL, CLOCK_MONOTONIC, AEM_PRIO(0), &spec, on_timer,
					 NULL), "aem_timer_create");
}

static void add_sockets(struct bench *b, unsigned long n)
{
	while (n--)
		must(b, aem_ip_datagram(aem, NULL, memory_sockets[n], AEM_PRIO(0), 0, on_datagram,
					NULL), "aem_ip_datagram");
}

/* One event watches them all, as one inotify descriptor does. */
static aem_id watch;
static unsigned long watched;

static void prepare_files(struct bench *b, unsigned long n)
{
	struct aem_fd_options options = { .files = AEM_FD_FILES_MAX };

	open_context(b, n);
	memory_make_files(b, n);
	must(b, aem_fd_watch(aem, &watch, AT_FDCWD, "/tmp", AEM_FD_MODIFY, AEM_PRIO(0), &options,
			     on_change, NULL), "aem_fd_watch");
}

static void add_files(struct bench *b, unsigned long n)
{
	char name[64];

	while (n--) {
		snprintf(name, sizeof(name), "/tmp/watched/%lu", watched++);
		must(b, aem_fd_add(aem, watch, NULL, AT_FDCWD, name, 0), "aem_fd_add");
	}
}

const struct memory_system memory_aem[] = {
	{ "aem", "timer", open_context, add_timers, 1 },
	{ "aem", "socket", prepare_sockets, add_sockets, 1 },
	{ "aem", "file", prepare_files, add_files, 5 },
	{ 0 }
};
