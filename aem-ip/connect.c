// SPDX-License-Identifier: GPL-2.0
/*
 * Connecting, and its end.
 */
#include <linux/moduleparam.h>
#include <net/sock.h>
#include <aem/compat/socket.h>
#include "ip.h"

/*
 * connect(2) asks the security module first, and a module cannot. Where such rules confine
 * programs that may open /dev/aem (Landlock, AppArmor, SELinux), turn this off: they then call
 * connect(2) themselves and register for its end.
 */
static bool connect = true;
module_param(connect, bool, 0644);
MODULE_PARM_DESC(connect, "AEM_IP_CONNECT may connect; off: only wait for the end of connect(2)");

#define CONNECT_EVENTS (EPOLLOUT | EPOLLWRNORM | EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR)

static bool connecting(const struct aem_ip_event *p)
{
	int state = READ_ONCE(p->socket->sk->sk_state);

	return !p->known && (state == TCP_SYN_SENT || state == TCP_SYN_RECV);
}

static enum aem_verdict connect_job(struct event_struct *ev, unsigned long key)
{
	return aem_ip_key_is(key, CONNECT_EVENTS) ? AEM_ACTIVATE : AEM_SLEEP;
}

static int connect_arm(struct event_struct *ev)
{
	/* The event counts as started before the socket is looked at: see sk_has_sleeper(). */
	smp_mb();
	return connecting(aem_event_private(ev)) ? 0 : AEM_READY;
}

/* As SO_ERROR tells it. A socket that is closed without an error has told it already. */
static int outcome(struct aem_ip_event *p)
{
	struct sock *sk = p->socket->sk;
	int err;

	if (p->known)
		return -p->error;
	err = sock_error(sk);
	if (!err && READ_ONCE(sk->sk_state) == TCP_CLOSE)
		return -ENOTCONN;
	return err;
}

static int connect_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (connecting(p))
		return -EAGAIN;
	d->word[0] = p->fd;
	d->word[1] = -outcome(p);
	return 0;
}

const struct aem_event_ops aem_ip_connect_events = {
	.job = connect_job,
	.arm = connect_arm,
	.construct = connect_construct,
	.release = aem_ip_event_release,
	.show = aem_ip_event_show,
	.yield = aem_ip_event_yield,
	.adopt = aem_ip_event_adopt,
};

/* What the network answers is for the handler, what is wrong with the call for the caller. */
static bool is_answer(int err)
{
	switch (err) {
	case 0:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ECONNABORTED:
	case -ETIMEDOUT:
	case -EHOSTUNREACH:
	case -EHOSTDOWN:
	case -ENETUNREACH:
	case -ENETDOWN:
	case -EADDRNOTAVAIL:
		return true;
	default:
		return false;
	}
}

static int start(struct aem_ip_event *p, struct sockaddr_storage *address, u32 length)
{
	int err = aem_sock_connect(p->socket, address, length, O_NONBLOCK);

	if (err == -EINPROGRESS)
		return 0;
	if (!is_answer(err))
		return err;
	p->error = -err;
	p->known = true;
	return 0;
}

/* Nobody will hear of it: back to where it was. */
static void undo(struct socket *socket)
{
	struct sockaddr_storage nowhere = { .ss_family = AF_UNSPEC };

	aem_sock_connect(socket, &nowhere, sizeof(nowhere), O_NONBLOCK);
}

static long connect_to(struct event_struct *ev, struct aem_ip_connect *request,
		       struct sockaddr_storage *address)
{
	struct aem_ip_event *p = aem_event_private(ev);
	struct socket *socket = p->socket;
	int err;

	err = start(p, address, request->length);
	if (err) {
		aem_event_abort(ev);
		return err;
	}
	get_file(socket->file);
	err = aem_event_commit(ev, NULL, &request->reg.id);
	if (err)
		undo(socket);
	sockfd_put(socket);
	return err;
}

/* Without an address: the program has called connect(2) itself. */
static int check_begun(const struct socket *socket)
{
	switch (READ_ONCE(socket->state)) {
	case SS_CONNECTING:
		return 0;
	case SS_UNCONNECTED:
		return -ENOTCONN;
	default:
		return -EISCONN;
	}
}

static int check_connect(const struct aem_ip_connect *request, const struct socket *socket,
			 struct sockaddr_storage *address)
{
	if (!request->address && !request->length)
		return check_begun(socket);
	if (!READ_ONCE(connect))
		return -EACCES;
	return aem_ip_copy_address(address, request->address, request->length);
}

/* AEM_IP_CONNECT */
long aem_ip_connect(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_connect *request = arg;
	struct aem_registration reg = request->reg;
	struct sockaddr_storage address;
	struct event_struct *ev;
	struct socket *socket;
	int err;

	if (request->pad)
		return -EINVAL;
	socket = aem_ip_socket_get(request->fd, SOCK_STREAM);
	if (IS_ERR(socket))
		return PTR_ERR(socket);
	err = check_connect(request, socket, &address);
	if (err) {
		sockfd_put(socket);
		return err;
	}
	reg.flags |= EVF_ONESHOT;
	ev = aem_ip_event_new(caller, AEM_IP_CONNECT, &reg, socket, request->fd);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	if (!request->length)
		return aem_event_commit(ev, NULL, &request->reg.id);
	return connect_to(ev, request, &address);
}
