// SPDX-License-Identifier: GPL-2.0
/*
 * swap: instructions for which users of a service wait while another version takes it over, with so
 * many live timers: what AEM_IOC_MANAGE says of its pause.
 * unit: instructions of pause
 * bench: mem=1024 load=core,timer,timer_2
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <aem/timer.h>
#include <linux/aem.h>
#include "bench.h"

#define FAR 1000000000000000ULL

static void never(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		  int error)
{
	(void)aem;
	(void)user;
	(void)timer;
	(void)overruns;
	(void)expiry;
	(void)error;
}

static void swap(struct bench *b, int fd, uint32_t from, uint32_t to, struct aem_manage *arg)
{
	*arg = (struct aem_manage){
		.size = sizeof(*arg), .op = AEM_MANAGE_SWAP, .version = from, .target = to,
		.name = AEM_TIMER_SERVICE,
	};
	bench_try(b, ioctl(fd, AEM_IOC_MANAGE, arg) ? -errno : 0, "AEM_IOC_MANAGE");
}

static void run(struct bench *b, const void *arg)
{
	const unsigned long *n = arg;
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	struct aem_timer_spec far = { .value = FAR };
	uint32_t version = 2;
	struct aem_manage done;
	struct aem *aem;
	unsigned long i;
	int fd;

	bench_try(b, aem_open(&aem, &options), "aem_open");
	for (i = 0; i < *n; i++)
		bench_try(b, aem_timer_create(aem, NULL, CLOCK_MONOTONIC, AEM_PRIO(1), &far, never,
					      NULL), "aem_timer_create");
	fd = open("/dev/aem", O_RDWR | O_CLOEXEC);
	bench_assert(b, fd >= 0);
	while (bench_next(b)) {
		bench_begin(b);
		swap(b, fd, version, 3 - version, &done);
		bench_end(b, 1);
		bench_assert(b, done.moved == *n && !done.refused);
		bench_set(b, done.pause, done.pause);
		version = 3 - version;
	}
	/* The next row begins with the version that new contexts get now. */
	if (version == 1)
		swap(b, fd, 1, 2, &done);
	aem_close(aem);
}

int main(int argc, char **argv)
{
	static const unsigned long counts[] = { 1, 1000, 10000, 100000 };
	unsigned int i;

	bench_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(counts) - bench_quick; i++) {
		char params[64];

		snprintf(params, sizeof(params), "\"events\":%lu", counts[i]);
		bench_row("aem", params, run, &counts[i]);
	}
	return 0;
}
