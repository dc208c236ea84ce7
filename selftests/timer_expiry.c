// SPDX-License-Identifier: GPL-2.0
/*
 * What timers tell: sums, order, overruns, slack, stop and start, withdrawal and deletion. Expiries
 * are checked by their times: with a first expiry F and a period P, the last of N is
 * at F + (N - 1) P, so none is lost and none is told twice.
 *
 * vm: load=core,null,timer mem=1024 timeout=300 m32
 */
#include "timers.h"

static void periodic_sums(int clock, uint64_t interval, uint64_t records)
{
	uint64_t first;
	struct aem_event event;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	first = now_of(clock) + 1 * MS;
	new_timer(&raw, &t, clock, AEM_TIMER_ABSTIME, first, interval);
	while (t.records < records) {
		await_record(&raw, &t, t.records + 1);
		expect_sum(&t, first, interval);
	}
	EXPECT_OK(raw_event_out(&raw, AEM_EVENT_STOP, t.id, 0, &event));
	/* However short the period: no more activations, so interrupts, than records. */
	EXPECT_LE(event.activations, t.records + 1);
	raw_end(&raw);
}

TEST(periodic)
{
	periodic_sums(CLOCK_MONOTONIC, 2 * MS, 20);
	periodic_sums(CLOCK_REALTIME, 1 * MS + 1, 20);
	periodic_sums(CLOCK_BOOTTIME, 100 * US, 200);
	periodic_sums(CLOCK_TAI, 999999, 20);
}

TEST(tiny_periods)
{
	periodic_sums(CLOCK_MONOTONIC, 1, 1000);
	periodic_sums(CLOCK_REALTIME, 1, 1000);
	periodic_sums(CLOCK_MONOTONIC, 7, 1000);
}

/* A hundred timers of the shortest period, and the program still gets its turn. */
TEST(storm)
{
	static struct tally t[100];
	uint64_t first, rounds;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	first = now_of(CLOCK_MONOTONIC);
	for (i = 0; i < ARRAY_SIZE(t); i++)
		new_timer(&raw, &t[i], CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first + i, 1);
	for (rounds = 0; rounds < 100; rounds++)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		await_record(&raw, &t[i], 1);
		expect_sum(&t[i], first + i, 1);
	}
	raw_end(&raw);
}

/* A distance and a period of a clock that may be set, told in the time of that clock. */
TEST(relative_period)
{
	uint64_t before, after, first;
	struct tally t;
	struct raw raw;
	int clock = CLOCK_REALTIME;

	timers_start(&raw);
	before = now_of(clock);
	new_timer(&raw, &t, clock, 0, 3 * MS, 1 * MS);
	after = now_of(clock);
	await_record(&raw, &t, 1);
	first = t.expiry - (t.expiries - 1) * MS;
	EXPECT_GE(first, before + 3 * MS);
	EXPECT_LE(first, after + 3 * MS);
	while (t.records < 10) {
		await_record(&raw, &t, t.records + 1);
		/* The time is converted from another clock, of which it knows no fractions. */
		EXPECT_GE(t.expiry, first + (t.expiries - 1) * MS - 1 * US);
		EXPECT_LE(t.expiry, first + (t.expiries - 1) * MS + 1 * US);
	}
	raw_end(&raw);
}

static uint64_t first_in(uint64_t from_now)
{
	return now_of(CLOCK_MONOTONIC) + from_now;
}

/* A machine that is busy interrupts late: until the event is told of. */
static void wait_below_level(struct raw *raw, struct aem_enter *enter)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		/* The first takes back the record before, too. */
		ASSERT_OK(raw_enter(raw, enter));
		EXPECT_EQ(enter->count, 0);
		if (enter->pending)
			break;
		pass(CLOCK_MONOTONIC, now_of(CLOCK_MONOTONIC) + 10 * MS);
	}
	EXPECT_EQ(enter->pending, 1 << 5);
}

TEST(overruns_while_held_back)
{
	struct aem_enter enter = { .level = 6 };
	uint64_t first = first_in(1 * MS), next = first, moment, n;
	struct aem_timer_create create;
	struct aem_event event;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 1 * MS);
	create.reg.prio = 5;
	make(&raw, &t, &create);
	for (n = 1; n <= 3; n++) {
		pass(CLOCK_MONOTONIC, next + 20 * MS);
		wait_below_level(&raw, &enter);
		enter.level = 5;
		moment = now_of(CLOCK_MONOTONIC);
		ASSERT_OK(raw_enter(&raw, &enter));
		EXPECT_EQ(enter.count, 1);
		raw_dispatch(&raw, &enter);
		enter.level = 6;
		EXPECT_EQ(t.records, n);
		EXPECT_GE(t.overruns, 20);
		expect_sum(&t, first, 1 * MS);
		expect_current(&t, moment, 1 * MS);
		next = t.expiry + 1 * MS;
	}
	ASSERT_OK(raw_event_out(&raw, AEM_EVENT_INFO, t.id, 0, &event));
	EXPECT_LE(event.activations, 4);
	raw_end(&raw);
}

/* An expiry in its own handler is seen after it, and not in it. */
static void linger(struct raw *raw, struct aem_record *record)
{
	struct aem_enter enter = { 0 };

	count(raw, record);
	pass(CLOCK_MONOTONIC, record->arg[1] + 5 * MS);
	ASSERT_OK(raw_enter(raw, &enter));
	EXPECT_EQ(enter.count, 0);
}

TEST(expiry_in_its_own_handler)
{
	uint64_t first = first_in(1 * MS);
	struct aem_timer_create create;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 2 * MS);
	create.reg.handler = (uintptr_t)linger;
	make(&raw, &t, &create);
	while (t.records < 5) {
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
		expect_sum(&t, first, 2 * MS);
		if (t.records > 1)
			EXPECT_GE(t.overruns, 1);
	}
	raw_end(&raw);
}

static void rearm(struct raw *raw, struct aem_record *record)
{
	count(raw, record);
	settime(raw, record->id, AEM_TIMER_ABSTIME, record->arg[1] + 1, 0);
	/* It has expired again already, and waits for this handler to end. */
	EXPECT_EQ(raw_round(raw), 0);
}

TEST(rearmed_in_its_own_handler)
{
	uint64_t first = first_in(1 * MS);
	struct aem_timer_create create;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 0);
	create.reg.handler = (uintptr_t)rearm;
	make(&raw, &t, &create);
	while (t.records < 50) {
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
		expect_sum(&t, first, 1);
	}
	EXPECT_EQ(t.records, t.expiries);
	raw_end(&raw);
}

/* Set back to nothing or to later, what is due but not delivered is taken back. */
static void withdraw(uint64_t interval, uint64_t value)
{
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, 1, interval);
	await_active(&raw, t.id);
	settime(&raw, t.id, 0, value, 0);
	EXPECT_EQ(raw_state_of(&raw, t.id), AEM_EVENT_S_STARTED);
	EXPECT_EQ(raw_query(&raw).active, 0);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 0);
	settime(&raw, t.id, 0, 1, 0);
	await_record(&raw, &t, 1);
	EXPECT_EQ(t.expiries, 1);
	raw_end(&raw);
}

TEST(settime_withdraws)
{
	withdraw(0, 0);
	withdraw(0, FAR);
	withdraw(1, 0);
	withdraw(1 * MS, FAR);
}

TEST(settime_leaves_what_is_delivered)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, 1, 0);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	settime(&raw, t.id, 0, 0, 0);
	EXPECT_EQ(raw_record(&raw, enter.first)->state, AEM_RECORD_READY);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(t.records, 1);
	expect_silence(&raw);
	raw_end(&raw);
}

TEST(delete)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };
	struct aem_timer_gettime get;
	struct tally armed, active, delivered;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &delivered, CLOCK_MONOTONIC, 0, 1, 1);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	new_timer(&raw, &armed, CLOCK_MONOTONIC, 0, 5 * MS, 0);
	new_timer(&raw, &active, CLOCK_MONOTONIC, 0, 1, 0);
	await_active(&raw, active.id);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, armed.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, active.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, delivered.id, 0));
	EXPECT_ERRNO(try_get(&raw, armed.id, &get), ENOENT);
	EXPECT_ERRNO(try_get(&raw, active.id, &get), ENOENT);
	EXPECT_ERRNO(try_get(&raw, delivered.id, &get), ENOENT);
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(raw.skipped, 1);
	expect_silence(&raw);
	EXPECT_EQ(armed.records + active.records + delivered.records, 0);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

TEST(delete_in_its_own_handler)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };
	struct aem_record *record;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, 1, 1);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	record = raw_record(&raw, enter.first);
	ASSERT(raw_claim(record));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
	EXPECT_EQ(record->state, AEM_RECORD_RUNNING);
	raw_finish(record, AEM_RECORD_DONE);
	expect_silence(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

/* Stopped, time goes on; started again, all that came in between is one record. */
TEST(stop_and_start)
{
	struct tally once, often;
	uint64_t first;
	struct raw raw;

	timers_start(&raw);
	first = first_in(20 * MS);
	new_timer(&raw, &once, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 0);
	new_timer(&raw, &often, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 3 * MS);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, once.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, often.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, often.id, 0));
	pass(CLOCK_MONOTONIC, first + 10 * MS);
	expect_silence(&raw);
	EXPECT_EQ(raw_state_of(&raw, once.id), 0);
	EXPECT_EQ(raw_state_of(&raw, often.id), 0);
	EXPECT_EQ(gettime(&raw, once.id).value, 0);
	EXPECT_LE(gettime(&raw, often.id).value, 3 * MS);
	EXPECT_GE(gettime(&raw, often.id).value, 1);

	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, once.id, 0));
	await_record(&raw, &once, 1);
	EXPECT_EQ(once.expiry, first);
	EXPECT_EQ(once.expiries, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, often.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, often.id, 0));
	await_record(&raw, &often, 1);
	EXPECT_GE(often.overruns, 3);
	expect_sum(&often, first, 3 * MS);
	await_record(&raw, &often, 4);
	expect_sum(&often, first, 3 * MS);
	EXPECT_EQ(once.records, 1);
	raw_end(&raw);
}

/* What was active at the stop has no record, and is not forgotten. */
TEST(stop_while_active)
{
	uint64_t first = first_in(1 * MS);
	struct tally once, often;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &once, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 0);
	new_timer(&raw, &often, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 1 * MS);
	await_active(&raw, once.id);
	await_active(&raw, often.id);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, once.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, often.id, 0));
	expect_silence(&raw);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, once.id, 0));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, often.id, 0));
	EXPECT_EQ(raw_round(&raw), 2);
	EXPECT_EQ(once.records, 1);
	EXPECT_EQ(once.expiry, first);
	EXPECT_EQ(often.records, 1);
	expect_sum(&often, first, 1 * MS);
	await_record(&raw, &often, 3);
	expect_sum(&often, first, 1 * MS);
	raw_end(&raw);
}

/* Stopped in its handler, with the next expiry noted already. */
TEST(stop_in_the_handler)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };
	uint64_t first = first_in(1 * MS);
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 1 * MS);
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	pass(CLOCK_MONOTONIC, raw_record(&raw, enter.first)->arg[1] + 5 * MS);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
	raw_dispatch(&raw, &enter);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, t.id, 0));
	await_record(&raw, &t, 2);
	EXPECT_GE(t.overruns, 4);
	expect_sum(&t, first, 1 * MS);
	raw_end(&raw);
}

TEST(settime_of_a_stopped_timer)
{
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, FAR, 7);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
	EXPECT_EQ(settime(&raw, t.id, 0, 0, 0).old_interval, 7);
	EXPECT_EQ(raw_state_of(&raw, t.id), 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, t.id, 0));
	expect_silence(&raw);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
	settime(&raw, t.id, 0, 1, 0);
	EXPECT(raw_state_of(&raw, t.id) & AEM_EVENT_S_STARTED);
	await_record(&raw, &t, 1);
	raw_end(&raw);
}

/* Equal priority: in the order of the expiries; otherwise the most urgent first. */
TEST(order)
{
	static struct tally t[60];
	uint64_t seed = ktap_seed(), first;
	struct aem_timer_create create;
	unsigned long long state = seed;
	uint32_t place[60], i, j, swap;
	struct raw raw;

	raw_pin(0);
	timers_start(&raw);
	for (i = 0; i < 60; i++)
		place[i] = i;
	for (i = 59; i; i--) {
		j = ktap_random(&state) % (i + 1);
		swap = place[i];
		place[i] = place[j];
		place[j] = swap;
	}
	first = first_in(ktap_is_slow() ? 3000 * MS : 500 * MS);
	for (i = 0; i < 60; i++) {
		create = request(&t[i], CLOCK_MONOTONIC, AEM_TIMER_ABSTIME,
				 first + place[i] * 10 * US, 0);
		create.reg.prio = i % 3;
		make(&raw, &t[i], &create);
	}
	EXPECT_LT(now_of(CLOCK_MONOTONIC), first);
	pass(CLOCK_MONOTONIC, first + 10 * MS);
	for (i = 0; i < 60; i++)
		await_active(&raw, t[i].id);
	EXPECT_EQ(raw_round(&raw), 60);
	for (i = 0; i < 60; i++)
		for (j = 0; j < 60; j++)
			if (i % 3 > j % 3 || (i % 3 == j % 3 && place[i] < place[j]))
				EXPECT_LT(t[i].order, t[j].order);
	raw_end(&raw);
}

/*
 * Two timers within one slack: true if the patient one, though due first, waited for the
 * other one's interrupt. Not so if some other interrupt came in between.
 */
static bool shares(struct raw *raw, uint64_t slack)
{
	uint64_t first = first_in(3 * MS);
	struct tally patient, punctual;
	struct aem_timer_create create;
	bool shared;

	create = request(&patient, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 0);
	create.slack = slack;
	make(raw, &patient, &create);
	new_timer(raw, &punctual, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first + 100 * US, 0);
	await_active(raw, patient.id);
	await_active(raw, punctual.id);
	EXPECT_EQ(raw_round(raw), 2);
	EXPECT_EQ(patient.expiry, first);
	shared = patient.order > punctual.order;
	EXPECT_OK(raw_event(raw, AEM_EVENT_SHUTDOWN, patient.id, 0));
	EXPECT_OK(raw_event(raw, AEM_EVENT_SHUTDOWN, punctual.id, 0));
	raw->handled = 0;
	return shared;
}

TEST(slack)
{
	uint32_t i, with = 0, without = 0;
	struct raw raw;

	raw_pin(0);
	timers_start(&raw);
	for (i = 0; i < 40; i++) {
		without += shares(&raw, 0);
		with += shares(&raw, 200 * US);
	}
	EXPECT_EQ(without, 0);
	/* On a slow machine another interrupt comes in between more often than not. */
	EXPECT_GE(with, ktap_is_slow() ? 1 : 20);
	raw_end(&raw);
}

/* Slack moves interrupts, not expiries: the sums stay exact. */
TEST(slack_of_a_period)
{
	uint64_t first = first_in(1 * MS), moment;
	struct aem_timer_create create;
	struct aem_enter reap;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 1 * MS);
	create.slack = 5 * MS;
	make(&raw, &t, &create);
	while (t.records < 20) {
		/* What is finished is taken back, and nothing is given: it may be due already. */
		reap = (struct aem_enter){ .level = AEM_PRIORITIES };
		ASSERT_OK(raw_enter(&raw, &reap));
		await_active(&raw, t.id);
		moment = now_of(CLOCK_MONOTONIC);
		EXPECT_EQ(raw_round(&raw), 1);
		expect_sum(&t, first, 1 * MS);
		expect_current(&t, moment, 1 * MS);
	}
	raw_end(&raw);
}

/* On the debug kernel a process would take minutes to end. */
#define MANY	(ktap_is_slow() ? 10000U : 100000U)
#define BATCH	1000

static void make_many(struct raw *raw, struct tally *t, uint32_t n, uint64_t value)
{
	static struct aem_timer_create create[BATCH];
	static struct aem_call calls[BATCH];
	struct aem_enter enter = { .calls = (uintptr_t)calls, .n_calls = BATCH,
				   .level = AEM_PRIORITIES };
	uint32_t i, j;

	for (i = 0; i < n; i += BATCH) {
		for (j = 0; j < BATCH; j++) {
			create[j] = request(&t[i + j], CLOCK_MONOTONIC, 0,
					    value + (i + j) % 977 * US, 0);
			calls[j] = (struct aem_call){
				.size = sizeof(calls[j]),
				.nr = timer_base + AEM_TIMER_CREATE,
				.arg = (uintptr_t)&create[j],
			};
		}
		ASSERT_OK(raw_enter(raw, &enter));
		ASSERT_EQ(enter.done, BATCH);
		for (j = 0; j < BATCH; j++) {
			ASSERT_EQ(calls[j].result, 0);
			t[i + j].id = create[j].reg.id;
			t[i + j].clock = -1;
		}
	}
}

TEST_TIMEOUT(a_hundred_thousand, 240)
{
	struct tally *t = calloc(MANY, sizeof(*t));
	uint64_t sum = 0;
	uint32_t i;
	struct raw raw;

	ASSERT(t);
	if (raw_parameter("max_events") < MANY)
		raw_set_parameter("max_events", MANY);
	if (raw_parameter("max_user_events") < MANY)
		raw_set_parameter("max_user_events", MANY);
	timers_start(&raw);
	make_many(&raw, t, MANY, 10 * MS);
	EXPECT_EQ(raw_query(&raw).events, MANY);
	while (raw.handled < MANY)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	expect_silence(&raw);
	for (i = 0; i < MANY; i++) {
		if (t[i].records != 1)
			EXPECT_EQ(t[i].records, 1);
		sum += t[i].expiries;
	}
	EXPECT_EQ(sum, MANY);
	EXPECT_EQ(raw_query(&raw).activations, MANY);
	EXPECT_EQ(raw_query(&raw).active, 0);
	raw_end(&raw);
	free(t);
}

/* The same number of armed ones goes away with the descriptor. */
TEST_TIMEOUT(a_hundred_thousand_armed_at_close, 240)
{
	struct tally *t = calloc(MANY, sizeof(*t));
	struct aem_service_info info;
	struct raw raw;
	int fd = raw_open();

	ASSERT(t);
	if (raw_parameter("max_events") < MANY)
		raw_set_parameter("max_events", MANY);
	if (raw_parameter("max_user_events") < MANY)
		raw_set_parameter("max_user_events", MANY);
	timers_start(&raw);
	make_many(&raw, t, MANY, FAR);
	ASSERT(raw_service_info(fd, "timer", &info));
	EXPECT_EQ(info.events, MANY);
	raw_end(&raw);
	do {
		raw_sleep_ms(1);
		ASSERT(raw_service_info(fd, "timer", &info));
	} while (info.events || info.users);
	free(t);
}

KTAP_MAIN()
