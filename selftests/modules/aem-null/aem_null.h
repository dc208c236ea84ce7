/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aem-null: a service for tests of the core alone. Its events do what they are told, where and
 * when they are told, so that each path of the core can be walked without timers or sockets.
 */
#ifndef AEM_NULL_H
#define AEM_NULL_H

#include <linux/aem.h>

#define NULL_SERVICE	"null"
#define NULL_VERSION	1

/**
 * enum null_call - pseudo-system calls, counted from the range's base
 * @NULL_CREATE: struct null_create; an event that NULL_FIRE activates
 * @NULL_MULTI:  struct null_create; the same, several records at a time
 * @NULL_TICK:   struct null_create; a periodic job: activated every @period nanoseconds
 * @NULL_WATCH:  struct null_create; a reactive job: activated while @fd is readable
 * @NULL_FIRE:   struct null_fire; activate an event
 * @NULL_PLAN:   struct null_plan; tell constructor and destructor what to do
 * @NULL_STATE:  struct null_state; what an event has seen
 * @NULL_TOTALS: struct null_totals; what the service has seen
 */
enum null_call {
	NULL_CREATE	= 0,
	NULL_MULTI	= 1,
	NULL_TICK	= 2,
	NULL_WATCH	= 3,
	NULL_FIRE	= 4,
	NULL_PLAN	= 5,
	NULL_STATE	= 6,
	NULL_TOTALS	= 7,
	NULL_CALLS
};

/**
 * struct null_create - register an event
 * @size:   sizeof(struct null_create)
 * @fd:     NULL_WATCH: what to watch
 * @reg:    handler, cookie, flags, priority; out: id
 * @period: NULL_TICK: nanoseconds
 *
 * Arguments of the handler: arg[0] how often the event was fired until then, arg[1] offset of
 * the block if a plan asked for one, arg[2] how often its constructor was called.
 */
struct null_create {
	__u32 size;
	__s32 fd;
	struct aem_registration reg;
	__aligned_u64 period;
};

/**
 * enum null_how - where an event is activated
 * @NULL_BY_CALL: in the caller's process context
 * @NULL_BY_IRQ:  in a hardware interrupt on the caller's processor
 * @NULL_BY_CPU:  in an interrupt on another processor, if there is one
 */
enum null_how {
	NULL_BY_CALL	= 0,
	NULL_BY_IRQ	= 1,
	NULL_BY_CPU	= 2,
};

/**
 * struct null_fire - activate an event
 * @size:  sizeof(struct null_fire)
 * @how:   enum null_how
 * @id:    the event
 * @count: how often, up to a million
 * @pad:   0
 *
 * All activations have happened when it returns.
 */
struct null_fire {
	__u32 size;
	__u32 how;
	__aligned_u64 id;
	__u32 count;
	__u32 pad;
};

/**
 * struct null_plan - what an event's constructor and destructor do from now on
 * @size:   sizeof(struct null_plan)
 * @times:  how many constructors answer with @answer; those after them with 0
 * @id:     the event
 * @answer: 0, NULL_MORE or -errno
 * @block:  bytes of the block that each record gets, 0: none
 * @again:  how many destructors answer with AEM_MORE
 * @lost:   what each constructor adds to the record's lost
 * @flags:  NULL_PLAN_*
 * @pad:    0
 */
struct null_plan {
	__u32 size;
	__u32 times;
	__aligned_u64 id;
	__s32 answer;
	__u32 block;
	__u32 again;
	__u32 lost;
	__u32 flags;
	__u32 pad;
};

/** NULL_MORE: What the kernel calls AEM_MORE. */
#define NULL_MORE	1

/** NULL_PLAN_STOP: The next constructor stops the event. */
#define NULL_PLAN_STOP	(1U << 0)
/** NULL_PLAN_END: The next constructor ends it. */
#define NULL_PLAN_END	(1U << 1)

/**
 * struct null_state - what an event has seen
 * @size:        sizeof(struct null_state)
 * @pad:         0
 * @id:          the event
 * @fired:       out: how often it was fired
 * @constructed: out: calls of its constructor
 * @destructed:  out: calls of its destructor
 * @armed:       out: calls of its arm
 * @disarmed:    out: calls of its disarm
 * @left:        out: first eight bytes that the handler left in the last block
 */
struct null_state {
	__u32 size;
	__u32 pad;
	__aligned_u64 id;
	__aligned_u64 fired;
	__u32 constructed;
	__u32 destructed;
	__u32 armed;
	__u32 disarmed;
	__aligned_u64 left;
};

/**
 * struct null_totals - what the service has seen since it was loaded, of all processes
 * @size:        sizeof(struct null_totals)
 * @compat:      out: 1 if the caller is a 32-bit program
 * @created:     out: events created
 * @released:    out: events released
 * @constructed: out: calls of constructors
 * @destructed:  out: calls of destructors
 */
struct null_totals {
	__u32 size;
	__u32 compat;
	__aligned_u64 created;
	__aligned_u64 released;
	__aligned_u64 constructed;
	__aligned_u64 destructed;
};

#endif /* AEM_NULL_H */
