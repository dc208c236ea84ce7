// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of a stream that are answered where they lie: the destructor sends what the handler has
 * left in the block. That needs no call, no event to be found by its id, and no argument to be
 * fetched.
 *
 * What the socket has no room for is copied, so that a peer that does not read holds no block of
 * others. Until it has gone nothing is read: the event's turns push the rest on.
 *
 * Registering, constructor and destructor are under the process's enter_lock; only the job, and
 * sends by the event, look at whether there is a rest from elsewhere.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <net/sock.h>
#include "ip.h"

#define WRITABLE	(EPOLLOUT | EPOLLWRNORM)
#define SHUTS		(AEM_IP_SEND_LAST | AEM_IP_ANSWER_END)
#define ANSWER_FLAGS	(AEM_IP_SEND_MORE | SHUTS)

/**
 * struct aem_ip_rest - of an answer, what the socket had no room for
 * @at:    first byte that is not sent
 * @bytes: from there on
 * @flags: of the answer
 * @data:  the kernel's copy
 */
struct aem_ip_rest {
	u32 at;
	u32 bytes;
	u32 flags;
	u8 data[];
};

static bool has_rest(const struct aem_ip_event *p)
{
	return !IS_ERR_OR_NULL(READ_ONCE(p->rest));
}

/** aem_ip_answers() - is an answer of this event on its way still? */
bool aem_ip_answers(const struct event_struct *ev)
{
	return ev->nr % AEM_RANGE_CALLS == AEM_IP_EXCHANGE &&
	       has_rest(aem_event_private((struct event_struct *)ev));
}

static enum aem_verdict exchange_job(struct event_struct *ev, unsigned long key)
{
	if (aem_ip_key_is(key, WRITABLE) && has_rest(aem_event_private(ev)))
		return AEM_ACTIVATE;
	return aem_ip_data_job(ev, key);
}

static int exchange_arm(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	return p->rest ? AEM_READY : aem_ip_data_arm(ev);
}

/* Bytes taken, or -errno. What ends with a FIN waits for it: see send.c. */
static int push(struct aem_ip_event *p, void *data, u32 bytes, u32 flags)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | (flags ? MSG_MORE : 0),
	};
	struct kvec vec = { .iov_base = data, .iov_len = bytes };

	return bytes ? kernel_sendmsg(p->socket, &msg, &vec, 1, bytes) : 0;
}

/* All is sent: what a destructor returns. */
static int finish(struct aem_ip_event *p, u32 flags)
{
	if (flags & SHUTS)
		kernel_sock_shutdown(p->socket, SHUT_WR);
	return flags & AEM_IP_ANSWER_END ? AEM_END : 0;
}

/* The next turn tells. */
static int fail(struct aem_ip_event *p, int err)
{
	WRITE_ONCE(p->rest, ERR_PTR(err));
	return AEM_MORE;
}

/*
 * The socket knows that somebody wants room, but may have made it before there was a rest: the next
 * turn tries again.
 */
static int keep(struct aem_ip_event *p, const void *data, u32 bytes, u32 flags)
{
	struct aem_ip_rest *rest;

	rest = kvmalloc(struct_size(rest, data, bytes), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rest)
		return fail(p, -ENOMEM);
	rest->at = 0;
	rest->bytes = bytes;
	rest->flags = flags;
	memcpy(rest->data, data, bytes);
	WRITE_ONCE(p->rest, rest);
	return AEM_MORE;
}

static int answer(struct aem_ip_event *p, void *data, u32 bytes, u32 flags)
{
	int n = push(p, data, bytes, flags);

	if (n == bytes)
		return finish(p, flags);
	if (n < 0 && n != -EAGAIN)
		return fail(p, n);
	n = max(n, 0);
	return keep(p, data + n, bytes - n, flags);
}

/* The process can write the block at any time: each field is read once. */
static int exchange_destruct(struct event_struct *ev, const struct aem_block *block)
{
	struct aem_ip_event *p = aem_event_private(ev);
	struct aem_ip_answer *left = block->address;
	u32 at, bytes, flags, room;

	if (!left)
		return 0;
	if (unlikely(p->rest))
		return AEM_MORE;
	at = READ_ONCE(left->at);
	bytes = READ_ONCE(left->bytes);
	flags = READ_ONCE(left->flags);
	room = block->size - sizeof(*left);
	if (at > room || bytes > room - at || flags & ~ANSWER_FLAGS)
		return fail(p, -EINVAL);
	return answer(p, (void *)(left + 1) + at, bytes, flags);
}

static void drop_rest(struct aem_ip_event *p, struct aem_ip_rest *next)
{
	kvfree(p->rest);
	WRITE_ONCE(p->rest, next);
}

/* Return: 0: nothing is left, or never will go; -EAGAIN: it is not the time to read. */
static int push_rest(struct aem_ip_event *p, struct aem_delivery *d)
{
	struct aem_ip_rest *rest = p->rest;
	int n = push(p, rest->data + rest->at, rest->bytes, rest->flags);

	if (n == rest->bytes) {
		d->end = finish(p, rest->flags) == AEM_END;
		drop_rest(p, NULL);
		return d->end ? -EAGAIN : 0;
	}
	if (n < 0 && n != -EAGAIN) {
		drop_rest(p, ERR_PTR(n));
		return 0;
	}
	n = max(n, 0);
	rest->at += n;
	rest->bytes -= n;
	return -EAGAIN;
}

static u32 end_reason(const struct aem_ip_event *p, int n)
{
	if (IS_ERR(p->rest))
		return -PTR_ERR(p->rest);
	return n < 0 ? -n : aem_ip_end_reason(p->socket->sk, 0);
}

/* As data_construct(), with room for the answer's head. */
static int receive(struct aem_ip_event *p, struct aem_delivery *d)
{
	struct aem_ip_answer *head;
	struct msghdr msg = { };
	struct kvec vec;
	int n;

	n = aem_ip_block(d, sizeof(*head) + p->length);
	if (n)
		return n;
	head = d->block.address;
	vec.iov_base = head + 1;
	vec.iov_len = p->length;
	n = kernel_recvmsg(p->socket, &msg, &vec, 1, p->length, MSG_DONTWAIT);
	if (n == -EAGAIN && !p->rest)
		return n;
	if (n <= 0)
		return aem_ip_tell_end(p, d, end_reason(p, n));
	*head = (struct aem_ip_answer){ .room = d->block.size - sizeof(*head) };
	return aem_ip_tell_data(p, d, n);
}

static int exchange_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);
	int err = 0;

	if (unlikely(has_rest(p)))
		err = push_rest(p, d);
	return err ?: receive(p, d);
}

/* A stream that lacks a part of an answer must not end as if it did not. */
static void exchange_release(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (p->rest) {
		sock_no_linger(p->socket->sk);
		if (has_rest(p))
			drop_rest(p, NULL);
	}
	aem_ip_event_release(ev);
}

const struct aem_event_ops aem_ip_exchange_events = {
	.job = exchange_job,
	.arm = exchange_arm,
	.construct = exchange_construct,
	.destruct = exchange_destruct,
	.release = exchange_release,
	.show = aem_ip_event_show,
	.yield = aem_ip_event_yield,
	.adopt = aem_ip_event_adopt,
};

/**
 * aem_ip_exchange_length() - check what an exchange is asked for, and fill in the default
 * @length: from the user
 * @flags:  EVF_*. An event that has ended has no turn for the rest of its answer
 *
 * Return: 0 or -EINVAL.
 */
int aem_ip_exchange_length(u32 *length, u32 flags)
{
	if (flags & EVF_ONESHOT || *length > AEM_IP_EXCHANGE_MAX)
		return -EINVAL;
	if (!*length)
		*length = AEM_IP_LENGTH - sizeof(struct aem_ip_answer);
	return 0;
}

/* AEM_IP_EXCHANGE */
long aem_ip_exchange(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_socket *request = arg;

	if (request->flags || aem_ip_exchange_length(&request->length, request->reg.flags))
		return -EINVAL;
	return aem_ip_data_on(caller, request, AEM_IP_EXCHANGE);
}
