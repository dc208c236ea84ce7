// SPDX-License-Identifier: GPL-2.0
/*
 * A service that is slow, answers garbage, never completes an event, and unregisters twice: what
 * the core makes of it, and that it can be swapped and revoked.
 *
 * vm: load=core,null,rogue,rogue-twin:version=2
 */
#include "swap.h"
#include "modules/aem-rogue/aem_rogue.h"
#include <limits.h>
#include <pthread.h>

static uint32_t base;

static void begin(struct raw *raw)
{
	struct aem_bind bind;

	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(raw);
	ASSERT_OK(raw_bind(raw->fd, &bind, ROGUE_SERVICE, 1, 1));
	base = bind.base;
}

static void reload(void)
{
	ASSERT_EQ(swap_unload("aem_rogue"), 0);
	ASSERT_EQ(swap_unload("aem_rogue_twin"), 0);
	swap_load("aem-rogue", "");
	swap_load("aem-rogue-twin", "version=2");
}

static struct rogue_create request(void)
{
	struct rogue_create arg = { .size = sizeof(arg) };

	arg.reg.handler = (uintptr_t)raw_nothing;
	arg.reg.flags = EVF_START;
	return arg;
}

static long long do_call(const struct raw *raw, uint32_t call, uint64_t id, int64_t value)
{
	struct rogue_do arg = { .size = sizeof(arg), .id = id, .value = value };

	return raw_call(raw, base + call, &arg);
}

static uint64_t make(const struct raw *raw, struct rogue_create *arg)
{
	ASSERT_OK(raw_call(raw, base + ROGUE_CREATE, arg));
	return arg->reg.id;
}

static void fire(const struct raw *raw, uint64_t id)
{
	ASSERT_OK(do_call(raw, ROGUE_FIRE, id, 0));
}

/* Only what is an errno is one. */
TEST(answers_of_calls)
{
	struct raw raw;

	begin(&raw);
	EXPECT_EQ(do_call(&raw, ROGUE_ANSWER, 0, 7), 7);
	EXPECT_ERRNO(do_call(&raw, ROGUE_ANSWER, 0, -EILSEQ), EILSEQ);
	EXPECT_ERRNO(do_call(&raw, ROGUE_ANSWER, 0, -4096), EPROTO);
	EXPECT_ERRNO(do_call(&raw, ROGUE_ANSWER, 0, -515), EPROTO);
	EXPECT_ERRNO(do_call(&raw, ROGUE_ANSWER, 0, LONG_MIN), EPROTO);
	raw_end(&raw);
}

TEST(answers_of_events)
{
	static const int32_t garbage[] = { 3, 1000, INT_MAX, -5000, INT_MIN };
	struct rogue_create arg;
	struct raw raw;
	uint64_t id;
	size_t i;

	begin(&raw);
	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		arg = request();
		arg.arm = garbage[i];
		if (garbage[i] < 0) {
			EXPECT_ERRNO(raw_call(&raw, base + ROGUE_CREATE, &arg), EPROTO);
			arg.arm = 0;
		}
		arg.construct = garbage[i];
		arg.destruct = garbage[i];
		id = make(&raw, &arg);
		fire(&raw, id);
		EXPECT_EQ(raw_drain(&raw), garbage[i] > 0);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	}
	raw_end(&raw);
}

/* It takes turns for ever, and those beside it have theirs. */
TEST(an_event_that_never_completes)
{
	struct rogue_create arg = request();
	struct raw raw;
	uint64_t id;
	int i;

	begin(&raw);
	arg.never = 1;
	fire(&raw, make(&raw, &arg));
	arg = request();
	id = make(&raw, &arg);
	for (i = 0; i < 10; i++) {
		fire(&raw, id);
		EXPECT_EQ(raw_round(&raw), 1);
	}
	EXPECT_EQ(swap_to(raw.fd, ROGUE_SERVICE, 1, 2).moved, 2);
	fire(&raw, id);
	EXPECT_EQ(raw_round(&raw), 1);
	raw_end(&raw);
	reload();
}

TEST(answers_to_a_swap)
{
	static const int32_t garbage[] = { 1, INT_MAX, -5000, INT_MIN };
	struct rogue_create arg;
	struct aem_manage done;
	struct raw raw;
	size_t i;

	begin(&raw);
	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		arg = request();
		arg.yield = garbage[i];
		make(&raw, &arg);
		arg = request();
		arg.adopt = garbage[i];
		make(&raw, &arg);
	}
	arg = request();
	make(&raw, &arg);
	done = swap_to(raw.fd, ROGUE_SERVICE, 1, 2);
	EXPECT_EQ(done.moved, 1);
	EXPECT_EQ(done.refused, 8);
	EXPECT_EQ(done.reason, EPROTO);
	raw_end(&raw);
	reload();
}

static void *sleep_inside(void *raw)
{
	return (void *)(intptr_t)do_call((struct raw *)raw, ROGUE_SLEEP, 0, 4000);
}

/* A swap waits for a slow call as long as it may, and a revocation as well. */
TEST(a_slow_call)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_SWAP, ROGUE_SERVICE, 1, 2);
	pthread_t sleeper;
	struct raw raw;
	void *result;

	begin(&raw);
	ASSERT_EQ(pthread_create(&sleeper, NULL, sleep_inside, &raw), 0);
	/* Time to get there, on a busy machine as well. */
	raw_sleep_ms(1000);
	arg.timeout = 10;
	EXPECT_ERRNO(swap_manage(raw.fd, &arg), ETIMEDOUT);
	arg = swap_request(AEM_MANAGE_REVOKE, ROGUE_SERVICE, 1, 0);
	EXPECT_OK(swap_manage(raw.fd, &arg));
	pthread_join(sleeper, &result);
	EXPECT_EQ((intptr_t)result, 0);
	EXPECT_ERRNO(do_call(&raw, ROGUE_SLEEP, 0, 0), ENODEV);
	raw_end(&raw);
	reload();
}

KTAP_MAIN()
