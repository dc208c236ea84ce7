// SPDX-License-Identifier: GPL-2.0
/*
 * Timers and the setting of the clock: who is cancelled, told once, and who is not.
 *
 * vm: load=core,null,timer timeout=300 m32
 */
#include "timers.h"
#include <pthread.h>
#include <sys/timex.h>

#define CANCEL	(AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET)

static void set_clock(int64_t by)
{
	uint64_t time = now_of(CLOCK_REALTIME) + by;
	struct timespec spec = { .tv_sec = time / SECOND, .tv_nsec = time % SECOND };

	ASSERT_OK(clock_settime(CLOCK_REALTIME, &spec));
}

static uint64_t far_time(void)
{
	return now_of(CLOCK_REALTIME) + FAR;
}

static void expect_cancelled(struct raw *raw, struct tally *t, uint64_t untold, uint64_t next)
{
	uint64_t records = t->records;

	await_record(raw, t, records + 1);
	EXPECT_EQ(t->error, ECANCELED);
	EXPECT_EQ(t->overruns, untold);
	EXPECT_EQ(t->expiry, next);
	expect_unset(raw, t->id);
}

static void cancelled_by(int64_t by)
{
	uint64_t value = far_time();
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, CANCEL, value, 1 * SECOND);
	expect_silence(&raw);
	set_clock(by);
	expect_unset(&raw, t.id);
	expect_cancelled(&raw, &t, 0, value);
	set_clock(by);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 1);
	EXPECT_EQ(raw_state_of(&raw, t.id), AEM_EVENT_S_STARTED);

	/* It can be used again, by settime as by create. */
	value = far_time();
	settime(&raw, t.id, CANCEL, value, 0);
	EXPECT_GT(gettime(&raw, t.id).value, FAR / 2);
	set_clock(by);
	expect_cancelled(&raw, &t, 0, value);
	raw_end(&raw);
}

TEST(cancelled)
{
	cancelled_by(SECOND);
	cancelled_by(-SECOND);
	cancelled_by(1 * MS);
	cancelled_by(2 * (int64_t)FAR);
	cancelled_by(-(int64_t)FAR);
}

/*
 * Set past its expiry, a timer has been cancelled and has not expired, also for a program that
 * leaves the kernel's workers no time to find out.
 */
static void be_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	raw_pin(0);
	ASSERT_OK(sched_setscheduler(0, SCHED_FIFO, &param));
}

TEST(cancelled_rather_than_expired)
{
	uint64_t value;
	struct tally t;
	struct raw raw;
	int i;

	be_first();
	timers_start(&raw);
	for (i = 0; i < 50; i++) {
		value = far_time();
		new_timer(&raw, &t, CLOCK_REALTIME, CANCEL, value, i & 1);
		set_clock(2 * (int64_t)FAR);
		/* On PREEMPT_RT timers expire in a thread, which is not to wait for us. */
		while (!raw_round(&raw))
			raw_sleep_ms(1);
		EXPECT_EQ(t.records, 1);
		EXPECT_EQ(t.error, ECANCELED);
		EXPECT_EQ(t.overruns, 0);
		EXPECT_EQ(t.expiry, value);
		expect_unset(&raw, t.id);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
	}
	expect_silence(&raw);
	raw_end(&raw);
}

/* Expiries that came before the clock was set are not lost, and not more than came. */
TEST(expiries_before)
{
	uint64_t first, before, after;
	struct tally once, often;
	struct raw raw;

	timers_start(&raw);
	first = now_of(CLOCK_REALTIME) + 1 * MS;
	new_timer(&raw, &once, CLOCK_REALTIME, CANCEL, first, 0);
	new_timer(&raw, &often, CLOCK_REALTIME, CANCEL, first, 1 * MS);
	/* What came is what has interrupted; on a busy machine that is later than it was due. */
	await_active(&raw, once.id);
	await_active(&raw, often.id);
	pass(CLOCK_REALTIME, first + 10 * MS);
	before = now_of(CLOCK_REALTIME);
	set_clock(FAR);
	/* Until the work has seen it; the times are those of the clock as it was. */
	EXPECT_EQ(gettime(&raw, often.id).value, 0);
	after = now_of(CLOCK_REALTIME) - FAR + 10 * SECOND;
	await_record(&raw, &once, 1);
	EXPECT_EQ(once.error, ECANCELED);
	EXPECT_EQ(once.overruns, 1);
	EXPECT_EQ(once.expiry, first);
	await_record(&raw, &often, 1);
	EXPECT_EQ(often.error, ECANCELED);
	EXPECT_GE(often.overruns, (before - first) / MS + 1);
	EXPECT_LE(often.overruns, (after - first) / MS + 1);
	EXPECT_EQ(often.expiry, first + often.overruns * MS);
	raw_end(&raw);
}

/* Without the flag: absolute times follow the clock, distances do not. */
TEST(others_go_on)
{
	struct tally absolute, tai, relative, relative_tai, monotonic, boottime;
	struct tally *quiet[] = { &relative, &relative_tai, &monotonic, &boottime };
	uint64_t value = far_time();
	struct raw raw;
	size_t i;

	timers_start(&raw);
	new_timer(&raw, &absolute, CLOCK_REALTIME, AEM_TIMER_ABSTIME, value, 0);
	new_timer(&raw, &tai, CLOCK_TAI, AEM_TIMER_ABSTIME, now_of(CLOCK_TAI) + FAR, 0);
	new_timer(&raw, &relative, CLOCK_REALTIME, 0, FAR, 0);
	new_timer(&raw, &relative_tai, CLOCK_TAI, 0, FAR, 0);
	new_timer(&raw, &monotonic, CLOCK_MONOTONIC, 0, FAR, 0);
	new_timer(&raw, &boottime, CLOCK_BOOTTIME, 0, FAR, 0);
	set_clock(FAR / 2);
	expect_silence(&raw);
	EXPECT_LE(gettime(&raw, absolute.id).value, FAR / 2);
	EXPECT_LE(gettime(&raw, tai.id).value, FAR / 2);
	set_clock(FAR);
	await_record(&raw, &absolute, 1);
	await_record(&raw, &tai, 1);
	EXPECT_EQ(absolute.error, 0);
	EXPECT_EQ(absolute.expiry, value);
	EXPECT_EQ(tai.error, 0);
	expect_silence(&raw);
	for (i = 0; i < ARRAY_SIZE(quiet); i++) {
		EXPECT_EQ(quiet[i]->records, 0);
		EXPECT_GT(gettime(&raw, quiet[i]->id).value, FAR - 300 * SECOND);
		EXPECT_LE(gettime(&raw, quiet[i]->id).value, FAR);
	}
	raw_end(&raw);
}

/* A period that began as a distance is not touched either, and told in the clock as it is. */
TEST(relative_period_across_a_setting)
{
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, 0, 1 * MS, 1 * MS);
	await_record(&raw, &t, 3);
	EXPECT_LT(t.expiries, 100000);
	set_clock(FAR);
	await_record(&raw, &t, 6);
	EXPECT_LT(t.expiries, 100000);
	EXPECT_EQ(t.error, 0);
	EXPECT_GT(t.expiry, now_of(CLOCK_REALTIME) - 300 * SECOND);
	set_clock(-(int64_t)FAR);
	await_record(&raw, &t, 9);
	EXPECT_EQ(t.error, 0);
	raw_end(&raw);
}

/* An expiry that fired is told, though the clock was set back before it was fetched. */
TEST(set_back_after_expiry)
{
	uint64_t first;
	struct tally once, often;
	struct raw raw;

	timers_start(&raw);
	first = now_of(CLOCK_REALTIME);
	new_timer(&raw, &once, CLOCK_REALTIME, AEM_TIMER_ABSTIME, first, 0);
	new_timer(&raw, &often, CLOCK_REALTIME, AEM_TIMER_ABSTIME, first, 10 * SECOND);
	once.clock = -1;
	often.clock = -1;
	await_active(&raw, once.id);
	await_active(&raw, often.id);
	set_clock(-(int64_t)FAR);
	EXPECT_EQ(raw_round(&raw), 2);
	EXPECT_EQ(once.expiries, 1);
	EXPECT_EQ(once.expiry, first);
	EXPECT_EQ(often.expiries, 1);
	EXPECT_EQ(often.expiry, first);
	EXPECT_GT(gettime(&raw, often.id).value, FAR - 300 * SECOND);
	set_clock(FAR + 25 * (int64_t)SECOND);
	await_record(&raw, &often, 2);
	EXPECT_GE(often.overruns, 1);
	expect_sum(&often, first, 10 * SECOND);
	raw_end(&raw);
}

/* Sets what CLOCK_TAI is ahead of CLOCK_REALTIME by, in seconds; returns what it was. */
static long set_tai(long offset)
{
	struct timex tx = { .modes = 0 };
	long old;

	ASSERT_GE(adjtimex(&tx), 0);
	old = tx.tai;
	tx.modes = ADJ_TAI;
	tx.constant = offset;
	ASSERT_GE(adjtimex(&tx), 0);
	return old;
}

TEST(tai)
{
	uint64_t before, after, value;
	long old = set_tai(37);
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	before = now_of(CLOCK_TAI);
	EXPECT_GT(before, now_of(CLOCK_REALTIME) + 30 * SECOND);
	new_timer(&raw, &t, CLOCK_TAI, 0, 2 * MS, 0);
	after = now_of(CLOCK_TAI);
	await_record(&raw, &t, 1);
	EXPECT_GE(t.expiry, before + 2 * MS);
	EXPECT_LE(t.expiry, after + 2 * MS);

	/* An absolute time follows its clock. */
	value = now_of(CLOCK_TAI) + FAR;
	settime(&raw, t.id, AEM_TIMER_ABSTIME, value, 0);
	set_tai(37 + FAR / SECOND);
	await_record(&raw, &t, 2);
	EXPECT_EQ(t.expiry, value);
	set_tai(old);
	raw_end(&raw);
}

/* Slewing the clock, and what TAI is ahead by, is no setting. */
TEST(not_a_setting)
{
	struct timex tx = { .modes = ADJ_OFFSET_SINGLESHOT, .offset = 1000 };
	struct tally t;
	struct raw raw;
	long tai;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, CANCEL, far_time(), 0);
	ASSERT_GE(adjtimex(&tx), 0);
	expect_silence(&raw);
	tai = set_tai(20);
	set_tai(tai);
	expect_silence(&raw);
	EXPECT_GT(gettime(&raw, t.id).value, FAR / 2);
	set_clock(SECOND);
	await_record(&raw, &t, 1);
	EXPECT_EQ(t.error, ECANCELED);
	raw_end(&raw);
}

/* The setting of the clock is told once: by settime, or by the handler. */
TEST(settime_after_a_setting)
{
	struct aem_timer_settime set;
	struct tally t;
	struct raw raw;
	int i;

	be_first();
	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, CANCEL, far_time(), 5);
	for (i = 0; i < 20; i++) {
		set_clock(SECOND);
		/* Before the kernel's workers have told of it, and after. */
		if (i & 1)
			await_active(&raw, t.id);
		set = setting(t.id, CANCEL, far_time(), 5);
		EXPECT_ERRNO(try_set(&raw, &set), ECANCELED);
		expect_unset(&raw, t.id);
		EXPECT_EQ(raw_round(&raw), 0);
		EXPECT_OK(try_set(&raw, &set));
		EXPECT_EQ(set.old_value, 0);
		EXPECT_EQ(gettime(&raw, t.id).interval, 5);
	}
	expect_silence(&raw);
	EXPECT_EQ(t.records, 0);

	/* Told by the handler: settime has nothing to tell. */
	set_clock(SECOND);
	await_record(&raw, &t, 1);
	set = setting(t.id, CANCEL, far_time(), 0);
	EXPECT_OK(try_set(&raw, &set));
	EXPECT_EQ(raw_round(&raw), 0);

	/* A setting without the flag, and disarming, want no news of the clock. */
	set_clock(SECOND);
	await_active(&raw, t.id);
	settime(&raw, t.id, AEM_TIMER_ABSTIME, far_time(), 0);
	expect_silence(&raw);
	EXPECT_GT(gettime(&raw, t.id).value, FAR / 2);
	set_clock(SECOND);
	expect_silence(&raw);
	settime(&raw, t.id, CANCEL, far_time(), 0);
	set_clock(SECOND);
	settime(&raw, t.id, CANCEL, 0, 0);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 1);
	raw_end(&raw);
}

/* What has expired for good, or is not armed, is nobody's concern. */
TEST(nothing_to_cancel)
{
	struct tally expired, disarmed;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &expired, CLOCK_REALTIME, CANCEL, 1, 0);
	await_record(&raw, &expired, 1);
	EXPECT_EQ(expired.error, 0);
	new_timer(&raw, &disarmed, CLOCK_REALTIME, CANCEL, far_time(), 0);
	settime(&raw, disarmed.id, CANCEL, 0, 0);
	set_clock(SECOND);
	expect_silence(&raw);
	EXPECT_EQ(expired.records, 1);
	EXPECT_EQ(disarmed.records, 0);
	raw_end(&raw);
}

TEST(cancelled_while_stopped)
{
	uint64_t value = far_time();
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, CANCEL, value, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, t.id, 0));
	set_clock(SECOND);
	expect_silence(&raw);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, t.id, 0));
	expect_cancelled(&raw, &t, 0, value);
	expect_silence(&raw);
	EXPECT_EQ(t.records, 1);
	raw_end(&raw);
}

TEST(thousands)
{
	static struct tally t[2000];
	uint64_t value = far_time();
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(t); i++)
		new_timer(&raw, &t[i], CLOCK_REALTIME,
			  i % 4 ? CANCEL : AEM_TIMER_ABSTIME, value + i, 0);
	for (i = 1; i < ARRAY_SIZE(t); i += 4)
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t[i].id, 0));
	set_clock(SECOND);
	while (raw.handled < ARRAY_SIZE(t) / 2)
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	expect_silence(&raw);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		EXPECT_EQ(t[i].records, i % 4 > 1);
		EXPECT_EQ(t[i].error, i % 4 > 1 ? ECANCELED : 0);
	}
	raw_end(&raw);
}

static int stop_setting;

static void *keep_setting(void *arg)
{
	unsigned long long state = ktap_seed();
	uint64_t *settings = arg;

	while (!__atomic_load_n(&stop_setting, __ATOMIC_SEQ_CST)) {
		set_clock(*settings & 1 ? -1 * (int64_t)MS : 1 * (int64_t)MS);
		(*settings)++;
		/* Each setting interrupts all processors; leave them something in between. */
		usleep(ktap_random(&state) % 200);
	}
	return NULL;
}

/* While another thread sets the clock without end, each arming is told of once. */
TEST_TIMEOUT(race, 120)
{
	uint64_t settings = 0, armed, by_settime = 0;
	struct aem_timer_settime set;
	pthread_t thread;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, 0, 0, 0);
	ASSERT_EQ(pthread_create(&thread, NULL, keep_setting, &settings), 0);
	for (armed = 0; armed < 1000; armed++) {
		set = setting(t.id, CANCEL, far_time(), 0);
		ASSERT_OK(try_set(&raw, &set));
		if (armed & 1) {
			await_record(&raw, &t, t.records + 1);
			EXPECT_EQ(t.error, ECANCELED);
			continue;
		}
		while (!try_set(&raw, &set))
			;
		EXPECT_EQ(errno, ECANCELED);
		EXPECT_EQ(raw_round(&raw), 0);
		by_settime++;
	}
	__atomic_store_n(&stop_setting, 1, __ATOMIC_SEQ_CST);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	expect_silence(&raw);
	EXPECT_EQ(by_settime + t.records, armed);
	NOTE("%llu settings", (unsigned long long)settings);
	raw_end(&raw);
}

/* Timers come and go with the contexts while the clock is set. */
TEST_TIMEOUT(close_race, 120)
{
	struct aem_service_info info;
	uint64_t settings = 0;
	pthread_t thread;
	struct tally t;
	struct raw raw;
	int i, j, fd = raw_open();

	ASSERT_EQ(pthread_create(&thread, NULL, keep_setting, &settings), 0);
	for (i = 0; i < 100; i++) {
		timers_start(&raw);
		for (j = 0; j < 10; j++)
			new_timer(&raw, &t, CLOCK_REALTIME, CANCEL, far_time(), 0);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
		raw_end(&raw);
	}
	__atomic_store_n(&stop_setting, 1, __ATOMIC_SEQ_CST);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	do {
		raw_sleep_ms(1);
		ASSERT(raw_service_info(fd, "timer", &info));
	} while (info.events || info.users);
}

KTAP_MAIN()
