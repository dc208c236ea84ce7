// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams, one in a record, or many.
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

/**
 * struct pack - the messages of a record in the making
 * @p:     whose they are
 * @at:    where the next one goes; written, never read
 * @room:  bytes from there on
 * @last:  the one before; likewise
 * @flags: of that
 * @n:     how many
 */
struct pack {
	struct aem_ip_event *p;
	struct aem_ip_message *at;
	u32 room;
	struct aem_ip_message *last;
	u32 flags;
	u32 n;
};

static u32 size_of_message(u32 bytes)
{
	return sizeof(struct aem_ip_message) + ALIGN(bytes, sizeof(u64));
}

/* A datagram that was received, or an error. */
static void add(struct pack *pack, const struct msghdr *msg, int n)
{
	struct aem_ip_message *m = pack->at;
	u32 bytes = max(n, 0), size = size_of_message(bytes);

	if (pack->last)
		pack->last->flags = pack->flags | AEM_IP_F_NEXT;
	pack->flags = n >= 0 && msg->msg_flags & MSG_TRUNC ? AEM_IP_F_TRUNCATED : 0;
	m->length = size;
	m->bytes = bytes;
	m->flags = pack->flags;
	m->error = n < 0 ? -n : 0;
	m->peer.length = n < 0 ? 0 : min_t(u32, msg->msg_namelen, sizeof(m->peer.address));
	m->peer.pad = 0;
	pack->last = m;
	pack->at = (void *)m + size;
	pack->room -= size;
	pack->n++;
}

static int receive(struct pack *pack)
{
	struct aem_ip_event *p = pack->p;
	struct kvec vec = { .iov_base = pack->at->data, .iov_len = p->length };
	struct msghdr msg = { .msg_name = pack->at->peer.address };
	int n = kernel_recvmsg(p->socket, &msg, &vec, 1, p->length, MSG_DONTWAIT);

	if (n != -EAGAIN)
		add(pack, &msg, n);
	return n;
}

/* As many as wait, and fit. Return: whether others wait. */
static bool receive_many(struct pack *pack)
{
	const struct sock *sk = pack->p->socket->sk;
	int n;

	do {
		n = receive(pack);
		/* Refused for ever, see tell_error(). */
		if (n == -EAGAIN || n == -EACCES || n == -EPERM)
			return false;
		if (!waits(sk))
			return false;
	} while (pack->n < AEM_IP_MANY && pack->room >= size_of_message(pack->p->length));
	return true;
}

static int datagrams_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);
	u32 one = size_of_message(p->length);
	struct pack pack = { .p = p };
	bool more;
	int err;

	err = aem_vmt_alloc_some(d->caller.proc, min(AEM_IP_MANY * one, AEM_BLOCK_MAX), one,
				 &d->block);
	if (err)
		return err;
	pack.at = d->block.address;
	pack.room = d->block.size;
	more = receive_many(&pack);
	if (!pack.n)
		return -EAGAIN;
	d->word[0] = p->fd;
	d->word[1] = pack.n;
	d->arg[1] = d->block.offset;
	d->word[4] = d->block.size - pack.room;
	d->word[5] = more ? AEM_IP_F_MORE : 0;
	d->count = pack.n;
	d->lost += new_drops(p);
	return more ? AEM_MORE : 0;
}

const struct aem_event_ops aem_ip_datagrams_events = {
	.job = datagram_job,
	.arm = datagram_arm,
	.construct = datagrams_construct,
	.release = aem_ip_event_release,
	.show = aem_ip_event_show,
	.yield = aem_ip_event_yield,
	.adopt = aem_ip_event_adopt,
	.multi = true,
};

static long add_event(const struct aem_caller *caller, struct aem_ip_socket *request, u32 call,
		      u32 longest)
{
	struct aem_ip_event *p;
	struct event_struct *ev;
	struct socket *socket;

	if (request->flags || aem_ip_length(&request->length, longest))
		return -EINVAL;
	socket = aem_ip_socket_get(request->fd, SOCK_DGRAM);
	if (IS_ERR(socket))
		return PTR_ERR(socket);
	ev = aem_ip_event_new(caller, call, &request->reg, socket, request->fd);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	p = aem_event_private(ev);
	p->length = request->length;
	p->drops = aem_sock_drops(socket->sk);
	return aem_event_commit(ev, NULL, &request->reg.id);
}

/* AEM_IP_DATAGRAM */
long aem_ip_datagram(const struct aem_caller *caller, void *arg)
{
	return add_event(caller, arg, AEM_IP_DATAGRAM, AEM_IP_DATAGRAM_MAX);
}

/* AEM_IP_DATAGRAMS */
long aem_ip_datagrams(const struct aem_caller *caller, void *arg)
{
	return add_event(caller, arg, AEM_IP_DATAGRAMS, AEM_IP_MESSAGE_MAX);
}
