// SPDX-License-Identifier: GPL-2.0
/* What a request asks for, as a path below the root. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "target.h"

/* Where the path begins: "http://host/path" is as good as "/path". NULL: neither. */
static const char *find_path(const char *target)
{
	const char *host, *path;

	if (*target == '/')
		return target;
	if (!strncasecmp(target, "http://", 7))
		host = target + 7;
	else if (!strncasecmp(target, "https://", 8))
		host = target + 8;
	else
		return NULL;
	path = host + strcspn(host, "/?#");
	if (path == host)
		return NULL;
	return *path == '/' ? path : "/";
}

static int digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* In place; false: a "%" without two digits, or a NUL. */
static bool decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		char c = *from;

		if (c == '%') {
			int high = digit(from[1]), low = high < 0 ? -1 : digit(from[2]);

			if (low < 0 || !(high | low))
				return false;
			c = high << 4 | low;
			from += 2;
		}
		*to++ = c;
	}
	*to = '\0';
	return true;
}

/* Removes empty, "." and ".." segments, in place; false: it leads out. */
static bool fold(char *path)
{
	char *to = path, *from = path;

	while (*from) {
		size_t length = strcspn(from, "/");
		bool last = !from[length];

		if (length == 2 && from[0] == '.' && from[1] == '.') {
			if (to == path)
				return false;
			/* What stands there ends with "/". */
			for (to--; to > path && to[-1] != '/'; to--)
				;
		} else if (length && !(length == 1 && from[0] == '.')) {
			memmove(to, from, length);
			to += length;
			if (!last)
				*to++ = '/';
		}
		from += length + !last;
	}
	*to = '\0';
	return true;
}

int target_to_path(char *target, size_t length)
{
	const char *path = find_path(target);

	if (!path || strlen(target) != length)
		return 400;
	memmove(target, path, strlen(path) + 1);
	target[strcspn(target, "?#")] = '\0';
	if (!decode(target))
		return 400;
	return fold(target) ? 0 : 403;
}

int target_with_slash(const char *target, char *to, size_t size)
{
	const char *path = find_path(target);
	size_t length;
	int n;

	if (!path)
		return -1;
	/* "//host" would lead to another server. */
	path += strspn(path, "/");
	length = strcspn(path, "?#");
	n = snprintf(to, size, "/%.*s/%s", (int)length, path,
		     path[length] == '?' ? path + length : "");
	return n < 0 || (size_t)n >= size ? -1 : 0;
}
