// SPDX-License-Identifier: GPL-2.0
/* The server: a socket that connections come from, and a clock for those that take too long. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "server.h"

#define SWEEP_NS	250000000ULL
/* Descriptors that are no connections: files being sent, and what else is open. */
#define OTHER_FILES	1024
/* How long the answers in work may take when the end has begun. */
#define CLOSING_NS	2000000000LL

/* What to do about an error of libaem. */
__attribute__((noreturn)) static void give_up(const char *what, int error)
{
	const char *hint = aem_strerror_hint(error);

	if (hint)
		errx(1, "%s: %s: %s", what, strerror(-error), hint);
	errx(1, "%s: %s", what, strerror(-error));
}

static void expect(const char *what, int error)
{
	if (error < 0)
		give_up(what, error);
}

static void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		err(1, "setsockopt");
}

static void listen_at(struct server *server, const struct options *options)
{
	int family = options->address.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Connections inherit it. */
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (bind(fd, (const struct sockaddr *)&options->address, options->address_length))
		err(1, "cannot listen on port %u", options->port);
	if (listen(fd, SOMAXCONN))
		err(1, "listen");
	server->listener = fd;
}

/* A descriptor for each connection, as far as the limit may be raised. */
static void make_table(struct server *server, const struct options *options)
{
	rlim_t wanted = (rlim_t)options->max_connections + OTHER_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		err(1, "getrlimit");
	if (limit.rlim_cur < wanted)
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "setrlimit");
	/* All that a descriptor may be, for it is the index. */
	server->size = limit.rlim_cur;
	server->table = calloc(server->size, sizeof(server->table[0]));
	if (!server->table)
		err(1, "no memory for %zu connections", server->size);
}

static void refuse(struct server *server, int fd, aem_id data)
{
	server->counters.refused++;
	if (fd >= 0)
		aem_ip_close(server->aem, &data, 1, fd);
}

static void pause_when_full(struct server *server)
{
	if (!server->accepting || server->open < server->options->max_connections)
		return;
	server->accepting = false;
	aem_event_stop(server->aem, server->accept);
}

void server_resume(struct server *server)
{
	if (server->accepting || server->closing ||
	    server->open >= server->options->max_connections)
		return;
	server->accepting = true;
	aem_event_start(server->aem, server->accept);
}

static void on_accept(struct aem *aem, void *user, aem_id id, int fd, const struct sockaddr *peer,
		      socklen_t length, aem_id data, int error)
{
	struct server *server = user;

	(void)aem;
	(void)id;
	(void)peer;
	(void)length;
	if (error || server->closing || (size_t)fd >= server->size ||
	    connection_open(server, fd, data)) {
		refuse(server, fd, data);
		return;
	}
	server->counters.connections++;
	if (server->open > server->counters.peak)
		server->counters.peak = server->open;
	pause_when_full(server);
}

static void sweep_phase(struct server *server, enum phase phase, int64_t now)
{
	struct connection *c;

	/* From the start each time: one that expires may take others with it. */
	while ((c = TAILQ_FIRST(&server->phases[phase])) && c->deadline <= now)
		connection_expire(c);
}

static void on_sweep(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		     int error)
{
	struct server *server = user;

	(void)aem;
	(void)timer;
	(void)overruns;
	(void)expiry;
	if (error)
		return;
	for (int phase = 0; phase < PHASES; phase++)
		sweep_phase(server, phase, clock_now());
	connections_free(server);
}

static void start_sweeping(struct server *server)
{
	struct aem_timer_spec spec = {
		.value = SWEEP_NS, .interval = SWEEP_NS, .slack = SWEEP_NS / 8,
	};

	expect("cannot make a timer",
	       aem_timer_create(server->aem, &server->sweep, CLOCK_MONOTONIC, AEM_PRIO(PRIO_HTTP),
				&spec, on_sweep, server));
}

static void start_accepting(struct server *server)
{
	struct aem_ip_stream stream = {
		.handler = connection_data,
		.user = server,
		.how = AEM_PRIO(PRIO_HTTP),
	};

	server->accepting = true;
	expect("cannot accept connections",
	       aem_ip_accept(server->aem, &server->accept, server->listener, AEM_PRIO(PRIO_HTTP),
			     &stream, SOCK_NONBLOCK | SOCK_CLOEXEC, on_accept, server));
}

void server_open(struct server *server, struct aem *aem, const struct options *options)
{
	int error;

	memset(server, 0, sizeof(*server));
	server->aem = aem;
	server->options = options;
	for (int phase = 0; phase < PHASES; phase++)
		TAILQ_INIT(&server->phases[phase]);
	TAILQ_INIT(&server->dead);
	SLIST_INIT(&server->spares);
	error = files_open(&server->files, options->root, options->cache);
	if (error)
		errx(1, "cannot serve %s: %s", options->root, strerror(-error));
	make_table(server, options);
	listen_at(server, options);
	start_sweeping(server);
	start_accepting(server);
}

unsigned int server_port(const struct server *server)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(server->listener, (struct sockaddr *)&address, &length))
		err(1, "getsockname");
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port :
						    ((struct sockaddr_in6 *)&address)->sin6_port);
}

static void close_phase(struct server *server, enum phase phase)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&server->phases[phase])))
		connection_close(c);
}

/* No new connections, and an end to those that nothing is on its way for. */
static void begin_closing(struct server *server)
{
	unsigned int level = aem_level_raise(server->aem, AEM_LEVEL_ALL);

	server->closing = true;
	aem_ip_close(server->aem, &server->accept, 1, server->listener);
	for (int phase = 0; phase < PHASES; phase++)
		if (phase != PHASE_SEND)
			close_phase(server, phase);
	aem_level_restore(server->aem, level);
}

static void let_answers_end(struct server *server)
{
	int64_t now, end = clock_now() + CLOSING_NS;

	while (server->open && (now = clock_now()) < end) {
		int ret = aem_wait(server->aem, end - now);

		if (ret < 0 && ret != -ETIME && ret != -EINTR)
			return;
	}
}

static void free_spares(struct server *server)
{
	struct buffer *buffer;

	while ((buffer = SLIST_FIRST(&server->spares))) {
		SLIST_REMOVE_HEAD(&server->spares, next);
		free(buffer);
	}
}

void server_close(struct server *server)
{
	begin_closing(server);
	let_answers_end(server);
	aem_level_raise(server->aem, AEM_LEVEL_ALL);
	aem_timer_delete(server->aem, server->sweep);
	for (int phase = 0; phase < PHASES; phase++)
		close_phase(server, phase);
	aem_flush(server->aem);
	connections_free(server);
	free_spares(server);
	files_close(&server->files);
	free(server->table);
}
