// SPDX-License-Identifier: GPL-2.0
/*
 * Sends, which never block.
 */
#include <linux/uio.h>
#include <net/sock.h>
#include <aem/compat/socket.h>
#include "ip.h"

#define SEND_FLAGS (AEM_IP_SEND_MORE | AEM_IP_SEND_LAST)

static int check_send(const struct aem_ip_send *request, const struct socket *socket)
{
	bool stream = socket->type == SOCK_STREAM;

	if (request->flags & ~SEND_FLAGS || request->pad)
		return -EINVAL;
	if (stream && (request->address || request->addrlen))
		return -EINVAL;
	if (!stream && request->flags & AEM_IP_SEND_LAST)
		return -EINVAL;
	return !request->address && request->addrlen ? -EINVAL : 0;
}

/*
 * The last bytes of a stream are held back as if more followed: the FIN that does follow takes
 * them along. What a full socket does not take is pushed by it.
 */
static unsigned int message_flags(const struct aem_ip_send *request)
{
	return MSG_DONTWAIT | MSG_NOSIGNAL | (request->flags ? MSG_MORE : 0);
}

static int send_once(const struct aem_ip_send *request, struct socket *socket,
		     struct sockaddr_storage *address)
{
	struct msghdr msg = { .msg_flags = message_flags(request) };
	int err;

	err = aem_import_source(u64_to_user_ptr(request->data),
				min_t(u64, request->length, MAX_RW_COUNT), &msg.msg_iter);
	if (err)
		return err;
	if (request->address) {
		msg.msg_name = address;
		msg.msg_namelen = request->addrlen;
	}
	return sock_sendmsg(socket, &msg);
}

/*
 * A datagram socket that is full says so before it notes that somebody wants room, and may drain
 * in between without waking anybody: the second try comes after the note.
 */
static int send_datagram(const struct aem_ip_send *request, struct socket *socket)
{
	struct sockaddr_storage address;
	int n;

	if (request->address) {
		n = aem_ip_copy_address(&address, request->address, request->addrlen);
		if (n)
			return n;
	}
	n = send_once(request, socket, &address);
	return n == -EAGAIN ? send_once(request, socket, &address) : n;
}

/* A socket tells an error once: a data event that sent, and got it so, shall know it. */
static void keep_error(struct event_struct *ev, int error)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (ev->nr % AEM_RANGE_CALLS == AEM_IP_DATA &&
	    READ_ONCE(p->socket->sk->sk_state) == TCP_CLOSE && error != EPIPE)
		WRITE_ONCE(p->error, error);
}

static int send_stream(const struct aem_ip_send *request, struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);
	int n;

	if (aem_ip_answers(ev))
		return -EBUSY;
	n = send_once(request, p->socket, NULL);
	if (n < 0)
		keep_error(ev, -n);
	else if (n == request->length && request->flags & AEM_IP_SEND_LAST)
		kernel_sock_shutdown(p->socket, SHUT_WR);
	return n;
}

/* AEM_IP_SEND */
long aem_ip_send(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_send *request = arg;
	struct aem_ip_event *p;
	struct event_struct *ev;
	long n;

	ev = aem_event_find(caller, request->id, -1);
	if (!ev)
		return -ENOENT;
	p = aem_event_private(ev);
	n = check_send(request, p->socket);
	if (!n)
		n = p->socket->type == SOCK_STREAM ? send_stream(request, ev) :
						     send_datagram(request, p->socket);
	aem_event_put(ev);
	return n;
}
