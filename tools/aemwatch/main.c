// SPDX-License-Identifier: GPL-2.0
/*
 * aemwatch: prints what happens to processes until they have ended.
 *
 *	aemwatch [-fgjt] PID...
 *	aemwatch [-fjt] -- COMMAND...
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "aemwatch.h"

static const char help[] =
	"usage: aemwatch [OPTION]... PID...\n"
	"       aemwatch [OPTION]... -- COMMAND [ARGUMENT]...\n"
	"Prints the ends of processes, until all that are watched have ended.\n"
	"  -f, --follow   their descendants too, with forks and programs begun\n"
	"  -g, --group    PIDs are process groups, which have no end: stop with ^C\n"
	"  -j, --json     an object of JSON for each line\n"
	"  -t, --tree     at the end, a tree of the processes that ended (implies -f)\n"
	"  -h, --help     this text\n";

static const struct option long_options[] = {
	{ "follow", no_argument, NULL, 'f' },
	{ "group", no_argument, NULL, 'g' },
	{ "json", no_argument, NULL, 'j' },
	{ "tree", no_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static struct {
	bool follow;
	bool group;
	bool json;
	bool tree;
} options;

static unsigned int watched;
static struct aem *context;
static bool failed;

static void heard(struct aem *aem, void *user, aem_id id, const struct aem_pexit_note *note,
		  uint32_t lost)
{
	const int32_t *pid = user;

	(void)id;
	if (!note) {
		fputs("aemwatch: the service pexit was taken away\n", stderr);
		failed = true;
		aem_stop(aem);
		return;
	}
	if (options.json)
		print_json(note, lost);
	else
		print_line(note, lost);
	fflush(stdout);
	if (options.tree && tree_add(note))
		fputs("aemwatch: no memory for the tree\n", stderr);
	if (note->kind == AEM_PEXIT_END && !options.group && !options.follow &&
	    note->pid == *pid && !--watched)
		aem_stop(aem);
}

static void complain(const char *what, int error)
{
	fprintf(stderr, "aemwatch: %s: %s\n", what, strerror(-error));
}

static int watch(struct aem *aem, int32_t *pid, aem_id *id)
{
	struct aem_pexit_options how = { .notes = 4096, .members = 4096 };
	int ret;

	if (options.group)
		how.flags |= AEM_PEXIT_GROUP;
	if (options.follow)
		how.flags |= AEM_PEXIT_FORKS | AEM_PEXIT_EXECS;
	if (options.follow && !options.group)
		how.flags |= AEM_PEXIT_FOLLOW;
	if (!(how.flags & AEM_PEXIT_FOLLOW))
		how.members = 0;
	if (!how.flags)
		how.notes = 0;
	ret = aem_pexit_watch(aem, id, *pid, AEM_PRIO(1), &how, heard, pid);
	if (!ret)
		watched++;
	return ret;
}

/* The command waits until it is watched. */
static pid_t start(char **argv, int *gate)
{
	int fds[2];
	pid_t pid;
	char byte;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (pid) {
		close(fds[0]);
		*gate = fds[1];
		return pid;
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) < 0)
		_exit(127);
	close(fds[0]);
	execvp(argv[0], argv);
	fprintf(stderr, "aemwatch: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void interrupted(int signo)
{
	(void)signo;
	aem_stop(context);
}

/* A watch that follows ends by itself, when its last record is taken back: look now and then. */
#define LOOK	100000000

/* Runs until each watch has ended. */
static int run(struct aem *aem, const aem_id *ids, int n)
{
	struct aem_event info;
	int i, left = n, ret = 0;

	if (!options.follow || options.group)
		return aem_run(aem);
	while (left && !failed && ret >= 0) {
		ret = aem_wait(aem, LOOK);
		if (ret == -ETIME)
			ret = 0;
		for (left = 0, i = 0; i < n; i++)
			left += ids[i] && !aem_event_info(aem, ids[i], &info);
	}
	return ret < 0 ? ret : 0;
}

static int parse(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "+fgjth", long_options, NULL)) >= 0) {
		switch (option) {
		case 'f':
			options.follow = true;
			break;
		case 'g':
			options.group = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 't':
			options.tree = true;
			options.follow = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	return optind;
}

static int32_t to_pid(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return *end || end == text || value <= 0 || value > INT32_MAX ? -1 : (int32_t)value;
}

int main(int argc, char **argv)
{
	struct aem_options how = { .flags = AEM_OPEN_SAFEPOINT };
	int first = parse(argc, argv), gate = -1, i, n, ret;
	bool command = first > 1 && !strcmp(argv[first - 1], "--");
	int32_t *pids;
	aem_id *ids;

	if (first == argc) {
		fputs(help, stderr);
		return 2;
	}
	n = command ? 1 : argc - first;
	pids = calloc(n, sizeof(*pids));
	ids = calloc(n, sizeof(*ids));
	if (!pids || !ids)
		return 1;
	for (i = 0; i < n && !command; i++) {
		pids[i] = to_pid(argv[first + i]);
		if (pids[i] < 0) {
			fprintf(stderr, "aemwatch: %s is no process\n", argv[first + i]);
			return 2;
		}
	}
	if (command)
		pids[0] = start(argv + first, &gate);
	ret = aem_open(&context, &how);
	if (ret) {
		fprintf(stderr, "aemwatch: %s\n", aem_strerror_hint(ret));
		return 1;
	}
	signal(SIGINT, command ? SIG_IGN : interrupted);
	signal(SIGTERM, interrupted);
	for (i = 0; i < n; i++) {
		ret = watch(context, &pids[i], &ids[i]);
		if (ret)
			complain(command ? argv[first] : argv[first + i], ret);
		failed |= ret < 0;
	}
	if (gate >= 0)
		close(gate);
	ret = watched ? run(context, ids, n) : 0;
	if (ret && ret != -EINTR)
		complain("waiting", ret);
	if (options.tree)
		tree_print();
	aem_close(context);
	if (command)
		waitpid(pids[0], NULL, 0);
	free(pids);
	free(ids);
	return failed || (ret && ret != -EINTR);
}
