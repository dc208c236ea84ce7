// SPDX-License-Identifier: GPL-2.0
/* AEM: one crossing takes all that came, and makes all sends of the burst before. */
#include <string.h>
#include <unistd.h>
#include <aem/ip.h>
#include "streams.h"

static struct bench *row;

static void on_rest(struct aem *aem, void *user, aem_id id, const void *rest, size_t left,
		    int error)
{
	(void)aem;
	(void)user;
	(void)id;
	(void)rest;
	bench_skip(row, "a send took %zu bytes too few: %s", left, strerror(error));
}

/* In one crossing with the sends: the socket goes with its event. */
static void end(struct aem *aem, aem_id id, int fd)
{
	struct aem_event arg = { .size = sizeof(arg), .op = AEM_EVENT_SHUTDOWN, .id = id };

	bench_assert(row, !aem_queue(aem, AEM_CALL_EVENT, &arg, NULL, NULL));
	close(fd);
}

static void on_data(struct aem *aem, void *user, aem_id id, int fd, void *data, size_t length,
		    unsigned int flags, int error)
{
	static char out[STREAM_ANSWER];
	bool last = false;
	size_t n;

	(void)user;
	(void)flags;
	if (error || !length) {
		end(aem, id, fd);
		return;
	}
	n = stream_work(fd, data, length, out, &last);
	if (n)
		bench_assert(row, !aem_ip_send(aem, id, out, n, AEM_SEND_QUIET, on_rest, NULL));
	if (last)
		end(aem, id, fd);
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
	struct aem_ip_stream stream = { .handler = on_data, .length = STREAM_PIECE };
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
