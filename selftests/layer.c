// SPDX-License-Identifier: GPL-2.0
/*
 * A layer above the service "null": what it sees, and what becomes of it and of the service when
 * either goes, or is exchanged.
 *
 * vm: load=core,null mem=768 timeout=240
 */
#include "swap.h"
#include <pthread.h>
#include <sys/eventfd.h>

#define SIEVE	"aem_sieve"
#define OTHER	"aem_sieve_twin"
#define ROUNDS_MS	1000

static uint64_t told;

static void count(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	told += record->count;
}

static uint64_t make(const struct raw *raw)
{
	return null_new(raw, NULL_CREATE, count, 1, 0, 1);
}

static unsigned long seen(const char *what)
{
	return swap_figure(SIEVE, what);
}

TEST(sees_calls_and_activations_first)
{
	struct raw raw;
	uint64_t id;

	swap_begin(&raw, 1);
	id = make(&raw);
	/* Contexts and events that are there before it are seen as well. */
	swap_load("aem-sieve", "");
	EXPECT_EQ(seen("calls"), 0);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	null_fire(&raw, id, NULL_BY_IRQ, 2);
	null_fire(&raw, id, NULL_BY_CPU, 1);
	EXPECT_EQ(seen("calls"), 3);
	EXPECT_EQ(seen("activations"), 6);
	EXPECT_EQ(null_state(&raw, make(&raw)).fired, 0);
	EXPECT_EQ(seen("calls"), 5);
	/* The core's own calls are not the service's. */
	EXPECT_OK(raw_event(&raw, AEM_EVENT_INFO, id, 0));
	EXPECT_EQ(seen("calls"), 5);
	raw_drain(&raw);
	EXPECT_EQ(told, 6);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	raw_drain(&raw);
	EXPECT_EQ(told, 9);
	raw_end(&raw);
}

TEST(refuses_calls)
{
	struct null_create create = null_request(count, 1, EVF_START, 1);
	struct raw raw;
	uint64_t id;

	swap_begin(&raw, 1);
	swap_load("aem-sieve", "refuse=0");
	EXPECT_ERRNO(raw_call(&raw, raw.null + NULL_CREATE, &create), EACCES);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(null_totals(&raw).constructed, null_totals(&raw).constructed);
	swap_parameter(SIEVE, "refuse", NULL_FIRE);
	id = make(&raw);
	EXPECT_ERRNO(null_try_fire(&raw, id, NULL_BY_CALL, 1), EACCES);
	/* What is no call of the service's is none of the layer's. */
	EXPECT_ERRNO(raw_call(&raw, raw.null + NULL_CALLS, &create), ENOSYS);
	EXPECT_EQ(seen("refused"), 2);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	raw_drain(&raw);
	EXPECT_EQ(told, 1);
	raw_end(&raw);
}

static uint64_t readings;

static void readable(struct raw *raw, struct aem_record *record)
{
	uint64_t value;

	(void)raw;
	ASSERT_EQ(read((int)record->cookie, &value, sizeof(value)), sizeof(value));
	readings += value;
}

TEST(swallows_activations)
{
	struct raw raw;
	uint64_t id;
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1;

	swap_begin(&raw, 1);
	id = make(&raw);
	null_new_watch(&raw, readable, fd, 0, 1, fd);
	swap_load("aem-sieve", "swallow=3");
	null_fire(&raw, id, NULL_BY_CALL, 5);
	null_fire(&raw, id, NULL_BY_IRQ, 5);
	raw_drain(&raw);
	EXPECT_EQ(told, 7);
	EXPECT_EQ(seen("swallowed"), 3);
	/* Jobs are asked before; a file says again what was swallowed. */
	swap_parameter(SIEVE, "swallow", 1);
	ASSERT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(seen("swallowed"), 4);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	ASSERT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(readings, 2);
	raw_end(&raw);
	close(fd);
}

TEST(one_above_each_service)
{
	struct aem_service_info info;
	struct raw raw;

	swap_begin(&raw, 1);
	swap_load("aem-sieve", "");
	EXPECT_EQ(swap_try_load("aem-sieve-twin", ""), EBUSY);
	EXPECT_EQ(swap_try_load("aem-sieve-twin", "service=NULL"), EINVAL);
	/* One may wait above a service that is not there, and sees nothing of others. */
	swap_load("aem-sieve-twin", "service=other swallow=1 refuse=4");
	null_fire(&raw, make(&raw), NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(swap_figure(OTHER, "calls"), 0);
	EXPECT_EQ(seen("calls"), 2);
	ASSERT(swap_info(raw.fd, NULL_SERVICE, 1, &info));
	EXPECT_EQ(info.flags, AEM_SERVICE_S_LAYERED);
	EXPECT_EQ(swap_unload(OTHER), 0);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	ASSERT(swap_info(raw.fd, NULL_SERVICE, 1, &info));
	EXPECT_EQ(info.flags, 0);
	raw_end(&raw);
}

/* It does not hold the service, which finds it again when it is loaded anew. */
TEST(the_service_goes_and_comes)
{
	struct raw raw;

	swap_load("aem-sieve", "");
	EXPECT_EQ(swap_unload("aem_null"), 0);
	swap_load("aem-null", "");
	swap_begin(&raw, 1);
	null_fire(&raw, make(&raw), NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(seen("calls"), 2);
	EXPECT_EQ(seen("activations"), 1);
	raw_end(&raw);
	EXPECT_EQ(swap_unload(SIEVE), 0);
}

/* It stays above whichever version serves, those with events that did not move among them. */
TEST(swapped_below)
{
	uint64_t id[6];
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 6; i++)
		id[i] = make(&raw);
	swap_load("aem-sieve", "swallow=2");
	swap_load("aem-null-twin", "version=2 refuse_adopt=3");
	EXPECT_EQ(swap_to(raw.fd, NULL_SERVICE, 1, 2).refused, 2);
	for (i = 0; i < 6; i++)
		null_fire(&raw, id[i], NULL_BY_CALL, 2);
	/* Two of these calls were made to both versions, and seen once. */
	EXPECT_EQ(seen("calls"), 6);
	EXPECT_EQ(seen("activations"), 12);
	raw_drain(&raw);
	EXPECT_EQ(told, 6);
	swap_parameter("aem_null_twin", "refuse_adopt", 0);
	EXPECT_EQ(swap_to(raw.fd, NULL_SERVICE, 1, 2).moved, 2);
	EXPECT_EQ(swap_unload("aem_null"), 0);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	null_fire(&raw, id[2], NULL_BY_CALL, 2);
	raw_drain(&raw);
	EXPECT_EQ(told, 8);
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_null_twin"), 0);
	swap_load("aem-null", "");
}

static uint32_t last;

static void end_of_it(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	last += record->flags == (AEM_RECORD_F_LAST | AEM_RECORD_F_REVOKED);
}

/* A retired service is served on, through the layer; last records are none of its affairs. */
TEST(retired_and_revoked_below)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_RETIRE, NULL_SERVICE, 1, 0);
	unsigned long calls;
	struct raw raw;
	uint64_t id;

	swap_begin(&raw, 1);
	id = null_new(&raw, NULL_CREATE, end_of_it, 1, 0, 1);
	swap_load("aem-sieve", "swallow=1");
	ASSERT_OK(swap_manage(raw.fd, &arg));
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(seen("swallowed"), 1);
	calls = seen("calls");
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 1, 0);
	ASSERT_OK(swap_manage(raw.fd, &arg));
	EXPECT_ERRNO(null_try_fire(&raw, id, NULL_BY_CALL, 1), ENODEV);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(last, 1);
	EXPECT_EQ(seen("calls"), calls);
	EXPECT_EQ(seen("swallowed"), 1);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	EXPECT_EQ(swap_unload("aem_null"), 0);
	raw_end(&raw);
	swap_load("aem-null", "");
}

static struct raw *shared;

static void *fire_once(void *id)
{
	return (void *)(intptr_t)null_try_fire(shared, *(uint64_t *)id, NULL_BY_CALL, 1);
}

/* It goes when its own code has run, and what it let pass is made. */
TEST(goes_while_it_thinks_about_a_call)
{
	pthread_t caller;
	struct raw raw;
	void *result;
	uint64_t id;

	swap_begin(&raw, 1);
	shared = &raw;
	id = make(&raw);
	swap_load("aem-sieve", "delay=1000");
	ASSERT_EQ(pthread_create(&caller, NULL, fire_once, &id), 0);
	while (!seen("calls"))
		raw_sleep_ms(10);
	EXPECT_EQ(swap_unload(SIEVE), 0);
	pthread_join(caller, &result);
	EXPECT_EQ((intptr_t)result, 0);
	raw_drain(&raw);
	EXPECT_EQ(told, 1);
	raw_end(&raw);
}

static bool stop_now;
static uint64_t fired;
static pthread_mutex_t firing = PTHREAD_MUTEX_INITIALIZER;

static bool stopped(void)
{
	return __atomic_load_n(&stop_now, __ATOMIC_SEQ_CST);
}

static void *fire_for_ever(void *id)
{
	for (; !stopped(); fired += 2) {
		pthread_mutex_lock(&firing);
		null_fire(shared, *(uint64_t *)id, NULL_BY_CALL, 1);
		null_fire(shared, *(uint64_t *)id, NULL_BY_IRQ, 1);
		pthread_mutex_unlock(&firing);
	}
	return NULL;
}

static void *swap_for_ever(void *swaps)
{
	int fd = raw_open();

	while (!stopped()) {
		swap_to(fd, NULL_SERVICE, 1, 2);
		swap_to(fd, NULL_SERVICE, 2, 1);
		*(unsigned long *)swaps += 2;
	}
	close(fd);
	return NULL;
}

/* It comes and goes, the service is swapped, calls and interrupts go on: each is accounted for. */
TEST_TIMEOUT(comes_and_goes_under_load, 200)
{
	unsigned long rounds = 0, swaps = 0, swallowed = 0;
	struct timespec begin_time, time;
	pthread_t shooter, swapper;
	struct raw raw;
	uint64_t id;

	swap_begin(&raw, 1);
	shared = &raw;
	id = make(&raw);
	swap_load("aem-null-twin", "version=2");
	ASSERT_EQ(pthread_create(&shooter, NULL, fire_for_ever, &id), 0);
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_for_ever, &swaps), 0);
	clock_gettime(CLOCK_MONOTONIC, &begin_time);
	do {
		swap_load("aem-sieve", "swallow=2");
		raw_round(&raw);
		raw_sleep_ms(20);
		/* When those who fire have, nothing is swallowed any more. */
		swap_parameter(SIEVE, "swallow", 0);
		pthread_mutex_lock(&firing);
		pthread_mutex_unlock(&firing);
		swallowed += seen("swallowed");
		EXPECT_EQ(swap_unload(SIEVE), 0);
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &time);
	} while ((time.tv_sec - begin_time.tv_sec) * 1000 +
		 (time.tv_nsec - begin_time.tv_nsec) / 1000000 < ROUNDS_MS);
	__atomic_store_n(&stop_now, true, __ATOMIC_SEQ_CST);
	pthread_join(shooter, NULL);
	pthread_join(swapper, NULL);
	raw_drain(&raw);
	NOTE("%lu times above it, %lu swaps, %llu fired, %lu swallowed", rounds, swaps,
	     (unsigned long long)fired, swallowed);
	EXPECT_EQ(told + swallowed, fired);
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_null"), 0);
	EXPECT_EQ(swap_unload("aem_null_twin"), 0);
	swap_load("aem-null", "");
}

KTAP_MAIN()
