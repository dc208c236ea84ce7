/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Service "ip": what its files share.
 *
 *	main.c		the table of calls
 *	socket.c	finds and checks sockets, makes events on them
 *	accept.c	connections of a listening socket
 *	data.c		bytes of a stream
 *	exchange.c	the same, answered where they lie
 *	datagram.c	datagrams
 *	room.c		room to send
 *	connect.c	connecting, and its end
 *	send.c		sends
 *	many.c		sends of many datagrams
 *	adopt.c		exchange of versions
 *
 * No file takes a lock of its own. Constructors of one event never overlap; its job may
 * run beside them at any time, and what both touch is read and written atomically.
 */
#ifndef _AEM_IP_IP_H
#define _AEM_IP_IP_H

#include <linux/net.h>
#include <net/sock.h>
#include <uapi/linux/aem_ip.h>
#include <aem/service.h>

struct aem_ip_listener;
struct aem_ip_rest;

/**
 * struct aem_ip_event - the private part of every event of the service
 * @socket:   held by a reference on its file, from before the job is attached until
 *            @release; constant
 * @fd:       the number that it was registered by, which handlers are told; constant
 * @length:   data, datagrams: largest piece; constant
 * @listener: accept: the rest of it; constant
 * @drops:    datagrams: the socket's drops that the handler was told of; the
 *            constructor's
 * @rest:     exchange: of an answer, what the socket did not take; ERR_PTR: why one could not
 *            be sent. The constructor's and destructor's, which never overlap; READ_ONCE()
 * @error:    positive. Connect: its outcome, once @known. Data: an error of the connection that a
 *            send by this event took from the socket, 0: none; READ_ONCE()
 * @known:    connect: the outcome was known at once; constant once committed
 *
 * One lies in each idle connection: it shall stay as small as it is.
 */
struct aem_ip_event {
	struct socket *socket;
#ifdef AEM_SERVICE_OTHER_LAYOUT
	u32 length;
	s32 fd;
#else
	s32 fd;
	u32 length;
#endif
	union {
		struct aem_ip_listener *listener;
		struct aem_ip_rest *rest;
		u32 drops;
		struct {
			s32 error;
			bool known;
		};
	};
};

/**
 * AEM_IP_LAYOUT: Of struct aem_ip_event and what it points to. Whoever changes it counts up
 * here, and teaches adopt.c the way from and to the layouts before, down to AEM_IP_OLDEST.
 */
#ifdef AEM_SERVICE_OTHER_LAYOUT
#define AEM_IP_LAYOUT	2
#else
#define AEM_IP_LAYOUT	1
#endif
/** AEM_IP_OLDEST: The oldest layout that adopt.c knows. */
#define AEM_IP_OLDEST	1

/* Whether a wakeup with this key may be one of @mask; 0 says nothing, so it may. */
static inline bool aem_ip_key_is(unsigned long key, __poll_t mask)
{
	return !key || ((__force __poll_t)key & mask);
}

/* socket.c */
struct socket *aem_ip_socket_get(int fd, int type);
struct event_struct *aem_ip_event_new(const struct aem_caller *caller, u32 call,
				      const struct aem_registration *reg,
				      struct socket *socket, int fd);
void aem_ip_event_release(struct event_struct *ev);
void aem_ip_event_show(struct event_struct *ev, struct seq_file *seq);
int aem_ip_length(u32 *length, u32 limit);
int aem_ip_block(struct aem_delivery *d, size_t size);
bool aem_ip_stream_waits(struct sock *sk);
int aem_ip_copy_address(struct sockaddr_storage *address, u64 user, u32 length);
int aem_ip_check_address(const void *address, u32 length);

/* exchange.c */
int aem_ip_exchange_length(u32 *length, u32 flags);
bool aem_ip_answers(const struct event_struct *ev);

/* adopt.c */
int aem_ip_event_yield(struct event_struct *ev, u32 layout);
int aem_ip_event_adopt(struct event_struct *ev, u32 layout);

/* data.c */
bool aem_ip_stream_connected(const struct sock *sk);
enum aem_verdict aem_ip_data_job(struct event_struct *ev, unsigned long key);
int aem_ip_data_arm(struct event_struct *ev);
int aem_ip_tell_data(struct aem_ip_event *p, struct aem_delivery *d, u32 bytes);
int aem_ip_tell_end(struct aem_ip_event *p, struct aem_delivery *d, u32 error);
u32 aem_ip_end_reason(const struct sock *sk, u32 error);
long aem_ip_data_on(const struct aem_caller *caller, struct aem_ip_socket *request, u32 call);

extern const struct aem_event_ops aem_ip_accept_events;
extern const struct aem_event_ops aem_ip_data_events;
extern const struct aem_event_ops aem_ip_exchange_events;
extern const struct aem_event_ops aem_ip_datagram_events;
extern const struct aem_event_ops aem_ip_datagrams_events;
extern const struct aem_event_ops aem_ip_room_events;
extern const struct aem_event_ops aem_ip_connect_events;

long aem_ip_accept(const struct aem_caller *caller, void *arg);
long aem_ip_data(const struct aem_caller *caller, void *arg);
long aem_ip_exchange(const struct aem_caller *caller, void *arg);
long aem_ip_datagram(const struct aem_caller *caller, void *arg);
long aem_ip_room(const struct aem_caller *caller, void *arg);
long aem_ip_connect(const struct aem_caller *caller, void *arg);
long aem_ip_send(const struct aem_caller *caller, void *arg);
long aem_ip_datagrams(const struct aem_caller *caller, void *arg);
long aem_ip_send_many(const struct aem_caller *caller, void *arg);

#endif /* _AEM_IP_IP_H */
