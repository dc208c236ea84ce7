// SPDX-License-Identifier: GPL-2.0
/* Descriptors of processes, all of one, since it is not the process that is looked at. */
#include <sys/syscall.h>
#include <unistd.h>
#include "memories.h"

static void prepare(struct bench *b, unsigned long n)
{
	bench_descriptors(b, n);
}

static void add(struct bench *b, unsigned long n)
{
	pid_t pid = getpid();

	while (n--)
		bench_try(b, syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
}

const struct memory_system memory_pidfd[] = {
	{ "pidfd", "process", prepare, add, 1 },
	{ 0 }
};
