// SPDX-License-Identifier: GPL-2.0
/*
 * aemwatch: prints what happens to processes and files.
 *
 *	aemwatch [-fgjt] [FILES] PID...
 *	aemwatch [-fjt] [FILES] -- COMMAND...
 *	aemwatch [-j] FILES
 *
 * where FILES are -F and -r with what they take, and how.
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
	"       aemwatch [OPTION]... -F PATH|-r PATH...\n"
	"Prints the ends of processes, until all that are watched have ended, and what happens\n"
	"to files meanwhile; of files alone until they are no more, or ^C.\n"
	"  -f, --follow         their descendants too, with forks and programs begun\n"
	"  -g, --group          PIDs are process groups, which have no end: stop with ^C\n"
	"  -t, --tree           at the end, a tree of the processes that ended (implies -f)\n"
	"  -j, --json           an object of JSON for each line\n"
	"  -F, --file PATH      a file, or a directory and the files in it; again for more\n"
	"  -r, --recursive PATH a directory with all below it, whatever comes; again for more\n"
	"  -k, --kinds LIST     what to tell of files, commas between: access, modify, open,\n"
	"                       close-write, close-read, close, mode, owner, attr, xattr, create,\n"
	"                       delete, rename, names, moved, lock, unlock, all; otherwise all but\n"
	"                       access, open, close and locks. Names are told of trees in any case\n"
	"  -p, --pattern GLOB   names in directories must match it; not with -r\n"
	"  -a, --actor PID      only what this process does; not with -r\n"
	"  -x, --not-actor PID  all but what this process does; not with -r\n"
	"  -m, --merge          what repeats what is not told yet is counted\n"
	"  -R, --room BYTES     for what waits to be told of files (1048576)\n"
	"  -h, --help           this text\n";

static const struct option long_options[] = {
	{ "follow", no_argument, NULL, 'f' },
	{ "group", no_argument, NULL, 'g' },
	{ "tree", no_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "file", required_argument, NULL, 'F' },
	{ "recursive", required_argument, NULL, 'r' },
	{ "kinds", required_argument, NULL, 'k' },
	{ "pattern", required_argument, NULL, 'p' },
	{ "actor", required_argument, NULL, 'a' },
	{ "not-actor", required_argument, NULL, 'x' },
	{ "merge", no_argument, NULL, 'm' },
	{ "room", required_argument, NULL, 'R' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Unless asked otherwise: changes of any kind, and room for ten thousand of them. */
#define OTHERS		(AEM_FD_ACCESS | AEM_FD_OPEN | AEM_FD_CLOSE | AEM_FD_LOCK | AEM_FD_UNLOCK)
#define KINDS		(AEM_FD_ALL & ~OTHERS)
#define ROOM		1048576

struct options options = { .kinds = KINDS, .file.room = ROOM };

static struct aem *context;
static volatile sig_atomic_t over;
static bool failed;

void finish(struct aem *aem, bool wrong)
{
	failed |= wrong;
	over = true;
	aem_stop(aem);
}

void complain(const char *what, int error)
{
	fprintf(stderr, "aemwatch: %s: %s\n", what, strerror(-error));
	failed = true;
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
	over = true;
	aem_stop(context);
}

/* A watch that follows ends by itself, when its last record is taken back: look now and then. */
#define LOOK	100000000

/* Runs until each process has ended, or there is nothing left. */
static int run(struct aem *aem, bool processes)
{
	bool look = processes && options.follow && !options.group;
	int ret = 0;

	while (!over && ret >= 0) {
		ret = aem_wait(aem, look ? LOOK : -1);
		if (ret == -ETIME || ret == -EINTR)
			ret = 0;
		if (ret >= 0)
			ret = files_renew(aem);
		if (look && !processes_left(aem))
			break;
	}
	return ret;
}

/* What happened to files before the last process ended may not be told yet. */
static void run_rest(struct aem *aem)
{
	size_t n;

	for (n = options.file.room / sizeof(struct aem_fd_note); n; n--)
		if (aem_dispatch(aem) <= 0)
			break;
}

static int32_t to_number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return *end || end == text || value <= 0 || value > INT32_MAX ? -1 : (int32_t)value;
}

__attribute__((noreturn)) static void refuse(const char *what, const char *why)
{
	fprintf(stderr, "aemwatch: %s %s\n", what, why);
	exit(2);
}

static int32_t to_pid(const char *text)
{
	int32_t pid = to_number(text);

	if (pid < 0)
		refuse(text, "is no process");
	return pid;
}

static void add_file(const char *path, bool recursive)
{
	if (!*path)
		refuse("''", "is no file");
	if (files_add(path, recursive))
		refuse(path, "finds no memory");
}

static bool parse_file(int option)
{
	switch (option) {
	case 'F':
	case 'r':
		add_file(optarg, option == 'r');
		return true;
	case 'k':
		options.kinds = files_kinds(optarg);
		if (!options.kinds)
			refuse(optarg, "is no list of kinds");
		return true;
	case 'p':
		options.file.pattern = optarg;
		return true;
	case 'a':
	case 'x':
		options.file.flags |= option == 'x' ? AEM_FD_NOT_ACTOR : 0;
		options.file.actor = to_pid(optarg);
		return true;
	case 'm':
		options.file.flags |= AEM_FD_MERGE;
		return true;
	case 'R':
		if (to_number(optarg) < 0)
			refuse(optarg, "is no number of bytes");
		options.file.room = (uint32_t)to_number(optarg);
		return true;
	default:
		return false;
	}
}

static bool parse_process(int option)
{
	switch (option) {
	case 'f':
		options.follow = true;
		return true;
	case 'g':
		options.group = true;
		return true;
	case 't':
		options.tree = true;
		options.follow = true;
		return true;
	default:
		return false;
	}
}

static int parse(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "+fgtjF:r:k:p:a:x:mR:h", long_options,
				     NULL)) >= 0) {
		if (parse_process(option) || parse_file(option))
			continue;
		if (option == 'j') {
			options.json = true;
		} else if (option == 'h') {
			fputs(help, stdout);
			exit(0);
		} else {
			exit(2);
		}
	}
	if (files_have_tree() && (options.file.pattern || options.file.actor))
		refuse("-r", "goes without -p, -a and -x");
	return optind;
}

/* Return: there is something to wait for. */
static bool watch(struct aem *aem, int32_t *pids, int n, char **names)
{
	bool files = files_watch(aem);

	return n ? processes_watch(aem, pids, n, names) : files;
}

int main(int argc, char **argv)
{
	struct aem_options how = { .flags = AEM_OPEN_SAFEPOINT };
	int first = parse(argc, argv), gate = -1, i, n, ret;
	bool command = first < argc && !strcmp(argv[first - 1], "--");
	int32_t *pids;

	if (first == argc && !files_given()) {
		fputs(help, stderr);
		return 2;
	}
	n = command ? 1 : argc - first;
	pids = calloc(n + 1, sizeof(*pids));
	if (!pids)
		return 1;
	for (i = 0; i < n && !command; i++)
		pids[i] = to_pid(argv[first + i]);
	if (command)
		pids[0] = start(argv + first, &gate);
	ret = aem_open(&context, &how);
	if (ret) {
		fprintf(stderr, "aemwatch: %s\n", aem_strerror_hint(ret));
		return 1;
	}
	signal(SIGINT, command ? SIG_IGN : interrupted);
	signal(SIGTERM, interrupted);
	over |= !watch(context, pids, n, argv + first);
	if (gate >= 0)
		close(gate);
	ret = run(context, n);
	if (ret < 0)
		complain("waiting", ret);
	run_rest(context);
	if (options.tree)
		tree_print();
	files_close();
	aem_close(context);
	if (command)
		waitpid(pids[0], NULL, 0);
	free(pids);
	return failed;
}
