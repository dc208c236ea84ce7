/* SPDX-License-Identifier: GPL-2.0 */
/* Events of the service aem-null: the smallest there is, activated by a call. */
#ifndef BENCH_NULLS_H
#define BENCH_NULLS_H

#include <aem/aem.h>
#include "bench.h"

typedef void (*null_fn)(struct aem *aem, void *user, aem_id id);

/* Binds the service. */
void nulls_open(struct bench *b, struct aem *aem);
aem_id nulls_create(struct bench *b, unsigned int prio, null_fn handler, void *user);
void nulls_fire(struct bench *b, aem_id id);

#endif /* BENCH_NULLS_H */
