// SPDX-License-Identifier: GPL-2.0
/*
 * aem-httpd: serves a directory over HTTP from one thread, on nothing but libaem. It either waits
 * for events, or, with --mode=interrupt, main() computes and is interrupted by them.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "options.h"
#include "server.h"
#include "ticker.h"
#include "work.h"

#define RING_ENTRIES	1024
#define QUEUE_CALLS	4096
#define VMT_SIZE	(4UL << 20)

static struct options options;
static struct server server;
static struct ticker ticker;
static struct work work;
static struct aem *context;
static volatile sig_atomic_t stop;

static void on_signal(int signo)
{
	(void)signo;
	stop = 1;
	aem_stop(context);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (sigaction(SIGTERM, &action, NULL) || sigaction(SIGINT, &action, NULL))
		err(1, "sigaction");
}

static void open_context(void)
{
	struct aem_options wanted = {
		.flags = options.interrupt ? 0 : AEM_OPEN_SAFEPOINT,
		.ring_entries = RING_ENTRIES,
		.queue_calls = QUEUE_CALLS,
		.vmt_size = VMT_SIZE,
	};
	int error = aem_open(&context, &wanted);
	const char *hint;

	if (error == -ENOSPC) {
		/* Less memory is allowed here: what there is by default must do. */
		wanted.vmt_size = 0;
		error = aem_open(&context, &wanted);
	}
	if (!error)
		return;
	hint = aem_strerror_hint(error);
	errx(1, "cannot open /dev/aem: %s%s%s", strerror(-error), hint ? ": " : "",
	     hint ? hint : "");
}

static void print_stats(struct aem *aem, void *user, aem_id timer, uint64_t overruns,
			uint64_t expiry, int error)
{
	const struct counters *c = &server.counters;
	char line[256];
	int n;

	(void)aem;
	(void)user;
	(void)timer;
	(void)overruns;
	(void)expiry;
	if (error)
		return;
	n = snprintf(line, sizeof(line),
		     "open %u accepted %lu requests %lu errors %lu bytes %lu timeouts %lu resets %lu ticks %lu\n",
		     server.open, c->connections, c->requests, c->answers[4] + c->answers[5],
		     c->bytes, c->timeouts, c->resets, ticker_count(&ticker));
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

static void start_stats(void)
{
	uint64_t interval = options.stats * 1000000000ULL;
	struct aem_timer_spec spec = { .value = interval, .interval = interval };
	int error;

	if (!options.stats)
		return;
	error = aem_timer_create(context, NULL, CLOCK_MONOTONIC, AEM_PRIO(PRIO_HTTP), &spec,
				 print_stats, NULL);
	if (error)
		errx(1, "cannot make a timer: %s", strerror(-error));
}

static void print_start(void)
{
	printf("aem-httpd: serving %s on port %u, %s\n", options.root, server_port(&server),
	       options.interrupt ? "interrupting main()" : "at safe points");
	fflush(stdout);
}

static void print_requests(const struct counters *c)
{
	printf("connections    %lu (%lu at a time at most)\n", c->connections, c->peak);
	printf("requests       %lu\n", c->requests);
	for (int hundreds = 2; hundreds < 6; hundreds++)
		printf("answers %dxx    %lu\n", hundreds, c->answers[hundreds]);
	printf("bytes sent     %lu\n", c->bytes);
	printf("full sockets   %lu\n", c->rooms);
	printf("timeouts       %lu\n", c->timeouts);
	printf("resets         %lu\n", c->resets);
	printf("refused        %lu\n", c->refused);
	printf("failures       %lu\n", c->failures);
}

/* Whether everything was right that the program can tell by itself. */
static bool print_work(void)
{
	bool right = work_is_right(&work);

	printf("numbers        %lu\n", work.number);
	printf("primes         %lu (%s)\n", work.primes, right ? "right" : "WRONG");
	printf("torn sections  %lu\n", ticker.torn);
	return right && !ticker.torn;
}

static bool print_ticks(void)
{
	int64_t lost = ticker_lost(&ticker);

	printf("timers         %u\n", ticker.n);
	printf("ticks          %lu\n", ticker_count(&ticker));
	printf("ticks lost     %ld\n", lost);
	return !lost;
}

static bool print_summary(const struct aem_query *query)
{
	bool right = true;

	printf("aem-httpd: the end\n");
	print_requests(&server.counters);
	printf("records        %llu\n", query->records);
	printf("interruptions  %llu\n", query->doorbells);
	printf("starvations    %llu\n", query->starvations);
	right &= print_ticks();
	if (options.interrupt)
		right &= print_work();
	return right;
}

static void run(void)
{
	if (options.interrupt) {
		work_run(&work, context, &stop);
	} else {
		int error = stop ? 0 : aem_run(context);

		if (error)
			errx(1, "cannot go on: %s", strerror(-error));
	}
}

int main(int argc, char **argv)
{
	struct aem_query query = { 0 };
	unsigned int level;
	bool right;

	options_parse(&options, argc, argv);
	open_context();
	catch_signals();
	/* Handlers and main() both use malloc() and stdio: but never at the same time. */
	level = aem_level_raise(context, AEM_LEVEL_ALL);
	work_begin(&work);
	server_open(&server, context, &options);
	ticker_start(&ticker, context, options.timers, options.interrupt ? &work : NULL);
	start_stats();
	print_start();
	aem_level_restore(context, level);
	run();
	ticker_stop(&ticker, context);
	server_close(&server);
	aem_query(context, &query);
	aem_close(context);
	right = print_summary(&query);
	ticker_free(&ticker);
	return right ? 0 : 1;
}
