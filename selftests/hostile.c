// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 5: the kernel trusts nothing that user space can write. Other threads scribble over
 * the ring, the control page and the blocks, and make nonsense calls, while events flow. There
 * must be no splat (the runner looks), no leak, and it works as before when the scribbling ends.
 *
 * vm: load=core,null m32 timeout=300
 */
#include "raw.h"
#include <pthread.h>

#define MANY	16

static struct raw raw;
static uint64_t id[MANY];
static int stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
}

/* Random states at random places, the likely ones more often. */
static void *scribble_states(void *seed)
{
	unsigned long long state = *(unsigned long long *)seed ^ 0x1111;
	struct aem_record *record;

	while (!stopped()) {
		record = raw_record(&raw, ktap_random(&state));
		record->state = ktap_random(&state);
		if (ktap_random(&state) % 8)
			record->state %= 7;
	}
	return NULL;
}

/* Everything else: whole records, the control page, all of it. */
static void *scribble_bytes(void *seed)
{
	unsigned long long state = *(unsigned long long *)seed ^ 0x2222;
	uint32_t *control = (uint32_t *)raw.control;
	uint32_t *ring = (uint32_t *)raw.ring;
	size_t words = raw_ring_bytes(&raw) / 4;

	while (!stopped()) {
		ring[ktap_random(&state) % words] = ktap_random(&state);
		control[ktap_random(&state) % 1024] = ktap_random(&state);
		control[ktap_random(&state) % 4] = ktap_random(&state) % 34;
	}
	return NULL;
}

/* Firing, and calls with ids, numbers and operations that are mostly wrong. */
static void *make_calls(void *seed)
{
	unsigned long long state = *(unsigned long long *)seed ^ 0x3333;
	struct aem_vmt vmt;
	uint64_t which;

	while (!stopped()) {
		which = ktap_random(&state) % 4 ? id[ktap_random(&state) % MANY] :
						  ktap_random(&state);
		null_try_fire(&raw, which, ktap_random(&state) % 4, ktap_random(&state) % 4);
		raw_event(&raw, ktap_random(&state) % 4, which, ktap_random(&state) % 40);
		raw_event(&raw, AEM_EVENT_START, which, 0);
		memset(&vmt, 0, sizeof(vmt));
		vmt.size = sizeof(vmt);
		vmt.op = ktap_random(&state) % 3;
		vmt.offset = ktap_random(&state) % 3 ? ktap_random(&state) % (1 << 20) & ~127ULL :
						       ktap_random(&state);
		ioctl(raw.fd, AEM_IOC_VMT, &vmt);
		raw_call(&raw, ktap_random(&state) % 4096, (void *)&vmt);
	}
	return NULL;
}

/* A dispatcher that believes nothing, since nothing can be believed here. */
static void enter_anyhow(unsigned long long *state)
{
	struct aem_enter enter = {
		.flags = ktap_random(state) & (AEM_ENTER_INTERRUPT | AEM_ENTER_PAUSE),
		.level = ktap_random(state) % 33,
		.max_events = ktap_random(state) % 20,
		.timeout = 1 + ktap_random(state) % 100000,
	};
	uint32_t i;

	if (!enter.flags && ktap_random(state) % 4 == 0) {
		enter.min_events = 1;
		enter.timeout = 100000;
	}
	raw_enter(&raw, &enter);
	EXPECT_LE(enter.count, raw.setup.ring_entries);
	for (i = 0; i < enter.count; i++)
		if (raw_claim(raw_record(&raw, enter.first + i)))
			raw_finish(raw_record(&raw, enter.first + i),
				   ktap_random(state) % 5 ? AEM_RECORD_DONE : AEM_RECORD_KEEP);
}

static void end_all_records(void)
{
	uint32_t i;

	for (i = 0; i < raw.setup.ring_entries; i++)
		raw.ring[i].state = AEM_RECORD_DONE;
}

/* Blocks that were kept, and that nobody knows of any more. */
static void give_blocks_back(uint32_t step)
{
	struct aem_vmt vmt;
	uint32_t offset;

	for (offset = 0; offset < raw.setup.vmt_size; offset += step) {
		memset(&vmt, 0, sizeof(vmt));
		vmt.size = sizeof(vmt);
		vmt.op = AEM_VMT_FREE;
		vmt.offset = offset;
		ioctl(raw.fd, AEM_IOC_VMT, &vmt);
	}
}

static void register_all(uint32_t block)
{
	int i;

	for (i = 0; i < MANY; i++) {
		id[i] = null_new(&raw, i & 1 ? NULL_MULTI : NULL_CREATE, raw_nothing, i,
				 i & 2 ? EVF_SAFEPOINT : 0, i * 2);
		null_plan(&raw, id[i], (struct null_plan){
			.block = block, .times = i & 4 ? 1000 : 0, .answer = NULL_MORE,
			.again = i & 8 ? 1000 : 0,
		});
	}
}

/* What the process must do to be well again: end every record that it was given. */
static void recover(void)
{
	struct aem_enter enter = { .level = 32 };
	uint32_t i;

	end_all_records();
	ASSERT_OK(raw_enter(&raw, &enter));
	for (i = 0; i < MANY; i++)
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[i], 0));
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).active, 0);
	EXPECT_EQ(raw_query(&raw).starved, 0);
	give_blocks_back(128);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	memset(raw.control, 0, 64);
}

static void expect_works(void)
{
	uint64_t one = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	int i;

	raw.handled = 0;
	for (i = 0; i < 1000; i++) {
		null_fire(&raw, one, i % 3, 1);
		ASSERT_EQ(raw_round(&raw), 1);
	}
	EXPECT_EQ(raw.handled, 1000);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, one, 0));
	raw_round(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
}

static void storm(void *(*const threads[])(void *), int n)
{
	unsigned long long seed = ktap_seed(), state = seed;
	pthread_t thread[4];
	int i;

	for (i = 0; i < n; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, threads[i], &seed), 0);
	for (i = 0; ktap_more(i, 20000); i++) {
		enter_anyhow(&state);
		/* Lost states would fill the ring for good, and nothing would flow. */
		if (i % 8 == 0)
			end_all_records();
		if (i % 16 == 0)
			give_blocks_back(8192);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	NOTE("%llu records", (unsigned long long)raw_query(&raw).records);
	EXPECT_GT(raw_query(&raw).records, i / 4);
	recover();
	expect_works();
}

static void *(*const everything[])(void *) = { scribble_states, scribble_bytes, make_calls };

TEST_TIMEOUT(scribbling_while_events_flow, 200)
{
	struct null_totals before, after;

	signal(SIGUSR1, SIG_IGN);
	raw_start_signal(&raw, SIGUSR1);
	before = null_totals(&raw);
	register_all(512);
	storm(everything, 3);
	after = null_totals(&raw);
	EXPECT_EQ(after.created - before.created, MANY + 1);
	EXPECT_EQ(after.released - before.released, MANY + 1);
	raw_end(&raw);
}

TEST_TIMEOUT(scribbling_in_the_smallest_ring, 200)
{
	memset(&raw, 0, sizeof(raw));
	signal(SIGUSR1, SIG_IGN);
	raw.setup.signo = SIGUSR1;
	raw.setup.ring_entries = 64;
	raw.setup.vmt_size = 65536;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	register_all(8192);
	storm(everything, 3);
	raw_end(&raw);
}

/* The context goes while all that is under way. */
TEST_TIMEOUT(scribbling_to_the_end, 100)
{
	struct aem_service_info info;
	int fd = raw_open(), round, status, i;
	unsigned long long seed = ktap_seed();
	pthread_t thread;
	pid_t child;

	for (round = 0; round < 3 || ktap_more(round, 30); round++) {
		seed++;
		child = fork();
		ASSERT_GE(child, 0);
		if (child == 0) {
			unsigned long long state = seed;

			signal(SIGUSR1, SIG_IGN);
			raw_start_signal(&raw, SIGUSR1);
			register_all(512);
			for (i = 0; i < 3; i++)
				pthread_create(&thread, NULL, everything[i], &seed);
			for (i = round * 5; i--;)
				enter_anyhow(&state);
			if (round % 3 == 0)
				raise(SIGKILL);
			if (round % 3 == 1)
				munmap(raw.control, sysconf(_SC_PAGESIZE));
			_exit(0);
		}
		ASSERT_EQ(waitpid(child, &status, 0), child);
	}
	ASSERT(raw_service_info(fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.users, 0);
	EXPECT_EQ(info.events, 0);
	close(fd);
}

/* One state after the other, by hand: what a record can be told, and what comes of it. */
TEST(every_state_for_a_delivered_record)
{
	static const uint32_t states[] = { 0, 1, 2, 3, 4, 5, 6, 7, 255, 0x80000000, ~0U };
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	uint64_t one;
	size_t i;

	raw_start(&raw);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		one = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
		null_plan(&raw, one, (struct null_plan){ .block = 128 });
		null_fire(&raw, one, NULL_BY_CALL, 1);
		ASSERT_OK(raw_enter(&raw, &enter));
		ASSERT_EQ(enter.count, 1);
		record = raw_record(&raw, enter.first);
		record->state = states[i];
		null_fire(&raw, one, NULL_BY_CALL, 1);
		ASSERT_OK(raw_enter(&raw, &enter));
		if (states[i] >= AEM_RECORD_DONE && states[i] <= AEM_RECORD_CANCELLED) {
			/* Ended: the next occurrence has its record. */
			EXPECT_EQ(enter.count, 1);
		} else {
			/* Not ended: the event waits for it, as it would for its handler. */
			EXPECT_EQ(enter.count, 0);
			EXPECT_EQ(raw_state_of(&raw, one),
				  AEM_EVENT_S_STARTED | AEM_EVENT_S_BUSY);
		}
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, one, 0));
		raw.ring[record - raw.ring].state = AEM_RECORD_DONE;
		raw_record(&raw, enter.first)->state = AEM_RECORD_DONE;
		raw_round(&raw);
		EXPECT_EQ(raw_query(&raw).events, 0);
	}
	raw_end(&raw);
}

/* All of a record but its state is for the process only, written over in any way. */
TEST(every_byte_of_a_delivered_record)
{
	struct aem_enter enter = { 0 };
	struct aem_record *record;
	struct aem_event event;
	uint64_t one, other;
	int i;

	raw_start(&raw);
	other = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 9);
	one = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 5);
	null_plan(&raw, one, (struct null_plan){ .block = 4096 });
	for (i = 0; i < 256; i++) {
		null_fire(&raw, one, NULL_BY_CALL, 1);
		ASSERT_OK(raw_enter(&raw, &enter));
		ASSERT_EQ(enter.count, 1);
		record = raw_record(&raw, enter.first);
		ASSERT_EQ(record->id, one);
		ASSERT(raw_claim(record));
		memset(record, i, offsetof(struct aem_record, state));
		memset(&record->nr, i, sizeof(*record) - offsetof(struct aem_record, nr));
		if (i & 1)
			record->id = other;
		raw_finish(record, AEM_RECORD_DONE);
		ASSERT_EQ(raw_round(&raw), 0);
		ASSERT_EQ(raw_query(&raw).vmt_used, 0);
		ASSERT_EQ(null_state(&raw, one).destructed, i + 1);
	}
	ASSERT_OK(raw_event_out(&raw, AEM_EVENT_INFO, one, 0, &event));
	EXPECT_EQ(event.prio, 5);
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED);
	EXPECT_EQ(null_state(&raw, other).destructed, 0);
	EXPECT_EQ(null_state(&raw, other).constructed, 0);
	raw_end(&raw);
}

/* The level is read, never believed: any value is one. */
TEST(every_level)
{
	static const uint32_t levels[] = { 0, 31, 32, 33, 64, 0x7fffffff, 0x80000000, ~0U };
	struct aem_enter enter = { 0 };
	uint64_t one;
	size_t i;

	signal(SIGUSR1, SIG_IGN);
	raw_start_signal(&raw, SIGUSR1);
	one = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 31);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		raw.control->level = levels[i];
		raw.control->pending = ~0U;
		raw.control->interrupt = 0x5555;
		null_fire(&raw, one, i % 3, 1);
		ASSERT_OK(raw_enter(&raw, &enter));
		EXPECT_EQ(enter.count, 1);
		raw_dispatch(&raw, &enter);
		EXPECT_EQ(raw_round(&raw), 0);
	}
	raw_end(&raw);
}

KTAP_MAIN()
