// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of a stream.
 */
#include <linux/tcp.h>
#include <net/tcp.h>
#include "ip.h"

#define DATA_EVENTS (EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/** aem_ip_data_job() - does a wakeup say that there is something to read? */
enum aem_verdict aem_ip_data_job(struct event_struct *ev, unsigned long key)
{
	return aem_ip_key_is(key, DATA_EVENTS) ? AEM_ACTIVATE : AEM_SLEEP;
}

/** aem_ip_data_arm() - is there something to read already? */
int aem_ip_data_arm(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	/* The event counts as started before the socket is looked at: see sk_has_sleeper(). */
	smp_mb();
	return aem_ip_stream_waits(p->socket->sk) ? AEM_READY : 0;
}

/**
 * aem_ip_end_reason() - why a stream has ended
 * @sk:    TCP
 * @error: that it told to somebody who said so, 0: none
 *
 * The socket tells an error once only, so a connection that died without a FIN and without an
 * error has told it to somebody else.
 *
 * Return: 0 at the peer's FIN, or an errno.
 */
u32 aem_ip_end_reason(const struct sock *sk, u32 error)
{
	if (READ_ONCE(sk->sk_state) != TCP_CLOSE || sock_flag(sk, SOCK_DONE))
		return 0;
	return error ?: ECONNRESET;
}

/** aem_ip_tell_end() - the record is the end of the stream. Return: 0. */
int aem_ip_tell_end(struct aem_ip_event *p, struct aem_delivery *d, u32 error)
{
	aem_vmt_free(d->caller.proc, &d->block);
	d->word[0] = p->fd;
	d->word[1] = error;
	d->word[5] = error ? 0 : AEM_IP_F_END;
	d->stop = true;
	return 0;
}

/** aem_ip_tell_data() - the record has bytes, which are in its block. Return: of a constructor. */
int aem_ip_tell_data(struct aem_ip_event *p, struct aem_delivery *d, u32 bytes)
{
	struct sock *sk = p->socket->sk;

	d->word[0] = p->fd;
	d->arg[1] = d->block.offset;
	d->word[4] = bytes;
	if (tcp_inq(sk) > 0)
		d->word[5] = AEM_IP_F_MORE;
	/* Wakeups before this read are spent, so an end or an error that waits needs a turn too. */
	return aem_ip_stream_waits(sk) ? AEM_MORE : 0;
}

/* The block is taken before the read: without one, the bytes stay in the socket. */
static int data_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);
	struct msghdr msg = { };
	struct kvec vec;
	int n;

	n = aem_ip_block(d, p->length);
	if (n)
		return n;
	vec.iov_base = d->block.address;
	vec.iov_len = p->length;
	n = kernel_recvmsg(p->socket, &msg, &vec, 1, p->length, MSG_DONTWAIT);
	if (n == -EAGAIN)
		return n;
	if (n > 0)
		return aem_ip_tell_data(p, d, n);
	return aem_ip_tell_end(p, d, n < 0 ? -n : aem_ip_end_reason(p->socket->sk,
								     READ_ONCE(p->error)));
}

const struct aem_event_ops aem_ip_data_events = {
	.job = aem_ip_data_job,
	.arm = aem_ip_data_arm,
	.construct = data_construct,
	.release = aem_ip_event_release,
	.show = aem_ip_event_show,
	.yield = aem_ip_event_yield,
	.adopt = aem_ip_event_adopt,
};

/**
 * aem_ip_stream_connected() - whether a stream is or was connected
 * @sk: TCP
 *
 * One that was reset still has bytes or an error to tell; it is told from one that never
 * was connected by being shut down.
 */
bool aem_ip_stream_connected(const struct sock *sk)
{
	switch (READ_ONCE(sk->sk_state)) {
	case TCP_LISTEN:
	case TCP_SYN_SENT:
		return false;
	case TCP_CLOSE:
		return READ_ONCE(sk->sk_shutdown);
	default:
		return true;
	}
}

/**
 * aem_ip_data_on() - register for the data of a stream
 * @caller:  on whose behalf
 * @request: with a good length
 * @call:    that stands for this kind of event
 *
 * Return: 0 or -errno of the call.
 */
long aem_ip_data_on(const struct aem_caller *caller, struct aem_ip_socket *request, u32 call)
{
	struct aem_ip_event *p;
	struct event_struct *ev;
	struct socket *socket;

	socket = aem_ip_socket_get(request->fd, SOCK_STREAM);
	if (IS_ERR(socket))
		return PTR_ERR(socket);
	if (!aem_ip_stream_connected(socket->sk)) {
		sockfd_put(socket);
		return -ENOTCONN;
	}
	ev = aem_ip_event_new(caller, call, &request->reg, socket, request->fd);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	p = aem_event_private(ev);
	p->length = request->length;
	return aem_event_commit(ev, NULL, &request->reg.id);
}

/* AEM_IP_DATA */
long aem_ip_data(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_socket *request = arg;

	if (request->flags || aem_ip_length(&request->length, AEM_BLOCK_MAX))
		return -EINVAL;
	return aem_ip_data_on(caller, request, AEM_IP_DATA);
}
