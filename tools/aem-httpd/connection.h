/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <aem/aem.h>
#include "files.h"
#include "request.h"

struct server;

/* Bytes of answers that are made ahead of the client: what is behind them waits. */
#define BUFFER_SIZE	16384
/* Input that may wait to be read before no more is taken from the socket. */
#define INPUT_MAX	16384
/* What a client that is refused may still send. */
#define DISCARD_MAX	(8UL << 20)

/** enum phase - what a connection waits for; each has its patience */
enum phase {
	PHASE_IDLE,	/* the next request */
	PHASE_REQUEST,	/* the rest of a request */
	PHASE_SEND,	/* the client to receive */
	PHASE_LINGER,	/* the client to close, having been refused */
	PHASES,
	PHASE_CLOSED = PHASES
};

TAILQ_HEAD(connections, connection);

/** struct buffer - answers on their way: the bytes from @start to @end */
struct buffer {
	SLIST_ENTRY(buffer) next;
	size_t start;
	size_t end;
	char data[BUFFER_SIZE];
};

/**
 * struct input - bytes that came and were not read yet
 * @at:     the first of them, in @saved or in the block that a handler was given
 * @length: how many
 * @saved:  memory of ours, or NULL
 * @size:   of @saved
 */
struct input {
	const char *at;
	size_t length;
	char *saved;
	size_t size;
};

/**
 * struct connection - one client
 * @link:      in the list of its phase
 * @server:    whose
 * @phase:     what it waits for
 * @deadline:  until when, in nanoseconds
 * @fd:        the socket
 * @data:      event for what comes
 * @room:      event for room to send, 0: was never needed
 * @input:     what came ahead of its time
 * @request:   what is being read, or waits to be answered
 * @out:       what is being sent
 * @file:      the rest of the body behind @out, or NULL
 * @offset:    of that in the file
 * @left:      bytes of it
 * @discarded: bytes that came after the last request
 * @sending:   @out is the kernel's until the callback
 * @blocked:   the socket is full
 * @stopped:   no more input is taken
 * @ended:     the client will send no more
 * @last:      the last answer is made
 * @linger:    the client may still send: do not close under its feet
 * @advancing: somebody works on it
 * @again:     and shall look once more
 */
struct connection {
	TAILQ_ENTRY(connection) link;
	struct server *server;
	enum phase phase;
	int64_t deadline;
	int fd;
	aem_id data;
	aem_id room;
	struct input input;
	struct request *request;
	struct buffer *out;
	struct file *file;
	off_t offset;
	off_t left;
	size_t discarded;
	bool sending;
	bool blocked;
	bool stopped;
	bool ended;
	bool last;
	bool linger;
	bool advancing;
	bool again;
};

/* A connection was accepted: 0 or -ENOMEM. */
int connection_open(struct server *server, int fd, aem_id data);

/* Data came (an aem_ip_data_fn; @user is the server). */
void connection_data(struct aem *aem, void *user, aem_id id, int fd, void *data, size_t length,
		     unsigned int flags, int error);

/* Closes at once; what is queued is handed over before. */
void connection_close(struct connection *connection);

/* Its patience is at its end. */
void connection_expire(struct connection *connection);

/* Frees those that are closed. Not while a connection is being worked on. */
void connections_free(struct server *server);

int64_t clock_now(void);

#endif /* CONNECTION_H */
