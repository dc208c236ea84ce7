// SPDX-License-Identifier: GPL-2.0
/*
 * TCP and UDP: registrations, and what turns their records into handlers' parameters.
 */
#include <unistd.h>
#include "internal.h"

/* A record of a service that was taken away has no arguments. */
static int error_of(const struct aem_record *r)
{
	return r->flags & AEM_RECORD_F_REVOKED ? ENODEV : (int)word_of(r, 1);
}

static int fd_of(const struct aem_record *r)
{
	return r->flags & AEM_RECORD_F_REVOKED ? -1 : (int)word_of(r, 0);
}

static void *user_of(const struct aem_record *r)
{
	return (void *)(uintptr_t)r->cookie;
}

static void run_accept(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_ip_accept_fn handler = (aem_ip_accept_fn)(uintptr_t)r->handler;
	const struct aem_ip_address *peer = block;
	int fd = fd_of(r);

	/* Without a connection there is no block. */
	if (fd < 0)
		handler(aem, user_of(r), r->id, -1, NULL, 0, 0, error_of(r));
	else
		handler(aem, user_of(r), r->id, fd, (const struct sockaddr *)peer->address,
			peer->length, r->arg[2], error_of(r));
}

static void run_data(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_ip_data_fn handler = (aem_ip_data_fn)(uintptr_t)r->handler;
	uint32_t length = word_of(r, 4);

	handler(aem, user_of(r), r->id, fd_of(r), length ? block : NULL, length,
		word_of(r, 5), error_of(r));
}

/* The data lie behind what is to be said of their answer. */
static void run_exchange(struct aem *aem, const struct aem_record *r, void *block)
{
	run_data(aem, r, (struct aem_ip_answer *)block + 1);
}

static void run_datagram(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_ip_datagram_fn handler = (aem_ip_datagram_fn)(uintptr_t)r->handler;
	struct aem_ip_address *from = block;
	int error = error_of(r);

	if (error)
		handler(aem, user_of(r), r->id, fd_of(r), NULL, 0, NULL, 0, 0, error);
	else
		handler(aem, user_of(r), r->id, fd_of(r), from + 1, word_of(r, 4),
			(const struct sockaddr *)from->address, from->length,
			word_of(r, 5), 0);
}

/* What waits in the block is all that the record is about. */
static void run_datagrams(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_ip_datagrams_fn handler = (aem_ip_datagrams_fn)(uintptr_t)r->handler;
	bool revoked = r->flags & AEM_RECORD_F_REVOKED;

	handler(aem, user_of(r), r->id, fd_of(r), revoked ? NULL : block, word_of(r, 5),
		revoked ? ENODEV : 0);
}

static void run_room(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_ip_room_fn handler = (aem_ip_room_fn)(uintptr_t)r->handler;

	(void)block;
	handler(aem, user_of(r), r->id, fd_of(r), (size_t)r->arg[1], error_of(r));
}

static void run_connect(struct aem *aem, const struct aem_record *r, void *block)
{
	aem_ip_connect_fn handler = (aem_ip_connect_fn)(uintptr_t)r->handler;

	(void)block;
	handler(aem, user_of(r), r->id, fd_of(r), error_of(r));
}

/* Where a record has a block, arg[1] is its offset. */
static const struct aem_thunk thunks[AEM_IP_CALLS] = {
	[AEM_IP_ACCEPT] = { .run = run_accept, .block = 2 },
	[AEM_IP_DATA] = { .run = run_data, .block = 2 },
	[AEM_IP_EXCHANGE] = { .run = run_exchange, .block = 2 },
	[AEM_IP_DATAGRAM] = { .run = run_datagram, .block = 2 },
	[AEM_IP_DATAGRAMS] = { .run = run_datagrams, .block = 2 },
	[AEM_IP_ROOM] = { .run = run_room },
	[AEM_IP_CONNECT] = { .run = run_connect },
};

/** aem_ip_base() - the base of the service, bound at the first use, or -errno. */
int aem_ip_base(struct aem *aem)
{
	return base_of(aem, BASE_IP, AEM_IP_SERVICE, AEM_IP_VERSION, thunks, AEM_IP_CALLS);
}

static int call(struct aem *aem, int nr, void *arg, const struct aem_registration *reg,
		aem_id *id)
{
	int base = aem_ip_base(aem);
	int64_t ret;

	if (base < 0)
		return base;
	ret = aem_call(aem, (uint32_t)(base + nr), arg);
	if (ret < 0)
		return (int)ret;
	if (id)
		*id = reg->id;
	return 0;
}

int aem_ip_accept(struct aem *aem, aem_id *id, int fd, uint32_t how,
		  const struct aem_ip_stream *stream, int sockflags,
		  aem_ip_accept_fn handler, void *user)
{
	struct aem_ip_accept arg = {
		.size = sizeof(arg), .fd = fd, .sockflags = (uint32_t)sockflags,
	};
	struct aem_registration data;

	aem_registration_init(&arg.reg, (void (*)(void))handler, user, how);
	if (stream) {
		aem_registration_init(&data, (void (*)(void))stream->handler,
				      stream->user, stream->how);
		arg.data.handler = data.handler;
		arg.data.cookie = data.cookie;
		arg.data.flags = data.flags;
		arg.data.prio = data.prio;
		arg.data.length = stream->length;
		arg.data.call = stream->exchange ? AEM_IP_EXCHANGE : 0;
	}
	return call(aem, AEM_IP_ACCEPT, &arg, &arg.reg, id);
}

static int add_socket(struct aem *aem, int nr, aem_id *id, int fd, uint32_t how,
		      uint32_t length, void (*handler)(void), void *user)
{
	struct aem_ip_socket arg = { .size = sizeof(arg), .fd = fd, .length = length };

	aem_registration_init(&arg.reg, handler, user, how);
	return call(aem, nr, &arg, &arg.reg, id);
}

int aem_ip_data(struct aem *aem, aem_id *id, int fd, uint32_t how,
		uint32_t length, aem_ip_data_fn handler, void *user)
{
	return add_socket(aem, AEM_IP_DATA, id, fd, how, length, (void (*)(void))handler,
			  user);
}

int aem_ip_exchange(struct aem *aem, aem_id *id, int fd, uint32_t how,
		    uint32_t length, aem_ip_data_fn handler, void *user)
{
	return add_socket(aem, AEM_IP_EXCHANGE, id, fd, how, length,
			  (void (*)(void))handler, user);
}

int aem_ip_datagram(struct aem *aem, aem_id *id, int fd, uint32_t how,
		    uint32_t length, aem_ip_datagram_fn handler, void *user)
{
	return add_socket(aem, AEM_IP_DATAGRAM, id, fd, how, length,
			  (void (*)(void))handler, user);
}

int aem_ip_datagrams(struct aem *aem, aem_id *id, int fd, uint32_t how,
		     uint32_t length, aem_ip_datagrams_fn handler, void *user)
{
	return add_socket(aem, AEM_IP_DATAGRAMS, id, fd, how, length,
			  (void (*)(void))handler, user);
}

int aem_ip_room(struct aem *aem, aem_id *id, int fd, uint32_t how,
		aem_ip_room_fn handler, void *user)
{
	return add_socket(aem, AEM_IP_ROOM, id, fd, how, 0, (void (*)(void))handler, user);
}

int aem_ip_connect(struct aem *aem, aem_id *id, int fd,
		   const struct sockaddr *peer, socklen_t length, uint32_t how,
		   aem_ip_connect_fn handler, void *user)
{
	struct aem_ip_connect arg = {
		.size = sizeof(arg), .fd = fd, .address = (uintptr_t)peer, .length = length,
	};

	aem_registration_init(&arg.reg, (void (*)(void))handler, user, how);
	return call(aem, AEM_IP_CONNECT, &arg, &arg.reg, id);
}

int aem_ip_close(struct aem *aem, const aem_id *ids, unsigned int n, int fd)
{
	int ret = check(aem), err;
	unsigned int i;

	if (!ret && aem->queue.made != aem->queue.tail)
		ret = aem_flush(aem);
	for (i = 0; i < n; i++) {
		err = ids[i] ? aem_event_shutdown(aem, ids[i]) : 0;
		ret = ret ? ret : err;
	}
	if (fd >= 0 && close(fd) && !ret)
		ret = -errno;
	return ret;
}
