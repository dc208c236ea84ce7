// SPDX-License-Identifier: GPL-2.0
/*
 * Timers that are set again before they expire: the hrtimer stays in its queue where it can, and
 * nobody notices but by the price.
 *
 * One processor: the emulator may let another one run into what the kernel patches when
 * tracepoints that every tick comes by are turned on and off.
 *
 * vm: load=core,null,timer smp=1
 */
#include "timers.h"
#include "tracing.h"

/* Far enough for the next call to be made before, on a busy machine. */
#define SOON (100 * MS)

/* Of the hrtimers of events. */
#define OURS "function=expire [aem_core]"

static int fired(void)
{
	return tracing_count("hrtimer_expire_entry", OURS);
}

static int queued(void)
{
	return tracing_count("hrtimer_start", OURS);
}

static void set_clock(int64_t by)
{
	uint64_t time = now_of(CLOCK_REALTIME) + by;
	struct timespec spec = { .tv_sec = time / SECOND, .tv_nsec = time % SECOND };

	ASSERT_OK(clock_settime(CLOCK_REALTIME, &spec));
}

/* The next record is this timer's, and tells of one expiry. */
static void expect_expiry(struct raw *raw, const struct tally *t, uint64_t expiry)
{
	uint64_t records = t->records;

	await_record(raw, t, records + 1);
	EXPECT_EQ(t->records, records + 1);
	EXPECT_EQ(t->overruns, 0);
	EXPECT_EQ(t->error, 0);
	EXPECT_EQ(t->expiry, expiry);
}

/* On each clock: what count() demands is that no record comes before its expiry. */
TEST(later)
{
	static const int clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI
	};
	uint64_t expiry, early;
	struct tally t;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		early = now_of(clocks[i]) + SOON;
		expiry = early + 80 * MS;
		new_timer(&raw, &t, clocks[i], AEM_TIMER_ABSTIME, early, 0);
		settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
		pass(clocks[i], early);
		EXPECT_LE(gettime(&raw, t.id).value, expiry - early);
		expect_expiry(&raw, &t, expiry);
		expect_unset(&raw, t.id);

		/* What is left is counted from the call. */
		settime(&raw, t.id, 0, SOON, 0);
		early = now_of(clocks[i]);
		EXPECT_LE(settime(&raw, t.id, 0, FAR, 0).old_value, SOON);
		EXPECT_LE(gettime(&raw, t.id).value, FAR);
		pass(clocks[i], early + SOON + 10 * MS);
		EXPECT_EQ(raw_round(&raw), 0);
		EXPECT_GT(gettime(&raw, t.id).value, FAR / 2);
	}
	expect_silence(&raw);
	raw_end(&raw);
}

/* Earlier than what is queued, whatever was wanted in between. */
TEST(earlier)
{
	uint64_t expiry;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, FAR, 0);
	expiry = now_of(CLOCK_MONOTONIC) + 10 * MS;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	expect_expiry(&raw, &t, expiry);

	settime(&raw, t.id, 0, FAR, 0);
	settime(&raw, t.id, 0, 0, 0);
	expiry = now_of(CLOCK_MONOTONIC) + 10 * MS;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	expect_expiry(&raw, &t, expiry);

	/* By then the hrtimer has been sent on to the end of the second setting. */
	expiry = now_of(CLOCK_MONOTONIC) + SOON;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	settime(&raw, t.id, 0, FAR, 0);
	pass(CLOCK_MONOTONIC, expiry + 10 * MS);
	expiry = now_of(CLOCK_MONOTONIC) + 10 * MS;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	expect_expiry(&raw, &t, expiry);

	/* Between the two. */
	expiry = now_of(CLOCK_MONOTONIC) + SOON + 20 * MS;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry - 20 * MS, 0);
	settime(&raw, t.id, 0, FAR, 0);
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	expect_expiry(&raw, &t, expiry);
	expect_silence(&raw);
	raw_end(&raw);
}

/* However often it is disarmed and armed for later, it is put into the queue once. */
TEST(stays_in_the_queue)
{
	struct tally t;
	struct raw raw;
	int i;

	timers_start(&raw);
	tracing_begin("timer");
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, FAR, 0);
	for (i = 0; i < 50; i++) {
		settime(&raw, t.id, 0, 0, 0);
		expect_unset(&raw, t.id);
		settime(&raw, t.id, 0, FAR + i * SECOND, i & 1);
		settime(&raw, t.id, 0, 2 * FAR, 0);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
		EXPECT_OK(raw_event(&raw, AEM_EVENT_START, t.id, 0));
		EXPECT_GT(gettime(&raw, t.id).value, FAR);
	}
	tracing_end("timer");
	EXPECT_EQ(queued(), 1);
	EXPECT_EQ(fired(), 0);
	raw_end(&raw);
}

/* One that is not wanted any more: it comes once, and nobody hears of it. */
TEST(cancelled_comes_once)
{
	struct tally cancelled, stopped;
	struct raw raw;

	timers_start(&raw);
	tracing_begin("timer");
	new_timer(&raw, &cancelled, CLOCK_MONOTONIC, 0, SOON, 5 * MS);
	new_timer(&raw, &stopped, CLOCK_MONOTONIC, 0, SOON, 5 * MS);
	EXPECT_LE(settime(&raw, cancelled.id, 0, 0, 0).old_value, SOON);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, stopped.id, 0));
	pass(CLOCK_MONOTONIC, now_of(CLOCK_MONOTONIC) + SOON + 20 * MS);
	expect_silence(&raw);
	tracing_end("timer");
	EXPECT_EQ(queued(), 2);
	EXPECT_EQ(fired(), 2);
	EXPECT_EQ(cancelled.records + stopped.records, 0);
	expect_unset(&raw, cancelled.id);
	raw_end(&raw);
}

/* Put off again and again, as a timeout is: no more interrupts than there were settings. */
TEST(put_off)
{
	uint64_t begin, expiry = 0;
	struct tally t;
	struct raw raw;
	int i;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, 0, 0);
	tracing_begin("timer");
	begin = now_of(CLOCK_MONOTONIC);
	for (i = 0; i < 100; i++) {
		expiry = now_of(CLOCK_MONOTONIC) + SECOND;
		settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry - (i ? 0 : SECOND - SOON), 0);
		raw_sleep_ms(1);
	}
	expect_expiry(&raw, &t, expiry);
	tracing_end("timer");
	/* For the first, for one of the others each second, and for the last. */
	EXPECT_GE(fired(), 2);
	EXPECT_LE(fired(), 2 + (int)((now_of(CLOCK_MONOTONIC) - begin) / SECOND));
	EXPECT_EQ(queued(), fired());
	expect_silence(&raw);
	EXPECT_EQ(t.records, 1);
	raw_end(&raw);
}

/* What may be late by a second is no alarm clock for what may not. */
TEST(slack)
{
	uint64_t early = now_of(CLOCK_MONOTONIC) + FAR;
	struct aem_timer_create create;
	struct aem_timer_settime set;
	struct tally t;
	char words[64];
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, early, 0);
	create.slack = SECOND;
	make(&raw, &t, &create);
	tracing_begin("timer");
	set = setting(t.id, AEM_TIMER_ABSTIME, early + 1, 0);
	set.slack = SECOND;
	ASSERT_OK(try_set(&raw, &set));
	set = setting(t.id, AEM_TIMER_ABSTIME, early + 2, 0);
	ASSERT_OK(try_set(&raw, &set));
	tracing_end("timer");
	EXPECT_EQ(queued(), 1);
	snprintf(words, sizeof(words), " expires=%llu softexpires=%llu ",
		 (unsigned long long)early + 2, (unsigned long long)early + 2);
	EXPECT_EQ(tracing_count("hrtimer_start", words), 1);

	/* Sent on, it has the slack of its setting. */
	tracing_begin("timer");
	early = now_of(CLOCK_MONOTONIC) + SOON;
	set = setting(t.id, AEM_TIMER_ABSTIME, early, 0);
	set.slack = 1 * MS;
	ASSERT_OK(try_set(&raw, &set));
	set.value = early + FAR;
	ASSERT_OK(try_set(&raw, &set));
	pass(CLOCK_MONOTONIC, early + 20 * MS);
	tracing_end("timer");
	EXPECT_EQ(queued(), 2);
	EXPECT_EQ(fired(), 1);
	snprintf(words, sizeof(words), " expires=%llu softexpires=%llu ",
		 (unsigned long long)(early + FAR + 1 * MS), (unsigned long long)(early + FAR));
	EXPECT_EQ(tracing_count("hrtimer_start", words), 1);
	raw_end(&raw);
}

/* A period that begins after what is queued: every expiry, at its time. */
TEST(period)
{
	uint64_t early, first;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	early = now_of(CLOCK_MONOTONIC) + SOON;
	first = early + 20 * MS;
	new_timer(&raw, &t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, early, 3 * MS);
	settime(&raw, t.id, AEM_TIMER_ABSTIME, first, 2 * MS);
	await_record(&raw, &t, 1);
	expect_sum(&t, first, 2 * MS);
	await_record(&raw, &t, 5);
	expect_sum(&t, first, 2 * MS);
	EXPECT_EQ(settime(&raw, t.id, 0, 0, 0).old_interval, 2 * MS);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 5);
	raw_end(&raw);
}

/* Stopped and started around what is queued; it is told of at its own time, or at the start. */
TEST(stopped)
{
	uint64_t early, expiry;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	early = now_of(CLOCK_MONOTONIC) + SOON;
	expiry = early + SOON;
	new_timer(&raw, &t, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, early, 0);
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
	pass(CLOCK_MONOTONIC, early + 10 * MS);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, t.id, 0));
	expect_expiry(&raw, &t, expiry);

	early = now_of(CLOCK_MONOTONIC) + SOON;
	expiry = early + 10 * MS;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, early, 0);
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
	pass(CLOCK_MONOTONIC, expiry + 10 * MS);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, t.id, 0));
	expect_expiry(&raw, &t, expiry);
	expect_silence(&raw);
	raw_end(&raw);
}

/* The clock is set past what is queued, past what is wanted, and back. */
TEST(clock_is_set)
{
	struct tally wanted, unwanted, tai;
	uint64_t now = now_of(CLOCK_REALTIME), expiry = now + 2 * FAR;
	uint64_t tai_expiry = now_of(CLOCK_TAI) + 2 * FAR;
	struct raw raw;

	timers_start(&raw);
	tracing_begin("timer");
	new_timer(&raw, &wanted, CLOCK_REALTIME, AEM_TIMER_ABSTIME, now + FAR, 0);
	new_timer(&raw, &unwanted, CLOCK_REALTIME, AEM_TIMER_ABSTIME, now + FAR, 0);
	new_timer(&raw, &tai, CLOCK_TAI, AEM_TIMER_ABSTIME, tai_expiry - FAR, 0);
	settime(&raw, wanted.id, AEM_TIMER_ABSTIME, expiry, 0);
	settime(&raw, unwanted.id, AEM_TIMER_ABSTIME, 0, 0);
	settime(&raw, tai.id, AEM_TIMER_ABSTIME, tai_expiry, 0);
	set_clock(FAR * 3 / 2);
	expect_silence(&raw);
	tracing_end("timer");
	EXPECT_EQ(fired(), 3);
	EXPECT_EQ(queued(), 3 + 2);
	EXPECT_LE(gettime(&raw, wanted.id).value, FAR / 2);
	EXPECT_GT(gettime(&raw, wanted.id).value, FAR / 4);
	set_clock(-(int64_t)FAR);
	expect_silence(&raw);
	EXPECT_GT(gettime(&raw, wanted.id).value, FAR);
	EXPECT_GT(gettime(&raw, tai.id).value, FAR);
	set_clock(2 * FAR);
	await_record(&raw, &wanted, 1);
	await_record(&raw, &tai, 1);
	EXPECT_EQ(wanted.expiry, expiry);
	EXPECT_EQ(tai.expiry, tai_expiry);
	expect_silence(&raw);
	EXPECT_EQ(unwanted.records, 0);
	raw_end(&raw);
}

/* From one clock to the other, what is queued by the first is not looked at by the second. */
TEST(other_base)
{
	uint64_t expiry;
	struct tally t;
	struct raw raw;
	int i;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, 0, 0, 0);
	for (i = 0; i < 3; i++) {
		/* Monotonic time is far behind real time: either would do for the other. */
		settime(&raw, t.id, 0, FAR, 0);
		if (i == 1)
			settime(&raw, t.id, 0, 0, 0);
		expiry = now_of(CLOCK_REALTIME) + 10 * MS;
		settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 0);
		expect_expiry(&raw, &t, expiry);
		settime(&raw, t.id, AEM_TIMER_ABSTIME, now_of(CLOCK_REALTIME) + FAR, 0);
		if (i == 2)
			settime(&raw, t.id, 0, 0, 0);
		settime(&raw, t.id, 0, 10 * MS, 0);
		set_clock(2 * FAR);
		await_record(&raw, &t, t.records + 1);
		EXPECT_GE(t.expiry, expiry + 2 * FAR);
	}
	expect_silence(&raw);
	EXPECT_EQ(t.records, 2 * 3);
	raw_end(&raw);
}

/* To be cancelled if the clock is set, though the hrtimer is queued for another time. */
TEST(watched)
{
	const uint32_t flags = AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET;
	uint64_t expiry = now_of(CLOCK_REALTIME) + 2 * FAR;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, AEM_TIMER_ABSTIME, expiry - FAR, 3);
	EXPECT_EQ(settime(&raw, t.id, flags, expiry, 5).old_interval, 3);
	EXPECT_EQ(gettime(&raw, t.id).interval, 5);
	set_clock(3 * FAR / 2);
	await_record(&raw, &t, 1);
	EXPECT_EQ(t.error, ECANCELED);
	EXPECT_EQ(t.overruns, 0);
	EXPECT_EQ(t.expiry, expiry);
	expect_unset(&raw, t.id);

	/* Its watch stays; without the flag it is a timer like others, later and earlier. */
	expiry = now_of(CLOCK_REALTIME) + SOON + 30 * MS;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry - 30 * MS, 0);
	settime(&raw, t.id, AEM_TIMER_ABSTIME, expiry, 7 * MS);
	EXPECT_EQ(gettime(&raw, t.id).interval, 7 * MS);
	t.expiries = 0;
	await_record(&raw, &t, 4);
	EXPECT_EQ(t.error, 0);
	expect_sum(&t, expiry, 7 * MS);
	EXPECT_EQ(settime(&raw, t.id, 0, 0, 0).old_interval, 7 * MS);
	expect_silence(&raw);
	raw_end(&raw);
}

/* Unregistered, or its context closed: what was left in the queue is taken out. */
TEST(ends)
{
	char name[64];
	struct tally t;
	struct raw raw;
	int i;

	/* An address, where a kernel that has just booted has nothing to hash it by. */
	tracing_put("options/hash-ptr", "0");
	for (i = 0; i < 4; i++) {
		timers_start(&raw);
		tracing_begin("timer");
		new_timer(&raw, &t, CLOCK_MONOTONIC, 0, FAR, 0);
		settime(&raw, t.id, 0, i & 1 ? 2 * FAR : 0, 0);
		if (i & 2)
			EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
		else
			raw_end(&raw);
		tracing_end("timer");
		EXPECT_EQ(queued(), 1);
		tracing_word("hrtimer_start", OURS, "hrtimer=", name, sizeof(name));
		EXPECT_EQ(tracing_count("hrtimer_cancel", name), 1);
		if (i & 2)
			raw_end(&raw);
	}
	tracing_put("options/hash-ptr", "1");
}

KTAP_MAIN()
