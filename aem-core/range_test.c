// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the registry: which service a bind gets, and what is no service at all. Built if
 * CONFIG_KUNIT is.
 *
 * They register services for a moment. So they expect to be run when this module is loaded, while
 * there are no others.
 */
#include <linux/prandom.h>
#include <linux/random.h>

#include "range.h"
#include "registry.h"
#include "test_process.h"

#define SERVICES	(AEM_RANGES - 1)
#define ROUNDS		40
#define BINDS		60

static const char *const names[] = { "kunit", "kuni", "kunit-" };

static long do_nothing(const struct aem_caller *caller, void *arg)
{
	return 0;
}

static const struct aem_call_op calls[] = {
	{ .size = 8, .min_size = 4, .execute = do_nothing },
};

/**
 * struct model - services, and a context that binds some of them
 * @test:    for messages
 * @proc:    the context
 * @service: those that may be registered
 * @there:   which are
 * @random:  random numbers
 */
struct model {
	struct kunit *test;
	struct aem_process *proc;
	struct aem_service service[SERVICES];
	bool there[SERVICES];
	struct rnd_state random;
};

static u32 draw(struct model *m, u32 below)
{
	return prandom_u32_state(&m->random) % below;
}

static int add(struct model *m, int i, const char *name, u32 version)
{
	struct aem_service *service = &m->service[i];
	int err;

	*service = (struct aem_service){
		.name = name, .version = version, .owner = THIS_MODULE,
		.calls = calls, .n_calls = ARRAY_SIZE(calls),
	};
	err = aem_service_register(service);
	m->there[i] = !err;
	return err;
}

static void unbind(struct model *m)
{
	aem_range_unbind_all(m->proc);
	memset(m->proc->ranges, 0, sizeof(m->proc->ranges));
}

static void remove(struct model *m, int i)
{
	if (m->there[i])
		aem_service_unregister(&m->service[i]);
	m->there[i] = false;
}

static int range_test_init(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u64 seed = get_random_u64();

	KUNIT_ASSERT_NOT_NULL(test, m);
	kunit_info(test, "seed %llu", seed);
	prandom_seed_state(&m->random, seed);
	m->test = test;
	m->proc = test_process(test);
	test->priv = m;
	return 0;
}

static void range_test_exit(struct kunit *test)
{
	struct model *m = test->priv;
	int i;

	if (!m)
		return;
	unbind(m);
	for (i = 0; i < SERVICES; i++)
		remove(m, i);
}

/* The version that a bind gets; or a negative errno. */
static int bind_version(struct model *m, const char *name, u32 min, u32 max)
{
	struct aem_bind bind = { .min_version = min, .max_version = max };
	int err;

	strscpy_pad(bind.name, name, sizeof(bind.name));
	err = aem_range_bind(m->proc, &bind);
	if (err)
		return err;
	KUNIT_EXPECT_NOT_NULL(m->test, aem_range_of(m->proc, bind.base));
	KUNIT_EXPECT_EQ(m->test, bind.calls, (u32)ARRAY_SIZE(calls));
	return bind.version;
}

static int version_for(struct model *m, const char *name, u32 min, u32 max)
{
	unbind(m);
	return bind_version(m, name, min, max);
}

static void range_newest_that_fits(struct kunit *test)
{
	struct model *m = test->priv;

	KUNIT_ASSERT_EQ(test, add(m, 0, "kunit", 2), 0);
	KUNIT_ASSERT_EQ(test, add(m, 1, "kunit", 9), 0);
	KUNIT_ASSERT_EQ(test, add(m, 2, "kunit", 4), 0);
	KUNIT_ASSERT_EQ(test, add(m, 3, "kunitx", 12), 0);
	KUNIT_EXPECT_EQ(test, version_for(m, "kunit", 0, 0), 9);
	KUNIT_EXPECT_EQ(test, version_for(m, "kunit", 0, 8), 4);
	KUNIT_EXPECT_EQ(test, version_for(m, "kunit", 2, 2), 2);
	KUNIT_EXPECT_EQ(test, version_for(m, "kunit", 9, U32_MAX), 9);
	KUNIT_EXPECT_EQ(test, version_for(m, "kunit", 10, 0), -ENOPROTOOPT);
	KUNIT_EXPECT_EQ(test, version_for(m, "kunit", 5, 8), -ENOPROTOOPT);
	KUNIT_EXPECT_EQ(test, version_for(m, "kuni", 0, 0), -ENOENT);
}

static void range_who_is_bound_stays_bound(struct kunit *test)
{
	struct model *m = test->priv;

	KUNIT_ASSERT_EQ(test, add(m, 0, "kunit", 2), 0);
	KUNIT_EXPECT_EQ(test, bind_version(m, "kunit", 0, 0), 2);
	KUNIT_ASSERT_EQ(test, add(m, 1, "kunit", 9), 0);
	KUNIT_EXPECT_EQ(test, bind_version(m, "kunit", 0, 0), 2);
	KUNIT_EXPECT_EQ(test, bind_version(m, "kunit", 1, 9), 2);
	/* Unless that will not do. */
	KUNIT_EXPECT_EQ(test, bind_version(m, "kunit", 3, 0), 9);
	KUNIT_EXPECT_EQ(test, m->service[0].range->users, 1U);
	KUNIT_EXPECT_EQ(test, m->service[1].range->users, 1U);
}

static void range_until_it_is_full(struct kunit *test)
{
	struct aem_service more = {
		.name = "kunit", .version = 1000, .owner = THIS_MODULE,
		.calls = calls, .n_calls = ARRAY_SIZE(calls),
	};
	DECLARE_BITMAP(seen, AEM_RANGES) = {};
	struct model *m = test->priv;
	u32 index;
	int i;

	for (i = 0; i < SERVICES; i++) {
		KUNIT_ASSERT_EQ(test, add(m, i, "kunit", i + 1), 0);
		index = m->service[i].range->index;
		KUNIT_EXPECT_GT(test, index, 0U);
		KUNIT_ASSERT_LT(test, index, (u32)AEM_RANGES);
		KUNIT_EXPECT_FALSE(test, __test_and_set_bit(index, seen));
	}
	KUNIT_EXPECT_EQ(test, aem_service_register(&more), -ENOSPC);
	more.version = 7;
	KUNIT_EXPECT_EQ(test, aem_service_register(&more), -EEXIST);
	index = m->service[33].range->index;
	remove(m, 33);
	KUNIT_ASSERT_EQ(test, add(m, 33, "kunit", 1000), 0);
	KUNIT_EXPECT_EQ(test, m->service[33].range->index, index);
}

static void range_binds_that_are_refused(struct kunit *test)
{
	static const char *const bad[] = { "", "A", "a b", "a.b", "a/b", "\xff", "a\n" };
	struct aem_bind bind = { .name = "kunit" };
	struct model *m = test->priv;
	int i;

	KUNIT_ASSERT_EQ(test, add(m, 0, "kunit", U32_MAX), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, bind_version(m, bad[i], 0, 0), -EINVAL);
	bind.min_version = U32_MAX;
	bind.max_version = U32_MAX - 1;
	KUNIT_EXPECT_EQ(test, aem_range_bind(m->proc, &bind), -EINVAL);
	bind.max_version = U32_MAX;
	KUNIT_EXPECT_EQ(test, aem_range_bind(m->proc, &bind), 0);
	KUNIT_EXPECT_EQ(test, bind.version, U32_MAX);
	/* A name without an end. */
	memset(bind.name, 'a', sizeof(bind.name));
	KUNIT_EXPECT_EQ(test, aem_range_bind(m->proc, &bind), -EINVAL);
}

static void range_services_that_are_refused(struct kunit *test)
{
	static const struct aem_event_ops without_constructor;
	struct aem_call_op call = { .size = 8, .min_size = 4, .execute = do_nothing };
	struct aem_service service = {
		.name = "kunit", .version = 1, .owner = THIS_MODULE, .calls = &call, .n_calls = 1,
	};

#define EXPECT_REFUSED(field, value)						\
	do {									\
		typeof(field) before = field;					\
										\
		field = value;							\
		KUNIT_EXPECT_EQ(test, aem_service_register(&service), -EINVAL);	\
		field = before;							\
	} while (0)
	EXPECT_REFUSED(service.name, "");
	EXPECT_REFUSED(service.name, "this-name-is-much-too-long-for-a-service");
	EXPECT_REFUSED(service.version, 0);
	EXPECT_REFUSED(service.n_calls, 0);
	EXPECT_REFUSED(service.n_calls, AEM_RANGE_CALLS + 1);
	EXPECT_REFUSED(call.execute, NULL);
	EXPECT_REFUSED(call.min_size, 3);
	EXPECT_REFUSED(call.min_size, 9);
	EXPECT_REFUSED(call.size, AEM_CALL_ARG_MAX + 1);
	EXPECT_REFUSED(call.events, &without_constructor);
#undef EXPECT_REFUSED
	KUNIT_EXPECT_EQ(test, aem_service_register(&service), 0);
	aem_service_unregister(&service);
}

/* Of all that are there, one after the other, the best is what a bind must get. */
static int expected_version(struct model *m, const char *name, u32 min, u32 max)
{
	int i, newest = 0;
	bool known = false;

	for (i = 0; i < SERVICES; i++) {
		const struct aem_service *service = &m->service[i];

		if (!m->there[i] || strcmp(service->name, name))
			continue;
		known = true;
		if (service->version >= min && (!max || service->version <= max))
			newest = max_t(int, newest, service->version);
	}
	return newest ?: (known ? -ENOPROTOOPT : -ENOENT);
}

static bool is_there(struct model *m, const char *name, u32 version)
{
	int i;

	for (i = 0; i < SERVICES; i++)
		if (m->there[i] && m->service[i].version == version &&
		    !strcmp(m->service[i].name, name))
			return true;
	return false;
}

static void add_or_remove(struct model *m)
{
	const char *name = names[draw(m, ARRAY_SIZE(names))];
	u32 version = 1 + draw(m, 12);
	int i = draw(m, SERVICES);
	bool twice;

	unbind(m);
	if (m->there[i])
		return remove(m, i);
	twice = is_there(m, name, version);
	KUNIT_EXPECT_EQ(m->test, add(m, i, name, version), twice ? -EEXIST : 0);
}

static void range_random_operations(struct kunit *test)
{
	struct model *m = test->priv;
	int round, i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_ASSERT_EQ(test, add(m, i, names[i], 100), 0);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 4; i++)
			add_or_remove(m);
		for (i = 0; i < BINDS; i++) {
			const char *name = names[draw(m, ARRAY_SIZE(names))];
			u32 min = draw(m, 14), max = draw(m, 2) ? 0 : min + draw(m, 4);
			int version = expected_version(m, name, min, max);

			/* That would ask for the module. */
			if (version != -ENOENT)
				KUNIT_EXPECT_EQ(test, version_for(m, name, min, max), version);
		}
	}
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE(range_newest_that_fits),
	KUNIT_CASE(range_who_is_bound_stays_bound),
	KUNIT_CASE(range_until_it_is_full),
	KUNIT_CASE(range_binds_that_are_refused),
	KUNIT_CASE(range_services_that_are_refused),
	KUNIT_CASE(range_random_operations),
	{}
};

static struct kunit_suite range_suite = {
	.name = "aem-range",
	.init = range_test_init,
	.exit = range_test_exit,
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
