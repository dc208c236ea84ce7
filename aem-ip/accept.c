// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of a listening socket.
 *
 * Whatever a connection needs (memory for its address, a descriptor, a file, its data event) is
 * made before it leaves the socket's queue: what cannot be had leaves it there, to be tried
 * again. A shortage is told once; then it is tried again when a further connection
 * comes, when the event is started, and after a pause that doubles, so that neither the
 * program nor the kernel runs in circles while descriptors are short.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/inet_connection_sock.h>
#include <aem/compat/socket.h>
#include "ip.h"

#define PAUSE_FIRST (HZ / 100 ?: 1)
#define PAUSE_LAST HZ

/**
 * struct aem_ip_listener - the rest of an accept event
 * @event:     the event
 * @data:      template of data events, as given
 * @sockflags: of new descriptors
 * @pause:     jiffies until @retry, 0: no shortage; the constructor's
 * @retry:     activates @event after a shortage; cancelled before @event goes
 */
struct aem_ip_listener {
	struct event_struct *event;
	struct aem_ip_template data;
	u32 sockflags;
	unsigned long pause;
	struct delayed_work retry;
};

/**
 * struct connection - a connection in the making
 * @fd:     its descriptor, empty so far
 * @file:   its file
 * @socket: its socket, without a connection so far
 * @data:   its data event, or NULL
 */
struct connection {
	int fd;
	struct file *file;
	struct socket *socket;
	struct event_struct *data;
};

static enum aem_verdict accept_job(struct event_struct *ev, unsigned long key)
{
	return aem_ip_key_is(key, EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR) ?
		AEM_ACTIVATE : AEM_SLEEP;
}

/* A socket that does not listen any more has something to tell, too. */
static bool waits(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) != TCP_LISTEN ||
	       !reqsk_queue_empty(&inet_csk(sk)->icsk_accept_queue);
}

static int accept_arm(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	/* The event counts as started before the socket is looked at: see sk_has_sleeper(). */
	smp_mb();
	return waits(p->socket->sk) ? AEM_READY : 0;
}

static void retry(struct work_struct *work)
{
	struct aem_ip_listener *listener =
		container_of(to_delayed_work(work), struct aem_ip_listener, retry);

	aem_event_activate(listener->event);
}

/* A file of a socket like @parent, for accept() to put a connection in. */
static int make_file(struct connection *c, struct socket *parent, u32 sockflags)
{
	c->socket = sock_alloc();
	if (!c->socket)
		return -ENFILE;
	c->socket->type = parent->type;
	c->socket->ops = READ_ONCE(parent->ops);
	__module_get(c->socket->ops->owner);
	c->file = sock_alloc_file(c->socket, sockflags & SOCK_NONBLOCK ? O_NONBLOCK : 0,
				  parent->sk->sk_prot_creator->name);
	return PTR_ERR_OR_ZERO(c->file);
}

static struct aem_registration registration_of(const struct aem_ip_template *t)
{
	return (struct aem_registration) {
		.handler = t->handler, .cookie = t->cookie, .flags = t->flags, .prio = t->prio,
	};
}

static struct event_struct *make_data(const struct aem_caller *caller,
				      const struct aem_ip_template *t)
{
	struct aem_registration reg = registration_of(t);

	return t->handler ? aem_event_create(caller, t->call ?: AEM_IP_DATA, &reg) : NULL;
}

static int prepare(struct connection *c, struct aem_ip_event *p, const struct aem_caller *caller)
{
	struct aem_ip_listener *listener = p->listener;
	int err;

	c->fd = get_unused_fd_flags(listener->sockflags & SOCK_CLOEXEC ? O_CLOEXEC : 0);
	if (c->fd < 0)
		return c->fd;
	err = make_file(c, p->socket, listener->sockflags);
	if (err)
		goto put_fd;
	c->data = make_data(caller, &listener->data);
	err = PTR_ERR_OR_ZERO(c->data);
	if (err)
		goto put_file;
	return 0;
put_file:
	fput(c->file);
put_fd:
	put_unused_fd(c->fd);
	return err;
}

static void discard(struct connection *c)
{
	if (c->data)
		aem_event_abort(c->data);
	fput(c->file);
	put_unused_fd(c->fd);
}

static void set_peer(const struct aem_block *block, struct socket *socket)
{
	struct aem_ip_address *peer = block->address;
	struct sockaddr_storage address;
	int length;

	/* 2: the connection may be gone already, its peer is known nevertheless. */
	length = socket->ops->getname(socket, (struct sockaddr *)&address, 2);
	length = clamp_t(int, length, 0, sizeof(peer->address));
	peer->length = length;
	peer->pad = 0;
	memcpy(peer->address, &address, length);
}

static int attach_data(struct connection *c, u32 length)
{
	struct aem_ip_event *p = aem_event_private(c->data);
	int mask;

	p->socket = c->socket;
	get_file(c->file);
	p->fd = c->fd;
	p->length = length;
	mask = aem_job_attach(c->data, c->file);
	if (mask < 0)
		aem_event_abort(c->data);
	return min(mask, 0);
}

/*
 * From fd_install() on, the connection is the user's, who may close it at any moment. A data
 * event that cannot be committed leaves a connection without one.
 */
static void hand_over(struct connection *c, struct event_struct *ev, struct aem_delivery *d,
		      u32 length)
{
	int err = 0;
	u64 id = 0;

	if (c->data)
		err = attach_data(c, length);
	fd_install(c->fd, c->file);
	if (c->data && !err)
		err = aem_event_commit(c->data, ev, &id);
	d->word[0] = c->fd;
	d->word[1] = -err;
	d->arg[1] = d->block.offset;
	d->arg[2] = err ? 0 : id;
}

static int take(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);
	struct connection c;
	int err;

	err = prepare(&c, p, &d->caller);
	if (err)
		return err;
	err = aem_sock_accept(p->socket, c.socket, O_NONBLOCK);
	if (err) {
		discard(&c);
		return err;
	}
	set_peer(&d->block, c.socket);
	hand_over(&c, ev, d, p->listener->data.length);
	return 0;
}

/* The connection, if there is one, is still in the queue. */
static int tell_failure(struct aem_ip_event *p, struct aem_delivery *d, int err)
{
	struct aem_ip_listener *listener = p->listener;
	bool told = listener->pause;

	d->word[0] = -1;
	d->word[1] = -err;
	aem_vmt_free(d->caller.proc, &d->block);
	if (READ_ONCE(p->socket->sk->sk_state) != TCP_LISTEN) {
		d->stop = true;
		return 0;
	}
	listener->pause = clamp_t(unsigned long, listener->pause * 2, PAUSE_FIRST, PAUSE_LAST);
	schedule_delayed_work(&listener->retry, listener->pause);
	return told ? -EAGAIN : 0;
}

static int accept_construct(struct event_struct *ev, struct aem_delivery *d)
{
	struct aem_ip_event *p = aem_event_private(ev);
	int err;

	if (!waits(p->socket->sk))
		return -EAGAIN;
	err = aem_ip_block(d, sizeof(struct aem_ip_address));
	if (err)
		return err;
	err = take(ev, d);
	if (err == -EAGAIN)
		return err;
	d->count = 1;
	if (err)
		return tell_failure(p, d, err);
	p->listener->pause = 0;
	return waits(p->socket->sk) ? AEM_MORE : 0;
}

static void accept_release(struct event_struct *ev)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (p->listener) {
		cancel_delayed_work_sync(&p->listener->retry);
		kfree(p->listener);
	}
	aem_ip_event_release(ev);
}

static int accept_yield(struct event_struct *ev, u32 layout)
{
	struct aem_ip_event *p = aem_event_private(ev);

	if (p->listener)
		cancel_delayed_work_sync(&p->listener->retry);
	return aem_ip_event_yield(ev, layout);
}

/* After a shortage it is tried again at once: whether the pause was over is not known. */
static int accept_adopt(struct event_struct *ev, u32 layout)
{
	struct aem_ip_event *p = aem_event_private(ev);
	int err = aem_ip_event_adopt(ev, layout);

	if (err || !p->listener)
		return err;
	INIT_DELAYED_WORK(&p->listener->retry, retry);
	if (p->listener->pause)
		schedule_delayed_work(&p->listener->retry, 0);
	return 0;
}

const struct aem_event_ops aem_ip_accept_events = {
	.job = accept_job,
	.arm = accept_arm,
	.construct = accept_construct,
	.release = accept_release,
	.show = aem_ip_event_show,
	.yield = accept_yield,
	.adopt = accept_adopt,
	.multi = true,
};

static int check_length(struct aem_ip_template *t)
{
	switch (t->call) {
	case 0:
		return aem_ip_length(&t->length, AEM_BLOCK_MAX);
	case AEM_IP_EXCHANGE:
		return aem_ip_exchange_length(&t->length, t->flags);
	default:
		return -EINVAL;
	}
}

/* The core knows best which flags and priorities are good: make one and drop it. */
static int check_template(const struct aem_caller *caller, struct aem_ip_template *t)
{
	struct event_struct *trial;

	if (check_length(t))
		return -EINVAL;
	if (!t->handler)
		return 0;
	trial = make_data(caller, t);
	if (IS_ERR(trial))
		return PTR_ERR(trial);
	aem_event_abort(trial);
	return 0;
}

static struct aem_ip_listener *new_listener(struct event_struct *ev,
					    const struct aem_ip_accept *request)
{
	struct aem_ip_listener *listener;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	if (!listener)
		return NULL;
	listener->event = ev;
	listener->data = request->data;
	listener->sockflags = request->sockflags;
	INIT_DELAYED_WORK(&listener->retry, retry);
	return listener;
}

static long accept_on(const struct aem_caller *caller, struct aem_ip_accept *request,
		      struct socket *socket)
{
	struct event_struct *ev;
	struct aem_ip_event *p;

	ev = aem_ip_event_new(caller, AEM_IP_ACCEPT, &request->reg, socket, request->fd);
	if (IS_ERR(ev))
		return PTR_ERR(ev);
	p = aem_event_private(ev);
	p->listener = new_listener(ev, request);
	if (!p->listener) {
		aem_event_abort(ev);
		return -ENOMEM;
	}
	return aem_event_commit(ev, NULL, &request->reg.id);
}

/* AEM_IP_ACCEPT */
long aem_ip_accept(const struct aem_caller *caller, void *arg)
{
	struct aem_ip_accept *request = arg;
	struct socket *socket;
	int err;

	if (request->flags || request->sockflags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	err = check_template(caller, &request->data);
	if (err)
		return err;
	socket = aem_ip_socket_get(request->fd, SOCK_STREAM);
	if (IS_ERR(socket))
		return PTR_ERR(socket);
	if (READ_ONCE(socket->sk->sk_state) != TCP_LISTEN) {
		sockfd_put(socket);
		return -EINVAL;
	}
	return accept_on(caller, request, socket);
}
