// SPDX-License-Identifier: GPL-2.0
/*
 * interrupt: instructions from the time that a timer is set for to the first of its handler, which
 * is given data, and back to the flow that it broke: computing, sleeping, or blocked in read().
 * unit: instructions
 * bench: mem=512 load=core,timer
 * gate: RT signal
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <aem/timer.h>
#include "bench.h"

#define AHEAD 400000
#define DATA ((void *)0x12345678)

enum flow {
	COMPUTING,
	IDLE,
	BLOCKED,
	FLOWS
};

static const char * const flows[FLOWS] = { "computing", "idle", "blocked in read" };

/**
 * struct work - of a row
 * @flow: that is broken
 * @back: measured until it goes on, not until the handler begins
 */
struct work {
	enum flow flow;
	bool back;
};

static volatile int64_t entered;
static volatile bool right;
static int pipe_ends[2];

/* Ends a read() that was restarted. */
static void release(void)
{
	if (write(pipe_ends[1], "", 1) != 1)
		_exit(1);
}

/* The flow, until the handler has run: when it went on. */
static int64_t flow_on(enum flow flow)
{
	char byte;

	if (flow == IDLE)
		pause();
	else if (flow == BLOCKED && read(pipe_ends[0], &byte, 1) != 1)
		_exit(1);
	while (!entered)
		bench_now();
	return bench_now();
}

static void measure(struct bench *b, const struct work *w, int64_t when)
{
	int64_t on, from = bench_now();

	bench_assert(b, from < when);
	bench_begin(b);
	on = flow_on(w->flow);
	bench_assert(b, right && entered > when);
	on = (w->back ? on : entered) - when;
	bench_set(b, on, on);
	bench_end(b, 1);
}

/* AEM */

static enum flow broken;

static void on_timer(struct aem *aem, void *user, aem_id timer, uint64_t overruns,
		     uint64_t expiry, int error)
{
	entered = bench_now();
	right = user == DATA && !overruns && !error && expiry;
	if (broken == BLOCKED)
		release();
	(void)aem;
	(void)timer;
}

static void with_aem(struct bench *b, const void *arg)
{
	struct aem_timer_spec spec = { .flags = AEM_TIMER_ABSTIME };
	const struct work *w = arg;
	struct aem *aem;
	aem_id timer;

	broken = w->flow;
	bench_rounds(b, 9);
	bench_assert(b, !pipe(pipe_ends));
	bench_assert(b, !aem_open(&aem, NULL));
	bench_assert(b, !aem_timer_create(aem, &timer, CLOCK_MONOTONIC, AEM_PRIO(1), NULL,
					  on_timer, DATA));
	while (bench_next(b)) {
		entered = 0;
		right = false;
		spec.value = bench_now() + AHEAD;
		bench_assert(b, !aem_timer_settime(aem, timer, &spec, NULL));
		measure(b, w, spec.value);
	}
}

/* A real-time signal of a POSIX timer */

static void on_signal(int signo, siginfo_t *info, void *context)
{
	entered = bench_now();
	right = info->si_value.sival_ptr == DATA && info->si_code == SI_TIMER;
	if (broken == BLOCKED)
		release();
	(void)signo;
	(void)context;
}

static void with_signal(struct bench *b, const void *arg)
{
	struct sigaction action = {
		.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART,
	};
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec spec = { 0 };
	const struct work *w = arg;
	int timer;

	broken = w->flow;
	bench_rounds(b, 9);
	event.sigev_value.sival_ptr = DATA;
	bench_assert(b, !pipe(pipe_ends));
	bench_try(b, sigaction(SIGRTMIN, &action, NULL), "sigaction");
	bench_try(b, syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer), "timer_create");
	while (bench_next(b)) {
		int64_t when = bench_now() + AHEAD;

		entered = 0;
		right = false;
		spec.it_value.tv_sec = when / 1000000000;
		spec.it_value.tv_nsec = when % 1000000000;
		bench_try(b, syscall(SYS_timer_settime, timer, TIMER_ABSTIME, &spec, NULL),
			  "timer_settime");
		measure(b, w, when);
	}
}

int main(int argc, char **argv)
{
	struct work w;
	char params[64];

	bench_start(argc, argv);
	for (w.flow = 0; w.flow < FLOWS; w.flow++) {
		for (w.back = false;; w.back = true) {
			snprintf(params, sizeof(params), "\"flow\":\"%s\",\"to\":\"%s\"",
				 flows[w.flow], w.back ? "flow" : "handler");
			bench_row("aem", params, with_aem, &w);
			bench_row("RT signal", params, with_signal, &w);
			/* A read() that was broken goes on by itself, and says nothing. */
			if (w.back || w.flow == BLOCKED)
				break;
		}
	}
	return 0;
}
