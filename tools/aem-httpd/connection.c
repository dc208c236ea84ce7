// SPDX-License-Identifier: GPL-2.0
/*
 * Connections: what comes is read into requests, what is answered goes out through one buffer each.
 *
 * One send at a time is on its way for a connection, and no more than a buffer is made ahead of
 * the client: requests behind it wait as bytes, then in the socket, where they hold the client up.
 * advance() does all that can be done and ends with a send or with a wait; it is called again when
 * either has ended. A send may end before aem_ip_send() returns, so nothing is touched after it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "response.h"
#include "server.h"

#define SPARES_MAX	256
#define NSEC_PER_SEC	1000000000LL
#define LINGER_SECONDS	5

static void advance(struct connection *c);

int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static unsigned int patience(const struct connection *c, enum phase phase)
{
	const struct options *options = c->server->options;

	switch (phase) {
	case PHASE_IDLE:
		return options->idle;
	case PHASE_REQUEST:
		return options->head;
	case PHASE_SEND:
		return options->send;
	default:
		return LINGER_SECONDS;
	}
}

/* The patience of a phase is the same for all, so each list is in the order of the deadlines. */
static void wait_for(struct connection *c, enum phase phase)
{
	struct server *server = c->server;

	TAILQ_REMOVE(&server->phases[c->phase], c, link);
	c->phase = phase;
	c->deadline = clock_now() + patience(c, phase) * NSEC_PER_SEC;
	TAILQ_INSERT_TAIL(&server->phases[phase], c, link);
}

/* Buffers */

static struct buffer *buffer_get(struct server *server)
{
	struct buffer *buffer = SLIST_FIRST(&server->spares);

	if (buffer) {
		SLIST_REMOVE_HEAD(&server->spares, next);
		server->n_spares--;
	} else {
		buffer = malloc(sizeof(*buffer));
		if (!buffer)
			return NULL;
	}
	buffer->start = 0;
	buffer->end = 0;
	return buffer;
}

static void buffer_put(struct server *server, struct buffer *buffer)
{
	if (!buffer)
		return;
	if (server->n_spares == SPARES_MAX || server->closing) {
		free(buffer);
		return;
	}
	SLIST_INSERT_HEAD(&server->spares, buffer, next);
	server->n_spares++;
}

static void drop_buffer(struct connection *c)
{
	buffer_put(c->server, c->out);
	c->out = NULL;
}

static size_t room_in(const struct buffer *buffer)
{
	return BUFFER_SIZE - buffer->end;
}

/* Input */

static bool is_saved(const struct input *input)
{
	return input->saved && input->at >= input->saved && input->at < input->saved + input->size;
}

static bool input_save(struct input *input, const char *more, size_t length)
{
	size_t size = input->length + length;
	char *memory;

	if (is_saved(input))
		memmove(input->saved, input->at, input->length);
	if (size > input->size) {
		memory = realloc(input->saved, size);
		if (!memory)
			return false;
		input->saved = memory;
		input->size = size;
	}
	input->at = input->saved;
	memcpy(input->saved + input->length, more, length);
	input->length = size;
	return true;
}

/* What is left of a handler's block does not outlive the handler. */
static bool input_keep(struct input *input)
{
	const char *at = input->at;
	size_t length = input->length;

	if (!length || is_saved(input))
		return true;
	input->length = 0;
	return input_save(input, at, length);
}

static void input_free(struct input *input)
{
	free(input->saved);
	*input = (struct input){ 0 };
}

/* The end of a connection */

/* The peer hears that this is no good end. */
static void reset_on_close(struct connection *c)
{
	struct linger abort = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
}

void connection_close(struct connection *c)
{
	struct server *server = c->server;
	aem_id ids[] = { c->data, c->room };

	if (c->phase == PHASE_CLOSED)
		return;
	TAILQ_REMOVE(&server->phases[c->phase], c, link);
	c->phase = PHASE_CLOSED;
	server->table[c->fd] = NULL;
	server->open--;
	aem_ip_close(server->aem, ids, 2, c->fd);
	request_free(c->request);
	input_free(&c->input);
	if (c->file)
		file_put(c->file);
	TAILQ_INSERT_TAIL(&server->dead, c, link);
	server_resume(server);
}

static void fail(struct connection *c)
{
	c->server->counters.failures++;
	reset_on_close(c);
	connection_close(c);
}

static void lose(struct connection *c)
{
	c->server->counters.resets++;
	connection_close(c);
}

void connections_free(struct server *server)
{
	struct connection *c, *next;

	for (c = TAILQ_FIRST(&server->dead); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->sending)
			continue;
		TAILQ_REMOVE(&server->dead, c, link);
		buffer_put(server, c->out);
		free(c);
	}
}

/* The last answer is with the client. */
static void finish(struct connection *c)
{
	if (c->linger && !c->ended)
		wait_for(c, PHASE_LINGER);
	else
		connection_close(c);
}

/* Sending */

static void on_room(struct aem *aem, void *user, aem_id id, int fd, size_t room, int error)
{
	struct connection *c = user;

	(void)aem;
	(void)id;
	(void)fd;
	(void)room;
	if (c->phase == PHASE_CLOSED || !c->blocked)
		return;
	c->blocked = false;
	if (error)
		lose(c);
	else
		advance(c);
}

static void wait_for_room(struct connection *c)
{
	c->server->counters.rooms++;
	c->blocked = true;
	if (c->room)
		return;
	if (aem_ip_room(c->server->aem, &c->room, c->fd, AEM_PRIO(PRIO_HTTP), on_room, c))
		fail(c);
}

static void on_sent(struct aem *aem, void *user, aem_id id, const void *rest, size_t left,
		    int error)
{
	struct connection *c = user;
	struct buffer *out = c->out;
	size_t taken = out->end - out->start - left;

	(void)aem;
	(void)id;
	(void)rest;
	c->sending = false;
	c->server->counters.bytes += taken;
	if (c->phase == PHASE_CLOSED)
		return;
	out->start += taken;
	if (taken && left)
		wait_for(c, PHASE_SEND);
	if (error && error != EAGAIN)
		lose(c);
	else if (left)
		wait_for_room(c);
	else
		advance(c);
}

static void send_buffer(struct connection *c)
{
	struct buffer *out = c->out;
	unsigned int flags = AEM_SEND_BORROW;

	if (c->last && c->linger && !c->file)
		flags |= AEM_IP_SEND_LAST;
	wait_for(c, PHASE_SEND);
	c->sending = true;
	if (aem_ip_send(c->server->aem, c->data, out->data + out->start, out->end - out->start,
			flags, on_sent, c)) {
		c->sending = false;
		fail(c);
	}
}

/* Answering */

static void count(struct server *server, int status)
{
	server->counters.requests++;
	server->counters.answers[status / 100]++;
}

static void write_answer(struct connection *c, struct response *response)
{
	struct buffer *out = c->out;

	out->end += response_write(response, out->data + out->end);
	count(c->server, response->status);
	c->last = response->close;
	if (response->file && response_has_body(response)) {
		c->file = response->file;
		c->offset = response->offset;
		c->left = response->length;
	} else if (response->file) {
		file_put(response->file);
	}
}

static bool have_buffer(struct connection *c)
{
	if (!c->out)
		c->out = buffer_get(c->server);
	return c->out;
}

/* Answers the request that is there; false: not yet, or never. */
static bool answer(struct connection *c)
{
	char location[RESPONSE_LOCATION_MAX];
	struct response response;

	if (!have_buffer(c)) {
		fail(c);
		return false;
	}
	if (room_in(c->out) < response_room(c->request))
		return false;
	response_make(&response, c->request, &c->server->files, location);
	response.close |= c->server->closing;
	c->linger = c->request->state == REQUEST_BAD || (response.close && c->input.length);
	write_answer(c, &response);
	request_free(c->request);
	c->request = NULL;
	return true;
}

/* Is a request there that is complete, or past repair? */
static bool take_request(struct connection *c)
{
	struct input *input = &c->input;
	size_t taken;

	if (c->request && c->request->state != REQUEST_PART)
		return true;
	if (!input->length)
		return false;
	if (!c->request)
		c->request = request_new();
	if (!c->request) {
		fail(c);
		return false;
	}
	taken = request_feed(c->request, input->at, input->length);
	input->at += taken;
	input->length -= taken;
	return c->request->state != REQUEST_PART;
}

/* Takes what the buffer holds of the body; false: not all of it. */
static bool take_body(struct connection *c)
{
	size_t length = room_in(c->out);
	ssize_t n;

	if ((off_t)length > c->left)
		length = c->left;
	if (!length)
		return false;
	n = file_read(c->file, c->out->data + c->out->end, length, c->offset);
	if (n <= 0) {
		/* Fewer bytes than its head has promised: only a broken connection tells. */
		fail(c);
		return false;
	}
	c->out->end += n;
	c->offset += n;
	c->left -= n;
	if (c->left)
		return true;
	file_put(c->file);
	c->file = NULL;
	return true;
}

static void make_answers(struct connection *c)
{
	bool more = true;

	if (c->out && c->out->start == c->out->end) {
		c->out->start = 0;
		c->out->end = 0;
	}
	while (more && c->phase != PHASE_CLOSED) {
		if (c->file)
			more = have_buffer(c) && take_body(c);
		else
			more = !c->last && take_request(c) && answer(c);
	}
}

/* Everything is sent, and there is nothing to answer. */
static void rest(struct connection *c)
{
	enum phase phase = c->request ? PHASE_REQUEST : PHASE_IDLE;

	drop_buffer(c);
	if (c->last) {
		finish(c);
		return;
	}
	if (c->ended) {
		connection_close(c);
		return;
	}
	if (!c->input.length)
		input_free(&c->input);
	/* All of a request has one deadline, however its bytes trickle. */
	if (c->phase != phase)
		wait_for(c, phase);
	if (c->stopped) {
		c->stopped = false;
		aem_event_start(c->server->aem, c->data);
	}
}

static void step(struct connection *c)
{
	if (c->sending || c->blocked)
		return;
	make_answers(c);
	if (c->phase == PHASE_CLOSED)
		return;
	if (c->out && c->out->start < c->out->end)
		send_buffer(c);
	else
		rest(c);
}

static void advance(struct connection *c)
{
	c->again = true;
	/* From the callback of a send that ended before step() did: there it goes on. */
	if (c->advancing)
		return;
	c->advancing = true;
	while (c->again && c->phase != PHASE_CLOSED) {
		c->again = false;
		step(c);
	}
	c->advancing = false;
}

/* Receiving */

static void discard(struct connection *c, size_t length)
{
	c->discarded += length;
	if (c->discarded > DISCARD_MAX)
		lose(c);
}

/* No more until what is there is answered. */
static void hold(struct connection *c)
{
	if (c->stopped || c->input.length < INPUT_MAX)
		return;
	c->stopped = true;
	aem_event_stop(c->server->aem, c->data);
}

static void take_input(struct connection *c, const char *data, size_t length)
{
	if (!c->input.length) {
		c->input.at = data;
		c->input.length = length;
	} else if (!input_save(&c->input, data, length)) {
		fail(c);
		return;
	}
	advance(c);
	if (c->phase == PHASE_CLOSED)
		return;
	if (c->last)
		c->input.length = 0;
	else if (!input_keep(&c->input))
		fail(c);
	else
		hold(c);
}

static void end_input(struct connection *c)
{
	c->ended = true;
	if (c->phase == PHASE_LINGER)
		connection_close(c);
	else
		advance(c);
}

void connection_data(struct aem *aem, void *user, aem_id id, int fd, void *data, size_t length,
		     unsigned int flags, int error)
{
	struct server *server = user;
	struct connection *c = fd >= 0 && (size_t)fd < server->size ? server->table[fd] : NULL;

	(void)aem;
	(void)flags;
	if (!c || c->data != id)
		return;
	if (error)
		lose(c);
	else if (!length)
		end_input(c);
	else if (c->last)
		discard(c, length);
	else
		take_input(c, data, length);
}

/* The beginning, and the end of patience */

int connection_open(struct server *server, int fd, aem_id data)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->server = server;
	c->fd = fd;
	c->data = data;
	server->table[fd] = c;
	TAILQ_INSERT_TAIL(&server->phases[PHASE_IDLE], c, link);
	wait_for(c, PHASE_IDLE);
	server->open++;
	return 0;
}

static void answer_timeout(struct connection *c)
{
	struct response response;

	if (!have_buffer(c)) {
		fail(c);
		return;
	}
	response_make_error(&response, 408);
	c->linger = true;
	write_answer(c, &response);
	send_buffer(c);
}

void connection_expire(struct connection *c)
{
	c->server->counters.timeouts += c->phase != PHASE_IDLE;
	if (c->phase == PHASE_REQUEST && c->request->begun) {
		answer_timeout(c);
		return;
	}
	if (c->phase == PHASE_SEND)
		reset_on_close(c);
	connection_close(c);
}
