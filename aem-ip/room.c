// SPDX-License-Identifier: GPL-2.0
/*
 * Room to send: an edge, told when a socket becomes writable after it was not.
 *
 * That it was not is known by SOCK_NOSPACE, which a send that found no room leaves behind, and
 * poll() of a full stream. A stream wakes for writing only if that bit is set, and clears it.
 * A datagram socket wakes whenever it has sent something, and leaves the bit alone: here
 * the job looks at it and the constructor clears it, so that several events see one edge.
 */
#include <net/sock.h>
#include "ip.h"

#define WRITABLE (EPOLLOUT | EPOLLWRNORM)

static bool is_stream(const struct aem_ip_event *p)
{
	return p->socket->type == SOCK_STREAM;
}

/* Why there will be no room any more, or 0. The error stays for who reads. */
static int broken(const struct aem_ip_event *p)
{
	struct sock *sk = p->socket->sk;
	int error = READ_ONCE(sk->sk_err);

	if (!is_stream(p))
		return 0;
	if (error)
		return -error;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN || READ_ONCE(sk->sk_state) == TCP_CLOSE)
		return -EPIPE;
	return 0;
}

static enum aem_verdict room_job(struct event_struct *ev, unsigned long key)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (key && aem_ip_key_is(key, WRITABLE))
		return is_stream(p) || test_bit(SOCK_NOSPACE, &p->socket->flags) ?
			AEM_ACTIVATE : AEM_SLEEP;
	return broken(p) ? AEM_ACTIVATE : AEM_SLEEP;
}

/* If there is none, the next wakeup for writing is an edge. */
static bool writable(struct aem_ip_event *p)
{
	if (!is_stream(p))
		clear_bit(SOCK_NOSPACE, &p->socket->flags);
	if (aem_job_poll(p->socket->file) & WRITABLE)
		return true;
	if (is_stream(p))
		return false;
	set_bit(SOCK_NOSPACE, &p->socket->flags);
	/* Noted before it is looked at again: who makes room sees the note, or we the room. */
	smp_mb__after_atomic();
	return aem_job_poll(p->socket->file) & WRITABLE;
}

static int room_arm(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	/* The event counts as started before the socket is looked at: see sk_has_sleeper(). */
	smp_mb();
	return broken(p) || writable(p) ? AEM_READY : 0;
}

static u64 bytes_of_room(const struct aem_ip_event *p)
{
	struct sock *sk = p->socket->sk;

	return is_stream(p) ? max(sk_stream_wspace(sk), 0) : sock_wspace(sk);
}

static int room_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);

	d->word[0] = p->fd;
	d->word[1] = -broken(p);
	if (d->word[1]) {
		d->stop = true;
		return 0;
	}
	if (!writable(p))
		return -EAGAIN;
	d->arg[1] = bytes_of_room(p);
	return 0;
}

const struct aem_event_ops aem_ip_room_events = {
	.job = room_job,
	.arm = room_arm,
	.construct = room_construct,
	.release = aem_ip_event_release,
	.show = aem_ip_event_show,
	.yield = aem_ip_event_yield,
	.adopt = aem_ip_event_adopt,
};

/* AEM_IP_ROOM */
long aem_ip_room(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_socket *request = arg;
	struct event_struct *ev;
	struct socket *socket;

	if (request->flags || request->length)
		return -EINVAL;
	socket = aem_ip_socket_get(request->fd, 0);
	if (IS_ERR(socket))
		return PTR_ERR(socket);
	if (socket->type == SOCK_STREAM && !aem_ip_stream_connected(socket->sk)) {
		sockfd_put(socket);
		return -ENOTCONN;
	}
	ev = aem_ip_event_new(caller, AEM_IP_ROOM, &request->reg, socket, request->fd);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	return aem_event_commit(ev, NULL, &request->reg.id);
}
