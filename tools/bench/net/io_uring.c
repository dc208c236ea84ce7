// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring at its best: multishot accept into registered files, multishot receive into a ring of
 * buffers, sends without a completion unless they fail, task work deferred, one crossing a burst.
 */
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include "streams.h"

#define ENTRIES	4096
#define BUFFERS	2048
#define ANSWERS	4096

enum what {
	ACCEPT,
	RECEIVE,
	SEND,
	END,
	CLOSE
};

static struct io_uring ring;
static struct io_uring_buf_ring *br;
static char (*buffers)[STREAM_PIECE];
/* An answer is taken by the kernel as it is submitted: more than a burst is never in use. */
static char (*answers)[STREAM_ANSWER];
static unsigned int n_answers;
static struct bench *row;

static struct io_uring_sqe *get(enum what what, unsigned int slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	bench_assert(row, sqe);
	/* The preparation clears the rest, but not this. */
	sqe->user_data = (uint64_t)what << 32 | slot;
	return sqe;
}

static void mark(struct io_uring_sqe *sqe, enum what what, unsigned int slot, unsigned int flags)
{
	io_uring_sqe_set_data64(sqe, (uint64_t)what << 32 | slot);
	io_uring_sqe_set_flags(sqe, flags);
}

static void start_accept(int listener)
{
	struct io_uring_sqe *sqe = get(ACCEPT, 0);

	io_uring_prep_multishot_accept_direct(sqe, listener, NULL, NULL, 0);
	mark(sqe, ACCEPT, 0, 0);
}

static void start_receive(unsigned int slot)
{
	struct io_uring_sqe *sqe = get(RECEIVE, slot);

	io_uring_prep_recv_multishot(sqe, slot, NULL, 0, 0);
	mark(sqe, RECEIVE, slot, IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT);
	sqe->buf_group = 0;
}

static void start_send(unsigned int slot, const char *data, size_t length, bool last)
{
	unsigned int flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
	struct io_uring_sqe *sqe;

	/* The two of a link must be submitted together. */
	if (last && io_uring_sq_space_left(&ring) < 2)
		io_uring_submit(&ring);
	sqe = get(SEND, slot);
	io_uring_prep_send(sqe, slot, data, length, MSG_WAITALL | (last ? MSG_MORE : 0));
	mark(sqe, SEND, slot, flags | (last ? IOSQE_IO_LINK : 0));
	if (!last)
		return;
	/* The receive ends when the peer has closed too; then the file is let go. */
	sqe = get(END, slot);
	io_uring_prep_shutdown(sqe, slot, SHUT_WR);
	mark(sqe, END, slot, flags);
}

static void start_close(unsigned int slot)
{
	struct io_uring_sqe *sqe = get(CLOSE, slot);

	io_uring_prep_close_direct(sqe, slot);
	mark(sqe, CLOSE, slot, IOSQE_CQE_SKIP_SUCCESS);
}

static void give_back(unsigned int buffer)
{
	io_uring_buf_ring_add(br, buffers[buffer], STREAM_PIECE, buffer,
			      io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(br, 1);
}

static void received(const struct io_uring_cqe *cqe, unsigned int slot)
{
	unsigned int buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	char *out = answers[n_answers++ % ANSWERS];
	bool last = false;
	size_t length;

	if (cqe->res == -ENOBUFS) {
		start_receive(slot);
		return;
	}
	if (cqe->res <= 0) {
		start_close(slot);
		return;
	}
	length = stream_work(slot, buffers[buffer], cqe->res, out, &last);
	give_back(buffer);
	if (length)
		start_send(slot, out, length, last);
	if (!(cqe->flags & IORING_CQE_F_MORE))
		start_receive(slot);
}

static void handle(const struct io_uring_cqe *cqe, int listener)
{
	unsigned int slot = (uint32_t)cqe->user_data;

	switch (cqe->user_data >> 32) {
	case ACCEPT:
		if (cqe->res < 0)
			bench_skip(row, "accept: %s", strerror(-cqe->res));
		start_receive(cqe->res);
		if (!(cqe->flags & IORING_CQE_F_MORE))
			start_accept(listener);
		break;
	case RECEIVE:
		received(cqe, slot);
		break;
	case END:
		/* The peer was quicker to go. */
		if (cqe->res != -ENOTCONN && cqe->res != -ECANCELED)
			bench_skip(row, "shutdown: %s", strerror(-cqe->res));
		break;
	default:
		bench_skip(row, "operation %u: %s", (unsigned int)(cqe->user_data >> 32),
			   strerror(-cqe->res));
	}
}

static void set_up(struct bench *b)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_CQSIZE,
		.cq_entries = 4 * ENTRIES,
	};
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS };
	int i, ret = io_uring_queue_init_params(ENTRIES, &ring, &params);

	if (ret)
		bench_skip(b, "io_uring_queue_init: %s", strerror(-ret));
	io_uring_register_ring_fd(&ring);
	ret = io_uring_register_files_sparse(&ring, STREAM_SLOTS / 2);
	if (ret)
		bench_skip(b, "io_uring_register_files_sparse: %s", strerror(-ret));
	br = bench_memory(b, BUFFERS, sizeof(struct io_uring_buf));
	buffers = bench_memory(b, BUFFERS, STREAM_PIECE);
	answers = bench_memory(b, ANSWERS, STREAM_ANSWER);
	reg.ring_addr = (uintptr_t)br;
	ret = io_uring_register_buf_ring(&ring, &reg, 0);
	if (ret)
		bench_skip(b, "io_uring_register_buf_ring: %s", strerror(-ret));
	io_uring_buf_ring_init(br);
	for (i = 0; i < BUFFERS; i++)
		give_back(i);
}

static void serve(struct bench *b, int listener, const struct stream_plan *plan)
{
	struct io_uring_cqe *cqe;
	unsigned int head, n;
	int ret;

	(void)plan;
	row = b;
	set_up(b);
	start_accept(listener);
	for (;;) {
		ret = io_uring_submit_and_wait(&ring, 1);
		if (ret < 0 && ret != -EINTR)
			bench_skip(b, "io_uring_submit_and_wait: %s", strerror(-ret));
		n = 0;
		io_uring_for_each_cqe(&ring, head, cqe) {
			handle(cqe, listener);
			n++;
		}
		io_uring_cq_advance(&ring, n);
	}
}

const struct stream_system stream_io_uring = { .name = "io_uring", .serve = serve };
