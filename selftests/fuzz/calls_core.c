// SPDX-License-Identifier: GPL-2.0
/*
 * The core's ioctls and its pseudo-system call.
 */
#include <linux/aem.h>
#include "describe.h"

static const uint64_t ring_sizes[] = { 0, 64, 64, 128, 256, 4096 };

static const uint64_t zone_sizes[] = { 0, 0x10000, 0x10000, 0x20000, 0x100000, 0x4000000 };

static const uint64_t doorbells[] = { 0, 0, 0, 1, 10, 12, 40, 9, 65 };

static const uint64_t operations[] = {
	AEM_EVENT_START, AEM_EVENT_STOP, AEM_EVENT_PRIO, AEM_EVENT_SHUTDOWN, AEM_EVENT_SHUTDOWN,
	AEM_EVENT_INFO, AEM_EVENT_NEAR,
};

static const uint64_t manage_operations[] = {
	AEM_MANAGE_SWAP, AEM_MANAGE_SWAP, AEM_MANAGE_REVOKE, AEM_MANAGE_RETIRE,
};

static const uint64_t block_operations[] = { AEM_VMT_ALLOC, AEM_VMT_FREE };

static const struct field query[] = {
	SIZE(struct aem_query),
};

static const struct field setup[] = {
	SIZE(struct aem_setup),
	FIELD(struct aem_setup, flags, FLAGS, 0, AEM_SETUP_SAFEPOINT | AEM_SETUP_HINT),
	CHOICE(struct aem_setup, ring_entries, ring_sizes),
	CHOICE(struct aem_setup, signo, doorbells),
	CHOICE(struct aem_setup, vmt_size, zone_sizes),
	FIELD(struct aem_setup, trampoline.entry, ZERO, 0, 0),
	FIELD(struct aem_setup, trampoline.epilogue, ZERO, 0, 0),
	FIELD(struct aem_setup, trampoline.tail, ZERO, 0, 0),
	FIELD(struct aem_setup, trampoline.cookie, ZERO, 0, 0),
};

static const struct field bind[] = {
	SIZE(struct aem_bind),
	FIELD(struct aem_bind, min_version, NUMBER, 0, 2),
	FIELD(struct aem_bind, max_version, NUMBER, 0, 2),
	FIELD(struct aem_bind, name, NAME, 0, 0),
};

static const struct field enter[] = {
	SIZE(struct aem_enter),
	FIELD(struct aem_enter, flags, FLAGS, 0, AEM_ENTER_INTERRUPT | AEM_ENTER_PAUSE),
	FIELD(struct aem_enter, calls, POINTER, 0, 256 * sizeof(struct aem_call)),
	FIELD(struct aem_enter, n_calls, BOUNDED, 0, 256),
	FIELD(struct aem_enter, min_events, NUMBER, 0, 3),
	FIELD(struct aem_enter, max_events, NUMBER, 0, 4),
	FIELD(struct aem_enter, level, NUMBER, 0, 32),
	FIELD(struct aem_enter, timeout, TIME, 0, 0),
};

static const struct field event[] = {
	SIZE(struct aem_event),
	CHOICE(struct aem_event, op, operations),
	FIELD(struct aem_event, id, WANT, RES_EVENT, 0),
	FIELD(struct aem_event, arg, NUMBER, 0, 31),
	FIELD(struct aem_event, pad, ZERO, 0, 0),
};

/* One operation each, so that each is known to have succeeded. */
#define EVENT_OP(_name, _op, _high)						\
	static const struct field _name[] = {						\
		SIZE(struct aem_event),							\
		FIELD(struct aem_event, op, BOUNDED, _op, _op),				\
		FIELD(struct aem_event, id, WANT, RES_EVENT, 0),			\
		FIELD(struct aem_event, arg, NUMBER, 0, _high),				\
	}

EVENT_OP(start, AEM_EVENT_START, 0);
EVENT_OP(stop, AEM_EVENT_STOP, 0);
EVENT_OP(prio, AEM_EVENT_PRIO, 31);
EVENT_OP(shutdown, AEM_EVENT_SHUTDOWN, 0);
EVENT_OP(info, AEM_EVENT_INFO, 0);
EVENT_OP(near, AEM_EVENT_NEAR, 1);

static const struct field vmt[] = {
	SIZE(struct aem_vmt),
	CHOICE(struct aem_vmt, op, block_operations),
	FIELD(struct aem_vmt, offset, WANT, RES_BLOCK, 0),
	FIELD(struct aem_vmt, length, NUMBER, 0, 65536),
};

static const struct field vmt_alloc[] = {
	SIZE(struct aem_vmt),
	FIELD(struct aem_vmt, op, BOUNDED, AEM_VMT_ALLOC, AEM_VMT_ALLOC),
	FIELD(struct aem_vmt, length, NUMBER, 1, 65536),
};

static const struct field vmt_free[] = {
	SIZE(struct aem_vmt),
	FIELD(struct aem_vmt, op, BOUNDED, AEM_VMT_FREE, AEM_VMT_FREE),
	FIELD(struct aem_vmt, offset, WANT, RES_BLOCK, 0),
};

static const struct field service[] = {
	SIZE(struct aem_service_info),
	FIELD(struct aem_service_info, index, NUMBER, 0, 3),
};

static const struct field call[] = {
	SIZE(struct aem_call),
	FIELD(struct aem_call, nr, NUMBER, 0, 4 * AEM_RANGE_CALLS),
	FIELD(struct aem_call, arg, POINTER, 0, 128),
};

/* Mostly dry: what is done in earnest has to be mended after the program. */
static const struct field manage[] = {
	SIZE(struct aem_manage),
	CHOICE(struct aem_manage, op, manage_operations),
	FIELD(struct aem_manage, flags, FLAGS, AEM_MANAGE_DRY_RUN, AEM_MANAGE_DRY_RUN),
	FIELD(struct aem_manage, version, NUMBER, 1, 2),
	FIELD(struct aem_manage, target, NUMBER, 0, 2),
	FIELD(struct aem_manage, timeout, BOUNDED, 0, 20),
	FIELD(struct aem_manage, name, NAME, 0, 0),
};

/* One operation each, whose arguments may be right. */
#define MANAGE_OP(_name, _op, _target, _timeout)					\
	static const struct field _name[] = {						\
		SIZE(struct aem_manage),						\
		FIELD(struct aem_manage, op, BOUNDED, _op, _op),			\
		FIELD(struct aem_manage, flags, FLAGS, AEM_MANAGE_DRY_RUN,		\
		      AEM_MANAGE_DRY_RUN),						\
		FIELD(struct aem_manage, version, NUMBER, 1, 2),			\
		FIELD(struct aem_manage, target, BOUNDED, !!(_target), _target),	\
		FIELD(struct aem_manage, timeout, BOUNDED, 0, _timeout),		\
		FIELD(struct aem_manage, name, NAME, 0, 0),				\
	}

MANAGE_OP(retire, AEM_MANAGE_RETIRE, 0, 0);
MANAGE_OP(swap, AEM_MANAGE_SWAP, 2, 20);
MANAGE_OP(revoke, AEM_MANAGE_REVOKE, 0, 20);

static const struct field unknown[] = {
	SIZE(struct aem_query),
};

static const struct call calls[] = {
	IOCTL("query", AEM_IOC_QUERY, struct aem_query, query),
	IOCTL("setup", AEM_IOC_SETUP, struct aem_setup, setup, .on = RES_BARE),
	IOCTL("bind", AEM_IOC_BIND, struct aem_bind, bind),
	IOCTL("call", AEM_IOC_CALL, struct aem_call, call, .may_fail = 1),
	IOCTL("enter", AEM_IOC_ENTER, struct aem_enter, enter, .weight = 30),
	IOCTL("event", AEM_IOC_EVENT, struct aem_event, event),
	IOCTL("start", AEM_IOC_EVENT, struct aem_event, start, .weight = 8),
	IOCTL("stop", AEM_IOC_EVENT, struct aem_event, stop, .weight = 8),
	IOCTL("prio", AEM_IOC_EVENT, struct aem_event, prio, .weight = 8),
	IOCTL("shutdown", AEM_IOC_EVENT, struct aem_event, shutdown, .weight = 8),
	IOCTL("info", AEM_IOC_EVENT, struct aem_event, info),
	IOCTL("near", AEM_IOC_EVENT, struct aem_event, near),
	IOCTL("vmt", AEM_IOC_VMT, struct aem_vmt, vmt),
	IOCTL("vmt_alloc", AEM_IOC_VMT, struct aem_vmt, vmt_alloc, .makes = { RES_BLOCK },
	      .result = offsetof(struct aem_vmt, offset)),
	IOCTL("vmt_free", AEM_IOC_VMT, struct aem_vmt, vmt_free),
	IOCTL("service", AEM_IOC_SERVICE, struct aem_service_info, service, .weight = 1),
	IOCTL("manage", AEM_IOC_MANAGE, struct aem_manage, manage, .weight = 1, .rare = 1),
	IOCTL("retire", AEM_IOC_MANAGE, struct aem_manage, retire, .weight = 1, .rare = 1),
	IOCTL("swap", AEM_IOC_MANAGE, struct aem_manage, swap, .weight = 2, .rare = 1),
	IOCTL("revoke", AEM_IOC_MANAGE, struct aem_manage, revoke, .weight = 1, .rare = 1),
	IOCTL("unknown", _IO(AEM_IOC_MAGIC, 99), struct aem_query, unknown, .weight = 1,
	      .may_fail = 1),
	PSEUDO("call_event", NULL, AEM_CALL_EVENT, struct aem_event, event),
};

const struct call_table core_table = { calls, ARRAY_SIZE(calls) };
