// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/socket.h>
#include "modules/aem-null/aem_null.h"
#include "nulls.h"

static struct aem *context;
static uint32_t base;

static void run(struct aem *aem, const struct aem_record *r, void *block)
{
	(void)block;
	((null_fn)(uintptr_t)r->handler)(aem, (void *)(uintptr_t)r->cookie, r->id);
}

void nulls_open(struct bench *b, struct aem *aem)
{
	static const struct aem_thunk thunks[NULL_CALLS] = { [NULL_CREATE] = { .run = run } };
	int ret = aem_bind(aem, NULL_SERVICE, NULL_VERSION, NULL_VERSION, thunks, NULL_CALLS,
			   &base);

	if (ret)
		bench_skip(b, "the service null: %s", strerror(-ret));
	context = aem;
}

aem_id nulls_create(struct bench *b, unsigned int prio, null_fn handler, void *user)
{
	struct null_create arg = { .size = sizeof(arg) };
	int64_t ret;

	aem_registration_init(&arg.reg, (void (*)(void))handler, user, AEM_PRIO(prio));
	ret = aem_call(context, base + NULL_CREATE, &arg);
	if (ret < 0)
		bench_skip(b, "an event of the service null: %s", strerror(-ret));
	return arg.reg.id;
}

void nulls_fire(struct bench *b, aem_id id)
{
	struct null_fire arg = { .size = sizeof(arg), .how = NULL_BY_CALL, .id = id, .count = 1 };
	int64_t ret = aem_call(context, base + NULL_FIRE, &arg);

	if (ret < 0)
		bench_skip(b, "firing: %s", strerror(-ret));
}
