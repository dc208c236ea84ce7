// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the service "null", which makes the core do what timers and sockets do seldom.
 */
#include <errno.h>
#include "describe.h"
#include "modules/aem-null/aem_null.h"

static const uint64_t answers[] = {
	0, 0, NULL_MORE, NULL_MORE, (uint32_t)-EAGAIN, (uint32_t)-ENOBUFS, (uint32_t)-ENOMEM,
	(uint32_t)-EIO,
};

static const uint64_t places[] = { NULL_BY_CALL, NULL_BY_IRQ, NULL_BY_CPU };

static const uint64_t block_sizes[] = { 0, 1, 64, 4096, 65536 };

static const struct field create[] = {
	SIZE(struct null_create),
	REGISTRATION(struct null_create),
};

/* Not so short that nothing but interrupts gets a turn: the job is as fast as it is told. */
static const struct field tick[] = {
	SIZE(struct null_create),
	REGISTRATION(struct null_create),
	FIELD(struct null_create, period, BOUNDED, 1000000, 20000000),
};

static const struct field watch[] = {
	SIZE(struct null_create),
	FIELD(struct null_create, fd, WANT, RES_FD, 0),
	REGISTRATION(struct null_create),
};

static const struct field fire[] = {
	SIZE(struct null_fire),
	CHOICE(struct null_fire, how, places),
	FIELD(struct null_fire, id, WANT, RES_NULL, 0),
	FIELD(struct null_fire, count, BOUNDED, 0, 30),
	FIELD(struct null_fire, pad, ZERO, 0, 0),
};

static const struct field plan[] = {
	SIZE(struct null_plan),
	FIELD(struct null_plan, times, NUMBER, 0, 10),
	FIELD(struct null_plan, id, WANT, RES_NULL, 0),
	CHOICE(struct null_plan, answer, answers),
	CHOICE(struct null_plan, block, block_sizes),
	FIELD(struct null_plan, again, NUMBER, 0, 3),
	FIELD(struct null_plan, lost, NUMBER, 0, 3),
	FIELD(struct null_plan, flags, FLAGS, 0, NULL_PLAN_STOP | NULL_PLAN_END),
	FIELD(struct null_plan, pad, ZERO, 0, 0),
};

static const struct field state[] = {
	SIZE(struct null_state),
	FIELD(struct null_state, id, WANT, RES_NULL, 0),
};

static const struct field totals[] = {
	SIZE(struct null_totals),
};

static const struct call calls[] = {
	PSEUDO("null_create", NULL_SERVICE, NULL_CREATE, struct null_create, create,
	       REGISTERS(struct null_create, RES_NULL)),
	PSEUDO("null_multi", NULL_SERVICE, NULL_MULTI, struct null_create, create,
	       REGISTERS(struct null_create, RES_NULL)),
	PSEUDO("null_tick", NULL_SERVICE, NULL_TICK, struct null_create, tick,
	       REGISTERS(struct null_create, RES_NULL)),
	PSEUDO("null_watch", NULL_SERVICE, NULL_WATCH, struct null_create, watch,
	       REGISTERS(struct null_create, RES_NULL)),
	PSEUDO("null_fire", NULL_SERVICE, NULL_FIRE, struct null_fire, fire, .weight = 16),
	PSEUDO("null_plan", NULL_SERVICE, NULL_PLAN, struct null_plan, plan),
	PSEUDO("null_state", NULL_SERVICE, NULL_STATE, struct null_state, state, .weight = 1),
	PSEUDO("null_totals", NULL_SERVICE, NULL_TOTALS, struct null_totals, totals,
	       .weight = 1),
};

const struct call_table null_table = { calls, ARRAY_SIZE(calls) };
