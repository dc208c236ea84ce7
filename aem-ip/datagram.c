// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams.
 */
#include <linux/udp.h>
#include <aem/compat/socket.h>
#include "ip.h"

#define DATAGRAM_EVENTS (EPOLLIN | EPOLLRDNORM | EPOLLERR)

static enum aem_verdict datagram_job(struct event_struct *ev, unsigned long key)
{
	return aem_ip_key_is(key, DATAGRAM_EVENTS) ? AEM_ACTIVATE : AEM_SLEEP;
}

static bool waits(const struct sock *sk)
{
	return !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue) ||
	       !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       READ_ONCE(sk->sk_err) || sk_is_readable((struct sock *)sk);
}

static int datagram_arm(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	/* The event counts as started before the socket is looked at: see sk_has_sleeper(). */
	smp_mb();
	return waits(p->socket->sk) ? AEM_READY : 0;
}

/* The sender's address and the data are in the block already. */
static void set_sender(const struct aem_block *block, const struct msghdr *msg)
{
	struct aem_ip_address *sender = block->address;

	sender->length = min_t(u32, msg->msg_namelen, sizeof(sender->address));
	sender->pad = 0;
}

/* What the socket dropped since the last record, because its buffer was full. */
static u32 new_drops(struct aem_ip_event *p)
{
	u32 drops = aem_sock_drops(p->socket->sk);
	u32 lost = drops - p->drops;

	p->drops = drops;
	return lost;
}

static int tell_error(struct aem_ip_event *p, struct aem_delivery *d, int error)
{
	aem_vmt_free(d->caller.proc, &d->block);
	d->word[1] = -error;
	/* Reading takes an error away, unless it was refused: that would go on for ever. */
	if (error == -EACCES || error == -EPERM)
		return 0;
	return waits(p->socket->sk) ? AEM_MORE : 0;
}

static int tell_datagram(struct aem_ip_event *p, struct aem_delivery *d,
			 const struct msghdr *msg, u32 bytes)
{
	set_sender(&d->block, msg);
	d->arg[1] = d->block.offset;
	d->word[4] = bytes;
	d->lost += new_drops(p);
	if (msg->msg_flags & MSG_TRUNC)
		d->word[5] |= AEM_IP_F_TRUNCATED;
	if (!waits(p->socket->sk))
		return 0;
	d->word[5] |= AEM_IP_F_MORE;
	return AEM_MORE;
}

static int datagram_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);
	struct aem_ip_address *sender;
	struct msghdr msg = { };
	struct kvec vec;
	int n;

	n = aem_ip_block(d, sizeof(*sender) + p->length);
	if (n)
		return n;
	sender = d->block.address;
	/* What the protocol writes, it does not read. A struct sockaddr_in6 is its longest. */
	BUILD_BUG_ON(sizeof(sender->address) < sizeof(struct sockaddr_in6));
	msg.msg_name = sender->address;
	vec.iov_base = sender + 1;
	vec.iov_len = p->length;
	n = kernel_recvmsg(p->socket, &msg, &vec, 1, p->length, MSG_DONTWAIT);
	if (n == -EAGAIN)
		return n;
	d->word[0] = p->fd;
	d->count = 1;
	if (n < 0)
		return tell_error(p, d, n);
	return tell_datagram(p, d, &msg, n);
}

const struct aem_event_ops aem_ip_datagram_events = {
	.job = datagram_job,
	.arm = datagram_arm,
	.construct = datagram_construct,
	.release = aem_ip_event_release,
	.show = aem_ip_event_show,
	.yield = aem_ip_event_yield,
	.adopt = aem_ip_event_adopt,
	.multi = true,
};

/* AEM_IP_DATAGRAM */
long aem_ip_datagram(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_socket *request = arg;
	struct aem_ip_event *p;
	struct event_struct *ev;
	struct socket *socket;

	if (request->flags || aem_ip_length(&request->length, AEM_IP_DATAGRAM_MAX))
		return -EINVAL;
	socket = aem_ip_socket_get(request->fd, SOCK_DGRAM);
	if (IS_ERR(socket))
		return PTR_ERR(socket);
	ev = aem_ip_event_new(caller, AEM_IP_DATAGRAM, &request->reg, socket, request->fd);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	p = aem_event_private(ev);
	p->length = request->length;
	p->drops = aem_sock_drops(socket->sk);
	return aem_event_commit(ev, NULL, &request->reg.id);
}
