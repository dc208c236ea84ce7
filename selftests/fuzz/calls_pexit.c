// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the service "pexit". What ends is what the program forks, and others of its own.
 */
#include <linux/aem_pexit.h>
#include "describe.h"

static const uint64_t rooms[] = { 0, 0, 1, 2, 64, AEM_PEXIT_MAX };

#define WATCH(_name, _pidfd)							\
	static const struct field _name[] = {						\
		SIZE(struct aem_pexit_watch),						\
		FIELD(struct aem_pexit_watch, pid, WANT, RES_PROCESS, 0),		\
		REGISTRATION(struct aem_pexit_watch),					\
		_pidfd,									\
		FIELD(struct aem_pexit_watch, flags, FLAGS, 0,				\
		      AEM_PEXIT_GROUP | AEM_PEXIT_FOLLOW | AEM_PEXIT_FORKS | AEM_PEXIT_EXECS), \
		CHOICE(struct aem_pexit_watch, notes, rooms),				\
		CHOICE(struct aem_pexit_watch, members, rooms),				\
	}

WATCH(watch, FIELD(struct aem_pexit_watch, pidfd, BOUNDED, ~0U, ~0U));
WATCH(watch_pidfd, FIELD(struct aem_pexit_watch, pidfd, WANT, RES_PIDFD, 0));

static const struct call calls[] = {
	PSEUDO("pexit_watch", AEM_PEXIT_SERVICE, AEM_PEXIT_WATCH, struct aem_pexit_watch, watch,
	       REGISTERS(struct aem_pexit_watch, RES_PEXIT)),
	PSEUDO("pexit_pidfd", AEM_PEXIT_SERVICE, AEM_PEXIT_WATCH, struct aem_pexit_watch,
	       watch_pidfd, REGISTERS(struct aem_pexit_watch, RES_PEXIT), .weight = 4),
};

const struct call_table pexit_table = { calls, ARRAY_SIZE(calls) };
