// SPDX-License-Identifier: GPL-2.0
/*
 * Some programs run beside one another, for much of the time they wait. Each runs in a process
 * group of its own, so that all that it forked ends with it; we are the reaper of what it leaves.
 * When all have ended, no service may be in use.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "files.h"
#include "log.h"
#include "own.h"
#include "run.h"
#include "runner.h"
#include "services.h"

#define HIGH		920
#define DESCRIPTORS	1024
/* Of our patience: when a program is ended, when it begins nothing once more, its tick. */
#define END		2
#define UNTIL		4
#define TICK		64
/* How often a program's later part is run. Coverage is known of the first of these rounds only. */
#define ROUNDS		1024
#define ROUNDS_COVERED	16
/* How many times our patience a process may take to die, or a context to go. */
#define DEATH		8

/**
 * struct slot - a program that runs beside others
 * @pid:    the first of its processes; 0: it has ended
 * @index:  which it is of those that are run
 * @end:    when it is ended
 * @dirty:  the program before it has left files
 * @shared: what it tells us
 * @cover:  its threads' coverage
 */
struct slot {
	pid_t pid;
	unsigned int index;
	long end;
	bool dirty;
	struct shared *shared;
	struct coverage cover[FUZZ_THREADS];
};

struct totals totals;

static unsigned int patience_ms;
static struct slot slots[FUZZ_BESIDE];
/* Allocations fail where it is asked for. */
static bool can_fail;
/* A program took services away. */
static bool managed;
static struct run run;
/* Of the program that we become. */
static struct arena arenas[FUZZ_THREADS];
static int nowhere = -1;
static char finding[256];

static const char *const parameters[] = {
	"aem_core/parameters/max_events", "aem_core/parameters/max_user_events",
	"aem_core/parameters/max_user_contexts", "aem_core/parameters/vmt_max",
	"aem_ip/parameters/connect",
};

static char values[ARRAY_SIZE(parameters)][32];

#define found(...) do {									\
	if (!*finding)									\
		snprintf(finding, sizeof(finding), __VA_ARGS__);			\
} while (0)

/* What was wrong, or NULL. */
const char *runner_finding(void)
{
	return *finding ? finding : NULL;
}

static void parameter(unsigned int i, bool set)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/%s", parameters[i]);
	fd = open(path, set ? O_WRONLY : O_RDONLY);
	if (fd < 0)
		return;
	if (set ? write(fd, values[i], strlen(values[i])) < 0 :
		  read(fd, values[i], sizeof(values[i]) - 1) < 0)
		errno = 0;
	close(fd);
}

static void all_parameters(bool set)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parameters); i++)
		parameter(i, set);
}

/* A word for the kernel; one that has no such file needs none. */
static void tell_kernel(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, word, strlen(word)) < 0)
		errno = 0;
	close(fd);
}

/* The allocations of programs that ask for failures fail, also those that may wait. */
static void prepare_failures(void)
{
	static const char *const switches[] = {
		"failslab/ignore-gfp-wait", "fail_page_alloc/ignore-gfp-wait",
		"fail_page_alloc/ignore-gfp-highmem", "fail_page_alloc/min-order",
		"failslab/verbose", "fail_page_alloc/verbose", "fail_usercopy/verbose",
	};
	unsigned int i;
	char path[128];

	for (i = 0; i < ARRAY_SIZE(switches); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s", switches[i]);
		tell_kernel(path, i < 3 ? "N" : "0");
	}
}

/* Events in the modules' tracepoints, so that these run too. */
static void enable_tracing(void)
{
	tell_kernel("/sys/kernel/tracing/events/aem/enable", "1");
}

/*
 * Who binds what is not there asks modprobe. It takes long, and what it loads stays: at the end
 * the core would be in use by modules that nobody unloads.
 */
static void disable_modprobe(void)
{
	tell_kernel("/proc/sys/kernel/modprobe", "\n");
}

static int make_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);

	close(fd);
	return high;
}

static void prepare_slot(struct slot *slot, void *shared)
{
	unsigned int i;

	slot->shared = shared;
	for (i = 0; i < FUZZ_THREADS; i++)
		if (coverage_open(&slot->cover[i]))
			slot->cover[i].fd = make_high(slot->cover[i].fd);
}

/* As few mappings as possible: all that a program forks has them too. */
static int prepare_slots(void)
{
	const size_t size = (sizeof(struct shared) + 63) & ~63UL;
	char *shared = shared_memory(FUZZ_BESIDE * size);
	unsigned int i;

	if (!shared || arena_init())
		return -1;
	for (i = 0; i < FUZZ_BESIDE; i++)
		prepare_slot(&slots[i], shared + i * size);
	return files_make(FUZZ_BESIDE);
}

int runner_init(unsigned int patience)
{
	sigset_t set;

	patience_ms = patience * 1000;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (services_open(HIGH))
		return fprintf(stderr, "fuzz: /dev/aem: %s\n", strerror(errno)), -1;
	if (coverage_init() || prepare_slots())
		return fprintf(stderr, "fuzz: %s\n", strerror(errno)), -1;
	nowhere = make_high(open("/dev/null", O_RDWR | O_CLOEXEC));
	all_parameters(false);
	prepare_failures();
	can_fail = !access("/proc/self/fail-nth", W_OK);
	enable_tracing();
	disable_modprobe();
	services_find(run.base);
	return 0;
}

bool runner_has_coverage(void)
{
	return slots[0].cover[0].fd >= 0;
}

static bool wants_failures(const struct program *program)
{
	unsigned int i;

	for (i = 0; can_fail && i < program->count; i++)
		if (program->list[i].fail)
			return true;
	return false;
}

static void become_program(struct slot *slot, const struct program *program)
{
	struct rlimit files = { DESCRIPTORS, DESCRIPTORS }, core = { 0, 0 };
	unsigned int i;
	sigset_t set;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (arena_map(arenas, program_threads(program), slot - slots) || files_go(slot - slots))
		_exit(4);
	/* What it writes is not for us. */
	for (i = 0; i < 3; i++)
		dup2(nowhere, i);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	setrlimit(RLIMIT_NOFILE, &files);
	setrlimit(RLIMIT_CORE, &core);
	run.program = program;
	run.shared = slot->shared;
	run.cover = slot->cover;
	run.bells = 40;
	run.until = now_ms() + patience_ms / UNTIL;
	run.tick = patience_ms / TICK;
	run.rounds = runner_has_coverage() ? ROUNDS_COVERED : ROUNDS;
	run.fails = wants_failures(program);
	memset(run.made, -1, sizeof(run.made));
	for (i = 0; i < FUZZ_NUMBERS; i++)
		run.contexts[i].fd = -1;
	for (i = 0; i < FUZZ_THREADS; i++) {
		run.threads[i].run = &run;
		run.threads[i].index = i;
		run.threads[i].arena = &arenas[i];
		run.threads[i].left = -1;
	}
	execute_program(&run);
}

/* Tells what everybody was doing, for who reads the log. */
static void tell_blocked(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "w", 1) < 0 || write(fd, "l", 1) < 0)
		errno = 0;
	close(fd);
}

/* They idle, and are as they were. */
static void check_services(void)
{
	const char *trouble = services_idle(patience_ms * DEATH / 2);

	if (!trouble && managed) {
		trouble = services_mend(patience_ms * DEATH / 2);
		services_find(run.base);
	}
	if (trouble)
		found("%s", trouble);
}

static unsigned int collect(const struct slot *slot)
{
	const struct shared *shared = slot->shared;
	unsigned int i, j, news = 0;

	for (i = 0; i < describe_count(); i++) {
		totals.users[i] += shared->tried[i] > 0;
		totals.tried[i] += shared->tried[i];
		totals.reached[i] += shared->reached[i];
		totals.succeeded[i] += shared->succeeded[i];
		for (j = 0; j < 256; j++)
			if (shared->outcomes[i][j / 64] & 1ULL << j % 64)
				news += coverage_note((uint64_t)i << 16 | j | 1ULL << 63);
	}
	for (i = 0; i < FUZZ_THREADS; i++)
		news += coverage_merge(&slot->cover[i]);
	return news;
}

static void check_answers(const struct shared *shared)
{
	if (shared->trouble)
		found("a wrong answer: %s said errno %u",
		      describe_call(shared->trouble - 1)->name, shared->errno_of);
}

/* In the kernel's log, in the order in which they are started. */
static void note_program(const struct program *program)
{
	static char text[FUZZ_TEXT];

	text_print(program, text, sizeof(text));
	log_program(totals.programs, text);
}

static void start_program(struct slot *slot, const struct program *program, unsigned int index)
{
	unsigned int i;

	memset(slot->shared, 0, sizeof(*slot->shared));
	if (slot->dirty)
		files_clean(slot - slots);
	for (i = 0; i < FUZZ_THREADS; i++)
		coverage_reset(&slot->cover[i]);
	note_program(program);
	slot->index = index;
	slot->end = now_ms() + patience_ms / END;
	slot->pid = fork();
	if (!slot->pid)
		become_program(slot, program);
	if (slot->pid < 0) {
		found("fork: %s", strerror(errno));
		slot->pid = 0;
		return;
	}
	setpgid(slot->pid, slot->pid);
	totals.programs++;
}

/* What else it forked ends with it, wherever that is. */
static void finish_program(struct slot *slot, unsigned int *news)
{
	kill(-slot->pid, SIGKILL);
	slot->pid = 0;
	managed |= slot->shared->managed;
	slot->dirty = slot->shared->files;
	/* The others would meet little but limits. */
	if (slot->shared->parameter)
		all_parameters(true);
	check_answers(slot->shared);
	news[slot->index] = collect(slot);
}

/* All children that have gone are reaped, as SIGCHLD stands for any number. False: none is left. */
static bool reap(unsigned int *news)
{
	unsigned int i;
	pid_t child;

	while ((child = waitpid(-1, NULL, WNOHANG)) > 0)
		for (i = 0; i < FUZZ_BESIDE; i++)
			if (slots[i].pid == child)
				finish_program(&slots[i], news);
	return !child;
}

static void wait_a_moment(void)
{
	struct timespec pause = { 0, 20000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigtimedwait(&set, NULL, &pause);
}

/* Those whose time is over. */
static void end_programs(void)
{
	unsigned int i;

	for (i = 0; i < FUZZ_BESIDE; i++) {
		if (!slots[i].pid || now_ms() < slots[i].end)
			continue;
		if (!kill(-slots[i].pid, SIGKILL))
			totals.killed++;
		/* Once is enough: what does not die is found in the end. */
		slots[i].end = LONG_MAX;
	}
}

static struct slot *free_slot(unsigned int beside)
{
	unsigned int i;

	for (i = 0; i < beside; i++)
		if (!slots[i].pid)
			return &slots[i];
	return NULL;
}

static void run_programs(const struct program *programs, unsigned int count, unsigned int beside,
			 unsigned int *news)
{
	struct slot *slot;
	unsigned int i;
	long until;

	for (i = 0; i < count && !runner_finding();) {
		slot = free_slot(beside);
		until = now_ms() + (long)patience_ms * DEATH;
		while (!slot && now_ms() < until) {
			wait_a_moment();
			reap(news);
			end_programs();
			slot = free_slot(beside);
		}
		if (!slot)
			break;
		start_program(slot, &programs[i], i);
		i++;
	}
	until = now_ms() + (long)patience_ms * DEATH;
	while (reap(news)) {
		if (now_ms() > until) {
			tell_blocked();
			found("stuck: a process does not die");
			return;
		}
		end_programs();
		wait_a_moment();
	}
}

/*
 * Runs @count of them, so many @beside one another, and looks at what they left. @news is how much
 * that was new each did.
 */
void runner_run(const struct program *programs, unsigned int count, unsigned int beside,
		unsigned int *news)
{
	char line[200];

	managed = false;
	memset(news, 0, count * sizeof(*news));
	run_programs(programs, count, beside, news);
	files_clean_common();
	if (!runner_finding())
		check_services();
	if (managed)
		all_parameters(true);
	if (log_complaint(line, sizeof(line)))
		found("the kernel complained: %s", line);
}
