// SPDX-License-Identifier: GPL-2.0
/* AEM: the datagrams of a burst come with one crossing, and go with the next. */
#include <string.h>
#include <aem/ip.h>
#include "datagrams.h"

static struct bench *row;

static void on_rest(struct aem *aem, void *user, aem_id id, const void *rest, size_t left,
		    int error)
{
	(void)aem;
	(void)user;
	(void)id;
	(void)rest;
	(void)left;
	bench_skip(row, "a datagram was not sent: %s", strerror(error));
}

static void on_datagram(struct aem *aem, void *user, aem_id id, int fd, void *data, size_t length,
			const struct sockaddr *from, socklen_t from_length, unsigned int flags,
			int error)
{
	(void)user;
	(void)fd;
	(void)flags;
	bench_assert(row, !error && from_length);
	bench_assert(row, !aem_ip_send_to(aem, id, data, length, from, from_length, AEM_SEND_QUIET,
					  on_rest, NULL));
}

static void serve(struct bench *b, int fd, size_t length)
{
	struct aem_options options = {
		.flags = AEM_OPEN_SAFEPOINT, .ring_entries = 1024, .queue_calls = 2048,
		.queue_bytes = 16 << 20, .vmt_size = 16 << 20,
	};
	struct aem *aem;
	int error;

	row = b;
	error = aem_open(&aem, &options);
	if (!error)
		error = aem_ip_datagram(aem, NULL, fd, AEM_PRIO(0), length, on_datagram, NULL);
	if (!error)
		error = aem_run(aem);
	bench_skip(b, "aem: %s", strerror(-error));
}

const struct datagram_system datagram_aem = { "aem", serve };
