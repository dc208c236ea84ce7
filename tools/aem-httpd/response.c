// SPDX-License-Identifier: GPL-2.0
/* What is answered to a request, and how it is written. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "response.h"
#include "target.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 0 }
};

static const char *reason(int status)
{
	for (size_t i = 0; reasons[i].status; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static bool parse_date(const char *text, time_t *time)
{
	/* The one that is in use, and two that a server must understand all the same. */
	static const char * const formats[] = {
		"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y",
		NULL
	};

	for (size_t i = 0; formats[i]; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, formats[i], &tm);

		if (end && !*end) {
			*time = timegm(&tm);
			return true;
		}
	}
	return false;
}

static bool is_unmodified(const struct request *request, const struct file *file)
{
	const char *since = request_field(request, FIELD_IF_MODIFIED_SINCE);
	time_t time;

	if (!since || request->count[FIELD_IF_NONE_MATCH])
		return false;
	return parse_date(since, &time) && file->stat.st_mtime <= time;
}

/**
 * struct range - "bytes=FIRST-LAST", "bytes=FIRST-" or "bytes=-LAST"
 * @first: -1: absent
 * @last:  -1: absent
 */
struct range {
	long long first;
	long long last;
};

/* A number without sign; -1 if there is none, or too large a one. */
static long long take_number(const char **text)
{
	char digits[20];
	size_t length = strspn(*text, "0123456789");

	if (!length || length >= sizeof(digits) - 1) {
		*text += length;
		return -1;
	}
	memcpy(digits, *text, length);
	digits[length] = '\0';
	*text += length;
	return atoll(digits);
}

static bool parse_range(const char *text, struct range *range)
{
	if (strncmp(text, "bytes=", 6))
		return false;
	text += 6;
	range->first = take_number(&text);
	if (*text++ != '-')
		return false;
	range->last = take_number(&text);
	if (*text || (range->first < 0 && range->last < 0))
		return false;
	return range->first < 0 || range->last < 0 || range->first <= range->last;
}

/* The one range asked for, if the request means this file. Several are answered by all of it. */
static bool wants_range(const struct request *request, const struct file *file, struct range *range)
{
	const char *text = request_field(request, FIELD_RANGE);
	const char *condition = request_field(request, FIELD_IF_RANGE);

	if (!text || request->parser.method != HTTP_GET)
		return false;
	if (request->count[FIELD_IF_RANGE] && (!condition || strcmp(condition, file->modified)))
		return false;
	return parse_range(text, range);
}

static void set_range(struct response *response, const struct range *range)
{
	off_t size = response->file->stat.st_size;
	off_t first = range->first, last = range->last;

	if (first < 0) {
		first = last < size ? size - last : 0;
		last = size - 1;
	} else if (last < 0 || last >= size) {
		last = size - 1;
	}
	if (first >= size || first > last) {
		response->status = 416;
		return;
	}
	response->status = 206;
	response->offset = first;
	response->length = last - first + 1;
}

static void answer_file(struct response *response, const struct request *request)
{
	struct range range;

	if (is_unmodified(request, response->file)) {
		response->status = 304;
		response->length = 0;
		return;
	}
	response->status = 200;
	response->length = response->file->stat.st_size;
	if (wants_range(request, response->file, &range))
		set_range(response, &range);
}

static void redirect(struct response *response, const char *target, char *location)
{
	if (target_with_slash(target, location, RESPONSE_LOCATION_MAX))
		response->status = 404;
	else
		response->location = location;
}

static void find_file(struct response *response, struct request *request, struct files *files,
		      char *location)
{
	char path[TARGET_MAX + 1];

	memcpy(path, request->target, request->target_length + 1);
	response->status = target_to_path(path, request->target_length);
	if (!response->status)
		response->status = files_get(files, path, &response->file);
	if (!response->status)
		answer_file(response, request);
	else if (response->status == 301)
		redirect(response, request->target, location);
}

void response_make(struct response *response, struct request *request, struct files *files,
		   char location[static RESPONSE_LOCATION_MAX])
{
	if (request->state == REQUEST_BAD) {
		response_make_error(response, request->status);
		return;
	}
	*response = (struct response){
		.close = !request->keep_alive,
		.old = request->parser.http_minor == 0,
		.bodyless = request_is_head(request),
	};
	if (request->parser.method == HTTP_GET || request->parser.method == HTTP_HEAD)
		find_file(response, request, files, location);
	else
		response->status = 405;
}

void response_make_error(struct response *response, int status)
{
	*response = (struct response){ .status = status, .close = true };
}

/* Where the next byte is written to: a head is made of many short pieces. */
struct text {
	char *to;
};

static void add(struct text *text, const char *string)
{
	size_t length = strlen(string);

	memcpy(text->to, string, length);
	text->to += length;
}

static void add_number(struct text *text, unsigned long long number)
{
	char digits[24], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do {
		first--;
		*first = '0' + number % 10;
		number /= 10;
	} while (number);
	add(text, first);
}

static void add_field(struct text *text, const char *name, const char *value)
{
	add(text, name);
	add(text, value);
	add(text, "\r\n");
}

static void add_length(struct text *text, unsigned long long length)
{
	add(text, "Content-Length: ");
	add_number(text, length);
	add(text, "\r\n");
}

static void add_range(struct text *text, const struct response *response)
{
	add(text, "Content-Range: bytes ");
	if (response->status == 416) {
		add(text, "*");
	} else {
		add_number(text, response->offset);
		add(text, "-");
		add_number(text, response->offset + response->length - 1);
	}
	add(text, "/");
	add_number(text, response->file->stat.st_size);
	add(text, "\r\n");
}

/* Made anew once a second. */
static const char *date(void)
{
	static char text[32];
	static time_t last;
	time_t now = time(NULL);

	if (now != last) {
		http_date(now, text);
		last = now;
	}
	return text;
}

static bool has_text(const struct response *response)
{
	return response->status != 200 && response->status != 206 && response->status != 304;
}

static void add_file(struct text *text, const struct response *response)
{
	const struct file *file = response->file;

	add_field(text, "Last-Modified: ", file->modified);
	if (response->status == 304)
		return;
	add_field(text, "Accept-Ranges: bytes\r\nContent-Type: ", file->type);
	add_length(text, response->length);
	if (response->status == 206)
		add_range(text, response);
}

/* "404 Not Found" */
static void add_status(struct text *text, int status)
{
	add_number(text, status);
	add(text, " ");
	add(text, reason(status));
}

static void add_text(struct text *text, const struct response *response)
{
	if (response->status == 405)
		add(text, "Allow: GET, HEAD\r\n");
	if (response->status == 416)
		add_range(text, response);
	if (response->location)
		add_field(text, "Location: ", response->location);
	add(text, "Content-Type: text/plain; charset=utf-8\r\n");
	add_length(text, strlen("404 ") + strlen(reason(response->status)) + strlen("\n"));
}

size_t response_write(const struct response *response, char *to)
{
	struct text text = { to };

	add(&text, "HTTP/1.1 ");
	add_status(&text, response->status);
	add_field(&text, "\r\nServer: aem-httpd\r\nDate: ", date());
	if (has_text(response))
		add_text(&text, response);
	else
		add_file(&text, response);
	if (response->close)
		add(&text, "Connection: close\r\n");
	else if (response->old)
		add(&text, "Connection: keep-alive\r\n");
	add(&text, "\r\n");
	if (has_text(response) && !response->bodyless) {
		add_status(&text, response->status);
		add(&text, "\n");
	}
	return text.to - to;
}
