/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the service "timer" share: requests, and a tally of what each timer told.
 */
#ifndef SELFTESTS_TIMERS_H
#define SELFTESTS_TIMERS_H

#include "raw.h"
#include <linux/aem_timer.h>

#define US	1000ULL
#define MS	1000000ULL
#define SECOND	1000000000ULL
#define FAR	(1000 * SECOND)
#define TIME_MAX	0x7fffffffffffffffULL

/* sys/timex.h and old libcs do not all have it. */
#ifndef CLOCK_TAI
#define CLOCK_TAI 11
#endif

/**
 * struct tally - what the records of one timer said
 * @id:       of the timer
 * @records:  how many
 * @expiries: 1 + overruns, summed up
 * @expiry:   arg[1] of the last
 * @order:    which of all records of the context the last was, from 1
 * @clock:    expiries are not in its future; -1: do not look
 */
struct tally {
	uint64_t id;
	uint64_t records;
	uint64_t expiries;
	uint64_t overruns;
	uint64_t expiry;
	uint64_t error;
	uint32_t flags;
	uint32_t order;
	int clock;
};

static uint32_t timer_base;

static inline uint64_t now_of(int clock)
{
	struct timespec time;

	ASSERT_OK(clock_gettime(clock, &time));
	return time.tv_sec * SECOND + time.tv_nsec;
}

/* Until @clock is past @time, however long that takes. */
static inline void pass(int clock, uint64_t time)
{
	while (now_of(clock) <= time)
		raw_sleep_ms(1);
}

static inline void count(struct raw *raw, struct aem_record *record)
{
	struct tally *tally = (struct tally *)(uintptr_t)record->cookie;

	EXPECT_EQ(record->id, tally->id);
	EXPECT_EQ(record->nr, timer_base + AEM_TIMER_CREATE);
	EXPECT_EQ(record->lost, 0);
	tally->order = raw->handled + 1;
	tally->records++;
	tally->overruns = record->arg[0];
	tally->expiry = record->arg[1];
	tally->error = record->arg[2];
	tally->flags = record->flags;
	if (tally->error) {
		tally->expiries += record->arg[0];
		return;
	}
	tally->expiries += 1 + record->arg[0];
	EXPECT_EQ(record->count, record->arg[0] < UINT32_MAX ? 1 + record->arg[0] : UINT32_MAX);
	if (tally->clock >= 0)
		EXPECT_LE(record->arg[1], now_of(tally->clock));
}

static inline void timers_start(struct raw *raw)
{
	raw_start(raw);
	timer_base = raw_service(raw, AEM_TIMER_SERVICE);
}

static inline struct aem_timer_create request(struct tally *tally, int clock, uint32_t flags,
					      uint64_t value, uint64_t interval)
{
	struct aem_timer_create create;

	memset(&create, 0, sizeof(create));
	create.size = sizeof(create);
	create.clockid = clock;
	create.reg.handler = (uintptr_t)count;
	create.reg.cookie = (uintptr_t)tally;
	create.flags = flags;
	create.value = value;
	create.interval = interval;
	return create;
}

static inline long long try_create(const struct raw *raw, struct aem_timer_create *create)
{
	return raw_call(raw, timer_base + AEM_TIMER_CREATE, create);
}

static inline void make(const struct raw *raw, struct tally *tally,
			struct aem_timer_create *create)
{
	memset(tally, 0, sizeof(*tally));
	tally->clock = create->clockid;
	ASSERT_OK(try_create(raw, create));
	ASSERT_NE(create->reg.id, 0);
	tally->id = create->reg.id;
}

static inline void new_timer(const struct raw *raw, struct tally *tally, int clock, uint32_t flags,
			     uint64_t value, uint64_t interval)
{
	struct aem_timer_create create = request(tally, clock, flags, value, interval);

	make(raw, tally, &create);
}

static inline struct aem_timer_settime setting(uint64_t id, uint32_t flags, uint64_t value,
					       uint64_t interval)
{
	struct aem_timer_settime set;

	memset(&set, 0, sizeof(set));
	set.size = sizeof(set);
	set.flags = flags;
	set.id = id;
	set.value = value;
	set.interval = interval;
	set.old_value = 0xa5a5a5a5a5a5a5a5ULL;
	set.old_interval = set.old_value;
	return set;
}

static inline long long try_set(const struct raw *raw, struct aem_timer_settime *set)
{
	return raw_call(raw, timer_base + AEM_TIMER_SETTIME, set);
}

static inline struct aem_timer_settime settime(const struct raw *raw, uint64_t id, uint32_t flags,
					       uint64_t value, uint64_t interval)
{
	struct aem_timer_settime set = setting(id, flags, value, interval);

	ASSERT_OK(try_set(raw, &set));
	return set;
}

static inline long long try_get(const struct raw *raw, uint64_t id, struct aem_timer_gettime *get)
{
	memset(get, RAW_POISON, sizeof(*get));
	get->size = sizeof(*get);
	get->pad = 0;
	get->id = id;
	return raw_call(raw, timer_base + AEM_TIMER_GETTIME, get);
}

static inline struct aem_timer_gettime gettime(const struct raw *raw, uint64_t id)
{
	struct aem_timer_gettime get;

	ASSERT_OK(try_get(raw, id, &get));
	return get;
}

static inline void expect_unset(const struct raw *raw, uint64_t id)
{
	struct aem_timer_gettime get = gettime(raw, id);

	EXPECT_EQ(get.value, 0);
	EXPECT_EQ(get.interval, 0);
}

/* The timer has expired, and nobody has fetched it. */
static inline void await_active(const struct raw *raw, uint64_t id)
{
	while (!(raw_state_of(raw, id) & AEM_EVENT_S_ACTIVE))
		raw_sleep_ms(1);
}

static inline void await_record(struct raw *raw, const struct tally *tally, uint64_t records)
{
	while (tally->records < records)
		ASSERT_EQ(raw_wait(raw, RAW_LONG), 0);
}

/* Nothing is due, and nothing comes in a time in which something used to come. */
static inline void expect_silence(struct raw *raw)
{
	EXPECT_EQ(raw_wait(raw, 30 * MS), ETIME);
	EXPECT_EQ(raw_round(raw), 0);
}

/* All expiries of a periodic timer whose first was at @first are accounted for. */
static inline void expect_sum(const struct tally *tally, uint64_t first, uint64_t interval)
{
	EXPECT_EQ(first + (tally->expiries - 1) * interval, tally->expiry);
}

/* A record made after @moment tells of all that had expired by then. */
static inline void expect_current(const struct tally *tally, uint64_t moment, uint64_t interval)
{
	EXPECT_GT(tally->expiry + interval, moment);
}

#endif /* SELFTESTS_TIMERS_H */
