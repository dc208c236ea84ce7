// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 8: no kernel thread per process, nor per event. Those that lend priorities are two per
 * processor, for all.
 *
 * vm: load=core,null mem=1024 timeout=240
 */
#include "raw.h"
#include <dirent.h>

#define CONTEXTS 1000	/* at most */

/* Kernel threads are the children of kthreadd, process 2. Workers come and go as they like. */
static unsigned int kernel_threads(unsigned int *workers)
{
	unsigned int count = 0, parent;
	DIR *proc = opendir("/proc");
	char path[300], name[64];
	struct dirent *entry;
	FILE *file;

	ASSERT(proc);
	*workers = 0;
	while ((entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fscanf(file, "%*d (%63[^)]) %*c %u", name, &parent) == 2 && parent == 2) {
			if (strncmp(name, "kworker/", 8))
				count++;
			else
				++*workers;
		}
		fclose(file);
	}
	closedir(proc);
	return count;
}

TEST_TIMEOUT(a_thousand_contexts, 200)
{
	static struct raw raw[CONTEXTS];
	unsigned int before, after, workers_before, workers_after;
	uint64_t id[CONTEXTS][3];
	int i, k, pipes[2], n = ktap_rounds(CONTEXTS);
	unsigned int boosters = 2 * sysconf(_SC_NPROCESSORS_ONLN);

	ASSERT_OK(pipe(pipes));
	before = kernel_threads(&workers_before);
	for (i = 0; i < n; i++) {
		raw[i].setup.flags = AEM_SETUP_SAFEPOINT | (i % 2 ? AEM_SETUP_HINT : 0);
		raw[i].setup.ring_entries = 64;
		raw[i].setup.vmt_size = 65536;
		raw_begin(&raw[i]);
		raw[i].null = raw_service(&raw[i], NULL_SERVICE);
		id[i][0] = null_new(&raw[i], NULL_CREATE, raw_nothing, i, 0, 1);
		id[i][1] = null_new_tick(&raw[i], raw_nothing, i, 0, 2, 1000000000);
		id[i][2] = null_new_watch(&raw[i], raw_nothing, i, 0, 3, pipes[0]);
	}
	for (i = 0; i < n; i++)
		null_fire(&raw[i], id[i][0], NULL_BY_IRQ, 1);
	after = kernel_threads(&workers_after);
	NOTE("%u kernel threads before, %u after; workers %u and %u", before, after,
	     workers_before, workers_after);
	EXPECT_LE(after, before + boosters);
	EXPECT_LT(workers_after, workers_before + 20);
	/* And each of them works. */
	for (i = 0; i < n; i++) {
		EXPECT_GE(raw_drain(&raw[i]), 1);
		for (k = 0; k < 3; k++)
			EXPECT_OK(raw_event(&raw[i], AEM_EVENT_SHUTDOWN, id[i][k], 0));
	}
}

KTAP_MAIN()
