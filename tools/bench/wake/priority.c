// SPDX-License-Identifier: GPL-2.0
/*
 * priority: instructions from causing an urgent event, in a handler of one that is not, to the
 * first of its own handler, with a backlog of others in between.
 * unit: instructions to the urgent handler
 * bench: mem=1024 load=core,null
 * gate: RT signal
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include "nulls.h"
#include "wakes.h"

/* The handler that causes it is the third of the backlog's. */
#define CAUSE 3
#define BATCH 64

static int64_t caused, handled;
static unsigned long ran;

/* AEM: the urgent event has priority 31 */

static aem_id urgent;
static struct bench *row;

static void on_urgent(struct aem *aem, void *user, aem_id id)
{
	handled = bench_now();
	(void)aem;
	(void)user;
	(void)id;
}

static void on_other(struct aem *aem, void *user, aem_id id)
{
	(void)aem;
	(void)user;
	(void)id;
	if (++ran != CAUSE)
		return;
	caused = bench_now();
	nulls_fire(row, urgent);
}

static void with_aem(struct bench *b, const void *arg)
{
	unsigned long i, n = *(const unsigned long *)arg + CAUSE;
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	aem_id *ids = bench_memory(b, n, sizeof(*ids));
	struct aem *aem;

	row = b;
	bench_assert(b, !aem_open(&aem, &options));
	nulls_open(b, aem);
	urgent = nulls_create(b, 31, on_urgent, NULL);
	for (i = 0; i < n; i++)
		ids[i] = nulls_create(b, 0, on_other, NULL);
	while (bench_next(b)) {
		for (i = 0; i < n; i++)
			nulls_fire(b, ids[i]);
		ran = 0;
		handled = 0;
		bench_begin(b);
		while (!handled)
			aem_dispatch(aem);
		bench_set(b, handled - caused, handled - caused);
		bench_end(b, 1);
		while (ran < n)
			aem_dispatch(aem);
		bench_assert(b, ran == n);
	}
}

/* epoll: either one descriptor for all, or another for the urgent, which is asked first */

static int all, first;

static void add(struct bench *b, int epoll, int fd, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = data };

	bench_try(b, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void take(struct bench *b, unsigned long i)
{
	uint64_t value;

	if (i == 0) {
		handled = bench_now();
	} else if (++ran == CAUSE) {
		caused = bench_now();
		wake_eventfd_fire(b, 0);
	}
	bench_assert(b, read(wake_fds[i], &value, sizeof(value)) == sizeof(value));
}

/* One batch, asking for the urgent before each event of it if that has a descriptor of its own. */
static void look(struct bench *b)
{
	static struct epoll_event events[BATCH], event;
	int i, n = bench_try(b, epoll_wait(all, events, BATCH, 0), "epoll_wait");

	for (i = 0; i < n; i++) {
		if (first && epoll_wait(first, &event, 1, 0) == 1)
			take(b, 0);
		take(b, events[i].data.u64);
	}
	if (first && epoll_wait(first, &event, 1, 0) == 1)
		take(b, 0);
}

static void with_epoll(struct bench *b, const void *arg)
{
	unsigned long i, n = *(const unsigned long *)arg + CAUSE;

	wake_eventfds(b, n + 1);
	all = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	add(b, first ? first : all, wake_fds[0], 0);
	for (i = 1; i <= n; i++)
		add(b, all, wake_fds[i], i);
	while (bench_next(b)) {
		for (i = 1; i <= n; i++)
			wake_eventfd_fire(b, i);
		ran = 0;
		handled = 0;
		bench_begin(b);
		while (!handled)
			look(b);
		bench_set(b, handled - caused, handled - caused);
		bench_end(b, 1);
		while (ran < n)
			look(b);
	}
}

static void with_two_epolls(struct bench *b, const void *arg)
{
	first = bench_try(b, epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	with_epoll(b, arg);
}

/* Signals: the lowest number goes first */

static void queue(struct bench *b, int signo)
{
	bench_try(b, sigqueue(getpid(), signo, (union sigval){ 0 }), "sigqueue");
}

static void take_signal(struct bench *b, const sigset_t *set)
{
	siginfo_t info;

	if (bench_try(b, sigwaitinfo(set, &info), "sigwaitinfo") == SIGRTMIN) {
		handled = bench_now();
	} else if (++ran == CAUSE) {
		caused = bench_now();
		queue(b, SIGRTMIN);
	}
}

static void with_signals(struct bench *b, const void *arg)
{
	unsigned long i, n = *(const unsigned long *)arg + CAUSE;
	struct rlimit limit = { n + 1024, n + 1024 };
	sigset_t set;

	bench_try(b, setrlimit(RLIMIT_SIGPENDING, &limit), "RLIMIT_SIGPENDING");
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	bench_try(b, sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	while (bench_next(b)) {
		for (i = 0; i < n; i++)
			queue(b, SIGRTMIN + 1);
		ran = 0;
		handled = 0;
		bench_begin(b);
		while (!handled)
			take_signal(b, &set);
		bench_set(b, handled - caused, handled - caused);
		bench_end(b, 1);
		while (ran < n)
			take_signal(b, &set);
	}
}

int main(int argc, char **argv)
{
	static const unsigned long backlogs[] = { 0, 100000 };
	unsigned long backlog;
	char params[64];
	unsigned int i;

	bench_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(backlogs); i++) {
		backlog = bench_quick && i ? 2000 : backlogs[i];
		snprintf(params, sizeof(params), "\"backlog\":%lu", backlog);
		bench_row("aem", params, with_aem, &backlog);
		bench_row("epoll", params, with_epoll, &backlog);
		bench_row("two epolls", params, with_two_epolls, &backlog);
		bench_row("RT signal", params, with_signals, &backlog);
	}
	return 0;
}
