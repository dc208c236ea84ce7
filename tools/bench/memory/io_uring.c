// SPDX-License-Identifier: GPL-2.0
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include "memories.h"

#define ENTRIES 1024
#define BUFFERS 16

static struct io_uring ring;
static char buffers[BUFFERS][4096];

static void prepare(struct bench *b, unsigned long n)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS, .bgid = 0 };
	struct io_uring_buf_ring *br;
	int i, ret = io_uring_queue_init_params(ENTRIES, &ring, &params);

	(void)n;
	if (ret)
		bench_skip(b, "io_uring_queue_init: %s", strerror(-ret));
	br = bench_memory(b, BUFFERS, sizeof(struct io_uring_buf));
	reg.ring_addr = (uintptr_t)br;
	ret = io_uring_register_buf_ring(&ring, &reg, 0);
	if (ret)
		bench_skip(b, "io_uring_register_buf_ring: %s", strerror(-ret));
	io_uring_buf_ring_init(br);
	for (i = 0; i < BUFFERS; i++)
		io_uring_buf_ring_add(br, buffers[i], sizeof(buffers[i]), i,
				      io_uring_buf_ring_mask(BUFFERS), i);
	io_uring_buf_ring_advance(br, BUFFERS);
}

static void prepare_sockets(struct bench *b, unsigned long n)
{
	prepare(b, n);
	memory_make_sockets(b, n);
}

static void submit(struct bench *b)
{
	int ret = io_uring_submit(&ring);

	if (ret < 0)
		bench_skip(b, "io_uring_submit: %s", strerror(-ret));
	bench_assert(b, !io_uring_cq_ready(&ring));
}

static struct io_uring_sqe *get(struct bench *b)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		submit(b);
		sqe = io_uring_get_sqe(&ring);
	}
	bench_assert(b, sqe);
	return sqe;
}

static void add_polls(struct bench *b, unsigned long n)
{
	while (n--)
		io_uring_prep_poll_multishot(get(b), memory_sockets[n], POLLIN);
	submit(b);
}

static void add_receives(struct bench *b, unsigned long n)
{
	while (n--) {
		struct io_uring_sqe *sqe = get(b);

		io_uring_prep_recv_multishot(sqe, memory_sockets[n], NULL, 0, 0);
		sqe->flags |= IOSQE_BUFFER_SELECT;
		sqe->buf_group = 0;
	}
	submit(b);
}

static void add_timeouts(struct bench *b, unsigned long n)
{
	static struct __kernel_timespec time = { .tv_sec = 3600 };

	while (n--)
		io_uring_prep_timeout(get(b), &time, 0, 0);
	submit(b);
}

const struct memory_system memory_io_uring[] = {
	{ "io_uring timeout", "timer", prepare, add_timeouts, 1 },
	{ "io_uring poll", "socket", prepare_sockets, add_polls, 1 },
	{ "io_uring receive", "socket", prepare_sockets, add_receives, 1 },
	{ 0 }
};
