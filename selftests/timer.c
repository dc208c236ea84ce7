// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the service "timer": every errno, every clock, what settime and gettime answer.
 *
 * vm: load=core,null,timer m32
 */
#include "timers.h"

static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI };

static void expect_no_events(const struct raw *raw)
{
	EXPECT_EQ(raw_query(raw).events, 0);
}

TEST(service)
{
	struct aem_service_info info;
	struct aem_bind bind;
	struct raw raw;

	timers_start(&raw);
	ASSERT(raw_service_info(raw.fd, "timer", &info));
	EXPECT_EQ(info.version, AEM_TIMER_VERSION);
	EXPECT_EQ(info.calls, AEM_TIMER_CALLS);
	EXPECT_EQ(info.base, timer_base);
	EXPECT_EQ(info.users, 1);
	EXPECT_OK(raw_bind(raw.fd, &bind, "timer", AEM_TIMER_VERSION, AEM_TIMER_VERSION));
	EXPECT_EQ(bind.base, timer_base);
	EXPECT_EQ(bind.calls, AEM_TIMER_CALLS);
	EXPECT_ERRNO(raw_bind(raw.fd, &bind, "timer", AEM_TIMER_VERSION + 1, 0), ENOPROTOOPT);
	EXPECT_ERRNO(raw_call(&raw, timer_base + AEM_TIMER_CALLS, &info), ENOSYS);
	raw_end(&raw);
}

static void refuse(const struct raw *raw, struct aem_timer_create create, int error)
{
	EXPECT_ERRNO(try_create(raw, &create), error);
	EXPECT_EQ(create.reg.id, 0);
	expect_no_events(raw);
}

TEST(create_refuses_clocks)
{
	static const uint32_t bad[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
					CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
					CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_ALARM,
					CLOCK_BOOTTIME_ALARM, 10, 12, 256 + CLOCK_MONOTONIC,
					0x80000000, 0xffffffff };
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(&raw, request(NULL, bad[i], 0, SECOND, 0), EINVAL);
	raw_end(&raw);
}

TEST(create_refuses_flags)
{
	struct aem_timer_create create;
	struct raw raw;
	size_t i;
	int bit;

	timers_start(&raw);
	for (bit = 2; bit < 32; bit++)
		refuse(&raw, request(NULL, CLOCK_REALTIME, 1U << bit, SECOND, 0), EINVAL);
	refuse(&raw, request(NULL, CLOCK_REALTIME, AEM_TIMER_CANCEL_ON_SET, SECOND, 0), EINVAL);
	for (i = 1; i < ARRAY_SIZE(clocks); i++)
		refuse(&raw, request(NULL, clocks[i], AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET,
				     SECOND, 0), EINVAL);
	for (bit = 0; bit < 32; bit++) {
		create = request(NULL, CLOCK_MONOTONIC, 0, SECOND, 0);
		create.pad = 1U << bit;
		refuse(&raw, create, EINVAL);
	}
	raw_end(&raw);
}

TEST(create_refuses_times)
{
	static const uint64_t bad[] = { TIME_MAX + 1, TIME_MAX + 2, -SECOND, UINT64_MAX };
	struct aem_timer_create create;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		refuse(&raw, request(NULL, CLOCK_MONOTONIC, 0, bad[i], 0), EINVAL);
		refuse(&raw, request(NULL, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, bad[i], 0), EINVAL);
		refuse(&raw, request(NULL, CLOCK_MONOTONIC, 0, SECOND, bad[i]), EINVAL);
		refuse(&raw, request(NULL, CLOCK_MONOTONIC, 0, 0, bad[i]), EINVAL);
		create = request(NULL, CLOCK_MONOTONIC, 0, SECOND, 0);
		create.slack = bad[i];
		refuse(&raw, create, EINVAL);
	}
	raw_end(&raw);
}

TEST(create_refuses_registrations)
{
	struct aem_timer_create create;
	struct raw raw;

	timers_start(&raw);
	create = request(NULL, CLOCK_MONOTONIC, 0, SECOND, 0);
	create.reg.prio = AEM_PRIORITIES;
	refuse(&raw, create, EINVAL);
	create.reg.prio = 0;
	create.reg.flags = 1;
	refuse(&raw, create, EINVAL);
	create.reg.flags = EVF_FORK;
	refuse(&raw, create, EOPNOTSUPP);
	create.reg.flags = EVF_ONESHOT;
	create.interval = 1;
	refuse(&raw, create, EINVAL);
	raw_end(&raw);
}

TEST(create_at_the_limit)
{
	struct tally tallies[2];
	struct aem_timer_create create;
	unsigned long limit = raw_parameter("max_events");
	struct raw raw;

	timers_start(&raw);
	raw_set_parameter("max_events", 1);
	new_timer(&raw, &tallies[0], CLOCK_MONOTONIC, 0, FAR, 0);
	create = request(&tallies[1], CLOCK_MONOTONIC, 0, FAR, 0);
	EXPECT_ERRNO(try_create(&raw, &create), ENOSPC);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, tallies[0].id, 0));
	EXPECT_OK(try_create(&raw, &create));
	raw_set_parameter("max_events", limit);
	raw_end(&raw);
}

/* Sizes and addresses, the same for all three calls. */
TEST(arguments)
{
	static const size_t sizes[] = { sizeof(struct aem_timer_create),
					sizeof(struct aem_timer_settime),
					sizeof(struct aem_timer_gettime) };
	uint64_t buffer[40];
	uint32_t call, *size = (uint32_t *)buffer;
	uint8_t *guarded;
	struct raw raw;

	timers_start(&raw);
	for (call = 0; call < AEM_TIMER_CALLS; call++) {
		memset(buffer, 0, sizeof(buffer));
		*size = sizes[call] - 1;
		EXPECT_ERRNO(raw_call(&raw, timer_base + call, buffer), EINVAL);
		*size = 0;
		EXPECT_ERRNO(raw_call(&raw, timer_base + call, buffer), EINVAL);
		*size = sizes[call] + 8;
		((uint8_t *)buffer)[sizes[call] + 7] = 1;
		EXPECT_ERRNO(raw_call(&raw, timer_base + call, buffer), E2BIG);
		EXPECT_ERRNO(raw_call(&raw, timer_base + call, NULL), EFAULT);
		guarded = raw_guarded(sizes[call] - 4);
		*(uint32_t *)guarded = sizes[call];
		EXPECT_ERRNO(raw_call(&raw, timer_base + call, guarded), EFAULT);
	}
	expect_no_events(&raw);
	raw_end(&raw);
}

/* A timer that nobody is told the id of must not come to be. */
TEST(create_in_read_only_memory)
{
	struct aem_timer_create *create;
	size_t page = sysconf(_SC_PAGESIZE);
	struct raw raw;

	timers_start(&raw);
	create = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(create != MAP_FAILED);
	*create = request(NULL, CLOCK_MONOTONIC, 0, 1, 0);
	ASSERT_OK(mprotect(create, page, PROT_READ));
	EXPECT_ERRNO(try_create(&raw, create), EFAULT);
	expect_no_events(&raw);
	raw_end(&raw);
}

/* A refused setting leaves the one before as it is. */
static void refuse_setting(const struct raw *raw, struct aem_timer_settime set, int error)
{
	struct aem_timer_gettime get;

	EXPECT_ERRNO(try_set(raw, &set), error);
	EXPECT_EQ(set.old_value, 0xa5a5a5a5a5a5a5a5ULL);
	if (error == ENOENT)
		return;
	get = gettime(raw, set.id);
	EXPECT_GT(get.value, FAR / 2);
	EXPECT_EQ(get.interval, 7);
}

TEST(settime_refuses)
{
	struct aem_timer_settime set;
	struct tally t, once;
	struct raw raw;
	int bit;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_REALTIME, 0, FAR, 7);
	for (bit = 2; bit < 32; bit++)
		refuse_setting(&raw, setting(t.id, 1U << bit, SECOND, 0), EINVAL);
	refuse_setting(&raw, setting(t.id, AEM_TIMER_CANCEL_ON_SET, SECOND, 0), EINVAL);
	refuse_setting(&raw, setting(t.id, 0, TIME_MAX + 1, 0), EINVAL);
	refuse_setting(&raw, setting(t.id, 0, UINT64_MAX, 0), EINVAL);
	refuse_setting(&raw, setting(t.id, 0, SECOND, TIME_MAX + 1), EINVAL);
	refuse_setting(&raw, setting(t.id, 0, 0, UINT64_MAX), EINVAL);
	set = setting(t.id, 0, SECOND, 0);
	set.slack = TIME_MAX + 1;
	refuse_setting(&raw, set, EINVAL);
	new_timer(&raw, &once, CLOCK_MONOTONIC, 0, FAR, 7);
	refuse_setting(&raw, setting(once.id, AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET,
				     SECOND, 0), EINVAL);
	raw_end(&raw);
}

TEST(settime_refuses_a_period_with_oneshot)
{
	struct aem_timer_create create;
	struct aem_timer_settime set;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, 0, FAR, 0);
	create.reg.flags = EVF_ONESHOT;
	make(&raw, &t, &create);
	set = setting(t.id, 0, SECOND, 1);
	EXPECT_ERRNO(try_set(&raw, &set), EINVAL);
	EXPECT_GT(gettime(&raw, t.id).value, FAR / 2);
	raw_end(&raw);
}

TEST(ids)
{
	uint64_t ids[4];
	struct aem_timer_settime set;
	struct aem_timer_gettime get;
	struct tally t;
	struct raw raw, other;
	size_t i;

	timers_start(&raw);
	timers_start(&other);
	ids[0] = 0;
	ids[1] = UINT64_MAX;
	ids[2] = null_new(&raw, NULL_CREATE, raw_nothing, 0, 0, 0);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, FAR, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
	ids[3] = t.id;
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, FAR, 0);
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		set = setting(ids[i], 0, SECOND, 0);
		EXPECT_ERRNO(try_set(&raw, &set), ENOENT);
		EXPECT_ERRNO(try_get(&raw, ids[i], &get), ENOENT);
	}
	EXPECT_ERRNO(try_get(&other, t.id, &get), ENOENT);
	EXPECT_OK(try_get(&raw, t.id, &get));
	get.pad = 1;
	EXPECT_ERRNO(raw_call(&raw, timer_base + AEM_TIMER_GETTIME, &get), EINVAL);
	raw_end(&other);
	raw_end(&raw);
}

static void expect_one(struct raw *raw, struct tally *t, uint64_t low, uint64_t high)
{
	await_record(raw, t, 1);
	EXPECT_EQ(t->overruns, 0);
	EXPECT_EQ(t->error, 0);
	EXPECT_EQ(t->flags, 0);
	EXPECT_GE(t->expiry, low);
	EXPECT_LE(t->expiry, high);
	expect_unset(raw, t->id);
}

TEST(each_clock)
{
	uint64_t before, after, value;
	struct tally t;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		before = now_of(clocks[i]);
		new_timer(&raw, &t, clocks[i], 0, 2 * MS, 0);
		after = now_of(clocks[i]);
		expect_one(&raw, &t, before + 2 * MS, after + 2 * MS);

		value = now_of(clocks[i]) + 2 * MS;
		new_timer(&raw, &t, clocks[i], AEM_TIMER_ABSTIME, value, 0);
		expect_one(&raw, &t, value, value);

		value = now_of(clocks[i]) + 2 * MS;
		t.records = 0;
		settime(&raw, t.id, AEM_TIMER_ABSTIME, value, 0);
		expect_one(&raw, &t, value, value);

		before = now_of(clocks[i]);
		t.records = 0;
		settime(&raw, t.id, 0, 2 * MS, 0);
		after = now_of(clocks[i]);
		expect_one(&raw, &t, before + 2 * MS, after + 2 * MS);
	}
	expect_silence(&raw);
	raw_end(&raw);
}

/* Distances run on another clock inside: changing to and fro loses nothing. */
TEST(relative_and_absolute_by_turns)
{
	uint64_t rounds = 0, value;
	struct tally t;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		new_timer(&raw, &t, clocks[i], 0, 0, 0);
		for (rounds = 1; rounds <= 20; rounds++) {
			settime(&raw, t.id, 0, FAR, 0);
			value = now_of(clocks[i]) + 200 * US;
			settime(&raw, t.id, AEM_TIMER_ABSTIME, value, 0);
			if (rounds & 1) {
				settime(&raw, t.id, 0, 200 * US, 0);
				await_record(&raw, &t, rounds);
				EXPECT_GE(t.expiry, value);
			} else {
				await_record(&raw, &t, rounds);
				EXPECT_EQ(t.expiry, value);
			}
		}
	}
	expect_silence(&raw);
	raw_end(&raw);
}

TEST(past_expires_at_once)
{
	uint64_t now, first;
	struct tally t;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		new_timer(&raw, &t, clocks[i], AEM_TIMER_ABSTIME, 1, 0);
		expect_one(&raw, &t, 1, 1);

		now = now_of(clocks[i]);
		first = now > 10 * SECOND ? now - 10 * SECOND : 1;
		new_timer(&raw, &t, clocks[i], AEM_TIMER_ABSTIME, first, 1 * SECOND);
		await_record(&raw, &t, 1);
		EXPECT_GE(t.overruns, (now - first) / SECOND);
		expect_sum(&t, first, SECOND);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
	}
	raw_end(&raw);
}

TEST(settime_tells_the_old_setting)
{
	struct aem_timer_settime set;
	struct aem_timer_gettime get;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, 0, 7);
	expect_unset(&raw, t.id);
	set = settime(&raw, t.id, 0, FAR, 7);
	EXPECT_EQ(set.old_value, 0);
	EXPECT_EQ(set.old_interval, 0);
	get = gettime(&raw, t.id);
	EXPECT_GT(get.value, FAR - 100 * SECOND);
	EXPECT_LE(get.value, FAR);
	EXPECT_EQ(get.interval, 7);
	set = settime(&raw, t.id, AEM_TIMER_ABSTIME, now_of(CLOCK_MONOTONIC) + 2 * FAR, 9);
	EXPECT_GT(set.old_value, FAR - 100 * SECOND);
	EXPECT_LE(set.old_value, get.value);
	EXPECT_EQ(set.old_interval, 7);
	get = gettime(&raw, t.id);
	EXPECT_GT(get.value, 2 * FAR - 100 * SECOND);
	EXPECT_LE(get.value, 2 * FAR);
	EXPECT_EQ(get.interval, 9);
	set = settime(&raw, t.id, 0, 0, 11);
	EXPECT_GT(set.old_value, 2 * FAR - 100 * SECOND);
	EXPECT_EQ(set.old_interval, 9);
	expect_unset(&raw, t.id);
	set = settime(&raw, t.id, 0, 0, 0);
	EXPECT_EQ(set.old_value, 0);
	EXPECT_EQ(set.old_interval, 0);
	expect_silence(&raw);
	raw_end(&raw);
}

/* What is left of a periodic timer is the distance to its next expiry, fetched or not. */
TEST(gettime_of_what_has_expired)
{
	uint64_t first = now_of(CLOCK_MONOTONIC) + 1 * MS, before, after, next;
	struct aem_timer_gettime get;
	struct tally once, often;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &once, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 0);
	new_timer(&raw, &often, CLOCK_MONOTONIC, AEM_TIMER_ABSTIME, first, 400 * MS);
	await_active(&raw, once.id);
	await_active(&raw, often.id);
	expect_unset(&raw, once.id);
	before = now_of(CLOCK_MONOTONIC);
	get = gettime(&raw, often.id);
	after = now_of(CLOCK_MONOTONIC);
	EXPECT_EQ(get.interval, 400 * MS);
	EXPECT_GE(get.value, 1);
	EXPECT_LE(get.value, 400 * MS);
	/* The call was made between the two looks at the clock; so is the next expiry. */
	next = first + ((before - first) / (400 * MS) + 1) * (400 * MS);
	if ((after - first) / (400 * MS) == (before - first) / (400 * MS)) {
		EXPECT_GE(before + get.value, next - (after - before));
		EXPECT_LE(before + get.value, next);
	}
	raw_end(&raw);
}

TEST(huge_times)
{
	struct aem_timer_create create;
	struct tally t;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		new_timer(&raw, &t, clocks[i], 0, TIME_MAX, TIME_MAX);
		EXPECT_GT(gettime(&raw, t.id).value, TIME_MAX / 4);
		EXPECT_EQ(gettime(&raw, t.id).interval, TIME_MAX);
		settime(&raw, t.id, AEM_TIMER_ABSTIME, TIME_MAX, 0);
		EXPECT_GT(gettime(&raw, t.id).value, TIME_MAX / 4);
		settime(&raw, t.id, AEM_TIMER_ABSTIME, TIME_MAX - 1, 1);
		EXPECT_GT(gettime(&raw, t.id).value, TIME_MAX / 4);

		create = request(&t, clocks[i], 0, FAR, 0);
		create.slack = TIME_MAX;
		make(&raw, &t, &create);
		EXPECT_GT(gettime(&raw, t.id).value, FAR / 2);
	}
	expect_silence(&raw);
	raw_end(&raw);
}

/*
 * What would expire beyond the end of time does not expire, nor wrap around. Each timer is by
 * itself, since those that expire late hide behind others of their clock.
 */
TEST(beyond_the_end_of_time)
{
	struct aem_timer_create create;
	struct tally t;
	struct raw raw;
	size_t i;

	timers_start(&raw);
	for (i = 0; i < ARRAY_SIZE(clocks); i++) {
		new_timer(&raw, &t, clocks[i], AEM_TIMER_ABSTIME, 1 + i, TIME_MAX);
		await_record(&raw, &t, 1);
		EXPECT_EQ(t.overruns, 0);
		EXPECT_EQ(t.expiry, 1 + i);
		EXPECT_GT(gettime(&raw, t.id).value, TIME_MAX / 4);
		expect_silence(&raw);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));

		new_timer(&raw, &t, clocks[i], 0, TIME_MAX, 0);
		expect_silence(&raw);
		settime(&raw, t.id, 0, TIME_MAX, TIME_MAX);
		expect_silence(&raw);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));

		create = request(&t, clocks[i], 0, TIME_MAX, 0);
		create.slack = TIME_MAX;
		make(&raw, &t, &create);
		expect_silence(&raw);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, t.id, 0));
	}
	raw_end(&raw);
}

/* Arming starts; without it, a timer is like any event. */
TEST(arming_starts)
{
	struct aem_timer_create create;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	new_timer(&raw, &t, CLOCK_MONOTONIC, 0, 1 * MS, 0);
	EXPECT(raw_state_of(&raw, t.id) & AEM_EVENT_S_STARTED);
	await_record(&raw, &t, 1);

	create = request(&t, CLOCK_MONOTONIC, 0, 0, 0);
	make(&raw, &t, &create);
	EXPECT_EQ(raw_state_of(&raw, t.id), 0);
	EXPECT_EQ(create.reg.flags, 0);
	settime(&raw, t.id, 0, 1 * MS, 0);
	EXPECT(raw_state_of(&raw, t.id) & AEM_EVENT_S_STARTED);
	await_record(&raw, &t, 1);

	create = request(&t, CLOCK_MONOTONIC, 0, 0, 0);
	create.reg.flags = EVF_START;
	make(&raw, &t, &create);
	EXPECT_EQ(raw_state_of(&raw, t.id), AEM_EVENT_S_STARTED);
	expect_silence(&raw);
	settime(&raw, t.id, 0, 1 * MS, 0);
	await_record(&raw, &t, 1);
	raw_end(&raw);
}

TEST(oneshot_event_ends)
{
	struct aem_timer_create create;
	struct aem_timer_gettime get;
	struct tally t;
	struct raw raw;

	timers_start(&raw);
	create = request(&t, CLOCK_MONOTONIC, 0, FAR, 0);
	create.reg.flags = EVF_ONESHOT;
	make(&raw, &t, &create);
	settime(&raw, t.id, 0, 1 * MS, 0);
	await_record(&raw, &t, 1);
	EXPECT_EQ(t.flags, AEM_RECORD_F_LAST);
	EXPECT_EQ(t.expiries, 1);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_ERRNO(try_get(&raw, t.id, &get), ENOENT);
	expect_no_events(&raw);
	raw_end(&raw);
}

/* A batch of calls in one crossing; one that fails does not stop the others. */
TEST(batch)
{
	struct aem_timer_create create[3];
	struct aem_call calls[3];
	struct aem_enter enter = { .n_calls = 3, .min_events = 2, .timeout = RAW_LONG };
	struct tally t[3] = { { .clock = CLOCK_MONOTONIC }, { .clock = CLOCK_MONOTONIC },
			      { .clock = CLOCK_MONOTONIC } };
	struct raw raw;
	int i;

	timers_start(&raw);
	memset(calls, 0, sizeof(calls));
	for (i = 0; i < 3; i++) {
		create[i] = request(&t[i], i == 1 ? 99 : CLOCK_MONOTONIC, 0, 1 * MS, 0);
		calls[i].size = sizeof(calls[i]);
		calls[i].nr = timer_base + AEM_TIMER_CREATE;
		calls[i].arg = (uintptr_t)&create[i];
	}
	enter.calls = (uintptr_t)calls;
	ASSERT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.done, 3);
	EXPECT_EQ(enter.count, 2);
	EXPECT_EQ(calls[0].result, 0);
	EXPECT_EQ(calls[1].result, -EINVAL);
	EXPECT_EQ(calls[2].result, 0);
	for (i = 0; i < 3; i++)
		t[i].id = create[i].reg.id;
	raw_dispatch(&raw, &enter);
	EXPECT_EQ(t[0].records, 1);
	EXPECT_EQ(t[1].records, 0);
	EXPECT_EQ(t[2].records, 1);
	raw_end(&raw);
}

KTAP_MAIN()
