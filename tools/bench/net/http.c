// SPDX-License-Identifier: GPL-2.0
/*
 * http: instructions per request, of the server and of the whole guest. All servers read requests
 * and write answers with the same code, that of aem-httpd: a file of 1,200 bytes from its cache.
 * unit: instructions of the server per request
 * bench: mem=1500 load=core,ip timeout=3600
 * gate: epoll
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "request.h"
#include "response.h"
#include "streams.h"

#define BODY 1200
#define LARGEST 2000
#define WWW "/tmp/www"

#define HEAD "GET /index.html HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"

static const char keep[] = HEAD "\r\n";
static const char once[] = HEAD "Connection: close\r\n\r\n";

static struct files files;
/* Of connections whose request came in part. */
static struct request *parts[STREAM_SLOTS];

static size_t answer(struct request *request, char *to, bool *last)
{
	char location[RESPONSE_LOCATION_MAX];
	struct response response;
	size_t length;

	response_make(&response, request, &files, location);
	length = response_write(&response, to);
	if (response.file) {
		memcpy(to + length, response.file->data, response.length);
		length += response.length;
		file_put(response.file);
	}
	*last = response.close;
	return length;
}

static size_t work(unsigned int slot, const char *data, size_t length, char *to, bool *last)
{
	struct request *request = parts[slot] ?: request_new();

	request_feed(request, data, length);
	if (request->state == REQUEST_PART) {
		parts[slot] = request;
		return 0;
	}
	parts[slot] = NULL;
	length = answer(request, to, last);
	request_free(request);
	return length;
}

static void make_files(struct bench *b)
{
	char body[BODY];
	int fd;

	memset(body, 'x', sizeof(body));
	mkdir(WWW, 0755);
	fd = bench_try(b, open(WWW "/index.html", O_CREAT | O_TRUNC | O_WRONLY, 0644), WWW);
	bench_assert(b, write(fd, body, sizeof(body)) == sizeof(body));
	close(fd);
	bench_assert(b, !files_open(&files, WWW, 1 << 20));
	stream_work = work;
	stream_largest = LARGEST;
}

/* What every answer has: the date is as long every day. */
static size_t length_of_answer(const char *request, size_t length)
{
	char to[STREAM_ANSWER];
	bool last;

	return work(0, request, length, to, &last);
}

/**
 * struct work - of a row
 * @system: how
 * @plan:   what the clients do
 */
struct work {
	const struct stream_system *system;
	struct stream_plan plan;
};

static void run(struct bench *b, const void *arg)
{
	const struct work *w = arg;
	struct stream_clients clients = {
		.plan = w->plan,
		.request = w->plan.closes ? once : keep,
		.begins = "HTTP/1.1 200 OK\r\n",
		.requests = bench_quick ? 200 : 500,
	};

	make_files(b);
	clients.length = strlen(clients.request);
	clients.answer = length_of_answer(clients.request, clients.length);
	stream_measure(b, w->system, &clients);
}

static const struct stream_system * const systems[] = {
	&stream_aem, &stream_epoll, &stream_io_uring, &stream_floor, &stream_poll, &stream_select,
	&stream_pthread,
};

/* The others fall behind long before. */
#define FEW 4

static void rows(const char *params, const struct stream_plan *plan, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct work w = { systems[i], *plan };

		bench_row(systems[i]->name, params, run, &w);
	}
}

int main(int argc, char **argv)
{
	static const unsigned long busy[] = { 1, 50, 500, 1000 }, open[] = { 100, 1000, 10000 };
	struct stream_plan plan = { 0 };
	char params[64];
	unsigned int i;

	bench_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(busy); i++) {
		if (bench_quick && i != 1)
			continue;
		plan.open = busy[i];
		plan.busy = busy[i];
		snprintf(params, sizeof(params), "\"mode\":\"keep-alive\",\"busy\":%lu", busy[i]);
		rows(params, &plan, bench_quick ? FEW : ARRAY_SIZE(systems));
	}
	plan = (struct stream_plan){ .open = 50, .busy = 50, .closes = true };
	rows("\"mode\":\"one request\",\"busy\":50", &plan,
	     bench_quick ? FEW : ARRAY_SIZE(systems));
	for (i = 0; !bench_quick && i < ARRAY_SIZE(open); i++) {
		plan = (struct stream_plan){ .open = open[i], .busy = 100 };
		snprintf(params, sizeof(params), "\"open\":%lu,\"busy\":100", open[i]);
		rows(params, &plan, FEW);
	}
	return 0;
}
