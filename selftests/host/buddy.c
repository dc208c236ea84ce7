// SPDX-License-Identifier: GPL-2.0
/*
 * aem-core/buddy.c in user space, against the model: buddy [OPERATIONS [SEED]]. In KTAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../aem-core/buddy_model.h"

static int judge(struct model *m, const char *failure, u32 ops, u64 seed)
{
	if (!failure && m->op != ops)
		failure = "not all operations were done";
	if (!failure && ops >= 1000000 && (!m->refused || m->buddy.chunks != MODEL_CHUNKS))
		failure = "it was never full, or never grew";
	printf("KTAP version 1\n1..1\n");
	printf("# %u operations, %u refused, seed %llu\n", m->op, m->refused,
	       (unsigned long long)seed);
	if (failure)
		printf("# %s\n", failure);
	printf("%sok 1 buddy_random_operations\n", failure ? "not " : "");
	return failure ? 1 : 0;
}

int main(int argc, char **argv)
{
	u32 ops = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (u64)time(NULL) * 2654435761U;
	struct model *m = calloc(1, sizeof(*m));
	int status;

	if (!m || !ops || !seed) {
		fprintf(stderr, "usage: buddy [OPERATIONS [SEED]], neither of them 0\n");
		return 1;
	}
	m->random = seed;
	status = judge(m, model_run(m, ops), ops, seed);
	free(m);
	return status;
}
