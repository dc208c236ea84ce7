// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of all kinds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "run.h"

static const uint64_t open_flags[] = { O_RDWR, O_RDWR | O_CLOEXEC, O_RDONLY, O_WRONLY, O_PATH };

static const uint64_t epoll_events[] = {
	EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT, EPOLLOUT, EPOLLIN | EPOLLEXCLUSIVE,
};

static const char *const files[] = {
	"/", "/tmp/fuzz", "/dev/null", "/proc/self/mounts", "/dev/zero", "/proc/self/mem",
};

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static long keep(uint64_t *made, int fd)
{
	made[0] = fd;
	return result(fd);
}

/* Without anything else; a context that other statements set up. */
static long system_open(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int fd = open("/dev/aem", arg[0]);

	if (fd >= 0)
		context_new(run, fd);
	return keep(made, fd);
}

/* The lowest descriptors are the fuzzer's: closing them helps nobody. */
static long system_close(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return (int)arg[0] < 3 ? -EBADF : result(close(arg[0]));
}

static long system_dup(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	if ((int)arg[1] >= 3 && arg[2])
		return keep(made, dup2(arg[0], arg[1]));
	return keep(made, dup(arg[0]));
}

static long system_pipe(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int fds[2], ret = pipe2(fds, arg[0] ? O_NONBLOCK : 0);

	(void)run;
	if (ret)
		return -errno;
	made[0] = fds[0];
	made[1] = fds[1];
	return 0;
}

static long system_waker(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct itimerspec soon = { { 0, 0 }, { 0, 100000 } };
	sigset_t set;
	int fd;

	(void)run;
	switch (arg[0]) {
	case 0:
		return keep(made, eventfd(arg[1], EFD_NONBLOCK));
	case 1:
		fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		if (fd >= 0)
			timerfd_settime(fd, 0, &soon, NULL);
		return keep(made, fd);
	default:
		sigemptyset(&set);
		sigaddset(&set, arg[1] ? 10 : 12);
		return keep(made, signalfd(-1, &set, SFD_NONBLOCK));
	}
}

static long system_file(struct run *run, const uint64_t *arg, uint64_t *made)
{
	const char *path = files[arg[0] % ARRAY_SIZE(files)];

	(void)run;
	return keep(made, open(path, arg[0] == 1 ? O_RDWR | O_CREAT : O_RDONLY, 0600));
}

static long system_epoll(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)arg;
	return keep(made, epoll_create1(0));
}

static long system_epoll_ctl(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct epoll_event event = { .events = arg[3] };

	(void)run;
	(void)made;
	return result(epoll_ctl(arg[0], arg[2], arg[1], &event));
}

static long system_epoll_wait(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct epoll_event events[8];

	(void)run;
	(void)made;
	return result(epoll_wait(arg[0], events, 8, arg[1]));
}

static long system_poll(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct pollfd fds[] = { { arg[0], POLLIN | POLLOUT, 0 }, { arg[1], POLLIN, 0 } };

	(void)run;
	(void)made;
	return result(poll(fds, 2, arg[2]));
}

static long system_fdinfo(struct run *run, const uint64_t *arg, uint64_t *made)
{
	char path[64], text[4096];
	int fd, ret;

	(void)run;
	(void)made;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", (int)arg[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((ret = read(fd, text, sizeof(text))) > 0)
		;
	ret = result(ret);
	close(fd);
	return ret;
}

/* A descriptor lies in a socket's queue, which may be all that holds it. */
static long system_pass(struct run *run, const uint64_t *arg, uint64_t *made)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { self->arena->good, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = arg[1];

	(void)run;
	(void)made;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return result(sendmsg(arg[0], &msg, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long system_read(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(read(arg[0], (void *)arg[1], arg[2]));
}

static long system_write(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(write(arg[0], (void *)arg[1], arg[2]));
}

static long system_nonblock(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(fcntl(arg[0], F_SETFL, arg[1] ? O_NONBLOCK : 0));
}

#define FD(_nr, _name)	ARGUMENT(_nr, _name, WANT, RES_FD, 0)

static const struct field open_fields[] = { ARGUMENT_CHOICE(0, "flags", open_flags) };

static const struct field close_fields[] = { FD(0, "fd") };

static const struct field dup_fields[] = {
	FD(0, "fd"), FD(1, "to"), ARGUMENT(2, "onto", NUMBER, 0, 1),
};

static const struct field pipe_fields[] = { ARGUMENT(0, "nonblock", NUMBER, 0, 1) };

static const struct field waker_fields[] = {
	ARGUMENT(0, "kind", BOUNDED, 0, 2), ARGUMENT(1, "value", NUMBER, 0, 1),
};

static const struct field file_fields[] = {
	ARGUMENT(0, "kind", BOUNDED, 0, ARRAY_SIZE(files) - 1),
};

static const struct field nothing[] = { ARGUMENT(0, "unused", BOUNDED, 0, 0) };

static const struct field epoll_ctl_fields[] = {
	ARGUMENT(0, "epoll", WANT, RES_EPOLL, 0), FD(1, "fd"), ARGUMENT(2, "op", BOUNDED, 1, 3),
	ARGUMENT_CHOICE(3, "events", epoll_events),
};

static const struct field epoll_wait_fields[] = {
	ARGUMENT(0, "epoll", WANT, RES_EPOLL, 0), ARGUMENT(1, "timeout", BOUNDED, 0, 3),
};

static const struct field poll_fields[] = {
	ARGUMENT(0, "context", WANT, RES_CONTEXT, 0), FD(1, "fd"),
	ARGUMENT(2, "timeout", BOUNDED, 0, 3),
};

static const struct field fdinfo_fields[] = { ARGUMENT(0, "context", WANT, RES_CONTEXT, 0) };

static const struct field pass_fields[] = {
	ARGUMENT(0, "unix", WANT, RES_UNIX, 0), FD(1, "fd"),
};

static const struct field copy_fields[] = {
	FD(0, "fd"), ARGUMENT(1, "data", POINTER, 0, 4096), ARGUMENT(2, "length", BOUNDED, 0, 8192),
};

static const struct field nonblock_fields[] = {
	FD(0, "fd"), ARGUMENT(1, "on", NUMBER, 0, 1),
};

static const struct call calls[] = {
	SYSTEM(open, open_fields, .makes = { RES_BARE }, .weight = 1, .rare = 1),
	SYSTEM(close, close_fields, .weight = 5, .rare = 1),
	SYSTEM(dup, dup_fields, .makes = { RES_CONTEXT }, .poor = 1, .rare = 1),
	SYSTEM(pipe, pipe_fields, .makes = { RES_PIPE, RES_PIPE }, .rare = 1),
	SYSTEM(waker, waker_fields, .makes = { RES_WAKER }, .rare = 1),
	SYSTEM(file, file_fields, .makes = { RES_FILE }, .rare = 1),
	SYSTEM(epoll, nothing, .makes = { RES_EPOLL }, .rare = 1),
	SYSTEM(epoll_ctl, epoll_ctl_fields, .weight = 3),
	SYSTEM(epoll_wait, epoll_wait_fields),
	SYSTEM(poll, poll_fields),
	SYSTEM(fdinfo, fdinfo_fields, .weight = 3, .rare = 1),
	SYSTEM(pass, pass_fields),
	SYSTEM(read, copy_fields),
	SYSTEM(write, copy_fields, .weight = 3),
	SYSTEM(nonblock, nonblock_fields, .weight = 1),
};

const struct call_table file_table = { calls, ARRAY_SIZE(calls) };
