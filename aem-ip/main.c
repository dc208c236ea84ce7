// SPDX-License-Identifier: GPL-2.0
/*
 * aem-ip: TCP and UDP over IPv4 and IPv6. Service "ip", version 1.
 */
#include <linux/build_bug.h>
#include "ip.h"

static const struct aem_call_op calls[] = {
	AEM_CALL_OP(AEM_IP_ACCEPT, struct aem_ip_accept, flags, aem_ip_accept,
		    &aem_ip_accept_events),
	AEM_CALL_OP(AEM_IP_DATA, struct aem_ip_socket, flags, aem_ip_data,
		    &aem_ip_data_events),
	AEM_CALL_OP(AEM_IP_DATAGRAM, struct aem_ip_socket, flags, aem_ip_datagram,
		    &aem_ip_datagram_events),
	AEM_CALL_OP(AEM_IP_ROOM, struct aem_ip_socket, flags, aem_ip_room,
		    &aem_ip_room_events),
	AEM_CALL_OP(AEM_IP_CONNECT, struct aem_ip_connect, pad, aem_ip_connect,
		    &aem_ip_connect_events),
	AEM_CALL_OP(AEM_IP_SEND, struct aem_ip_send, pad, aem_ip_send, NULL,
		    .out = sizeof(struct aem_ip_send)),
	AEM_CALL_OP(AEM_IP_DATAGRAMS, struct aem_ip_socket, flags, aem_ip_datagrams,
		    &aem_ip_datagrams_events),
	AEM_CALL_OP(AEM_IP_SEND_MANY, struct aem_ip_send_many, pad, aem_ip_send_many, NULL,
		    .out = offsetof(struct aem_ip_send_many, bytes)),
	AEM_CALL_OP(AEM_IP_EXCHANGE, struct aem_ip_socket, flags, aem_ip_exchange,
		    &aem_ip_exchange_events),
};

static struct aem_service aem_ip = {
	.name = AEM_IP_SERVICE,
	.version = AEM_SERVICE_BUILT_AS(AEM_IP_VERSION),
	.owner = THIS_MODULE,
	.calls = calls,
	.n_calls = ARRAY_SIZE(calls),
	.event_size = sizeof(struct aem_ip_event),
	.layout = AEM_IP_LAYOUT,
	.oldest_layout = AEM_IP_OLDEST,
};

static_assert(ARRAY_SIZE(calls) == AEM_IP_CALLS);
static_assert(sizeof(struct aem_ip_event) <= 24);
static_assert(sizeof(struct aem_ip_accept) <= AEM_CALL_ARG_MAX);
static_assert(offsetof(struct aem_ip_accept, reg) == AEM_REGISTRATION);
static_assert(offsetof(struct aem_ip_socket, reg) == AEM_REGISTRATION);
static_assert(offsetof(struct aem_ip_connect, reg) == AEM_REGISTRATION);
static_assert(AEM_IP_DATAGRAM_MAX + sizeof(struct aem_ip_address) == AEM_BLOCK_MAX);
static_assert(AEM_IP_EXCHANGE_MAX + sizeof(struct aem_ip_answer) == AEM_BLOCK_MAX);
static_assert(AEM_IP_MESSAGE_MAX + sizeof(struct aem_ip_message) == AEM_BLOCK_MAX);
static_assert(sizeof(struct sockaddr_in6) <= sizeof_field(struct aem_ip_address, address));

aem_service_module(aem_ip);

MODULE_ALIAS("aem-service-" AEM_IP_SERVICE);
MODULE_DESCRIPTION("AEM: TCP and UDP over IPv4 and IPv6");
MODULE_LICENSE("GPL");
