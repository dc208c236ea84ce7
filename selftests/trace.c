// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: each step in an event's life, and what the administrator does, can be followed
 * in /sys/kernel/tracing, with ids and numbers that are right.
 *
 * vm: load=core,null,null-twin:version=2
 */
#include "swap.h"
#include "tracing.h"

TEST(life_of_an_event)
{
	struct raw raw;
	char words[64];
	uint64_t id;

	raw_start_signal(&raw, SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	tracing_begin("aem");
	id = null_new(&raw, NULL_CREATE, raw_nothing, 0, 0, 7);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	raw_drain(&raw);
	tracing_end("aem");
	raw_end(&raw);

	snprintf(words, sizeof(words), "id=0x%llx ", (unsigned long long)id);
	EXPECT_EQ(tracing_count("aem_register", words), 1);
	EXPECT_GE(tracing_count("aem_activate", words), 1);
	EXPECT_EQ(tracing_count("aem_construct", words), 1);
	EXPECT_EQ(tracing_count("aem_done", words), 1);
	EXPECT_EQ(tracing_count("aem_unregister", words), 1);
	EXPECT_EQ(tracing_count("aem_register", "prio=7 "), 1);
	EXPECT_EQ(tracing_count("aem_construct", "ret=0"), 1);
	snprintf(words, sizeof(words), "owner=%d prio=7", getpid());
	EXPECT_EQ(tracing_count("aem_doorbell", words), 1);
}

TEST(what_the_administrator_does)
{
	struct aem_manage arg;
	struct raw raw;

	swap_begin(&raw, 1);
	null_new(&raw, NULL_CREATE, raw_nothing, 0, 0, 0);
	tracing_begin("aem");
	swap_to(raw.fd, NULL_SERVICE, 1, 2);
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 2, 0);
	EXPECT_OK(swap_manage(raw.fd, &arg));
	tracing_end("aem");
	raw_drain(&raw);
	raw_end(&raw);

	EXPECT_EQ(tracing_count("aem_swap",
				"service=null from=1 to=2 contexts=1 moved=1 refused=0 "), 1);
	EXPECT_EQ(tracing_count("aem_revoke", "service=null from=2 to=0 "), 1);
}

KTAP_MAIN()
