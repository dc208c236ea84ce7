/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libaem: TCP and UDP over IPv4 and IPv6.
 */
#ifndef AEM_IP_H
#define AEM_IP_H

#include <sys/socket.h>
#include <aem/aem.h>
#include <linux/aem_ip.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * typedef aem_ip_accept_fn - a connection was accepted
 * @aem:    the context
 * @user:   as given to aem_ip_accept()
 * @id:     the listening socket's event
 * @fd:     the new connection, from now on the program's; -1: there is none
 * @peer:   its address, valid during the call
 * @length: bytes of it, 0 if it is not known
 * @data:   id of the new connection's data event; 0: none
 * @error:  0; with a connection: why it has no data event (ENOSPC, EDQUOT, ENOMEM);
 *          without: EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT: one could not be taken
 *          and waits; EINVAL: the socket does not listen any more; ENODEV: the service was
 *          taken away
 */
typedef void (*aem_ip_accept_fn)(struct aem *aem, void *user, aem_id id, int fd,
				 const struct sockaddr *peer, socklen_t length,
				 aem_id data, int error);

/**
 * typedef aem_ip_data_fn - data came, or the stream ended
 * @aem:    the context
 * @user:   as given
 * @id:     the event
 * @fd:     the connection
 * @data:   the bytes; may be changed. Valid during the call unless aem_keep()
 *          keeps them
 * @length: how many; 0: the stream ended, by the peer (@error 0) or otherwise
 * @flags:  AEM_IP_F_END, AEM_IP_F_MORE
 * @error:  0, or why the connection is gone: ECONNRESET ...; ENODEV: the service was
 *          taken away
 *
 * After the end of the stream it is not called again: aem_ip_close() when done.
 */
typedef void (*aem_ip_data_fn)(struct aem *aem, void *user, aem_id id, int fd,
			       void *data, size_t length, unsigned int flags,
			       int error);

/**
 * typedef aem_ip_datagram_fn - a datagram came
 * @aem:         the context
 * @user:        as given
 * @id:          the event
 * @fd:          the socket
 * @data:        the bytes, as in aem_ip_data_fn; NULL with @error
 * @length:      how many; 0 is an empty datagram
 * @from:        the sender, valid as long as @data
 * @from_length: bytes of it, 0 if it is not known
 * @flags:       AEM_IP_F_TRUNCATED, AEM_IP_F_MORE
 * @error:       0, or an ICMP error (ECONNREFUSED ...) without data
 */
typedef void (*aem_ip_datagram_fn)(struct aem *aem, void *user, aem_id id, int fd,
				   void *data, size_t length,
				   const struct sockaddr *from,
				   socklen_t from_length, unsigned int flags,
				   int error);

/**
 * typedef aem_ip_datagrams_fn - datagrams came
 * @aem:   the context
 * @user:  as given
 * @id:    the event
 * @fd:    the socket
 * @first: the first of them, in the order in which they came; aem_ip_next() has the others. They
 *         may be changed, and are valid as aem_ip_data_fn's @data is; NULL with @error
 * @flags: AEM_IP_F_MORE
 * @error: 0; ENODEV: the service was taken away
 *
 * A message with @first->error is an ICMP error (ECONNREFUSED ...) without data.
 */
typedef void (*aem_ip_datagrams_fn)(struct aem *aem, void *user, aem_id id, int fd,
				    struct aem_ip_message *first, unsigned int flags,
				    int error);

/**
 * typedef aem_ip_room_fn - there is room to send again
 * @aem:   the context
 * @user:  as given
 * @id:    the event
 * @fd:    the socket
 * @room:  bytes of room
 * @error: 0, or why there will be none
 */
typedef void (*aem_ip_room_fn)(struct aem *aem, void *user, aem_id id, int fd,
			       size_t room, int error);

/**
 * typedef aem_ip_connect_fn - connecting has ended
 * @aem:   the context
 * @user:  as given
 * @id:    the event; it has ended too
 * @fd:    the socket
 * @error: 0: connected; ECONNREFUSED, ETIMEDOUT ...
 */
typedef void (*aem_ip_connect_fn)(struct aem *aem, void *user, aem_id id, int fd,
				  int error);

/**
 * struct aem_ip_stream - the data event that accepted connections get
 * @handler: its handler
 * @user:    for @handler: the same for all connections; @fd and @id tell which
 * @how:     priority and flags. Not above the priority of the accept event, or
 *           data may come before aem_ip_accept_fn knows of the connection
 * @length:  most bytes handed to the handler at a time, 1 to 65536; 0: 4096
 * @exchange: not 0: it is as by aem_ip_exchange(), and so is @length
 */
struct aem_ip_stream {
	aem_ip_data_fn handler;
	void *user;
	uint32_t how;
	uint32_t length;
	uint32_t exchange;
};

/**
 * aem_ip_accept() - take the connections of a listening socket
 * @aem:       the context
 * @id:        out: the event; may be NULL
 * @fd:        listening TCP socket
 * @how:       priority and flags
 * @stream:    the data event that each connection gets without another call;
 *             NULL: none. Not needed after the call
 * @sockflags: SOCK_NONBLOCK | SOCK_CLOEXEC for the connections' descriptors
 * @handler:   called for each connection
 * @user:      for @handler
 *
 * Return: 0; errors are those of AEM_IP_ACCEPT, and of aem_bind().
 */
int aem_ip_accept(struct aem *aem, aem_id *id, int fd, uint32_t how,
		  const struct aem_ip_stream *stream, int sockflags,
		  aem_ip_accept_fn handler, void *user);

/**
 * aem_ip_data() - be called with the data of a connection
 * @aem:     the context
 * @id:      out: the event; may be NULL
 * @fd:      connected TCP socket
 * @how:     priority and flags
 * @length:  most bytes at a time, 1 to 65536; 0: 4096
 * @handler: called with them
 * @user:    for @handler
 *
 * Return: 0; errors are those of AEM_IP_DATA, and of aem_bind().
 */
int aem_ip_data(struct aem *aem, aem_id *id, int fd, uint32_t how,
		uint32_t length, aem_ip_data_fn handler, void *user);

/**
 * aem_ip_exchange() - be called with the data of a connection, and answer where they lie
 * @aem:     the context
 * @id:      out: the event; may be NULL
 * @fd:      connected TCP socket
 * @how:     priority and flags
 * @length:  most bytes at a time, 1 to AEM_IP_EXCHANGE_MAX; 0: 4080. With 16 bytes more they take a
 *           block of memory, whose size is a power of two; all of it is room for the answer
 * @handler: called with them; may call aem_ip_reply()
 * @user:    for @handler
 *
 * Return: 0; errors are those of AEM_IP_EXCHANGE, and of aem_bind().
 */
int aem_ip_exchange(struct aem *aem, aem_id *id, int fd, uint32_t how,
		    uint32_t length, aem_ip_data_fn handler, void *user);

/**
 * aem_ip_reply_room() - in a handler of aem_ip_exchange(): how much room there is for an answer
 * @aem: the context
 *
 * Return: bytes from the handler's data on, at least the length that was asked for; 0: not in such
 * a handler, or it has no data.
 */
size_t aem_ip_reply_room(struct aem *aem);

/**
 * aem_ip_reply() - in a handler of aem_ip_exchange(): the answer to its data
 * @aem:    the context
 * @answer: the bytes, anywhere in the room that begins with the handler's data; may overlap them
 * @length: how many; 0: none
 * @flags:  AEM_IP_SEND_MORE, AEM_IP_SEND_LAST, AEM_IP_ANSWER_END
 *
 * A note in that memory, and no more: the kernel sends the bytes when it takes the record back, at
 * the latest with the next crossing after the handler. A second call replaces the first. The bytes
 * are the program's to change until the handler returns.
 *
 * Nobody is told of success. What the socket has no room for the kernel keeps, and sends when there
 * is; so no data come before their predecessors' answer has gone. An answer that cannot be sent
 * ends the data: the handler is told why, as it is of a connection that is gone.
 *
 * Between an answer and what the same handler queues there is no order; what is queued after it has
 * returned goes later. A queued send by the event while a part of an answer is left ends in EBUSY.
 *
 * With AEM_IP_ANSWER_END the program may close the descriptor at once, and is not called
 * for this event again unless the answer cannot be sent. A peer that takes none of it holds it for
 * ever: a program that cares ends the event when it has waited long enough.
 *
 * Return: 0; -EINVAL: not in such a handler, no data, @flags, or not in that room.
 */
int aem_ip_reply(struct aem *aem, const void *answer, size_t length, unsigned int flags);

/**
 * aem_ip_datagram() - be called with the datagrams of a socket
 * @aem:     the context
 * @id:      out: the event; may be NULL
 * @fd:      UDP socket
 * @how:     priority and flags
 * @length:  most bytes of a datagram, 1 to AEM_IP_DATAGRAM_MAX; 0: 4096
 * @handler: called with them
 * @user:    for @handler
 *
 * Return: 0; errors are those of AEM_IP_DATAGRAM, and of aem_bind().
 */
int aem_ip_datagram(struct aem *aem, aem_id *id, int fd, uint32_t how,
		    uint32_t length, aem_ip_datagram_fn handler, void *user);

/**
 * aem_ip_datagrams() - be called with the datagrams of a socket, with all that wait at a time
 * @aem:     the context
 * @id:      out: the event; may be NULL
 * @fd:      UDP socket
 * @how:     priority and flags
 * @length:  most bytes of a datagram, 1 to AEM_IP_MESSAGE_MAX; 0: 4096. AEM_IP_MANY of them take
 *           one block of memory, which is the less, the smaller this is
 * @handler: called with them
 * @user:    for @handler
 *
 * Return: 0; errors are those of AEM_IP_DATAGRAMS, and of aem_bind().
 */
int aem_ip_datagrams(struct aem *aem, aem_id *id, int fd, uint32_t how,
		     uint32_t length, aem_ip_datagrams_fn handler, void *user);

/** aem_ip_next() - the message behind one of a handler's; NULL: that was the last. */
static inline struct aem_ip_message *aem_ip_next(struct aem_ip_message *message)
{
	if (!(message->flags & AEM_IP_F_NEXT))
		return NULL;
	return (struct aem_ip_message *)((char *)message + message->length);
}

/**
 * aem_ip_room() - be called when there is room to send
 * @aem:     the context
 * @id:      out: the event; may be NULL
 * @fd:      connected TCP socket, or UDP socket
 * @how:     priority and flags
 * @handler: called once at the start if there is room, and whenever there is again
 *           after there was none
 * @user:    for @handler
 *
 * Return: 0; errors are those of AEM_IP_ROOM, and of aem_bind().
 */
int aem_ip_room(struct aem *aem, aem_id *id, int fd, uint32_t how,
		aem_ip_room_fn handler, void *user);

/**
 * aem_ip_connect() - connect, and be called at the end of it
 * @aem:     the context
 * @id:      out: the event; may be NULL
 * @fd:      TCP socket
 * @peer:    address to connect to; NULL: the program has called connect(), and it was
 *           EINPROGRESS
 * @length:  its bytes; 0 with NULL
 * @how:     priority and flags
 * @handler: called once
 * @user:    for @handler
 *
 * Return: 0; errors are those of AEM_IP_CONNECT, and of aem_bind().
 */
int aem_ip_connect(struct aem *aem, aem_id *id, int fd,
		   const struct sockaddr *peer, socklen_t length, uint32_t how,
		   aem_ip_connect_fn handler, void *user);

/**
 * typedef aem_ip_sent_fn - what became of a queued send
 * @aem:   the context
 * @user:  as given
 * @id:    the event that it was sent by
 * @rest:  the bytes that were not taken; in the caller's buffer with
 *         AEM_SEND_BORROW, otherwise valid during the call only
 * @left:  how many
 * @error: 0: all bytes were taken; EAGAIN: the socket is full, use aem_ip_room() for
 *         the rest; else why nothing can be sent: EPIPE, ECONNRESET ...
 *
 * Runs as aem_done_fn does: in the order of the calls, all events held back, in
 * whatever hands the queue over, aem_ip_send() and aem_queue() included.
 */
typedef void (*aem_ip_sent_fn)(struct aem *aem, void *user, aem_id id,
			       const void *rest, size_t left, int error);

/** AEM_SEND_BORROW: Do not copy: the caller's buffer stays as it is until @sent was called. */
#define AEM_SEND_BORROW		(1U << 16)
/** AEM_SEND_QUIET: Call @sent only if bytes were left. */
#define AEM_SEND_QUIET		(1U << 17)

/**
 * aem_ip_send() - queue bytes; they are sent with the next crossing
 * @aem:    the context
 * @id:     any event on the socket
 * @data:   the bytes
 * @length: how many
 * @flags:  AEM_IP_SEND_MORE, AEM_IP_SEND_LAST, AEM_SEND_BORROW, AEM_SEND_QUIET
 * @sent:   told what became of it; NULL: nobody is, and what a full socket does not take
 *          is lost. Without AEM_SEND_QUIET called exactly once for each send that
 *          returned 0
 * @user:   for @sent
 *
 * Who owns the bytes: without AEM_SEND_BORROW they are copied and the buffer is
 * the caller's again when aem_ip_send() returns. What does not fit into the
 * queue's memory is sent at once, without a copy, after the calls queued before, and
 * the callbacks of all these run before aem_ip_send() returns. With
 * AEM_SEND_BORROW the buffer must not be changed or freed until @sent was called or
 * aem_flush() returned 0.
 *
 * Sends on one socket keep their order. When one was short, those queued behind it
 * are made nevertheless: queue the next after @sent if a gap would matter
 * and the socket may be full.
 *
 * Return: 0; as aem_queue().
 */
int aem_ip_send(struct aem *aem, aem_id id, const void *data, size_t length,
		unsigned int flags, aem_ip_sent_fn sent, void *user);

/**
 * aem_ip_send_to() - aem_ip_send() for a datagram to some address
 * @aem:       the context
 * @id:        any event on the socket
 * @data:      the bytes
 * @length:    how many
 * @to:        the receiver, copied
 * @to_length: its bytes, at most sizeof(struct sockaddr_in6)
 * @flags:     as in aem_ip_send()
 * @sent:      as in aem_ip_send()
 * @user:      for @sent
 *
 * Return: 0; -EINVAL: @to_length; as aem_queue().
 */
int aem_ip_send_to(struct aem *aem, aem_id id, const void *data, size_t length,
		   const struct sockaddr *to, socklen_t to_length,
		   unsigned int flags, aem_ip_sent_fn sent, void *user);

/**
 * aem_ip_send_now() - send at once, in a crossing of its own
 * @aem:       the context
 * @id:        any event on the socket
 * @data:      the bytes
 * @length:    how many
 * @to:        datagrams: the receiver; NULL: the connected one
 * @to_length: its bytes
 * @flags:     AEM_IP_SEND_MORE, AEM_IP_SEND_LAST
 *
 * Overtakes what is queued: aem_flush() first where order matters. Any thread.
 *
 * Return: bytes taken, which may be fewer than @length; -EAGAIN: the socket is
 * full; -errno of AEM_IP_SEND.
 */
int64_t aem_ip_send_now(struct aem *aem, aem_id id, const void *data,
			size_t length, const struct sockaddr *to,
			socklen_t to_length, unsigned int flags);

/**
 * typedef aem_ip_unsent_fn - a message was not sent
 * @aem:     the context
 * @user:    as given
 * @id:      the event that it was to be sent by
 * @message: which; valid during the call
 * @error:   why: EAGAIN (the socket is full), ECONNREFUSED, EMSGSIZE ...
 *
 * Runs as aem_done_fn does, but aem_run() may sleep first, until the next event: aem_flush() in the
 * handler where that is too late.
 */
typedef void (*aem_ip_unsent_fn)(struct aem *aem, void *user, aem_id id,
				 const struct aem_ip_message *message, int error);

/**
 * aem_ip_answer() - in a handler of aem_ip_datagrams(): the next crossing sends the messages back
 * @aem:    the context
 * @unsent: called for each message that could not be sent; NULL: nobody is
 * @user:   for @unsent
 *
 * Each message goes to its @peer, with its @bytes of @data. Before this call the handler may change
 * all three, and @error: a message with an @error is left out. @bytes must not grow beyond what
 * came. None is copied: the memory that they lie in is kept until they are sent, and given back
 * then; so nothing in it may be changed after this call.
 *
 * Return: 0; -EINVAL: not in such a handler, or it has answered already, or called aem_keep(); as
 * aem_queue().
 */
int aem_ip_answer(struct aem *aem, aem_ip_unsent_fn unsent, void *user);

/**
 * aem_ip_send_many() - send many datagrams at once, in a crossing of its own
 * @aem:      the context
 * @id:       any event on the socket
 * @messages: the first; the others follow, see struct aem_ip_message
 * @bytes:    of all of them, at most AEM_IP_MANY_BYTES
 * @done:     out: bytes of those that are done with; may be NULL
 * @error:    out: why the message at @done was not sent, 0: all were; may be NULL
 *
 * Overtakes what is queued: aem_flush() first where order matters. Any thread.
 *
 * Return: how many were sent; -errno of AEM_IP_SEND_MANY.
 */
int64_t aem_ip_send_many(struct aem *aem, aem_id id, const struct aem_ip_message *messages,
			 size_t bytes, size_t *done, int *error);

/**
 * aem_ip_close() - be done with a socket
 * @aem: the context
 * @ids: its events; zeros are skipped
 * @n:   how many
 * @fd:  its descriptor, closed; -1: leave it open
 *
 * Makes the queued calls, so that what was sent before goes out first, unregisters
 * the events and closes the descriptor. No handler of these events starts after
 * it returned. Their callbacks of queued sends have run.
 *
 * Return: 0, or the first -errno; the rest is done nevertheless.
 */
int aem_ip_close(struct aem *aem, const aem_id *ids, unsigned int n, int fd);

#ifdef __cplusplus
}
#endif

#endif /* AEM_IP_H */
