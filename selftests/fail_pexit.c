// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of aem-pexit, with each allocation and copy made to fail (rows.h). No call lacks a row.
 *
 * vm: load=core,timer,ip,null,pexit timeout=600
 */
#include "rows.h"
#include "pexits.h"

static struct child child;
static struct told told;

static void wait_for_ever(void *data)
{
	(void)data;
}

static void make_child(void)
{
	child = pexit_child(wait_for_ever, NULL);
	ASSERT_OK(setpgid(child.pid, child.pid));
}

static long long watch(uint32_t flags)
{
	struct aem_pexit_watch watch = pexit_request(&told, child.pid, flags);
	long long ret = pexit_try(&raw, &watch);

	if (!ret)
		id = watch.reg.id;
	return ret;
}

static long long watch_one(void)
{
	return watch(0);
}

static long long watch_group(void)
{
	return watch(AEM_PEXIT_GROUP);
}

static long long watch_all(void)
{
	return watch(AEM_PEXIT_FOLLOW | AEM_PEXIT_FORKS | AEM_PEXIT_EXECS);
}

static void end_child(void)
{
	shut();
	pexit_go(&child);
	EXPECT_EQ(pexit_reap(child.pid, NULL), 0);
}

static const struct row rows[] = {
	{ "pexit watch", "pexit", AEM_PEXIT_WATCH, .before = make_child, .call = watch_one,
	  .after = end_child },
	{ "pexit watch of a group", "pexit", AEM_PEXIT_WATCH, .before = make_child,
	  .call = watch_group, .after = end_child },
	{ "pexit watch of descendants", "pexit", AEM_PEXIT_WATCH, .before = make_child,
	  .call = watch_all, .after = end_child },
};

TEST(every_call_has_a_row)
{
	uint32_t call;

	for (call = 0; call < AEM_PEXIT_CALLS; call++)
		expect_row(rows, ARRAY_SIZE(rows), AEM_PEXIT_SERVICE, call, 0);
}

TEST_TIMEOUT(calls, 400)
{
	have_faults();
	begin();
	pexit_base = raw_service(&raw, AEM_PEXIT_SERVICE);
	run_rows(rows, ARRAY_SIZE(rows), AEM_PEXIT_SERVICE);
}

KTAP_MAIN()
