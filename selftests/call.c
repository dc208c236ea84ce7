// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_CALL and what pseudo-system calls have in common; registration is one of them.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

/* What a failing CALL leaves: the error as errno and in @result. */
static void refuse(const struct raw *raw, uint32_t nr, void *arg, int error)
{
	struct aem_call call = {
		.size = sizeof(call), .nr = nr, .arg = (uintptr_t)arg, .result = 0x5a5a,
	};

	EXPECT_ERRNO(ioctl(raw->fd, AEM_IOC_CALL, &call), error);
	EXPECT_EQ(call.result, -error);
}

TEST(not_bound)
{
	struct null_totals totals = { .size = sizeof(totals) };
	struct aem_service_info info;
	struct raw raw;
	uint32_t range;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(&raw);
	ASSERT(raw_service_info(raw.fd, NULL_SERVICE, &info));
	refuse(&raw, info.base + NULL_TOTALS, &totals, ENOSYS);
	raw.null = raw_service(&raw, NULL_SERVICE);
	EXPECT_OK(raw_call(&raw, raw.null + NULL_TOTALS, &totals));
	for (range = 1; range < 100; range++)
		if (range * AEM_RANGE_CALLS != raw.null)
			refuse(&raw, range * AEM_RANGE_CALLS + NULL_TOTALS, &totals, ENOSYS);
	refuse(&raw, ~0U, &totals, ENOSYS);
	refuse(&raw, 1U << 31, &totals, ENOSYS);
	raw_end(&raw);
}

TEST(no_such_call)
{
	struct null_totals totals = { .size = sizeof(totals) };
	struct raw raw;
	uint32_t call;

	raw_start(&raw);
	for (call = NULL_CALLS; call < AEM_RANGE_CALLS; call++)
		refuse(&raw, raw.null + call, &totals, ENOSYS);
	for (call = 1; call < AEM_RANGE_CALLS; call++)
		refuse(&raw, AEM_CALL_EVENT + call, &totals, ENOSYS);
	raw_end(&raw);
}

TEST(argument_sizes)
{
	struct { struct null_fire fire; uint64_t more[2]; } big;
	struct null_fire fire;
	struct raw raw;
	uint32_t size;
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	fire = (struct null_fire){ .id = id, .count = 1 };
	/* The padding need not be given. */
	for (size = 0; size < offsetof(struct null_fire, pad); size++) {
		fire.size = size;
		refuse(&raw, raw.null + NULL_FIRE, &fire, EINVAL);
	}
	fire.size = offsetof(struct null_fire, pad);
	fire.pad = 1;
	EXPECT_OK(raw_call(&raw, raw.null + NULL_FIRE, &fire));
	fire.size = sizeof(fire);
	refuse(&raw, raw.null + NULL_FIRE, &fire, EINVAL);

	memset(&big, 0, sizeof(big));
	big.fire = (struct null_fire){ .size = sizeof(big), .id = id, .count = 1 };
	EXPECT_OK(raw_call(&raw, raw.null + NULL_FIRE, &big));
	big.more[1] = 1;
	refuse(&raw, raw.null + NULL_FIRE, &big, E2BIG);
	big.more[1] = 0;
	big.fire.size = sizeof(fire) + 8;
	big.more[0] = 1ULL << 63;
	refuse(&raw, raw.null + NULL_FIRE, &big, E2BIG);
	EXPECT_EQ(null_state(&raw, id).fired, 2);
	raw_end(&raw);
}

TEST(argument_addresses)
{
	struct null_create create = null_request(raw_nothing, 1, 0, 1), *fixed;
	struct aem_call call = { .size = sizeof(call) };
	struct raw raw;

	raw_start(&raw);
	refuse(&raw, raw.null + NULL_CREATE, NULL, EFAULT);
	refuse(&raw, raw.null + NULL_CREATE, (void *)-4096L, EFAULT);
	refuse(&raw, raw.null + NULL_CREATE, raw_guarded(0), EFAULT);
	/* An address above what this program can have. */
	call.nr = raw.null + NULL_CREATE;
	call.arg = 0xffff800000000000ULL;
	EXPECT_ERRNO(ioctl(raw.fd, AEM_IOC_CALL, &call), EFAULT);

	/* Where the id cannot be told, there must be no event. */
	fixed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(fixed != MAP_FAILED);
	*fixed = create;
	ASSERT_OK(mprotect(fixed, 4096, PROT_READ));
	refuse(&raw, raw.null + NULL_CREATE, fixed, EFAULT);
	NOTE("events after a registration that could not be told: %u", raw_query(&raw).events);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

static void refuse_registration(const struct raw *raw, uint32_t flags, uint32_t prio, int error)
{
	struct null_create create = null_request(raw_nothing, 1, flags, prio);
	struct null_totals before = null_totals(raw);

	if (!EXPECT_ERRNO(raw_call(raw, raw->null + NULL_CREATE, &create), error))
		NOTE("flags %#x prio %u", flags, prio);
	EXPECT_EQ(create.reg.id, 0);
	EXPECT_EQ(null_totals(raw).created, before.created);
	EXPECT_EQ(raw_query(raw).events, 0);
}

TEST(registration_refused)
{
	static const uint32_t known[] = {
		EVF_ONESHOT, EVF_SAFEPOINT, EVF_START, EVF_WAKE_LEAST, EVF_WAKE_ALL, EVF_NEAR,
	};
	static const uint32_t later[] = { EVF_FORK, EVF_NOCLDWAIT, EVF_CAPSULE, EVF_KEEPALIVE };
	uint32_t bit, all = 0, prio;
	struct raw raw;
	size_t i;

	raw_start(&raw);
	for (i = 0; i < ARRAY_SIZE(later); i++) {
		all |= later[i];
		refuse_registration(&raw, later[i], 0, EOPNOTSUPP);
		refuse_registration(&raw, later[i] | EVF_START, 0, EOPNOTSUPP);
	}
	for (i = 0; i < ARRAY_SIZE(known); i++)
		all |= known[i];
	for (bit = 0; bit < 32; bit++)
		if (!(all & 1U << bit))
			refuse_registration(&raw, 1U << bit, 0, EINVAL);
	for (prio = AEM_PRIORITIES; prio; prio *= 2)
		refuse_registration(&raw, 0, prio, EINVAL);
	refuse_registration(&raw, 0, ~0U, EINVAL);
	raw_end(&raw);
}

TEST(registration)
{
	static const uint32_t flags[] = {
		0, EVF_ONESHOT, EVF_SAFEPOINT, EVF_START, EVF_ONESHOT | EVF_SAFEPOINT | EVF_START,
		EVF_WAKE_LEAST, EVF_WAKE_ALL, EVF_NEAR | EVF_WAKE_LEAST,
	};
	struct null_create create;
	struct aem_event event;
	struct raw raw;
	uint32_t prio;
	size_t i;

	raw_start(&raw);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (prio = 0; prio < AEM_PRIORITIES; prio++) {
			create = null_request(raw_nothing, 1, flags[i], prio);
			create.reg.id = 0xa5a5a5a5a5a5a5a5ULL;
			ASSERT_OK(raw_call(&raw, raw.null + NULL_CREATE, &create));
			ASSERT_OK(raw_event_out(&raw, AEM_EVENT_INFO, create.reg.id, 0, &event));
			EXPECT_EQ(event.id, create.reg.id);
			EXPECT_EQ(event.prio, prio);
			EXPECT_EQ(event.flags, flags[i] | EVF_SAFEPOINT);
			EXPECT_EQ(event.nr, raw.null + NULL_CREATE);
			EXPECT_EQ(event.state, flags[i] & EVF_START ? AEM_EVENT_S_STARTED : 0);
			EXPECT_EQ(event.activations, 0);
			EXPECT_EQ(event.starved, 0);
			EXPECT_EQ(event.parent, 0);
			EXPECT_EQ(event.pad, 0);
			EXPECT_EQ(null_state(&raw, create.reg.id).armed, !!(flags[i] & EVF_START));
		}
	}
	EXPECT_EQ(raw_query(&raw).events, ARRAY_SIZE(flags) * AEM_PRIORITIES);
	raw_end(&raw);
}

TEST(errors_of_the_service)
{
	struct null_create create = null_request(raw_nothing, 1, EVF_START, 1);
	struct null_totals before, after;
	struct raw raw;

	raw_start(&raw);
	before = null_totals(&raw);
	create.fd = -1;
	EXPECT_ERRNO(raw_call(&raw, raw.null + NULL_WATCH, &create), EBADF);
	create.fd = open("/dev", O_RDONLY);
	ASSERT_GE(create.fd, 0);
	EXPECT_ERRNO(raw_call(&raw, raw.null + NULL_WATCH, &create), EOPNOTSUPP);
	after = null_totals(&raw);
	/* Those that got so far were released again. */
	EXPECT_EQ(after.created - before.created, 2);
	EXPECT_EQ(after.released - before.released, 2);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

/* The core's own call does what AEM_IOC_EVENT does. */
TEST(event_call)
{
	struct aem_event event = { .size = sizeof(event), .op = AEM_EVENT_INFO };
	struct raw raw;

	raw_start(&raw);
	event.id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 7);
	EXPECT_OK(raw_call(&raw, AEM_CALL_EVENT, &event));
	EXPECT_EQ(event.prio, 7);
	EXPECT_EQ(event.state, AEM_EVENT_S_STARTED);
	event.op = AEM_EVENT_PRIO;
	event.arg = 9;
	EXPECT_OK(raw_call(&raw, AEM_CALL_EVENT, &event));
	EXPECT_EQ(event.prio, 9);
	event.op = AEM_EVENT_SHUTDOWN;
	event.arg = 0;
	EXPECT_OK(raw_call(&raw, AEM_CALL_EVENT, &event));
	refuse(&raw, AEM_CALL_EVENT, &event, ENOENT);
	event.op = 77;
	refuse(&raw, AEM_CALL_EVENT, &event, EINVAL);
	event.size = 8;
	refuse(&raw, AEM_CALL_EVENT, &event, EINVAL);
	refuse(&raw, AEM_CALL_EVENT, NULL, EFAULT);
	raw_end(&raw);
}

KTAP_MAIN()
