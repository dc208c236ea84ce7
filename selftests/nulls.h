/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of the service aem-null through libaem: typed handlers, and a log of what ran.
 */
#ifndef SELFTESTS_NULLS_H
#define SELFTESTS_NULLS_H

#include "ktap.h"
#include <sys/socket.h>
#include <aem/aem.h>
#include "modules/aem-null/aem_null.h"

#define NULLS_MAX 4096

struct null;
typedef void (*null_fn)(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
			void *block, uint64_t constructed);

/* One event, and what its handler does with it. */
struct null {
	aem_id id;
	int name;
	int runs;
	null_fn then;
	struct null *other;
	uint64_t count;
	uint64_t fired;
};

/* Names of the events whose handlers ran, in order. */
struct nulls_log {
	int names[NULLS_MAX];
	int n;
};

/* Written by handlers that interrupt what no compiler thinks of: sigprocmask() is a leaf to it. */
static volatile struct nulls_log nulls_log;
static uint32_t nulls_base;

static inline void nulls_note(int name)
{
	if (nulls_log.n < NULLS_MAX)
		nulls_log.names[nulls_log.n++] = name;
}

static inline void nulls_run(struct aem *aem, const struct aem_record *r, void *block)
{
	((null_fn)(uintptr_t)r->handler)(aem, (struct null *)(uintptr_t)r->cookie, r->id,
					 r->arg[0], block, r->arg[2]);
}

/* The handler of them all. */
static inline void nulls_handler(struct aem *aem, struct null *null, aem_id id, uint64_t fired,
				 void *block, uint64_t constructed)
{
	null->runs++;
	null->count += aem_current(aem)->count;
	null->fired = fired;
	nulls_note(null->name);
	if (null->then)
		null->then(aem, null, id, fired, block, constructed);
}

static inline void nulls_bind(struct aem *aem)
{
	static const struct aem_thunk thunks[NULL_CALLS] = {
		[NULL_CREATE] = { .run = nulls_run, .block = 2 },
		[NULL_MULTI] = { .run = nulls_run, .block = 2 },
		[NULL_TICK] = { .run = nulls_run, .block = 2 },
	};

	ASSERT_RESULT(aem_bind(aem, NULL_SERVICE, NULL_VERSION, NULL_VERSION, thunks, NULL_CALLS,
			       &nulls_base), 0);
}

static inline void nulls_add(struct aem *aem, struct null *null, int name, uint32_t how)
{
	struct null_create arg = { .size = sizeof(arg) };

	null->name = name;
	aem_registration_init(&arg.reg, (void (*)(void))nulls_handler, null, how);
	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_CREATE, &arg), 0);
	null->id = arg.reg.id;
	ASSERT_NE(null->id, 0);
}

static inline void nulls_fire_how(struct aem *aem, struct null *null, uint32_t how, uint32_t count)
{
	struct null_fire arg = {
		.size = sizeof(arg), .how = how, .id = null->id, .count = count,
	};

	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_FIRE, &arg), 0);
}

static inline void nulls_fire(struct aem *aem, struct null *null)
{
	nulls_fire_how(aem, null, NULL_BY_CALL, 1);
}

/* The log holds these names and no more; it is emptied. */
static inline void nulls_expect(const char *file, int line, const int *names, int n)
{
	int i;

	for (i = 0; i < n || i < nulls_log.n; i++)
		if (i >= n || i >= nulls_log.n || names[i] != nulls_log.names[i]) {
			ktap_note("%s:%d: place %d: ran %d (of %d), expected %d (of %d)", file,
				  line, i, i < nulls_log.n ? nulls_log.names[i] : 0, nulls_log.n,
				  i < n ? names[i] : 0, n);
			ktap_fail(0);
			break;
		}
	nulls_log.n = 0;
}

#define EXPECT_RAN(...) do {							\
	const int ran_[] = { __VA_ARGS__ };					\
	nulls_expect(__FILE__, __LINE__, ran_, ARRAY_SIZE(ran_));	\
} while (0)
#define EXPECT_NONE_RAN() nulls_expect(__FILE__, __LINE__, NULL, 0)

static inline struct aem *nulls_open_with(const struct aem_options *options)
{
	struct aem *aem = NULL;

	ASSERT_RESULT(aem_open(&aem, options), 0);
	nulls_bind(aem);
	return aem;
}

static inline struct aem *nulls_open(uint32_t flags)
{
	struct aem_options options = { .flags = flags };

	return nulls_open_with(&options);
}

#endif /* SELFTESTS_NULLS_H */
