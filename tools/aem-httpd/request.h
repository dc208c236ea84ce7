/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <llhttp.h>

/* What a request may have, in bytes. */
#define TARGET_MAX	8192	/* else 414 */
#define HEAD_MAX	16384	/* else 431 */
#define BODY_MAX	65536	/* else 413: nothing here needs one */
#define VALUE_MAX	128	/* of a field that is looked at; longer ones count as absent */

enum request_state {
	REQUEST_PART,
	REQUEST_DONE,
	REQUEST_BAD,
};

/** enum field - the fields that matter to a server of files */
enum field {
	FIELD_HOST,
	FIELD_EXPECT,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_IF_NONE_MATCH,
	FIELD_IF_RANGE,
	FIELD_RANGE,
	FIELDS
};

/**
 * struct request - one request, as it comes in
 * @parser:     reads it
 * @state:      whether all of it is here
 * @status:     REQUEST_BAD: the answer
 * @begun:      there is more than empty lines
 * @versioned:  its line names a version
 * @keep_alive: the connection goes on after the answer
 * @head:       bytes of the head so far, without what separates
 * @body:       bytes of the body so far
 * @current:    the field that is being read, FIELDS: one that does not matter
 * @name_length: bytes of @name
 * @name:       of the field that is being read
 * @count:      how often each field was there
 * @length:     bytes of each @value; VALUE_MAX: too long
 * @value:      of each field, terminated
 * @target_length: bytes of @target
 * @target:     what is asked for, as it was written, terminated
 */
struct request {
	llhttp_t parser;
	enum request_state state;
	int status;
	bool begun;
	bool versioned;
	bool keep_alive;
	size_t head;
	size_t body;
	enum field current;
	size_t name_length;
	char name[24];
	unsigned int count[FIELDS];
	size_t length[FIELDS];
	char value[FIELDS][VALUE_MAX];
	size_t target_length;
	char target[TARGET_MAX + 1];
};

/* NULL: no memory. */
struct request *request_new(void);
void request_free(struct request *request);

/* Takes bytes up to the end of the request at most: how many it took. @state tells the rest. */
size_t request_feed(struct request *request, const char *data, size_t length);

/* The value of a field that is there once, else NULL. */
const char *request_field(const struct request *request, enum field field);

/* Whether it is answered by a head alone. */
static inline bool request_is_head(const struct request *request)
{
	return request->parser.method == HTTP_HEAD;
}

#endif /* REQUEST_H */
