// SPDX-License-Identifier: GPL-2.0
/*
 * memory: bytes of kernel memory that an idle registration takes: what the slab allocators have
 * more of than before, for 33,000 of them after as many others. "guest" is what all free memory has
 * become less by: tables of descriptors and the library's own memory too.
 * unit: bytes per registration
 * bench: mem=1500 load=core,timer,ip,fd
 * gate: epoll
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "memories.h"

#define OBJECTS 100000
/* Objects that were freed under RCU are gone then, and what is kept per processor is settled. */
#define SETTLE 300000

int *memory_sockets;

void memory_make_sockets(struct bench *b, unsigned long n)
{
	bench_descriptors(b, n);
	memory_sockets = bench_memory(b, n, sizeof(*memory_sockets));
	while (n--)
		memory_sockets[n] = bench_try(b, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
					      "socket");
}

static void run(struct bench *b, const void *arg)
{
	const struct memory_system *system = arg;
	unsigned long n = (bench_quick ? OBJECTS / 2 : OBJECTS) / system->share;
	long slab, available;

	/* Warming up, one that is measured, one that counts system calls: a third of them each. */
	bench_rounds(b, 1);
	n /= 3;
	if (system->prepare)
		system->prepare(b, 3 * n);
	while (bench_next(b)) {
		usleep(SETTLE);
		slab = bench_meminfo(b, "Slab:");
		available = bench_meminfo(b, "MemFree:");
		bench_begin(b);
		system->add(b, n);
		bench_end(b, n);
		usleep(SETTLE);
		slab = bench_meminfo(b, "Slab:") - slab;
		available -= bench_meminfo(b, "MemFree:");
		bench_set(b, (double)slab / n, (double)available / n);
		if (memory_sockets)
			memory_sockets += n;
	}
}

static void rows(const struct memory_system *system)
{
	char params[64];

	for (; system->name; system++) {
		snprintf(params, sizeof(params), "\"object\":\"%s\"", system->object);
		bench_row(system->name, params, run, system);
	}
}

int main(int argc, char **argv)
{
	bench_start(argc, argv);
	rows(memory_aem);
	rows(memory_epoll);
	rows(memory_io_uring);
	rows(memory_posix);
	rows(memory_inotify);
	rows(memory_pidfd);
	return 0;
}
