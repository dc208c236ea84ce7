// SPDX-License-Identifier: GPL-2.0
/*
 * wake: instructions of a thread that waits, for each event that another thread causes: it is
 * woken, finds out, handles, and waits again. Both are SCHED_FIFO of one priority on one processor,
 * so that a burst is complete before its receiver runs: the sender yields to it. Events of AEM are
 * those of aem-null, which a call activates; the others have an eventfd each, or a queued signal.
 * unit: instructions of the receiver per event
 * bench: mem=512 load=core,null
 * gate: eventfd + epoll
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "wakes.h"

#define REPEATS 200

/**
 * struct work - of a row
 * @b:       the row
 * @system:  how
 * @burst:   events at a time
 * @tid:     of the receiver, once it is ready
 * @handled: events so far
 */
struct work {
	struct bench *b;
	const struct wake_system *system;
	unsigned long burst;
	volatile pid_t tid;
	volatile unsigned long handled;
};

static void *receive(void *user)
{
	struct work *w = user;

	w->system->open(w->b, w->burst);
	w->tid = syscall(SYS_gettid);
	if (w->system->run)
		w->system->run(w->b, &w->handled);
	for (;;)
		w->handled += w->system->collect(w->b);
	return NULL;
}

/* Only when all is made: making may wait for threads of the kernel, which run no more then. */
static void real_time(struct bench *b, pid_t receiver)
{
	struct sched_param param = { .sched_priority = 1 };

	bench_sysctl(b, "/proc/sys/kernel/sched_rt_runtime_us", "-1");
	bench_try(b, sched_setscheduler(receiver, SCHED_FIFO, &param), "SCHED_FIFO");
	bench_try(b, sched_setscheduler(0, SCHED_FIFO, &param), "SCHED_FIFO");
}

static void burst(struct work *w)
{
	unsigned long i, before = w->handled;

	for (i = 0; i < w->burst; i++)
		w->system->fire(w->b, i);
	while (w->handled != before + w->burst)
		sched_yield();
}

static void run(struct bench *b, const void *arg)
{
	struct work w = *(const struct work *)arg;
	unsigned long i, repeats = REPEATS / w.burst + 10;
	pthread_t thread;
	clockid_t clock;

	w.b = b;
	bench_assert(b, !pthread_create(&thread, NULL, receive, &w));
	while (!w.tid)
		usleep(1000);
	real_time(b, w.tid);
	bench_assert(b, !pthread_getcpuclockid(thread, &clock));
	bench_target_thread(b, w.tid, clock);
	while (bench_next(b)) {
		/* It waits now. */
		sched_yield();
		bench_begin(b);
		for (i = 0; i < repeats; i++)
			burst(&w);
		bench_end(b, repeats * w.burst);
	}
}

int main(int argc, char **argv)
{
	static const struct wake_system * const systems[] = {
		&wake_aem, &wake_epoll, &wake_io_uring, &wake_poll, &wake_select, &wake_signalfd,
		&wake_sigwait,
	};
	static const unsigned long bursts[] = { 1, 64 };
	unsigned int i, j;

	bench_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(bursts); i++) {
		for (j = 0; j < ARRAY_SIZE(systems); j++) {
			struct work work = { .system = systems[j], .burst = bursts[i] };
			char params[64];

			snprintf(params, sizeof(params), "\"burst\":%lu", bursts[i]);
			bench_row(systems[j]->name, params, run, &work);
		}
	}
	return 0;
}
