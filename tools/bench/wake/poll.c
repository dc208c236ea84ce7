// SPDX-License-Identifier: GPL-2.0
/* eventfds and poll(). */
#include <poll.h>
#include <unistd.h>
#include "wakes.h"

static struct pollfd *polled;
static unsigned long count;

static void open_all(struct bench *b, unsigned long n)
{
	wake_eventfds(b, n);
	polled = bench_memory(b, n, sizeof(*polled));
	for (count = 0; count < n; count++)
		polled[count] = (struct pollfd){ .fd = wake_fds[count], .events = POLLIN };
}

static unsigned long collect(struct bench *b)
{
	unsigned long handled = 0, i;
	uint64_t value;
	int left = bench_try(b, poll(polled, count, -1), "poll");

	for (i = 0; left && i < count; i++) {
		if (!polled[i].revents)
			continue;
		left--;
		if (read(polled[i].fd, &value, sizeof(value)) == sizeof(value))
			handled += value;
	}
	return handled;
}

const struct wake_system wake_poll = {
	.name = "eventfd + poll", .open = open_all, .fire = wake_eventfd_fire, .collect = collect,
};
