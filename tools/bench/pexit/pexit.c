// SPDX-License-Identifier: GPL-2.0
/*
 * pexit: instructions of a parent to watch a child, hear of its end, and wait for it. The children
 * are there before, and their own instructions are not counted.
 * unit: instructions per process
 * bench: mem=1024 load=core,pexit
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <aem/pexit.h>
#include "bench.h"

#define CHILDREN	64
#ifndef P_PIDFD
#define P_PIDFD	3
#endif

static pid_t children[CHILDREN];
static unsigned long heard;

/* Children that end when the returned descriptor is closed. */
static int bear(struct bench *b)
{
	int fds[2], i;
	char byte;

	bench_try(b, pipe(fds), "pipe");
	for (i = 0; i < CHILDREN; i++) {
		children[i] = (pid_t)bench_try(b, fork(), "fork");
		if (children[i])
			continue;
		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 0 ? 5 : 6);
	}
	close(fds[0]);
	return fds[1];
}

static void ended(struct aem *aem, void *user, aem_id id, const struct aem_pexit_note *note,
		  uint32_t lost)
{
	int status;

	(void)aem;
	(void)user;
	(void)id;
	(void)lost;
	if (waitpid(note->pid, &status, 0) == note->pid && (int)note->status == status)
		heard++;
}

static void run_aem(struct bench *b, const void *arg)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct aem *aem;
	int i, gate;

	(void)arg;
	if (aem_open(&aem, &options))
		bench_skip(b, "aem_open");
	while (bench_next(b)) {
		gate = bear(b);
		heard = 0;
		bench_begin(b);
		for (i = 0; i < CHILDREN; i++)
			if (aem_pexit_watch(aem, NULL, children[i], AEM_PRIO(0), NULL, ended, NULL))
				bench_skip(b, "aem_pexit_watch");
		close(gate);
		while (heard < CHILDREN)
			aem_wait(aem, -1);
		bench_end(b, CHILDREN);
	}
}

static void run_pidfd(struct bench *b, const void *arg)
{
	struct epoll_event event, events[CHILDREN];
	int i, n, gate, fd, poller = (int)bench_try(b, epoll_create1(0), "epoll_create1");
	siginfo_t info;

	(void)arg;
	while (bench_next(b)) {
		gate = bear(b);
		heard = 0;
		bench_begin(b);
		for (i = 0; i < CHILDREN; i++) {
			fd = (int)bench_try(b, syscall(SYS_pidfd_open, children[i], 0),
					    "pidfd_open");
			event = (struct epoll_event){ .events = EPOLLIN, .data.fd = fd };
			bench_try(b, epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
		}
		close(gate);
		while (heard < CHILDREN) {
			n = epoll_wait(poller, events, CHILDREN, -1);
			for (i = 0; i < n; i++) {
				bench_try(b, waitid(P_PIDFD, (id_t)events[i].data.fd, &info,
						    WEXITED), "waitid");
				close(events[i].data.fd);
				heard++;
			}
		}
		bench_end(b, CHILDREN);
	}
}

static void run_sigchld(struct bench *b, const void *arg)
{
	struct signalfd_siginfo info;
	int gate, status, fd;
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = (int)bench_try(b, signalfd(-1, &set, 0), "signalfd");
	while (bench_next(b)) {
		gate = bear(b);
		heard = 0;
		bench_begin(b);
		close(gate);
		while (heard < CHILDREN) {
			bench_try(b, read(fd, &info, sizeof(info)), "read");
			while (waitpid(-1, &status, WNOHANG) > 0)
				heard++;
		}
		bench_end(b, CHILDREN);
	}
}

int main(int argc, char **argv)
{
	bench_start(argc, argv);
	bench_row("aem", "", run_aem, NULL);
	bench_row("pidfd + epoll + waitid", "", run_pidfd, NULL);
	bench_row("signalfd + waitpid", "", run_sigchld, NULL);
	return 0;
}
