// SPDX-License-Identifier: GPL-2.0
#include <string.h>
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

const struct memory_system memory_aem[] = {
	{ "aem", "timer", open_context, add_timers, 1 },
	{ "aem", "socket", prepare_sockets, add_sockets, 1 },
	{ 0 }
};
