// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets: which ones the service takes, and what poll() would say of them.
 */
#include <linux/file.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <net/tcp.h>
#include "ip.h"

static bool serves(const struct sock *sk, int type)
{
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return false;
	if (type && sk->sk_type != type)
		return false;
	switch (sk->sk_type) {
	case SOCK_STREAM:
		return sk->sk_protocol == IPPROTO_TCP;
	case SOCK_DGRAM:
		return sk->sk_protocol == IPPROTO_UDP;
	default:
		return false;
	}
}

/**
 * aem_ip_socket_get() - the socket of a descriptor
 * @fd:   the caller's
 * @type: SOCK_STREAM (TCP), SOCK_DGRAM (UDP), or 0 for either
 *
 * Return: the socket, to be given back with sockfd_put(), or ERR_PTR: -EBADF,
 * -ENOTSOCK, -EPROTONOSUPPORT.
 */
struct socket *aem_ip_socket_get(int fd, int type)
{
	struct socket *socket;
	int err;

	socket = sockfd_lookup(fd, &err);
	if (!socket)
		return ERR_PTR(err);
	if (serves(socket->sk, type))
		return socket;
	sockfd_put(socket);
	return ERR_PTR(-EPROTONOSUPPORT);
}

/**
 * aem_ip_event_new() - make an event on a socket, its job attached
 * @caller: on whose behalf
 * @call:   that stands for this kind of event
 * @reg:    what the user asked for
 * @socket: a reference on its file goes over to the event, on an error too
 * @fd:     by which the user knows it
 *
 * Return: the event, not committed yet, or ERR_PTR.
 */
struct event_struct *aem_ip_event_new(const struct aem_caller *caller, u32 call,
				      const struct aem_registration *reg,
				      struct socket *socket, int fd)
{
	struct aem_ip_event *p;
	struct event_struct *ev;
	int mask;

	ev = aem_event_create(caller, call, reg);
	if (IS_ERR(ev)) {
		sockfd_put(socket);
		return ev;
	}
	p = aem_event_private(ev);
	p->socket = socket;
	p->fd = fd;
	mask = aem_job_attach(ev, socket->file);
	if (mask < 0) {
		aem_event_abort(ev);
		return ERR_PTR(mask);
	}
	return ev;
}

/* An event that is aborted early has no socket yet. */
void aem_ip_event_release(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (p->socket)
		sockfd_put(p->socket);
}

void aem_ip_event_show(struct event_struct *ev, struct seq_file *seq)
{
	struct aem_ip_event *p = aem_event_private(ev);

	seq_printf(seq, " fd:%d socket:%llu", p->fd,
		   (unsigned long long)file_inode(p->socket->file)->i_ino);
}

/**
 * aem_ip_length() - check the length of a piece, and fill in the default
 * @length: from the user
 * @limit:  the largest
 *
 * Return: 0 or -EINVAL.
 */
int aem_ip_length(u32 *length, u32 limit)
{
	if (*length > limit)
		return -EINVAL;
	if (!*length)
		*length = AEM_IP_LENGTH;
	return 0;
}

/**
 * aem_ip_block() - take the block of a record
 * @d:    the record
 * @size: bytes
 *
 * Without one, the constructor says so before it takes anything from the socket: the event
 * waits, and nothing is lost.
 *
 * Return: 0, -ENOBUFS or -ENOMEM.
 */
int aem_ip_block(struct aem_delivery *d, size_t size)
{
	return aem_vmt_alloc(d->caller.proc, size, &d->block);
}

/**
 * aem_ip_stream_waits() - whether a read of a stream would tell something
 * @sk: TCP
 *
 * What poll() says of reading, without its indirect calls. May be wrong in saying yes: a
 * read then tells -EAGAIN. Never wrong in saying no, except about what comes just now,
 * and then a wakeup follows.
 */
bool aem_ip_stream_waits(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* Not tcp_inq(), which does not look beyond urgent data. */
	return READ_ONCE(tp->rcv_nxt) != READ_ONCE(tp->copied_seq) || READ_ONCE(sk->sk_err) ||
	       (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) ||
	       READ_ONCE(sk->sk_state) == TCP_CLOSE || sk_is_readable(sk);
}

/* A size that the compiler knows is copied at a fraction of the price. */
static int copy_address(struct sockaddr_storage *address, const void __user *user, u32 length)
{
	switch (length) {
	case sizeof(struct sockaddr_in):
		return copy_from_user(address, user, sizeof(struct sockaddr_in));
	case sizeof(struct sockaddr_in6):
		return copy_from_user(address, user, sizeof(struct sockaddr_in6));
	default:
		return copy_from_user(address, user, length);
	}
}

/**
 * aem_ip_check_address() - could a datagram be sent there?
 * @address: the kernel's copy of it
 * @length:  its bytes
 *
 * What is in it is for the protocol to check, its length and family are not.
 *
 * Return: 0 or -EINVAL.
 */
int aem_ip_check_address(const void *address, u32 length)
{
	const struct sockaddr *a = address;

	if (length < sizeof(struct sockaddr_in))
		return -EINVAL;
	if (a->sa_family == AF_INET)
		return 0;
	if (a->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6))
		return 0;
	return -EINVAL;
}

/**
 * aem_ip_copy_address() - fetch an address from the user
 * @address: where to
 * @user:    where from
 * @length:  its bytes
 *
 * Return: 0, -EINVAL or -EFAULT.
 */
int aem_ip_copy_address(struct sockaddr_storage *address, u64 user, u32 length)
{
	if (length < sizeof(struct sockaddr_in) || length > sizeof(*address))
		return -EINVAL;
	if (copy_address(address, u64_to_user_ptr(user), length))
		return -EFAULT;
	return aem_ip_check_address(address, length);
}
