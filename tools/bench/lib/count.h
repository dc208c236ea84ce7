/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls and context switches of a process or thread, as the kernel counts them.
 */
#ifndef BENCH_COUNT_H
#define BENCH_COUNT_H

#include <stdbool.h>
#include <sys/types.h>

/* A counter of the tracepoint raw_syscalls:sys_enter for one task, stopped; or -1 and errno. */
int count_open(pid_t pid);
void count_start(int counter);

/* How many since the start. @self: the one that ends the counting is the caller's own. */
long count_stop(int counter, bool self);

/* Voluntary and involuntary context switches so far; -1: not to be had. */
long count_switches(pid_t pid, bool thread);

#endif /* BENCH_COUNT_H */
