// SPDX-License-Identifier: GPL-2.0
/*
 * A program's life: started, watched, ended, and started again after a delay that grows.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "supervise.h"

static struct program *programs;

static void arm(aem_id timer, uint64_t ns)
{
	struct aem_timer_spec spec = { .value = ns };

	aem_timer_settime(supervisor, timer, &spec, NULL);
}

static void set_environment(const struct program *program)
{
	char text[32];

	if (!program->set.heartbeat)
		return;
	setenv("NOTIFY_SOCKET", notify_path(), 1);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)program->set.heartbeat / 1000);
	setenv("WATCHDOG_USEC", text, 1);
	/* The program that the shell becomes keeps the number. */
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("WATCHDOG_PID", text, 1);
}

static void run(const struct program *program)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	set_environment(program);
	execl("/bin/sh", "sh", "-c", program->set.command, NULL);
	_exit(127);
}

static void end_in_words(int status, char *text, size_t size)
{
	if (WIFEXITED(status))
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
	else
		snprintf(text, size, "signal %d%s", WTERMSIG(status),
			 WCOREDUMP(status) ? ", core dumped" : "");
}

/* False: it has been restarted too often. */
static bool count_restart(struct program *program)
{
	uint64_t now = now_ns();

	if (now - program->first > program->set.window) {
		program->first = now;
		program->restarts = 0;
	}
	return !program->set.limit || ++program->restarts <= program->set.limit;
}

static void plan_restart(struct program *program)
{
	uint64_t delay;

	if (now_ns() - program->began > program->set.window)
		program->delay = program->set.delay;
	if (!count_restart(program)) {
		say("%s: ended %u times within %.0f s: given up", program->set.name,
		    program->restarts, (double)program->set.window / 1e9);
		return;
	}
	delay = program->delay;
	program->delay = (uint64_t)((double)delay * program->set.backoff);
	if (program->delay > program->set.max_delay)
		program->delay = program->set.max_delay;
	/* 0 would disarm. */
	arm(program->restart, delay ? delay : 1);
}

static void forget(struct program *program)
{
	struct program **at = &programs;

	while (*at != program)
		at = &(*at)->next;
	*at = program->next;
	aem_timer_delete(supervisor, program->restart);
	aem_timer_delete(supervisor, program->pulse);
	settings_free(&program->set);
	free(program);
}

/* It is told of a moment before it can be waited for. */
static void ended(struct aem *aem, void *user, aem_id id, const struct aem_pexit_note *note,
		  uint32_t lost)
{
	struct program *program = user;
	char words[64];
	int status;

	(void)id;
	(void)lost;
	if (!note) {
		say("the service pexit was taken away");
		aem_stop(aem);
		return;
	}
	while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
		;
	end_in_words(status, words, sizeof(words));
	say("%s: process %d ended: %s", program->set.name, (int)program->pid, words);
	program->pid = 0;
	arm(program->pulse, 0);
	if (program->stopping)
		forget(program);
	else if (program->set.always || !WIFEXITED(status) || WEXITSTATUS(status))
		plan_restart(program);
}

/* A child that nobody has waited for: its number is still its own. */
static void start(struct program *program)
{
	int ret;

	program->began = now_ns();
	program->silent = false;
	program->pid = fork();
	if (!program->pid)
		run(program);
	if (program->pid < 0) {
		say("%s: fork: %s", program->set.name, strerror(errno));
		program->pid = 0;
		plan_restart(program);
		return;
	}
	setpgid(program->pid, program->pid);
	say("%s: process %d", program->set.name, (int)program->pid);
	if (program->set.heartbeat)
		arm(program->pulse, program->set.heartbeat);
	ret = aem_pexit_watch(supervisor, &program->watch, program->pid, AEM_PRIO(2), NULL, ended,
			      program);
	if (!ret)
		return;
	say("%s: cannot be watched: %s", program->set.name, aem_strerror_hint(ret));
	kill(-program->pid, SIGKILL);
	waitpid(program->pid, NULL, 0);
	program->pid = 0;
	plan_restart(program);
}

static void restart(struct aem *aem, void *user, aem_id timer, uint64_t overruns,
		    uint64_t expiry, int error)
{
	struct program *program = user;

	(void)aem;
	(void)timer;
	(void)overruns;
	(void)expiry;
	if (!error && !program->pid && !program->stopping)
		start(program);
}

/* No sign of life: as systemd does, with a signal that leaves a core. */
static void missed(struct aem *aem, void *user, aem_id timer, uint64_t overruns,
		   uint64_t expiry, int error)
{
	struct program *program = user;

	(void)aem;
	(void)timer;
	(void)overruns;
	(void)expiry;
	if (error || !program->pid)
		return;
	say("%s: no heartbeat from process %d", program->set.name, (int)program->pid);
	/* Whoever survives that is killed at the next. */
	kill(-program->pid, program->silent ? SIGKILL : SIGABRT);
	program->silent = true;
	arm(program->pulse, program->set.heartbeat);
}

/** program_beat() - a process has given a sign of life. */
void program_beat(pid_t pid)
{
	struct program *program;

	for (program = programs; program; program = program->next)
		if (program->pid && getpgid(pid) == program->pid)
			arm(program->pulse, program->set.heartbeat);
}

static struct program *find(const char *name)
{
	struct program *program = programs;

	while (program && strcmp(program->set.name, name))
		program = program->next;
	return program;
}

static void take(struct program *program, struct settings *settings)
{
	settings_free(&program->set);
	program->set = *settings;
	memset(settings, 0, sizeof(*settings));
	program->delay = program->set.delay;
	program->seen = true;
}

/* What changed counts from the next start on, another command at once. */
static int change(struct program *program, struct settings *settings)
{
	bool other = strcmp(program->set.command, settings->command);

	take(program, settings);
	program->restarts = 0;
	if (!program->pid)
		arm(program->restart, 1);
	else if (other)
		kill(-program->pid, SIGTERM);
	return 0;
}

/** program_configure() - a section of the configuration. Return: 0 or -errno. */
int program_configure(struct settings *settings)
{
	struct program *program = find(settings->name);
	int ret;

	if (program)
		return change(program, settings);
	program = calloc(1, sizeof(*program));
	if (!program)
		return -ENOMEM;
	ret = aem_timer_create(supervisor, &program->restart, CLOCK_MONOTONIC, AEM_PRIO(1), NULL,
			       restart, program);
	if (!ret)
		ret = aem_timer_create(supervisor, &program->pulse, CLOCK_MONOTONIC, AEM_PRIO(1),
				       NULL, missed, program);
	if (ret) {
		free(program);
		return ret;
	}
	take(program, settings);
	program->next = programs;
	programs = program;
	start(program);
	return 0;
}

/** programs_mark() - the configuration is read anew. */
void programs_mark(void)
{
	struct program *program;

	for (program = programs; program; program = program->next)
		program->seen = false;
}

static void stop(struct program *program, int signo)
{
	program->stopping = true;
	if (program->pid)
		kill(-program->pid, signo);
	else
		forget(program);
}

/** programs_sweep() - what is not in the configuration any more is ended. */
void programs_sweep(void)
{
	struct program *program, *next;

	for (program = programs; program; program = next) {
		next = program->next;
		if (!program->seen)
			stop(program, SIGTERM);
	}
}

/** programs_stop() - all are ended, and none is started again. */
void programs_stop(int signo)
{
	struct program *program, *next;

	for (program = programs; program; program = next) {
		next = program->next;
		stop(program, signo);
	}
}

/** programs_run() - is there one that runs or may be started again? */
bool programs_run(void)
{
	return programs;
}
