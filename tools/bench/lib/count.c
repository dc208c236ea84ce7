// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "count.h"

#define TRACEPOINT "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id"

static long long tracepoint(void)
{
	FILE *f = fopen(TRACEPOINT, "r");
	long long id = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%lld", &id) != 1)
		id = -1;
	fclose(f);
	return id;
}

int count_open(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 0,
		.disabled = 1,
		.inherit = 1,
	};
	long long id = tracepoint();

	if (id < 0)
		return -1;
	attr.config = id;
	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void count_start(int counter)
{
	ioctl(counter, PERF_EVENT_IOC_RESET, 0);
	ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
}

long count_stop(int counter, bool self)
{
	uint64_t count;

	ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
	if (read(counter, &count, sizeof(count)) != sizeof(count))
		return -1;
	return count - (self ? 1 : 0);
}

long count_switches(pid_t pid, bool thread)
{
	char path[64], line[128];
	long sum = 0, n;
	FILE *f;

	snprintf(path, sizeof(path), thread ? "/proc/self/task/%d/status" : "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &n) == 1)
			sum += n;
	fclose(f);
	return sum;
}
