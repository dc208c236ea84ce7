// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of events that have gone. It is overwritten when it is freed (slub_debug=P), so that
 * whoever still uses it crashes; and the core is unloaded while it waits to be freed.
 *
 * vm: load=core,null own append=slub_debug=P timeout=200
 */
#include "swap.h"
#include <sys/eventfd.h>

#define EVENTS	2000

static const char expedited[] = "/sys/kernel/rcu_expedited";

static void expedite(bool on)
{
	int fd = open(expedited, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		SKIP("optional: %s: %s", expedited, strerror(errno));
	ASSERT_EQ(write(fd, on ? "1" : "0", 1), 1);
	close(fd);
}

static void unload(const char *module)
{
	int error, tries = 30000;

	/* What a closed context held is let go a moment later. */
	while ((error = swap_unload(module)) && --tries) {
		ASSERT(error == EAGAIN || error == EBUSY);
		raw_sleep_ms(1);
	}
	ASSERT_EQ(error, 0);
}

/* A wait queue goes on without the event that was in it. */
TEST(no_wait_queue_remembers_an_event)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), i;
	uint64_t id, one = 1, activations;
	struct raw raw;

	ASSERT_GE(fd, 0);
	raw_start(&raw);
	for (i = 0; i < 5; i++) {
		id = null_new_watch(&raw, raw_nothing, i, 0, 1, fd);
		ASSERT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
		ASSERT_EQ(raw_query(&raw).active, 1);
		ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
		activations = raw_query(&raw).activations;
		/* Long enough for it to be freed. */
		raw_sleep_ms(100);
		ASSERT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
		ASSERT_EQ(raw_query(&raw).activations, activations);
	}
	raw_drain(&raw);
	raw_end(&raw);
	close(fd);
}

/*
 * Grace periods that somebody waits for are made short, so that only those of callbacks take their
 * time: unloading has to wait for these by itself.
 */
TEST_TIMEOUT(while_events_wait_to_be_freed, 150)
{
	struct raw raw;
	uint32_t i, n;
	int round;

	expedite(true);
	for (round = 0; round < 3; round++) {
		raw_start(&raw);
		n = raw_query(&raw).max_events < EVENTS ? raw_query(&raw).max_events : EVENTS;
		for (i = 0; i < n; i++)
			null_new(&raw, NULL_CREATE, raw_nothing, i, 0, i % AEM_PRIORITIES);
		raw_end(&raw);
		unload("aem_null");
		unload("aem_core");
		swap_load("aem-core", "");
		swap_load("aem-null", "");
	}
	expedite(false);
}

KTAP_MAIN()
