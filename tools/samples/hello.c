// SPDX-License-Identifier: GPL-2.0
/* A timer ticks five times. */
#include <stdio.h>
#include <aem/timer.h>

static void tick(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		 int error)
{
	int *ticks = user;

	(void)timer, (void)overruns, (void)expiry, (void)error;
	printf("tick %d\n", ++*ticks);
	if (*ticks == 5)
		aem_stop(aem);
}

int main(void)
{
	struct aem_timer_spec second = { .value = 1000000000, .interval = 1000000000 };
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct aem *aem = NULL;
	int ticks = 0, err = aem_open(&aem, &options);

	if (!err)
		err = aem_timer_create(aem, NULL, CLOCK_MONOTONIC, 0, &second, tick, &ticks);
	if (!err)
		err = aem_run(aem);
	if (err)
		fprintf(stderr, "hello: %s\n", aem_strerror_hint(err));
	return aem_close(aem) || err;
}
