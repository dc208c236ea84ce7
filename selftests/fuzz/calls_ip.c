// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the service "ip".
 */
#include <linux/aem_ip.h>
#include <sys/socket.h>
#include "describe.h"

static const struct field accept_fields[] = {
	SIZE(struct aem_ip_accept),
	FIELD(struct aem_ip_accept, fd, WANT, RES_LISTENER, 0),
	REGISTRATION(struct aem_ip_accept),
	FIELD(struct aem_ip_accept, data.handler, NUMBER, 0, 2),
	FIELD(struct aem_ip_accept, data.flags, FLAGS, EVF_START,
	      EVF_START | EVF_SAFEPOINT | EVF_ONESHOT),
	FIELD(struct aem_ip_accept, data.prio, NUMBER, 0, 31),
	FIELD(struct aem_ip_accept, data.length, NUMBER, 0, 65536),
	FIELD(struct aem_ip_accept, data.call, FLAGS, 0, AEM_IP_EXCHANGE),
	FIELD(struct aem_ip_accept, sockflags, FLAGS, 0, SOCK_NONBLOCK | SOCK_CLOEXEC),
	FIELD(struct aem_ip_accept, flags, ZERO, 0, 0),
};

#define SOCKET_CALL(_name, _resources, _length)					\
	static const struct field _name[] = {						\
		SIZE(struct aem_ip_socket),						\
		FIELD(struct aem_ip_socket, fd, WANT, _resources, 0),			\
		REGISTRATION(struct aem_ip_socket),					\
		FIELD(struct aem_ip_socket, length, NUMBER, 0, _length),		\
		FIELD(struct aem_ip_socket, flags, ZERO, 0, 0),				\
	}

SOCKET_CALL(data, RES_STREAM, 65536);
SOCKET_CALL(exchange, RES_STREAM, AEM_IP_EXCHANGE_MAX);
SOCKET_CALL(datagram, RES_DATAGRAM, AEM_IP_DATAGRAM_MAX);
SOCKET_CALL(datagrams, RES_DATAGRAM, AEM_IP_MESSAGE_MAX);
SOCKET_CALL(room, RES_STREAM | RES_DATAGRAM, 0);

static const struct field connect_fields[] = {
	SIZE(struct aem_ip_connect),
	FIELD(struct aem_ip_connect, fd, WANT, RES_FRESH, 0),
	REGISTRATION(struct aem_ip_connect),
	FIELD(struct aem_ip_connect, address, ADDRESS, RES_LISTENER, 0),
	FIELD(struct aem_ip_connect, length, NUMBER, 16, 28),
	FIELD(struct aem_ip_connect, pad, ZERO, 0, 0),
};

static const struct field send_fields[] = {
	SIZE(struct aem_ip_send),
	FIELD(struct aem_ip_send, flags, FLAGS, 0, AEM_IP_SEND_MORE | AEM_IP_SEND_LAST),
	FIELD(struct aem_ip_send, id, WANT, RES_IP, 0),
	FIELD(struct aem_ip_send, data, POINTER, 0, 4096),
	FIELD(struct aem_ip_send, length, NUMBER, 0, 5000),
	FIELD(struct aem_ip_send, pad, ZERO, 0, 0),
};

static const struct field sendto_fields[] = {
	SIZE(struct aem_ip_send),
	FIELD(struct aem_ip_send, flags, FLAGS, 0, AEM_IP_SEND_MORE),
	FIELD(struct aem_ip_send, id, WANT, RES_IP, 0),
	FIELD(struct aem_ip_send, data, POINTER, 0, 4096),
	FIELD(struct aem_ip_send, length, NUMBER, 0, 5000),
	FIELD(struct aem_ip_send, address, ADDRESS, RES_DATAGRAM, 0),
	FIELD(struct aem_ip_send, addrlen, NUMBER, 16, 28),
};

static const struct field send_many_fields[] = {
	SIZE(struct aem_ip_send_many),
	FIELD(struct aem_ip_send_many, flags, ZERO, 0, 0),
	FIELD(struct aem_ip_send_many, id, WANT, RES_IP, 0),
	FIELD(struct aem_ip_send_many, messages, POINTER, 0, 4096),
	FIELD(struct aem_ip_send_many, bytes, NUMBER, 0, 4096),
	FIELD(struct aem_ip_send_many, pad, ZERO, 0, 0),
};

#define IP(_name, _number, _struct, _fields, ...) \
	PSEUDO(_name, AEM_IP_SERVICE, _number, _struct, _fields, __VA_ARGS__)

static const struct call calls[] = {
	IP("ip_accept", AEM_IP_ACCEPT, struct aem_ip_accept, accept_fields,
	   REGISTERS(struct aem_ip_accept, RES_IP)),
	IP("ip_data", AEM_IP_DATA, struct aem_ip_socket, data,
	   REGISTERS(struct aem_ip_socket, RES_IP)),
	IP("ip_exchange", AEM_IP_EXCHANGE, struct aem_ip_socket, exchange,
	   REGISTERS(struct aem_ip_socket, RES_IP)),
	IP("ip_datagram", AEM_IP_DATAGRAM, struct aem_ip_socket, datagram,
	   REGISTERS(struct aem_ip_socket, RES_IP)),
	IP("ip_datagrams", AEM_IP_DATAGRAMS, struct aem_ip_socket, datagrams,
	   REGISTERS(struct aem_ip_socket, RES_IP)),
	IP("ip_room", AEM_IP_ROOM, struct aem_ip_socket, room,
	   REGISTERS(struct aem_ip_socket, RES_IP)),
	IP("ip_connect", AEM_IP_CONNECT, struct aem_ip_connect, connect_fields,
	   REGISTERS(struct aem_ip_connect, RES_IP)),
	IP("ip_send", AEM_IP_SEND, struct aem_ip_send, send_fields),
	IP("ip_sendto", AEM_IP_SEND, struct aem_ip_send, sendto_fields, .weight = 4),
	IP("ip_send_many", AEM_IP_SEND_MANY, struct aem_ip_send_many, send_many_fields),
};

const struct call_table ip_table = { calls, ARRAY_SIZE(calls) };
