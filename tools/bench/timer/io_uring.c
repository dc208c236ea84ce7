// SPDX-License-Identifier: GPL-2.0
/* Timeouts of io_uring, submitted in batches, with deferred task work. */
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include "timers.h"

#define ENTRIES	1024
/* An answer of a cancellation, or of a cancelled timeout, that nobody waits for. */
#define QUIET	UINT64_MAX

static struct io_uring ring;
static struct __kernel_timespec *times;

static void flush(struct bench *b)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n = 0;
	int ret = io_uring_submit_and_get_events(&ring);

	if (ret < 0)
		bench_skip(b, "io_uring_submit: %s", strerror(-ret));
	io_uring_for_each_cqe(&ring, head, cqe) {
		bench_assert(b, cqe->res == 0 || cqe->res == -ECANCELED);
		n++;
	}
	io_uring_cq_advance(&ring, n);
}

static struct io_uring_sqe *get(struct bench *b)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (sqe)
		return sqe;
	flush(b);
	sqe = io_uring_get_sqe(&ring);
	bench_assert(b, sqe);
	return sqe;
}

static void open_all(struct bench *b, unsigned long n)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQSIZE,
		.cq_entries = 8 * ENTRIES,
	};
	int ret = io_uring_queue_init_params(ENTRIES, &ring, &params);

	if (ret)
		bench_skip(b, "io_uring_queue_init: %s", strerror(-ret));
	io_uring_register_ring_fd(&ring);
	times = bench_memory(b, n, sizeof(*times));
}

static void arm(struct bench *b, unsigned long i, int64_t when)
{
	struct io_uring_sqe *sqe = get(b);

	times[i].tv_sec = when / 1000000000;
	times[i].tv_nsec = when % 1000000000;
	io_uring_prep_timeout(sqe, &times[i], 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_ETIME_SUCCESS);
	io_uring_sqe_set_data64(sqe, i);
}

static void cancel(struct bench *b, unsigned long i)
{
	struct io_uring_sqe *sqe = get(b);

	io_uring_prep_timeout_remove(sqe, i, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data64(sqe, QUIET);
}

static unsigned long collect(struct bench *b)
{
	struct io_uring_cqe *cqe;
	unsigned long handled = 0;
	unsigned int head, n = 0;
	int ret = io_uring_submit_and_wait(&ring, 1);

	if (ret < 0)
		bench_skip(b, "io_uring_submit_and_wait: %s", strerror(-ret));
	io_uring_for_each_cqe(&ring, head, cqe) {
		handled += cqe->res == -ETIME;
		n++;
	}
	io_uring_cq_advance(&ring, n);
	return handled;
}

const struct timer_system timer_io_uring = {
	.name = "io_uring",
	.open = open_all,
	.arm = arm,
	.cancel = cancel,
	.flush = flush,
	.collect = collect,
	.linear = true,
};
