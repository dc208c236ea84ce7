// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the service "timer".
 */
#include <linux/aem_timer.h>
#include <time.h>
#include "describe.h"

#define FLAGS	(AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET)

static const uint64_t clocks[] = {
	CLOCK_REALTIME, CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI,
};

static const struct field create[] = {
	SIZE(struct aem_timer_create),
	CHOICE(struct aem_timer_create, clockid, clocks),
	REGISTRATION(struct aem_timer_create),
	FIELD(struct aem_timer_create, flags, FLAGS, 0, FLAGS),
	FIELD(struct aem_timer_create, pad, ZERO, 0, 0),
	FIELD(struct aem_timer_create, value, TIME, 0, 0),
	FIELD(struct aem_timer_create, interval, TIME, 0, 0),
	FIELD(struct aem_timer_create, slack, TIME, 0, 0),
};

static const struct field settime[] = {
	SIZE(struct aem_timer_settime),
	FIELD(struct aem_timer_settime, flags, FLAGS, 0, FLAGS),
	FIELD(struct aem_timer_settime, id, WANT, RES_TIMER, 0),
	FIELD(struct aem_timer_settime, value, TIME, 0, 0),
	FIELD(struct aem_timer_settime, interval, TIME, 0, 0),
	FIELD(struct aem_timer_settime, slack, TIME, 0, 0),
};

static const struct field gettime[] = {
	SIZE(struct aem_timer_gettime),
	FIELD(struct aem_timer_gettime, pad, ZERO, 0, 0),
	FIELD(struct aem_timer_gettime, id, WANT, RES_TIMER, 0),
};

static const struct call calls[] = {
	PSEUDO("timer_create", AEM_TIMER_SERVICE, AEM_TIMER_CREATE, struct aem_timer_create,
	       create, REGISTERS(struct aem_timer_create, RES_TIMER)),
	PSEUDO("timer_settime", AEM_TIMER_SERVICE, AEM_TIMER_SETTIME, struct aem_timer_settime,
	       settime),
	PSEUDO("timer_gettime", AEM_TIMER_SERVICE, AEM_TIMER_GETTIME, struct aem_timer_gettime,
	       gettime, .weight = 2),
};

const struct call_table timer_table = { calls, ARRAY_SIZE(calls) };
