// SPDX-License-Identifier: GPL-2.0
/* eventfds and select(). */
#include <sys/select.h>
#include <unistd.h>
#include "wakes.h"

static fd_set watched;
static unsigned long count;
static int highest;

static void open_all(struct bench *b, unsigned long n)
{
	wake_eventfds(b, n);
	for (count = 0; count < n; count++) {
		bench_assert(b, wake_fds[count] < FD_SETSIZE);
		FD_SET(wake_fds[count], &watched);
		if (wake_fds[count] > highest)
			highest = wake_fds[count];
	}
}

static unsigned long collect(struct bench *b)
{
	unsigned long handled = 0, i;
	fd_set ready = watched;
	uint64_t value;
	int left = bench_try(b, select(highest + 1, &ready, NULL, NULL, NULL), "select");

	for (i = 0; left && i < count; i++) {
		if (!FD_ISSET(wake_fds[i], &ready))
			continue;
		left--;
		if (read(wake_fds[i], &value, sizeof(value)) == sizeof(value))
			handled += value;
	}
	return handled;
}

const struct wake_system wake_select = {
	.name = "eventfd + select", .open = open_all, .fire = wake_eventfd_fire, .collect = collect,
};
