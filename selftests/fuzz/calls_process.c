// SPDX-License-Identifier: GPL-2.0
/*
 * Processes, threads, signals, time and limits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "run.h"

#define FORKS	6

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static const uint64_t clone_flags[] = { 0, 0, 0, CLONE_FILES, CLONE_FS | CLONE_FILES };

static const uint64_t signals[] = { 1, 2, 10, 12, 11, 14, 15, 17, 34, 40, 64 };

static const uint64_t limits[] = {
	RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_SIGPENDING, RLIMIT_AS, RLIMIT_NICE,
};

static const uint64_t limit_values[] = { 0, 1, 8, 16, 64, 65536, RLIM_INFINITY };

static const uint64_t parameter_values[] = { 0, 1, 2, 3, 16, 65536, 131072 };

static const char *const parameters[] = {
	"aem_core/parameters/max_events", "aem_core/parameters/max_user_events",
	"aem_core/parameters/max_user_contexts", "aem_core/parameters/vmt_max",
	"aem_ip/parameters/connect",
};

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* The child makes so many of the thread's next statements, beside us or while we wait. */
static long system_fork(struct run *run, const uint64_t *arg, uint64_t *made)
{
	long pid;

	if (__atomic_fetch_add(&run->shared->forks, 1, __ATOMIC_RELAXED) >= FORKS ||
	    self->left >= 0)
		return -EAGAIN;
	pid = syscall(SYS_clone, arg[1] | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		self->left = arg[0];
		run->linger = arg[3];
		signals_tick(run->tick);
	} else if (pid > 0) {
		made[0] = pid;
		if (arg[2])
			waitpid(pid, NULL, 0);
	}
	return result(pid);
}

static long system_exec(struct run *run, const uint64_t *arg, uint64_t *made)
{
	static char *const arguments[] = { "fuzz", "sleep", NULL };

	(void)run;
	(void)arg;
	(void)made;
	return result(execve("/proc/self/exe", arguments, environ));
}

static long system_exit(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(syscall(arg[0] ? SYS_exit_group : SYS_exit, 0));
}

/* Nobody but ourselves and what we forked. */
static long system_kill(struct run *run, const uint64_t *arg, uint64_t *made)
{
	pid_t child = arg[0];

	(void)run;
	(void)made;
	if (child > 1 && child < 1 << 22)
		return result(kill(child, arg[1]));
	if (arg[1] == SIGKILL || arg[1] == SIGSTOP)
		return -EPERM;
	return result(arg[2] ? kill(getpid(), arg[1]) : raise(arg[1]));
}

static long system_reap(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(waitpid((pid_t)arg[0] > 1 ? (pid_t)arg[0] : -1, NULL, 0));
}

static long system_pidfd(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	made[0] = syscall(SYS_pidfd_open, arg[0] ? arg[0] : (uint64_t)getpid(), 0);
	return result(made[0]);
}

static long system_sigaction(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(signals_set(arg[0], arg[1]));
}

static long system_sigmask(struct run *run, const uint64_t *arg, uint64_t *made)
{
	uint64_t mask = arg[1] & ~(1ULL << (SIGALRM - 1) | 1ULL << (SIGSEGV - 1) |
				   1ULL << (SIGBUS - 1));

	(void)run;
	(void)made;
	return result(syscall(SYS_rt_sigprocmask, arg[0], &mask, NULL, 8));
}

static long system_nap(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct timespec time = { 0, arg[0] % 1000000000 };

	(void)run;
	(void)made;
	return result(nanosleep(&time, NULL));
}

static long system_yield(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)arg;
	(void)made;
	return result(sched_yield());
}

static long system_rlimit(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct rlimit limit = { arg[1], arg[1] };

	(void)run;
	(void)made;
	return result(setrlimit(arg[0], &limit));
}

/* Of this thread only: the C library would tell the others. */
static long system_setuid(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(syscall(SYS_setresuid, arg[0], arg[0], -1));
}

static long system_affinity(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	return result(syscall(SYS_sched_setaffinity, 0, sizeof(arg[0]), &arg[0]));
}

/* Steps the clock a little: nothing else here looks at it. */
static long system_clock(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct timespec now;

	(void)run;
	(void)made;
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += (int)arg[0] - 2;
	return result(clock_settime(CLOCK_REALTIME, &now));
}

/* The fuzzer puts it back. */
static long system_parameter(struct run *run, const uint64_t *arg, uint64_t *made)
{
	char path[128], text[32];
	int fd, length, ret;

	(void)made;
	if (arg[0] >= ARRAY_SIZE(parameters))
		return -EINVAL;
	__atomic_store_n(&run->shared->parameter, 1, __ATOMIC_RELAXED);
	snprintf(path, sizeof(path), "/sys/module/%s", parameters[arg[0]]);
	length = snprintf(text, sizeof(text), "%llu", (unsigned long long)arg[1]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = result(write(fd, text, length));
	close(fd);
	return ret;
}

static const struct field fork_fields[] = {
	ARGUMENT(0, "count", BOUNDED, 0, 6),
	ARGUMENT_CHOICE(1, "flags", clone_flags),
	ARGUMENT(2, "wait", NUMBER, 0, 1),
	ARGUMENT(3, "linger", BOUNDED, 0, 8),
};

static const struct field nothing[] = { ARGUMENT(0, "unused", BOUNDED, 0, 0) };

static const struct field exit_fields[] = { ARGUMENT(0, "group", NUMBER, 0, 1) };

static const struct field kill_fields[] = {
	ARGUMENT(0, "process", WANT, RES_PROCESS, 0),
	ARGUMENT_CHOICE(1, "signo", signals),
	ARGUMENT(2, "any", NUMBER, 0, 1),
};

static const struct field reap_fields[] = { ARGUMENT(0, "process", WANT, RES_PROCESS, 0) };

static const struct field pidfd_fields[] = { ARGUMENT(0, "process", WANT, RES_PROCESS, 0) };

static const struct field sigaction_fields[] = {
	ARGUMENT_CHOICE(0, "signo", signals),
	ARGUMENT(1, "how", NUMBER, 0, 2),
};

static const struct field sigmask_fields[] = {
	ARGUMENT(0, "how", NUMBER, 0, 2),
	ARGUMENT(1, "mask", FLAGS, 0, ~0ULL),
};

static const struct field nap_fields[] = { ARGUMENT(0, "time", BOUNDED, 0, 4000000) };

static const struct field rlimit_fields[] = {
	ARGUMENT_CHOICE(0, "which", limits),
	ARGUMENT_CHOICE(1, "value", limit_values),
};

static const struct field setuid_fields[] = { ARGUMENT(0, "uid", NUMBER, 1000, 1001) };

static const struct field affinity_fields[] = { ARGUMENT(0, "mask", BOUNDED, 1, 3) };

static const struct field clock_fields[] = { ARGUMENT(0, "step", BOUNDED, 0, 4) };

static const struct field parameter_fields[] = {
	ARGUMENT(0, "which", BOUNDED, 0, ARRAY_SIZE(parameters) - 1),
	ARGUMENT_CHOICE(1, "value", parameter_values),
};

static const struct call calls[] = {
	SYSTEM(fork, fork_fields, .makes = { RES_PROCESS }, .weight = 5, .rare = 1),
	SYSTEM(exec, nothing, .may_fail = 1, .weight = 1, .rare = 1),
	SYSTEM(exit, exit_fields, .may_fail = 1, .weight = 1, .rare = 1),
	SYSTEM(kill, kill_fields, .weight = 4),
	SYSTEM(reap, reap_fields, .rare = 1),
	SYSTEM(pidfd, pidfd_fields, .makes = { RES_PIDFD }, .weight = 1),
	SYSTEM(sigaction, sigaction_fields, .rare = 1),
	SYSTEM(sigmask, sigmask_fields, .rare = 1),
	SYSTEM(nap, nap_fields, .weight = 6, .rare = 1),
	SYSTEM(yield, nothing),
	SYSTEM(rlimit, rlimit_fields, .rare = 1),
	SYSTEM(setuid, setuid_fields, .weight = 1, .rare = 1),
	SYSTEM(affinity, affinity_fields, .rare = 1),
	SYSTEM(clock, clock_fields, .rare = 1),
	SYSTEM(parameter, parameter_fields, .weight = 1, .rare = 1),
};

const struct call_table process_table = { calls, ARRAY_SIZE(calls) };
