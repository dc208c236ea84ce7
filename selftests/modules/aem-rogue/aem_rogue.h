/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aem-rogue: a service for tests that is slow, and answers what no service should answer.
 */
#ifndef AEM_ROGUE_H
#define AEM_ROGUE_H

#include <linux/aem.h>

#define ROGUE_SERVICE	"rogue"

/**
 * enum rogue_call - pseudo-system calls, counted from the range's base
 * @ROGUE_CREATE: struct rogue_create; an event
 * @ROGUE_SLEEP:  struct rogue_do; sleep for @value milliseconds inside of the service
 * @ROGUE_ANSWER: struct rogue_do; answer with @value
 * @ROGUE_FIRE:   struct rogue_do; activate the event @id
 * @ROGUE_CALLS:  how many there are
 */
enum rogue_call {
	ROGUE_CREATE	= 0,
	ROGUE_SLEEP	= 1,
	ROGUE_ANSWER	= 2,
	ROGUE_FIRE	= 3,
	ROGUE_CALLS
};

/**
 * struct rogue_create - register an event
 * @size:      sizeof(struct rogue_create)
 * @never:     its constructor activates it again and makes no record
 * @reg:       handler, cookie, flags, priority; out: id
 * @arm:       what its arm answers
 * @construct: what its constructor answers
 * @destruct:  what its destructor answers
 * @yield:     what its yield answers
 * @adopt:     what its adopt answers to another version
 * @pad:       0
 */
struct rogue_create {
	__u32 size;
	__u32 never;
	struct aem_registration reg;
	__s32 arm;
	__s32 construct;
	__s32 destruct;
	__s32 yield;
	__s32 adopt;
	__s32 pad;
};

/**
 * struct rogue_do - the other calls
 * @size:  sizeof(struct rogue_do)
 * @pad:   0
 * @id:    the event
 * @value: see enum rogue_call
 */
struct rogue_do {
	__u32 size;
	__u32 pad;
	__aligned_u64 id;
	__s64 value;
};

#endif /* AEM_ROGUE_H */
