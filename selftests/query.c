// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_QUERY: limits, and counters that count.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

TEST(before_setup)
{
	struct raw raw = { .fd = raw_open() };
	struct aem_query query = raw_query(&raw);

	EXPECT_EQ(query.size, sizeof(query));
	EXPECT_EQ(query.abi, AEM_ABI);
	EXPECT(query.features & AEM_FEATURE_SIGNAL);
	EXPECT_EQ(query.flags, 0);
	EXPECT_EQ(query.ring_entries, 0);
	EXPECT_EQ(query.signo, 0);
	EXPECT_EQ(query.vmt_size, 0);
	EXPECT_EQ(query.vmt_used, 0);
	EXPECT_EQ(query.max_events, raw_parameter("max_events"));
	EXPECT_EQ(query.events, 0);
	EXPECT_EQ(query.active, 0);
	EXPECT_EQ(query.starved, 0);
	EXPECT_EQ(query.activations, 0);
	EXPECT_EQ(query.records, 0);
	EXPECT_EQ(query.doorbells, 0);
	EXPECT_EQ(query.starvations, 0);
	EXPECT_EQ(query.redirects, 0);
	EXPECT_EQ(query.hint, 0);
	EXPECT_EQ(query.boost, 0);
	close(raw.fd);
}

TEST(events_and_active)
{
	struct aem_query query;
	uint64_t id[10];
	struct raw raw;
	int i;

	raw_start(&raw);
	for (i = 0; i < 10; i++) {
		id[i] = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, i);
		EXPECT_EQ(raw_query(&raw).events, i + 1);
	}
	for (i = 0; i < 10; i++) {
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
		EXPECT_EQ(raw_query(&raw).active, i + 1);
	}
	null_fire(&raw, id[0], NULL_BY_CALL, 5);
	query = raw_query(&raw);
	EXPECT_EQ(query.active, 10);
	EXPECT_EQ(query.activations, 15);
	EXPECT_EQ(query.records, 0);
	EXPECT_EQ(raw_drain(&raw), 10);
	query = raw_query(&raw);
	EXPECT_EQ(query.active, 0);
	EXPECT_EQ(query.records, 10);
	EXPECT_EQ(query.events, 10);
	for (i = 0; i < 10; i++) {
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[i], 0));
		EXPECT_EQ(raw_query(&raw).events, 9 - i);
	}
	EXPECT_EQ(raw_query(&raw).activations, 15);
	raw_end(&raw);
}

TEST(memory_and_starvation)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC, .length = 65536 };
	struct aem_query query;
	struct raw raw;
	uint64_t id;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.vmt_size = 65536;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	ASSERT_OK(ioctl(raw.fd, AEM_IOC_VMT, &vmt));
	EXPECT_EQ(raw_query(&raw).vmt_used, 65536);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_plan(&raw, id, (struct null_plan){ .block = 100 });
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_round(&raw), 0);
	query = raw_query(&raw);
	EXPECT_EQ(query.starved, 1);
	EXPECT_EQ(query.starvations, 1);
	vmt.op = AEM_VMT_FREE;
	vmt.length = 0;
	ASSERT_OK(ioctl(raw.fd, AEM_IOC_VMT, &vmt));
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	EXPECT_EQ(raw_round(&raw), 1);
	query = raw_query(&raw);
	EXPECT_EQ(query.starved, 0);
	EXPECT_EQ(query.starvations, 1);
	EXPECT_EQ(query.vmt_used, 128);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

static volatile sig_atomic_t rung;

static void ring(int signo)
{
	(void)signo;
	rung++;
}

TEST(doorbells)
{
	struct raw raw;
	uint64_t id;

	signal(SIGUSR1, ring);
	raw_start_signal(&raw, SIGUSR1);
	EXPECT_EQ(raw_query(&raw).doorbells, 0);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(rung, 1);
	EXPECT_EQ(raw_query(&raw).doorbells, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	null_fire(&raw, id, NULL_BY_IRQ, 3);
	EXPECT_EQ(rung, 2);
	EXPECT_EQ(raw_query(&raw).doorbells, 2);
	raw_drain(&raw);
	raw_end(&raw);
}

TEST(contexts_do_not_mix)
{
	struct raw one, two;
	uint64_t id;

	raw_start(&one);
	raw_start(&two);
	id = null_new(&one, NULL_CREATE, raw_nothing, 1, 0, 1);
	null_fire(&one, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_query(&one).active, 1);
	EXPECT_EQ(raw_query(&two).events, 0);
	EXPECT_EQ(raw_query(&two).active, 0);
	EXPECT_ERRNO(null_try_fire(&two, id, NULL_BY_CALL, 1), ENOENT);
	EXPECT_ERRNO(raw_event(&two, AEM_EVENT_SHUTDOWN, id, 0), ENOENT);
	EXPECT_EQ(raw_round(&two), 0);
	EXPECT_EQ(raw_round(&one), 1);
	raw_end(&two);
	raw_end(&one);
}

KTAP_MAIN()
