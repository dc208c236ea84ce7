// SPDX-License-Identifier: GPL-2.0
/* AEM: one crossing takes a burst of what came, and makes all sends of the burst before. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <aem/ip.h>
#include "streams.h"

/* struct answer - lent to a send; spare ones lie in a list */
struct answer {
	struct answer *next;
	char data[STREAM_ANSWER];
};

static struct bench *row;
static struct answer *spare;

static struct answer *get_answer(void)
{
	struct answer *a = spare;

	if (!a) {
		a = malloc(sizeof(*a));
		bench_assert(row, a);
		return a;
	}
	spare = a->next;
	return a;
}

static void put_answer(struct answer *a)
{
	a->next = spare;
	spare = a;
}

static void on_sent(struct aem *aem, void *user, aem_id id, const void *rest, size_t left,
		    int error)
{
	(void)aem;
	(void)id;
	(void)rest;
	if (left)
		bench_skip(row, "a send took %zu bytes too few: %s", left, strerror(error));
	put_answer(user);
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
	struct answer *a;
	bool last = false;
	size_t n;

	(void)user;
	(void)flags;
	if (error || !length) {
		end(aem, id, fd);
		return;
	}
	a = get_answer();
	n = stream_work(fd, data, length, a->data, &last);
	if (n)
		bench_assert(row, !aem_ip_send(aem, id, a->data, n, AEM_SEND_BORROW, on_sent, a));
	else
		put_answer(a);
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
