/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "files.h"
#include "request.h"

/* What a response's head and text take, without what repeats the target. */
#define RESPONSE_ROOM	1024

/**
 * struct response - an answer, to be written
 * @status:     of it
 * @close:      the connection ends after it
 * @old:        the client speaks HTTP/1.0
 * @file:       the body, NULL: a line of text, or none; held
 * @offset:     first byte of it that is sent
 * @length:     bytes of the body that the head tells of
 * @bodyless:   only the head is sent
 * @location:   status 301: where to look, or NULL
 */
struct response {
	int status;
	bool close;
	bool old;
	struct file *file;
	off_t offset;
	off_t length;
	bool bodyless;
	const char *location;
};

/*
 * What to answer to a request that is complete or bad. @location has room for RESPONSE_LOCATION_MAX
 * and must stay as long as the response.
 */
#define RESPONSE_LOCATION_MAX	(TARGET_MAX + 2)
void response_make(struct response *response, struct request *request, struct files *files,
		   char location[static RESPONSE_LOCATION_MAX]);

/* An answer that is but a status, with which the connection ends. */
void response_make_error(struct response *response, int status);

/* What response_write() may need to answer this request. */
static inline size_t response_room(const struct request *request)
{
	return RESPONSE_ROOM + request->target_length;
}

/* Writes the head, and the text if there is one: bytes. */
size_t response_write(const struct response *response, char *to);

/* Whether bytes of the file follow the head. */
static inline bool response_has_body(const struct response *response)
{
	return (response->status == 200 || response->status == 206) && !response->bodyless &&
	       response->length;
}

#endif /* RESPONSE_H */
