// SPDX-License-Identifier: GPL-2.0
/*
 * echo: instructions to send back what came, over TCP and UDP.
 * unit: instructions of the server per echo
 * bench: mem=1500 load=core,ip timeout=3600
 * gate: epoll
 */
#include <stdio.h>
#include <string.h>
#include "datagrams.h"
#include "streams.h"

static size_t expected;
static size_t lengths[STREAM_SLOTS];

/* In one piece, as it came; one that came in parts is known to be of one byte over and over. */
static size_t work(unsigned int slot, const char *data, size_t length, char *to, bool *last)
{
	(void)last;
	lengths[slot] += length;
	if (lengths[slot] < expected)
		return 0;
	lengths[slot] = 0;
	if (length == expected)
		memmove(to, data, length);
	else
		memset(to, data[0], expected);
	return expected;
}

/**
 * struct work - of a row
 * @stream:   how, over TCP
 * @datagram: how, over UDP
 * @peers:    how many
 * @length:   bytes
 */
struct work {
	const struct stream_system *stream;
	const struct datagram_system *datagram;
	unsigned long peers;
	size_t length;
};

static void run(struct bench *b, const void *arg)
{
	const struct work *w = arg;
	unsigned long count = bench_quick ? 200 : 500;
	static char request[STREAM_PIECE];
	struct stream_clients clients = {
		.plan = { .open = w->peers, .busy = w->peers },
		.request = request,
		.length = w->length,
		.answer = w->length,
		.begins = "eeee",
		.requests = count,
	};

	if (w->datagram) {
		datagram_measure(b, w->datagram, w->peers, w->length, count);
		return;
	}
	memset(request, 'e', sizeof(request));
	expected = w->length;
	stream_largest = w->length;
	stream_work = work;
	stream_measure(b, w->stream, &clients);
}

static void rows(unsigned long peers, size_t length)
{
	static const struct stream_system * const streams[] = {
		&stream_aem, &stream_epoll, &stream_io_uring, &stream_floor, &stream_poll,
	};
	static const struct datagram_system * const datagrams[] = {
		&datagram_aem, &datagram_epoll, &datagram_io_uring, &datagram_floor,
		&datagram_epoll_many,
	};
	struct work w = { .peers = peers, .length = length };
	char params[96];
	unsigned int i;

	snprintf(params, sizeof(params), "\"protocol\":\"TCP\",\"bytes\":%zu,\"peers\":%lu", length,
		 peers);
	for (i = 0; i < ARRAY_SIZE(streams); i++) {
		w.stream = streams[i];
		bench_row(streams[i]->name, params, run, &w);
	}
	snprintf(params, sizeof(params), "\"protocol\":\"UDP\",\"bytes\":%zu,\"peers\":%lu", length,
		 peers);
	for (i = 0; i < ARRAY_SIZE(datagrams); i++) {
		w.datagram = datagrams[i];
		bench_row(datagrams[i]->name, params, run, &w);
	}
}

int main(int argc, char **argv)
{
	static const unsigned long peers[] = { 1, 50, 500 };
	unsigned int i;

	bench_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		if (bench_quick && i != 1)
			continue;
		rows(peers[i], 64);
		if (!bench_quick)
			rows(peers[i], 4096);
	}
	return 0;
}
