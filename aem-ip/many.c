// SPDX-License-Identifier: GPL-2.0
/*
 * Sends of many datagrams, which never block: a turn for all.
 *
 * Messages lie in the process's memory, most often in the block of the record that they came with,
 * where the process can change them at any time: the head of each is fetched once.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <net/sock.h>
#include <aem/compat/socket.h>
#include "ip.h"

/** AT_A_TIME: Messages before others may have the processor. */
#define AT_A_TIME	64

/* Word by word, for a size as small as this. */
static int fetch(struct aem_ip_message *m, const struct aem_ip_message __user *user)
{
	const u64 __user *from = (const u64 __user *)user;
	u64 *to = (u64 *)m;
	size_t i;

	BUILD_BUG_ON(sizeof(*m) % sizeof(u64));
	if (!user_read_access_begin(user, sizeof(*m)))
		return -EFAULT;
	for (i = 0; i < sizeof(*m) / sizeof(u64); i++)
		unsafe_get_user(to[i], from + i, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

/* @left: bytes up to the end of all messages. */
static int check(const struct aem_ip_message *m, u32 left)
{
	if (m->length < sizeof(*m) || m->length > left || m->length % sizeof(u64))
		return -EINVAL;
	if (m->bytes > m->length - sizeof(*m))
		return -EINVAL;
	if (!m->peer.length)
		return 0;
	if (m->peer.length > sizeof(m->peer.address))
		return -EINVAL;
	return aem_ip_check_address(m->peer.address, m->peer.length);
}

static int send_once(struct socket *socket, struct aem_ip_message *m, void __user *data)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	int err;

	err = aem_import_source(data, m->bytes, &msg.msg_iter);
	if (err)
		return err;
	if (m->peer.length) {
		msg.msg_name = m->peer.address;
		msg.msg_namelen = m->peer.length;
	}
	err = sock_sendmsg(socket, &msg);
	return min(err, 0);
}

/* Return: 0; 1: it is to be left out; or -errno. */
static int send_message(struct socket *socket, struct aem_ip_message *m,
			struct aem_ip_message __user *user, u32 left)
{
	int err;

	if (left < sizeof(*m))
		return -EINVAL;
	err = fetch(m, user) ?: check(m, left);
	if (err)
		return err;
	if (m->error)
		return 1;
	err = send_once(socket, m, user->data);
	/* The first time, a full socket did not know that somebody wants room: see send.c. */
	return err == -EAGAIN ? send_once(socket, m, user->data) : err;
}

static long send_all(struct socket *socket, struct aem_ip_send_many *request)
{
	void __user *messages = u64_to_user_ptr(request->messages);
	struct aem_ip_message m __aligned(sizeof(u64));
	u32 sent = 0, n = 0;
	int err = 0;

	for (request->at = 0; request->at < request->bytes; request->at += m.length) {
		err = send_message(socket, &m, messages + request->at,
				   request->bytes - request->at);
		if (err < 0)
			break;
		sent += !err;
		if (++n % AT_A_TIME)
			continue;
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	request->error = err < 0 ? -err : 0;
	return sent;
}

/* AEM_IP_SEND_MANY */
long aem_ip_send_many(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_send_many *request = arg;
	struct aem_ip_event *p;
	struct event_struct *ev;
	long n = -EINVAL;

	ev = aem_event_find(caller, request->id, -1);
	if (!ev)
		return -ENOENT;
	p = aem_event_private(ev);
	if (!request->flags && !request->pad && request->bytes <= AEM_IP_MANY_BYTES &&
	    p->socket->type == SOCK_DGRAM)
		n = send_all(p->socket, request);
	aem_event_put(ev);
	return n;
}
