// SPDX-License-Identifier: GPL-2.0
/* Timers that tick beside everything else. Each knows when it began, so that a lost tick shows. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <aem/timer.h>
#include "server.h"
#include "ticker.h"
#include "work.h"

/* Of the first one; the others are a little slower each, so that they do not keep step. */
#define INTERVAL_NS	10000000ULL
#define STEP_NS		1000000ULL

static void on_tick(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		    int error)
{
	struct tick *tick = user;
	struct ticker *ticker = tick->ticker;

	(void)aem;
	(void)timer;
	if (error)
		return;
	tick->count += 1 + overruns;
	tick->last = expiry;
	if (ticker->work && !work_is_whole(ticker->work))
		ticker->torn++;
}

static void start_tick(struct tick *tick, struct aem *aem, uint64_t now)
{
	struct aem_timer_spec spec = {
		.value = now + tick->interval,
		.interval = tick->interval,
		.flags = AEM_TIMER_ABSTIME,
	};
	int error;

	tick->first = spec.value;
	error = aem_timer_create(aem, &tick->id, CLOCK_MONOTONIC, AEM_PRIO(PRIO_TICK), &spec,
				 on_tick, tick);
	if (error)
		errx(1, "cannot make a timer: %s", strerror(-error));
}

void ticker_start(struct ticker *ticker, struct aem *aem, unsigned int n, const struct work *work)
{
	uint64_t now = clock_now();

	*ticker = (struct ticker){ .n = n, .work = work };
	ticker->ticks = calloc(n, sizeof(ticker->ticks[0]));
	if (n && !ticker->ticks)
		err(1, "no memory for %u timers", n);
	for (unsigned int i = 0; i < n; i++) {
		ticker->ticks[i].ticker = ticker;
		ticker->ticks[i].interval = INTERVAL_NS + i * STEP_NS;
		start_tick(&ticker->ticks[i], aem, now);
	}
}

void ticker_stop(struct ticker *ticker, struct aem *aem)
{
	for (unsigned int i = 0; i < ticker->n; i++)
		aem_timer_delete(aem, ticker->ticks[i].id);
}

void ticker_free(struct ticker *ticker)
{
	free(ticker->ticks);
}

uint64_t ticker_count(const struct ticker *ticker)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < ticker->n; i++)
		count += ticker->ticks[i].count;
	return count;
}

int64_t ticker_lost(const struct ticker *ticker)
{
	int64_t lost = 0;

	for (unsigned int i = 0; i < ticker->n; i++) {
		const struct tick *tick = &ticker->ticks[i];

		if (tick->count)
			lost += (tick->last - tick->first) / tick->interval + 1 - tick->count;
	}
	return lost;
}
