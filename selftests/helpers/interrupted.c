// SPDX-License-Identifier: GPL-2.0
/*
 * interrupted: a program that computes and is interrupted, to be looked at by a debugger.
 *
 *	interrupted signal|redirect count	ends with 0 when each timer has had its handler
 *	interrupted signal|redirect hold FILE	its handler makes FILE and never ends
 */
#include <aem/aem.h>
#include <aem/timer.h>
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIMERS	5
#define APART	200000000
#define PATIENCE 60

static const char *file;
static volatile int handled;
static volatile unsigned int sum;

void on_timer(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
	      int error);
void compute(void);

__attribute__((noinline))
void on_timer(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
	      int error)
{
	(void)aem, (void)user, (void)timer, (void)overruns, (void)expiry, (void)error;
	handled++;
	if (!file)
		return;
	if (open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) < 0)
		err(2, "%s", file);
	for (;;)
		;
}

__attribute__((noinline)) void compute(void)
{
	time_t end = time(NULL) + PATIENCE;
	unsigned int i;

	while (handled < TIMERS && time(NULL) < end)
		for (i = 0; i < 1000; i++)
			sum = sum * 31 + i;
}

int main(int argc, char **argv)
{
	struct aem_options options = { 0 };
	struct aem_timer_spec once = { 0 };
	struct aem *aem;
	int error, i;

	if (argc < 3)
		errx(2, "interrupted signal|redirect count|hold [FILE]");
	options.flags = strcmp(argv[1], "signal") ? 0 : AEM_OPEN_SIGNAL;
	file = argv[3];
	error = aem_open(&aem, &options);
	for (i = 1; i <= TIMERS && !error; i++) {
		once.value = (uint64_t)i * APART;
		error = aem_timer_create(aem, NULL, CLOCK_MONOTONIC, AEM_PRIO(3) | EVF_ONESHOT,
					 &once, on_timer, NULL);
	}
	if (error)
		errx(2, "%s", aem_strerror_hint(error));
	compute();
	return handled == TIMERS ? 0 : 1;
}
