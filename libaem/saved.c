// SPDX-License-Identifier: GPL-2.0
/*
 * Registrations that aemctl save wrote down, and aemctl restore laid out: a file for each, which
 * who takes it removes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

static int read_all(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size - 1) {
		got = read(fd, text + n, size - 1 - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	text[n] = '\0';
	return 0;
}

/**
 * aem_saved_take() - take a registration up again
 * @service: its service
 * @token:   the value that its handler was given
 * @text:    filled with its "name:value" words
 * @size:    of @text
 *
 * Of several that try, one gets it.
 *
 * Return: 0; -ENOENT: there is none; -errno.
 */
int aem_saved_take(const char *service, uint64_t token, char *text, size_t size)
{
	char path[128];
	int fd, ret;

	snprintf(path, sizeof(path), AEM_SAVED_FOLDER "/%u/%s.0x%" PRIx64, (unsigned int)geteuid(),
		 service, token);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	ret = read_all(fd, text, size);
	close(fd);
	if (ret)
		return ret;
	return unlink(path) ? -errno : 0;
}

/** aem_saved_number() - one of the words of aem_saved_take(): 0, or -EPROTO: it is not there. */
int aem_saved_number(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);
	const char *at = text;
	char *end;

	while ((at = strstr(at, name))) {
		if ((at == text || at[-1] == ' ') && at[length] == ':') {
			errno = 0;
			*value = strtoull(at + length + 1, &end, 0);
			return errno || end == at + length + 1 ? -EPROTO : 0;
		}
		at += length;
	}
	return -EPROTO;
}
