// SPDX-License-Identifier: GPL-2.0
/* Timers of AEM: re-armed one call at a time, or many with one crossing. */
#include <errno.h>
#include <string.h>
#include <aem/timer.h>
#include "timers.h"

static struct aem *aem;
static aem_id *ids;
static unsigned long handled;

static void expired(struct aem *context, void *user, aem_id timer, uint64_t overruns,
		    uint64_t expiry, int error)
{
	(void)context;
	(void)user;
	(void)timer;
	(void)expiry;
	(void)error;
	handled += 1 + overruns;
}

static void must(struct bench *b, int result, const char *what)
{
	if (result < 0)
		bench_skip(b, "%s: %s", what, strerror(-result));
}

static void aem_timers_open(struct bench *b, unsigned long n)
{
	struct aem_options options = {
		.flags = AEM_OPEN_SAFEPOINT, .ring_entries = 1024, .queue_calls = 1024,
	};
	unsigned long i;

	ids = bench_memory(b, n, sizeof(*ids));
	must(b, aem_open(&aem, &options), "aem_open");
	for (i = 0; i < n; i++)
		must(b, aem_timer_create(aem, &ids[i], CLOCK_MONOTONIC, AEM_PRIO(0), NULL,
					 expired, NULL), "aem_timer_create");
}

static void arm(struct bench *b, unsigned long i, int64_t when)
{
	struct aem_timer_spec spec = { .value = when, .flags = AEM_TIMER_ABSTIME };

	must(b, aem_timer_settime(aem, ids[i], &spec, NULL), "aem_timer_settime");
}

static void cancel(struct bench *b, unsigned long i)
{
	struct aem_timer_spec spec = { 0 };

	must(b, aem_timer_settime(aem, ids[i], &spec, NULL), "aem_timer_settime");
}

static void arm_queued(struct bench *b, unsigned long i, int64_t when)
{
	struct aem_timer_spec spec = { .value = when, .flags = AEM_TIMER_ABSTIME };

	must(b, aem_timer_settime_queued(aem, ids[i], &spec, NULL, NULL),
	     "aem_timer_settime_queued");
}

static void cancel_queued(struct bench *b, unsigned long i)
{
	struct aem_timer_spec spec = { 0 };

	must(b, aem_timer_settime_queued(aem, ids[i], &spec, NULL, NULL),
	     "aem_timer_settime_queued");
}

static void flush(struct bench *b)
{
	must(b, aem_flush(aem), "aem_flush");
}

static unsigned long collect(struct bench *b)
{
	handled = 0;
	must(b, aem_wait(aem, -1), "aem_wait");
	return handled;
}

const struct timer_system timer_aem = {
	.name = "aem",
	.open = aem_timers_open,
	.arm = arm,
	.cancel = cancel,
	.collect = collect,
};

const struct timer_system timer_aem_batched = {
	.name = "aem, batched",
	.open = aem_timers_open,
	.arm = arm_queued,
	.cancel = cancel_queued,
	.flush = flush,
	.collect = collect,
};
