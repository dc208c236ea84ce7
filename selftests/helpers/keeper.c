// SPDX-License-Identifier: GPL-2.0
/*
 * keeper: timers that outlive their process, for saved.sh.
 *
 *	keeper make SECONDS	three timers: token 1 periodic, 2 once after so long, 3 not armed
 *	keeper adopt		the same three, taken up again
 *
 * Prints "ready", and "token N expiry E overruns O" as they expire, until it is killed. An error is
 * printed by its name, and its process ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <aem/timer.h>

#define PERIODIC 1
#define ONCE	 2
#define UNARMED	 3
#define SECOND	 1000000000ULL

static void *token(uintptr_t number)
{
	return (void *)number;
}

static void expired(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		    int error)
{
	(void)aem;
	(void)timer;
	printf("token %" PRIuPTR " expiry %" PRIu64 " overruns %" PRIu64 " error %d\n",
	       (uintptr_t)user, expiry, overruns, error);
	fflush(stdout);
}

static void expect(int error)
{
	if (!error)
		return;
	puts(strerrorname_np(-error));
	exit(1);
}

static void make(struct aem *aem, uintptr_t number, uint64_t value, uint64_t interval)
{
	struct aem_timer_spec spec = { .value = value, .interval = interval };

	expect(aem_timer_create(aem, NULL, CLOCK_MONOTONIC, AEM_PRIO(1), &spec, expired,
				token(number)));
}

static void adopt(struct aem *aem, uintptr_t number)
{
	expect(aem_timer_adopt(aem, NULL, AEM_PRIO(1), expired, token(number)));
}

int main(int argc, char **argv)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct aem *aem;

	expect(aem_open(&aem, &options));
	if (argc > 1 && !strcmp(argv[1], "adopt")) {
		adopt(aem, PERIODIC);
		adopt(aem, ONCE);
		adopt(aem, UNARMED);
	} else {
		make(aem, PERIODIC, SECOND / 10, SECOND / 10);
		make(aem, ONCE, (argc > 2 ? atoi(argv[2]) : 4) * SECOND, 0);
		make(aem, UNARMED, 0, 0);
	}
	puts("ready");
	fflush(stdout);
	expect(aem_run(aem));
	return 0;
}
