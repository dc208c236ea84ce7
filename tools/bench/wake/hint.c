// SPDX-License-Identifier: GPL-2.0
/*
 * hint: on one processor with four hogs, how late the handlers of a program are that computes as
 * well: the 99th percentile from the time that a timer is set for to the first instruction of its
 * handler; and what the worst off of the hogs lacks of the fifth that each of them has a right to.
 * All have the same nice value.
 * unit: instructions, or percent of a fair share
 * bench: mem=512 load=core:hint_realtime=10,timer timeout=2400
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <aem/timer.h>
#include "bench.h"

#define HOGS 4
#define EVENTS 100
/* Between two events: this, and up to as much again. */
#define APART 10000000

enum what {
	LATE,
	LACK,
	WHATS
};

static const char * const whats[] = { "p99 to handler", "percent that a hog lacks" };

/* Of the system at hand: found by the first row, told by both. Shared memory. */
static double *figures;

/**
 * struct work - of a row
 * @how:  makes a timer that interrupts, and says how to arm it
 * @what: is told
 */
struct work {
	void (*how)(struct bench *b);
	enum what what;
};

static volatile int64_t entered;
static void (*arm)(struct bench *b, int64_t when);

/* AEM */

static struct aem *aem;
static aem_id aem_timer;

static void on_timer(struct aem *context, void *user, aem_id timer, uint64_t overruns,
		     uint64_t expiry, int error)
{
	entered = bench_now();
	(void)context, (void)user, (void)timer, (void)overruns, (void)expiry, (void)error;
}

static void arm_aem(struct bench *b, int64_t when)
{
	struct aem_timer_spec spec = { .flags = AEM_TIMER_ABSTIME, .value = when };

	bench_assert(b, !aem_timer_settime(aem, aem_timer, &spec, NULL));
}

static void open_aem(struct bench *b, uint32_t flags)
{
	struct aem_options options = { .flags = flags };

	bench_assert(b, !aem_open(&aem, &options));
	bench_assert(b, !aem_timer_create(aem, &aem_timer, CLOCK_MONOTONIC, AEM_PRIO(31), NULL,
					  on_timer, NULL));
	arm = arm_aem;
}

static void with_hint(struct bench *b)
{
	open_aem(b, AEM_OPEN_HINT);
}

static void without_hint(struct bench *b)
{
	open_aem(b, 0);
}

/* A real-time signal of a POSIX timer */

static int posix_timer;

static void on_signal(int signo)
{
	entered = bench_now();
	(void)signo;
}

static void arm_posix(struct bench *b, int64_t when)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 },
	};

	bench_try(b, syscall(SYS_timer_settime, posix_timer, TIMER_ABSTIME, &spec, NULL),
		  "timer_settime");
}

static void with_signal(struct bench *b)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };

	bench_try(b, sigaction(SIGRTMIN, &action, NULL), "sigaction");
	bench_try(b, syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &posix_timer),
		  "timer_create");
	arm = arm_posix;
}

/* The hogs */

static pid_t hogs[HOGS];
static clockid_t clocks[HOGS];

static void start_hogs(struct bench *b)
{
	int i;

	for (i = 0; i < HOGS; i++) {
		hogs[i] = (pid_t)bench_try(b, fork(), "fork");
		if (!hogs[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				__asm__ volatile("");
		}
		bench_assert(b, !clock_getcpuclockid(hogs[i], &clocks[i]));
	}
}

static void stop_hogs(void)
{
	int i;

	for (i = 0; i < HOGS; i++)
		kill(hogs[i], SIGKILL);
	for (i = 0; i < HOGS; i++)
		waitpid(hogs[i], NULL, 0);
}

/* What the worst off of them lacks of its fair share since @before, in percent. */
static double lack_since(const int64_t *before, int64_t begun)
{
	double most = 0, lack, fair = (double)(bench_now() - begun) / (HOGS + 1);
	int i;

	for (i = 0; i < HOGS; i++) {
		lack = 100 - 100 * (double)(bench_clock(clocks[i]) - before[i]) / fair;
		most = lack > most ? lack : most;
	}
	return most;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void find_figures(struct bench *b, const struct work *w)
{
	int64_t late[EVENTS], before[HOGS], begun, when;
	uint32_t seed = 1;
	int i;

	w->how(b);
	start_hogs(b);
	begun = bench_now();
	for (i = 0; i < HOGS; i++)
		before[i] = bench_clock(clocks[i]);
	for (i = 0; i < EVENTS; i++) {
		when = bench_now() + APART + (int64_t)bench_random(&seed) * 4 % APART;
		entered = 0;
		arm(b, when);
		while (!entered)
			__asm__ volatile("");
		bench_assert(b, entered > when);
		late[i] = entered - when;
	}
	figures[LACK] = lack_since(before, begun);
	stop_hogs();
	qsort(late, EVENTS, sizeof(late[0]), by_value);
	figures[LATE] = (double)late[EVENTS * 99 / 100 - 1];
}

static void run(struct bench *b, const void *arg)
{
	const struct work *w = arg;

	if (w->what == 0)
		find_figures(b, w);
	bench_assert(b, figures[LATE] > 0);
	bench_rounds(b, 1);
	while (bench_next(b)) {
		bench_begin(b);
		bench_end(b, EVENTS);
		bench_set(b, figures[w->what], figures[w->what]);
	}
}

static void rows(const char *system, void (*how)(struct bench *b))
{
	struct work work = { .how = how };
	char params[96];

	memset(figures, 0, WHATS * sizeof(*figures));
	for (work.what = 0; work.what < WHATS; work.what++) {
		snprintf(params, sizeof(params), "\"hogs\":%d,\"what\":\"%s\"", HOGS,
			 whats[work.what]);
		bench_row(system, params, run, &work);
	}
}

int main(int argc, char **argv)
{
	bench_start(argc, argv);
	figures = mmap(NULL, WHATS * sizeof(*figures), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (figures == MAP_FAILED)
		return 1;
	rows("aem, hint", with_hint);
	rows("aem", without_hint);
	rows("RT signal", with_signal);
	return 0;
}
