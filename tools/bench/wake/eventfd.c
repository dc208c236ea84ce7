// SPDX-License-Identifier: GPL-2.0
/* The sources of those that wait for descriptors. */
#include <sys/eventfd.h>
#include <unistd.h>
#include "wakes.h"

int *wake_fds;

void wake_eventfds(struct bench *b, unsigned long n)
{
	unsigned long i;

	bench_descriptors(b, n);
	wake_fds = bench_memory(b, n, sizeof(*wake_fds));
	for (i = 0; i < n; i++)
		wake_fds[i] = bench_try(b, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
}

void wake_eventfd_fire(struct bench *b, unsigned long i)
{
	uint64_t one = 1;

	bench_assert(b, write(wake_fds[i], &one, sizeof(one)) == sizeof(one));
}
