// SPDX-License-Identifier: GPL-2.0
/*
 * Heartbeats: programs send WATCHDOG=1 to $NOTIFY_SOCKET, as sd_notify(3) does it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "supervise.h"

static struct sockaddr_un address = { .sun_family = AF_UNIX };

const char *notify_path(void)
{
	return address.sun_path;
}

/** notify_open() - the socket, in $XDG_RUNTIME_DIR or /run. Return: descriptor or -errno. */
int notify_open(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	int fd, ret, on = 1;

	ret = snprintf(address.sun_path, sizeof(address.sun_path), "%s/aem-supervise.%d",
		       dir ? dir : "/run", (int)getpid());
	if (ret >= (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(address.sun_path);
	/* Who it comes from is the kernel's word, not the sender's. */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

void notify_close(void)
{
	unlink(address.sun_path);
}

static bool is_beat(const char *text)
{
	const char *line = text;

	while (line) {
		if (!strncmp(line, "WATCHDOG=1", 10) && (!line[10] || line[10] == '\n'))
			return true;
		line = strchr(line, '\n');
		line += !!line;
	}
	return false;
}

static pid_t sender_of(struct msghdr *message)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	struct ucred cred;

	if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS)
		return 0;
	memcpy(&cred, CMSG_DATA(part), sizeof(cred));
	return cred.pid;
}

/** notify_read() - take what has come. */
void notify_read(int fd)
{
	char text[512], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec piece = { text, sizeof(text) - 1 };
	struct msghdr message;
	ssize_t n;

	for (;;) {
		message = (struct msghdr){
			.msg_iov = &piece, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (n < 0)
			return;
		text[n] = '\0';
		if (is_beat(text) && sender_of(&message) > 0)
			program_beat(sender_of(&message));
	}
}
