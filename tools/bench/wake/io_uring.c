// SPDX-License-Identifier: GPL-2.0
/* eventfds polled by io_uring, multishot and edge-triggered, with deferred task work. */
#include <liburing.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "wakes.h"

#define ENTRIES 256

static struct io_uring ring;

static struct io_uring_sqe *get(struct bench *b)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	bench_assert(b, sqe);
	return sqe;
}

static void open_all(struct bench *b, unsigned long n)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQSIZE,
		.cq_entries = 16 * ENTRIES,
	};
	int ret = io_uring_queue_init_params(ENTRIES, &ring, &params);
	unsigned long i;

	if (ret)
		bench_skip(b, "io_uring_queue_init: %s", strerror(-ret));
	io_uring_register_ring_fd(&ring);
	wake_eventfds(b, n);
	for (i = 0; i < n; i++) {
		struct io_uring_sqe *sqe = get(b);

		io_uring_prep_poll_multishot(sqe, wake_fds[i], POLLIN);
		io_uring_sqe_set_data64(sqe, i);
	}
	io_uring_submit(&ring);
}

static unsigned long collect(struct bench *b)
{
	unsigned long handled = 0;
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;
	uint64_t value;
	int ret = io_uring_submit_and_wait(&ring, 1);

	if (ret < 0)
		bench_skip(b, "io_uring_submit_and_wait: %s", strerror(-ret));
	io_uring_for_each_cqe(&ring, head, cqe) {
		n++;
		bench_assert(b, cqe->flags & IORING_CQE_F_MORE);
		if (read(wake_fds[cqe->user_data], &value, sizeof(value)) == sizeof(value))
			handled += value;
	}
	io_uring_cq_advance(&ring, n);
	return handled;
}

const struct wake_system wake_io_uring = {
	.name = "eventfd + io_uring", .open = open_all, .fire = wake_eventfd_fire,
	.collect = collect,
};
