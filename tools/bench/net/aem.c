// SPDX-License-Identifier: GPL-2.0
/* AEM: one crossing sends the answers of a burst, and takes the next. */
#include <string.h>
#include <unistd.h>
#include <aem/ip.h>
#include "streams.h"

static struct bench *row;

/* The answer is written over the request, and goes with the crossing that ends the burst. */
static void on_data(struct aem *aem, void *user, aem_id id, int fd, void *data, size_t length,
		    unsigned int flags, int error)
{
	bool last = false;
	size_t n;

	(void)user;
	(void)flags;
	if (error)
		bench_skip(row, "data: %s", strerror(error));
	if (!length) {
		bench_assert(row, !aem_event_shutdown(aem, id));
		close(fd);
		return;
	}
	n = stream_work(fd, data, length, data, &last);
	if (n)
		bench_assert(row, !aem_ip_reply(aem, data, n, last ? AEM_IP_ANSWER_END : 0));
	if (last)
		close(fd);
}

static void on_accept(struct aem *aem, void *user, aem_id id, int fd, const struct sockaddr *peer,
		      socklen_t length, aem_id data, int error)
{
	(void)aem;
	(void)user;
	(void)id;
	(void)peer;
	(void)length;
	if (fd < 0 || error || !data)
		bench_skip(row, "accept: %s", strerror(error));
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	struct aem_options options = {
		.flags = AEM_OPEN_SAFEPOINT, .ring_entries = 1024, .queue_calls = 2048,
		.queue_bytes = 16 << 20, .vmt_size = 16 << 20,
	};
	struct aem_ip_stream stream = {
		.handler = on_data, .length = (uint32_t)stream_largest, .exchange = true,
	};
	struct aem *aem;
	int error;

	(void)plan;
	row = b;
	error = aem_open(&aem, &options);
	if (!error)
		error = aem_ip_accept(aem, NULL, listener, AEM_PRIO(0), &stream,
				      SOCK_NONBLOCK | SOCK_CLOEXEC, on_accept, NULL);
	if (!error)
		error = aem_run(aem);
	bench_skip(b, "aem: %s", strerror(-error));
}

const struct stream_system stream_aem = { .name = "aem", .serve = serve };
