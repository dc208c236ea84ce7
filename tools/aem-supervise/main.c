// SPDX-License-Identifier: GPL-2.0
/*
 * aem-supervise: keeps the programs of a configuration alive. Stays in the foreground, and
 * writes what happens to standard error: a service of systemd, or of inittab, as it is.
 *
 *	aem-supervise CONFIGURATION
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "supervise.h"

/* Programs that do not end when asked to are killed after so many milliseconds. */
#define PATIENCE	10000
/* The context, signals, heartbeats. */
#define FDS		3

struct aem *supervisor;
static bool ending, impatient, changed;

void say(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "aem-supervise: %s\n", text);
}

uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* A file with an error in it changes nothing that runs, but for what came before the error. */
static int read_config(const char *path)
{
	int ret;

	programs_mark();
	ret = config_read(path, program_configure);
	if (!ret)
		programs_sweep();
	return ret;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void has_changed(struct aem *aem, void *user, aem_id id, const struct aem_fd_note *note,
			uint32_t lost)
{
	const char *name = user;

	(void)aem;
	(void)id;
	if (!note)
		say("the service fd was taken away: send SIGHUP after a change");
	else if (lost || !strcmp(note->kinds & AEM_FD_RENAME ? aem_fd_name2(note) :
				 aem_fd_name(note), name))
		changed = true;
}

/* Editors put another file in its place, so it is the directory that is watched. */
static void watch_changes(char *path)
{
	char *copy = strdup(path), *name = strrchr(path, '/');
	int ret = -ENOMEM;

	name = name ? name + 1 : path;
	if (copy)
		ret = aem_fd_watch(supervisor, NULL, AT_FDCWD, dirname(copy),
				   AEM_FD_CLOSE_WRITE | AEM_FD_RENAME, AEM_PRIO(1), NULL,
				   has_changed, name);
	if (ret)
		say("changes of the configuration are not seen (%s): send SIGHUP",
		    aem_strerror_hint(ret));
	free(copy);
}

static void end(void)
{
	if (!ending)
		say("ending");
	ending = true;
	programs_stop(SIGTERM);
}

static void take_signals(int fd, const char *path)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			read_config(path);
		else
			end();
	}
}

static void lose_patience(uint64_t since)
{
	if (impatient || now_ns() - since < (uint64_t)PATIENCE * 1000000)
		return;
	impatient = true;
	programs_stop(SIGKILL);
}

static void loop(const char *path, int signals, int notices)
{
	struct pollfd fds[FDS] = {
		{ .fd = aem_fd(supervisor), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = notices, .events = POLLIN },
	};
	uint64_t since = 0;

	while (!ending || programs_run()) {
		if (poll(fds, FDS, ending ? 100 : -1) < 0 &&
		    errno != EINTR)
			return;
		if (aem_dispatch(supervisor) < 0)
			return;
		take_signals(signals, path);
		notify_read(notices);
		if (changed && !ending)
			read_config(path);
		changed = false;
		if (ending && !since)
			since = now_ns();
		if (ending)
			lose_patience(since);
	}
}

int main(int argc, char **argv)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	int signals, notices, ret;

	if (argc != 2 || argv[1][0] == '-') {
		fputs("usage: aem-supervise CONFIGURATION\n", stderr);
		return 2;
	}
	ret = aem_open(&supervisor, &options);
	if (ret) {
		say("%s", aem_strerror_hint(ret));
		return 1;
	}
	signals = open_signals();
	notices = notify_open();
	if (signals < 0 || notices < 0) {
		say("cannot listen: %s", strerror(errno));
		return 1;
	}
	watch_changes(argv[1]);
	ret = read_config(argv[1]);
	if (ret == -ENOENT || ret == -EACCES)
		say("%s: %s", argv[1], strerror(-ret));
	if (ret) {
		ending = true;
		programs_stop(SIGTERM);
	}
	loop(argv[1], signals, notices);
	notify_close();
	aem_close(supervisor);
	return ret ? 1 : 0;
}
