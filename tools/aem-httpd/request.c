// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: read by llhttp, within limits. What is wrong with one becomes the status of its answer.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "request.h"

static struct request *of(llhttp_t *parser)
{
	return parser->data;
}

static int refuse(struct request *request, int status)
{
	request->status = status;
	return HPE_USER;
}

static int grow_head(struct request *request, size_t length)
{
	request->head += length;
	return request->head > HEAD_MAX ? refuse(request, 431) : HPE_OK;
}

static int on_begin(llhttp_t *parser)
{
	of(parser)->begun = true;
	return HPE_OK;
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
	struct request *request = of(parser);

	if (request->target_length + length > TARGET_MAX)
		return refuse(request, 414);
	memcpy(request->target + request->target_length, at, length);
	request->target_length += length;
	return HPE_OK;
}

static int on_version(llhttp_t *parser, const char *at, size_t length)
{
	(void)at;
	(void)length;
	of(parser)->versioned = true;
	return HPE_OK;
}

static enum field find_field(const char *name, size_t length)
{
	static const char * const names[FIELDS] = {
		[FIELD_HOST] = "host",
		[FIELD_EXPECT] = "expect",
		[FIELD_IF_MODIFIED_SINCE] = "if-modified-since",
		[FIELD_IF_NONE_MATCH] = "if-none-match",
		[FIELD_IF_RANGE] = "if-range",
		[FIELD_RANGE] = "range",
	};

	for (int i = 0; i < FIELDS; i++)
		if (strlen(names[i]) == length && !strncasecmp(names[i], name, length))
			return i;
	return FIELDS;
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
	struct request *request = of(parser);
	size_t room = sizeof(request->name) - request->name_length;

	/* A name that does not fit is none that matters: it stays too long to be found. */
	memcpy(request->name + request->name_length, at, length < room ? length : room);
	request->name_length += length < room ? length : room;
	return grow_head(request, length);
}

static int on_name_end(llhttp_t *parser)
{
	struct request *request = of(parser);

	request->current = find_field(request->name, request->name_length);
	request->name_length = 0;
	if (request->current != FIELDS) {
		request->count[request->current]++;
		request->length[request->current] = 0;
	}
	/* ": " and CRLF, so that many short fields are long as well. */
	return grow_head(request, 4);
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
	struct request *request = of(parser);
	enum field field = request->current;

	if (field != FIELDS) {
		size_t room = VALUE_MAX - request->length[field];
		size_t taken = length < room ? length : room;

		memcpy(request->value[field] + request->length[field], at, taken);
		request->length[field] += taken;
	}
	return grow_head(request, length);
}

static bool has_body(const llhttp_t *parser)
{
	return parser->flags & F_CHUNKED || parser->content_length;
}

static int check_host(const struct request *request)
{
	unsigned int minimum = request->parser.http_minor >= 1;
	unsigned int hosts = request->count[FIELD_HOST];

	return hosts < minimum || hosts > 1 ? 400 : 0;
}

/* Who waits for "100 Continue" is told the outcome at once: no body is of use here. */
static int check_expectation(const struct request *request)
{
	static const char known[] = "100-continue";

	if (!request->count[FIELD_EXPECT])
		return 0;
	if (request->parser.method != HTTP_GET && request->parser.method != HTTP_HEAD)
		return 405;
	if (request->length[FIELD_EXPECT] != strlen(known) ||
	    strncasecmp(request->value[FIELD_EXPECT], known, strlen(known)))
		return 417;
	return has_body(&request->parser) ? 413 : 0;
}

static int check_head(const struct request *request)
{
	const llhttp_t *parser = &request->parser;
	int status;

	if (parser->http_major != 1)
		return request->versioned ? 505 : 400;
	status = check_host(request);
	if (status)
		return status;
	if (parser->method == HTTP_CONNECT)
		return 405;
	if (!(parser->flags & F_CHUNKED) && parser->content_length > BODY_MAX)
		return 413;
	return check_expectation(request);
}

static int on_head_end(llhttp_t *parser)
{
	struct request *request = of(parser);
	int status = check_head(request);

	request->keep_alive = llhttp_should_keep_alive(parser);
	return status ? refuse(request, status) : HPE_OK;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
	struct request *request = of(parser);

	(void)at;
	request->body += length;
	return request->body > BODY_MAX ? refuse(request, 413) : HPE_OK;
}

static int on_end(llhttp_t *parser)
{
	of(parser)->state = REQUEST_DONE;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_message_begin = on_begin,
	.on_url = on_target,
	.on_version = on_version,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_end,
	.on_header_value = on_value,
	.on_headers_complete = on_head_end,
	.on_body = on_body,
	.on_message_complete = on_end,
};

static bool is_of_word(unsigned char c)
{
	return isalnum(c) || c == '-' || c == '_';
}

/* Whether a first line that names an unknown method is a request for all else. */
static bool is_request_line(const char *line, size_t length)
{
	const char *end = memchr(line, '\n', length);
	size_t word = 0;

	length = end ? (size_t)(end - line) : length;
	while (word < length && is_of_word(line[word]))
		word++;
	return word && word < length && line[word] == ' ' &&
	       memmem(line + word + 1, length - word - 1, " HTTP/1.", 8);
}

/* The status for what llhttp did not like. */
static int judge(const struct request *request, enum llhttp_errno error, bool first,
		 const char *data, size_t length)
{
	const llhttp_t *parser = &request->parser;

	if (request->status)
		return request->status;
	switch (error) {
	case HPE_INVALID_METHOD:
		return first && is_request_line(data, length) ? 501 : 400;
	case HPE_INVALID_VERSION:
		if (!request->versioned)
			return 400;
		return parser->http_major != 1 || parser->http_minor > 1 ? 505 : 400;
	case HPE_PAUSED_H2_UPGRADE:
		return 505;
	default:
		return 400;
	}
}

static void finish(struct request *request)
{
	request->target[request->target_length] = '\0';
	for (int i = 0; i < FIELDS; i++)
		if (request->length[i] < VALUE_MAX)
			request->value[i][request->length[i]] = '\0';
}

size_t request_feed(struct request *request, const char *data, size_t length)
{
	llhttp_t *parser = &request->parser;
	bool first = !request->begun;
	enum llhttp_errno error = llhttp_execute(parser, data, length);

	if (request->state == REQUEST_DONE) {
		finish(request);
		return llhttp_get_error_pos(parser) - data;
	}
	if (error == HPE_OK)
		return length;
	request->status = judge(request, error, first, data, length);
	request->state = REQUEST_BAD;
	return length;
}

const char *request_field(const struct request *request, enum field field)
{
	if (request->count[field] != 1 || request->length[field] == VALUE_MAX)
		return NULL;
	return request->value[field];
}

struct request *request_new(void)
{
	/* All but the long buffers is zero. */
	struct request *request = malloc(sizeof(*request));

	if (!request)
		return NULL;
	memset(request, 0, offsetof(struct request, value));
	request->target_length = 0;
	request->current = FIELDS;
	llhttp_init(&request->parser, HTTP_REQUEST, &settings);
	request->parser.data = request;
	return request;
}

void request_free(struct request *request)
{
	free(request);
}
