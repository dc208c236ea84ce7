// SPDX-License-Identifier: GPL-2.0
/* io_uring: multishot recvmsg into a ring of buffers, sends without a completion. */
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include "datagrams.h"

#define ENTRIES 1024
#define BUFFERS 2048
/* What recvmsg writes before the data. */
#define BUFFER (DATAGRAM_MAX + 256)

static struct io_uring ring;
static struct io_uring_buf_ring *br;
static char (*buffers)[BUFFER];
static struct msghdr receive = { .msg_namelen = sizeof(struct sockaddr_in) };
/* Of sends: a buffer is given back when the send of its datagram has been submitted. */
static struct msghdr sends[BUFFERS];
static struct iovec vecs[BUFFERS];

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

static void start_receive(struct bench *b)
{
	struct io_uring_sqe *sqe = get(b);

	io_uring_prep_recvmsg_multishot(sqe, 0, &receive, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT);
	io_uring_sqe_set_data64(sqe, BUFFERS);
}

static void give_back(unsigned int buffer)
{
	io_uring_buf_ring_add(br, buffers[buffer], BUFFER, buffer, io_uring_buf_ring_mask(BUFFERS),
			      0);
	io_uring_buf_ring_advance(br, 1);
}

static void echo(struct bench *b, unsigned int buffer, int length)
{
	struct io_uring_recvmsg_out *out = io_uring_recvmsg_validate(buffers[buffer], length,
								     &receive);
	struct io_uring_sqe *sqe = get(b);

	bench_assert(b, out && out->namelen);
	vecs[buffer].iov_base = io_uring_recvmsg_payload(out, &receive);
	vecs[buffer].iov_len = io_uring_recvmsg_payload_length(out, length, &receive);
	sends[buffer] = (struct msghdr){
		.msg_name = io_uring_recvmsg_name(out), .msg_namelen = out->namelen,
		.msg_iov = &vecs[buffer], .msg_iovlen = 1,
	};
	io_uring_prep_sendmsg(sqe, 0, &sends[buffer], 0);
	io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS);
	io_uring_sqe_set_data64(sqe, buffer);
}

static void set_up(struct bench *b, int fd)
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
	bench_assert(b, !io_uring_register_files(&ring, &fd, 1));
	br = bench_memory(b, BUFFERS, sizeof(struct io_uring_buf));
	buffers = bench_memory(b, BUFFERS, BUFFER);
	reg.ring_addr = (uintptr_t)br;
	bench_assert(b, !io_uring_register_buf_ring(&ring, &reg, 0));
	io_uring_buf_ring_init(br);
	for (i = 0; i < BUFFERS; i++)
		give_back(i);
}

static void serve(struct bench *b, int fd, size_t length)
{
	static unsigned int used[BUFFERS];
	struct io_uring_cqe *cqe;
	unsigned int head, n, n_used = 0;
	int ret;

	(void)length;
	set_up(b, fd);
	start_receive(b);
	for (;;) {
		ret = io_uring_submit_and_wait(&ring, 1);
		if (ret < 0 && ret != -EINTR)
			bench_skip(b, "io_uring_submit_and_wait: %s", strerror(-ret));
		while (n_used)
			give_back(used[--n_used]);
		n = 0;
		io_uring_for_each_cqe(&ring, head, cqe) {
			n++;
			if (cqe->user_data != BUFFERS)
				bench_skip(b, "a datagram was not sent: %s", strerror(-cqe->res));
			if (cqe->res >= 0) {
				used[n_used] = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
				echo(b, used[n_used++], cqe->res);
			} else if (cqe->res != -ENOBUFS) {
				bench_skip(b, "receive: %s", strerror(-cqe->res));
			}
			if (!(cqe->flags & IORING_CQE_F_MORE))
				start_receive(b);
		}
		io_uring_cq_advance(&ring, n);
	}
}

const struct datagram_system datagram_io_uring = { "io_uring", serve };
