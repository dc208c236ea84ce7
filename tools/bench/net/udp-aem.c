// SPDX-License-Identifier: GPL-2.0
/* AEM: the datagrams of a burst come in one record, and go back by one call. */
#include <string.h>
#include <aem/ip.h>
#include "datagrams.h"

static struct bench *row;

static void on_unsent(struct aem *aem, void *user, aem_id id, const struct aem_ip_message *message,
		      int error)
{
	(void)aem;
	(void)user;
	(void)id;
	(void)message;
	bench_skip(row, "a datagram was not sent: %s", strerror(error));
}

static void on_datagrams(struct aem *aem, void *user, aem_id id, int fd,
			 struct aem_ip_message *first, unsigned int flags, int error)
{
	struct aem_ip_message *m;

	(void)user;
	(void)id;
	(void)fd;
	(void)flags;
	bench_assert(row, !error);
	for (m = first; m; m = aem_ip_next(m))
		bench_assert(row, !m->error && m->peer.length);
	bench_assert(row, !aem_ip_answer(aem, on_unsent, NULL));
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
		error = aem_ip_datagrams(aem, NULL, fd, AEM_PRIO(0), length, on_datagrams, NULL);
	if (!error)
		error = aem_run(aem);
	bench_skip(b, "aem: %s", strerror(-error));
}

const struct datagram_system datagram_aem = { "aem", serve };
