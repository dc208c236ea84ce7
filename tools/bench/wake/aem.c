// SPDX-License-Identifier: GPL-2.0
/* AEM: aem_run() runs the handlers, a crossing for each burst. */
#include <string.h>
#include "nulls.h"
#include "wakes.h"

static struct aem *aem;
static aem_id *ids;
static volatile unsigned long *handled;

static void happened(struct aem *context, void *user, aem_id id)
{
	(void)context;
	(void)user;
	(void)id;
	++*handled;
}

static void open_all(struct bench *b, unsigned long n)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT, .ring_entries = 1024 };
	unsigned long i;
	int ret = aem_open(&aem, &options);

	if (ret)
		bench_skip(b, "aem_open: %s", strerror(-ret));
	nulls_open(b, aem);
	ids = bench_memory(b, n, sizeof(*ids));
	for (i = 0; i < n; i++)
		ids[i] = nulls_create(b, 0, happened, NULL);
}

static void fire(struct bench *b, unsigned long i)
{
	nulls_fire(b, ids[i]);
}

static void run_all(struct bench *b, volatile unsigned long *count)
{
	int ret;

	handled = count;
	ret = aem_run(aem);
	bench_skip(b, "aem_run: %s", strerror(-ret));
}

const struct wake_system wake_aem = {
	.name = "aem", .open = open_all, .fire = fire, .run = run_all,
};
