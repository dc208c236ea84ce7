/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aem-ip: TCP and UDP over IPv4 and IPv6. Service "ip", version 1.
 */
#ifndef _UAPI_LINUX_AEM_IP_H
#define _UAPI_LINUX_AEM_IP_H

#include <linux/aem.h>

#define AEM_IP_SERVICE		"ip"
#define AEM_IP_VERSION		1

/**
 * enum aem_ip_call - pseudo-system calls, counted from the range's base
 * @AEM_IP_ACCEPT:   struct aem_ip_accept; registers an event on a listening socket
 * @AEM_IP_DATA:     struct aem_ip_socket; registers for the data of a stream
 * @AEM_IP_DATAGRAM: struct aem_ip_socket; registers for datagrams
 * @AEM_IP_ROOM:     struct aem_ip_socket; registers for room to send
 * @AEM_IP_CONNECT:  struct aem_ip_connect; starts to connect, registers for its end
 * @AEM_IP_SEND:     struct aem_ip_send; sends, never blocks
 * @AEM_IP_DATAGRAMS: struct aem_ip_socket; registers for datagrams, many in one record
 * @AEM_IP_SEND_MANY: struct aem_ip_send_many; sends many datagrams, never blocks
 * @AEM_IP_EXCHANGE: struct aem_ip_socket; registers for the data of a stream, which are answered
 *                   where they lie
 * @AEM_IP_CALLS:    how many there are
 *
 * An event holds its socket: close() of the descriptor alone does not end the
 * connection while an event is registered on it. AEM_EVENT_SHUTDOWN lets go.
 * Events name their descriptor by the number that it had when they were registered.
 */
enum aem_ip_call {
	AEM_IP_ACCEPT		= 0,
	AEM_IP_DATA		= 1,
	AEM_IP_DATAGRAM		= 2,
	AEM_IP_ROOM		= 3,
	AEM_IP_CONNECT		= 4,
	AEM_IP_SEND		= 5,
	AEM_IP_DATAGRAMS	= 6,
	AEM_IP_SEND_MANY	= 7,
	AEM_IP_EXCHANGE		= 8,
	AEM_IP_CALLS
};

/** AEM_IP_LENGTH: Largest piece of data that is handed over, unless asked otherwise. */
#define AEM_IP_LENGTH		4096
/** AEM_IP_DATAGRAM_MAX: The largest @length of datagrams: with its sender it fills a block. */
#define AEM_IP_DATAGRAM_MAX	65496
/** AEM_IP_MESSAGE_MAX: The largest @length of datagrams, many in one record: likewise. */
#define AEM_IP_MESSAGE_MAX	65480
/** AEM_IP_EXCHANGE_MAX: The largest @length of an exchange: with its answer it fills a block. */
#define AEM_IP_EXCHANGE_MAX	65520
/** AEM_IP_MANY: Datagrams in one record, at most. */
#define AEM_IP_MANY		64
/** AEM_IP_MANY_BYTES: Bytes of messages that one call sends, at most. */
#define AEM_IP_MANY_BYTES	65536

/**
 * struct aem_ip_socket - register for the data, the datagrams or the room of a
 *                        socket
 * @size:   sizeof(struct aem_ip_socket)
 * @fd:     the socket; TCP or UDP, AF_INET or AF_INET6
 * @reg:    handler, cookie, flags, priority; out: id
 * @length: largest piece to hand to the handler: data 1 to 65536 bytes, datagrams 1 to
 *          AEM_IP_DATAGRAM_MAX; 0: AEM_IP_LENGTH. Exchange: 1 to AEM_IP_EXCHANGE_MAX; 0: what a
 *          block of AEM_IP_LENGTH holds. Room: 0
 * @flags:  0
 *
 * Arguments of the handlers (word[] is arg[] seen as __u32[6]):
 *
 * data: word[0] fd, word[1] errno (0 with data and at the end of the stream,
 * else why the connection is gone, ECONNRESET for instance), arg[1] offset of the
 * block in the vmtable, word[4] bytes (0: end of stream or error), word[5]
 * AEM_IP_F_*. What came before the end or the error is handed over first. At
 * the end of the stream and on an error the event stops; the program
 * unregisters it. A socket tells an error once: if another call got it,
 * the handler is told ECONNRESET.
 *
 * exchange: as data, but the block begins with a struct aem_ip_answer, and the data follow it. What
 * the handler leaves there is sent when the record is taken back. EVF_ONESHOT is refused (EINVAL).
 *
 * datagrams: word[0] fd, word[1] errno (an ICMP error, ECONNREFUSED for instance:
 * no data then, the event goes on), arg[1] offset of the block: first a struct
 * aem_ip_address (the sender), then the data, word[4] bytes of data, word[5]
 * AEM_IP_F_* (TRUNCATED: the datagram was longer than @length). An empty datagram is
 * one, with 0 bytes. One record per datagram; its @lost says how many the
 * socket has dropped since the last one, for lack of room in its buffer.
 *
 * datagrams, many in one record: word[0] fd, word[1] how many messages, arg[1] offset of the
 * block: struct aem_ip_message one after the other, word[4] bytes of all of them, word[5]
 * AEM_IP_F_MORE or 0. @length is 1 to AEM_IP_MESSAGE_MAX. What waits in the socket when the event
 * has its turn is one record, in the order in which it came: at most AEM_IP_MANY messages, and
 * as many as a block of AEM_IP_MANY of @length holds, or the largest there is; fewer if the vmtable
 * has no such block, but one that holds @length. An error of the
 * socket is a message without data. The record's @count is how many they are, its @lost as above.
 *
 * room: word[0] fd, word[1] errno, arg[1] bytes of room. An edge: runs when the
 * socket becomes writable after a send found it full, and once at the start if it
 * is. When a stream takes no more (reset, or shut down) errno says why and the
 * event stops. The error stays with the socket.
 *
 * Errors: EBADF, ENOTSOCK, EINVAL, EPROTONOSUPPORT (not such a socket),
 * ENOTCONN (data or room of a socket that is not connected), those of the registration.
 */
struct aem_ip_socket {
	__u32 size;
	__s32 fd;
	struct aem_registration reg;
	__u32 length;
	__u32 flags;
};

/**
 * struct aem_ip_template - the data event that accepted connections get
 * @handler: of the data event; 0: no data event is registered
 * @cookie:  of the data event
 * @flags:   EVF_* of the data event
 * @prio:    of the data event
 * @length:  as in struct aem_ip_socket
 * @call:    AEM_IP_EXCHANGE: it is registered as by that; 0: as by AEM_IP_DATA
 */
struct aem_ip_template {
	__aligned_u64 handler;
	__aligned_u64 cookie;
	__u32 flags;
	__u32 prio;
	__u32 length;
	__u32 call;
};

/**
 * struct aem_ip_accept - register for the connections of a listening socket
 * @size:     sizeof(struct aem_ip_accept)
 * @fd:       the listening TCP socket
 * @reg:      handler, cookie, flags, priority; out: id
 * @data:     template of the data event for accepted connections
 * @sockflags: SOCK_NONBLOCK | SOCK_CLOEXEC for the new descriptors
 * @flags:    0
 *
 * One record per connection. Handler's arguments: word[0] the new descriptor, in
 * the table of the thread that entered the kernel, word[1] errno, arg[1] offset of
 * a block with struct aem_ip_address (the peer), arg[2] id of the data event or 0.
 *
 * If a connection cannot be taken, word[0] is -1, word[1] says why (EMFILE, ENFILE,
 * ENOMEM, ENOSPC, EDQUOT) and there is no block. The connection stays in
 * the queue. The handler is told once per shortage; it is tried again when
 * another connection comes, when the event is started, and otherwise
 * after 10 ms, 20, and so on up to a second.
 * EINVAL: the socket does not listen any more; the event stops.
 * An errno beside a descriptor: the connection was taken, but has no data event.
 *
 * A record that AEM_EVENT_SHUTDOWN cancels leaves its descriptor open: to lose
 * none, stop the event, take what is delivered, then shut it down.
 *
 * Errors: EBADF, ENOTSOCK, EPROTONOSUPPORT, EINVAL (not listening, bad
 * template), those of the registration.
 */
struct aem_ip_accept {
	__u32 size;
	__s32 fd;
	struct aem_registration reg;
	struct aem_ip_template data;
	__u32 sockflags;
	__u32 flags;
};

/**
 * struct aem_ip_connect - connect, and register for the end of it
 * @size:    sizeof(struct aem_ip_connect)
 * @fd:      a TCP socket
 * @reg:     handler, cookie, flags (EVF_ONESHOT is implied), priority; out: id
 * @address: struct sockaddr_in or sockaddr_in6 of the peer; 0: the program has called
 *           connect(2) itself, and it was EINPROGRESS
 * @length:  its bytes
 * @pad:     0
 *
 * Handler's arguments: word[0] fd, word[1] 0 when connected, else errno
 * (ECONNREFUSED, ETIMEDOUT ...).
 * Errors: EBADF, ENOTSOCK, EPROTONOSUPPORT, EINVAL, EFAULT, EISCONN, EALREADY,
 * EAFNOSUPPORT, ENOTCONN (no @address, and no connect(2) under way), EACCES (the
 * module parameter "connect" is off), those of the registration. An answer of the
 * network that is known at once comes to the handler too.
 */
struct aem_ip_connect {
	__u32 size;
	__s32 fd;
	struct aem_registration reg;
	__aligned_u64 address;
	__u32 length;
	__u32 pad;
};

/**
 * struct aem_ip_send - send on a socket of an event, without blocking
 * @size:    sizeof(struct aem_ip_send)
 * @flags:   AEM_IP_SEND_*
 * @id:      any event on the socket
 * @data:    address of the bytes
 * @length:  how many
 * @address: datagrams: struct sockaddr_in or sockaddr_in6 of the receiver; 0: the
 *           connected one
 * @addrlen: its bytes
 * @pad:     0
 *
 * An @address is refused on a stream, AEM_IP_SEND_LAST on datagrams.
 * Result: bytes taken (fewer than @length when the socket is full: register for
 * room), or EAGAIN, EPIPE (no SIGPIPE is sent), ECONNRESET, EMSGSIZE, ENOENT, EFAULT,
 * EINVAL, ENOTCONN, EDESTADDRREQ, EBUSY (by an exchange of which an answer is on its way still)
 * and what else send(2) may say.
 */
struct aem_ip_send {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 data;
	__aligned_u64 length;
	__aligned_u64 address;
	__u32 addrlen;
	__u32 pad;
};

/** AEM_IP_SEND_MORE: More follows at once (MSG_MORE). */
#define AEM_IP_SEND_MORE	(1U << 0)
/** AEM_IP_SEND_LAST: Shut the sending side down after these bytes, if all were taken. */
#define AEM_IP_SEND_LAST	(1U << 1)

/** AEM_IP_ANSWER_END: Of an answer: like AEM_IP_SEND_LAST, and the event ends. */
#define AEM_IP_ANSWER_END	(1U << 2)

/**
 * struct aem_ip_answer - how the block of an exchange begins: what is to be sent back
 * @at:    where the answer begins, counted from the end of this struct
 * @bytes: of the answer; 0: there is none
 * @flags: AEM_IP_SEND_MORE, AEM_IP_SEND_LAST, AEM_IP_ANSWER_END
 * @room:  out: bytes of the block behind this struct, at least the @length that was asked for.
 *         The data lie at their beginning; data and answer may overlap
 *
 * All but @room come as 0. The answer is sent when AEM_IOC_ENTER takes the record back: before
 * the calls of that crossing, and after those that were made while the handler ran. What the
 * socket has no room for is copied, and goes when there is some; until then nothing more is read
 * from the connection, no other answer can be made, and AEM_IP_SEND by the event is refused
 * (EBUSY). A stopped event goes on with it when it is started.
 *
 * An answer that cannot be sent (EPIPE, ECONNRESET ...; ENOMEM: there was no memory for the copy;
 * EINVAL: @at, @bytes or @flags are wrong, and nothing was sent) is told as the end of the data is:
 * word[1] says why, and the event stops. What came before is handed over first.
 *
 * With AEM_IP_SEND_LAST the sending side is shut down behind the answer, with AEM_IP_ANSWER_END the
 * event is unregistered as well, both not before all of it was taken; @bytes may be 0 then. The
 * program may have closed the descriptor by then. If the event is unregistered otherwise while a
 * part of an answer is left, the connection is reset when it is closed.
 */
struct aem_ip_answer {
	__u32 at;
	__u32 bytes;
	__u32 flags;
	__u32 room;
};

/**
 * struct aem_ip_send_many - send many datagrams, each to some address, without blocking
 * @size:     sizeof(struct aem_ip_send_many)
 * @flags:    0
 * @id:       any event on the socket, UDP
 * @messages: address of the first struct aem_ip_message; the others follow, each as far from the
 *            one before as that one's @length says
 * @bytes:    of all messages, at most AEM_IP_MANY_BYTES
 * @at:       out: bytes of the messages that are done with
 * @error:    out: errno of the message at @at, 0: there is none
 * @pad:      0
 *
 * The messages of a record can be sent as they are: then each goes to where it came from, with
 * whatever the handler has made of its data, @bytes and address. Those whose @error is not 0 are
 * passed over. It ends with the first that cannot be sent, and those behind it are not looked at:
 * EAGAIN (the socket is full), EMSGSIZE, EDESTADDRREQ, EINVAL (its @length, @bytes or address
 * is wrong), EFAULT, ECONNREFUSED (told of an earlier one) and what else send(2) may say.
 *
 * Result: how many were sent; 0 and @error, if it was the first that could not be. Errors: ENOENT,
 * EINVAL (@flags, @pad, @bytes, a stream); nothing was sent.
 */
struct aem_ip_send_many {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 messages;
	__u32 bytes;
	__u32 at;
	__u32 error;
	__u32 pad;
};

/**
 * struct aem_ip_address - an address in a block
 * @length: bytes of @address in use, 0 if it is not known
 * @pad:    0
 * @address: struct sockaddr_in or struct sockaddr_in6
 */
struct aem_ip_address {
	__u32 length;
	__u32 pad;
	__u8 address[32];
};

/**
 * struct aem_ip_message - a datagram among others
 * @length: bytes from the start of this message to the start of the next, which is behind @data;
 *          a multiple of 8
 * @bytes:  of @data
 * @flags:  AEM_IP_F_TRUNCATED, AEM_IP_F_NEXT; of one that is sent, not looked at
 * @error:  errno: an ICMP error, and there is no data; of one that is sent, not 0: leave it out
 * @peer:   who sent it, or shall get it; its @length is 0: not known, or who the socket is
 *          connected to
 * @data:   the bytes
 */
struct aem_ip_message {
	__u32 length;
	__u32 bytes;
	__u32 flags;
	__u32 error;
	struct aem_ip_address peer;

	__extension__ __u8 data[];
};

/** AEM_IP_F_END: The peer has closed its side; the stream ends here. */
#define AEM_IP_F_END		(1U << 0)
/** AEM_IP_F_TRUNCATED: The datagram was longer than the block. */
#define AEM_IP_F_TRUNCATED	(1U << 1)
/** AEM_IP_F_MORE: More data waits already and comes with the next record. */
#define AEM_IP_F_MORE		(1U << 2)
/** AEM_IP_F_NEXT: Of a message: another one follows in the same block. */
#define AEM_IP_F_NEXT		(1U << 3)

#endif /* _UAPI_LINUX_AEM_IP_H */
