// SPDX-License-Identifier: GPL-2.0
/* aemctl: shows the services that are loaded, and contexts, events and counters of processes. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "aemctl.h"

const char *argp_program_version = "aemctl " AEM_VERSION;

/**
 * struct options - the command line
 * @command: what to show
 * @pid:     of whom, 0: of all
 * @json:    as JSON
 */
struct options {
	const struct command *command;
	pid_t pid;
	bool json;
};

/**
 * struct command - one thing to show
 * @name:    on the command line
 * @collect: makes the rows
 * @columns: of its table
 * @pid:     takes a process
 * @none:    what to say when there are no rows
 */
struct command {
	const char *name;
	struct json_object *(*collect)(const struct options *options);
	const struct column *columns;
	bool pid;
	const char *none;
};

static struct json_object *services(const struct options *options)
{
	(void)options;
	return device_services();
}

static void scan_one(struct scan *scan, pid_t pid)
{
	switch (-scan_process(scan, pid)) {
	case 0:
		return;
	case EACCES:
	case EPERM:
		errx(1, "process %d is another user's: run aemctl as root to look into it", pid);
	default:
		errx(1, "there is no process %d", pid);
	}
}

static struct json_object *contexts(const struct options *options)
{
	struct scan scan = { .contexts = json_object_new_array() };

	device_expect();
	if (options->pid)
		scan_one(&scan, options->pid);
	else
		scan_all(&scan);
	if (scan.hidden)
		warnx("%u processes of other users are not shown: run aemctl as root to see them",
		      scan.hidden);
	return scan.contexts;
}

/* @context without its events. */
static struct json_object *processes(const struct options *options)
{
	struct json_object *rows = contexts(options);

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		json_object_object_del(json_object_array_get_idx(rows, i), "list");
	return rows;
}

static void copy(struct json_object *to, struct json_object *from, const char *key)
{
	struct json_object *value;

	if (json_object_object_get_ex(from, key, &value))
		json_object_object_add(to, key, json_object_get(value));
}

static void add_events(struct json_object *rows, struct json_object *context)
{
	struct json_object *list = json_object_object_get(context, "list");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *event = json_object_array_get_idx(list, i);

		copy(event, context, "pid");
		copy(event, context, "command");
		copy(event, context, "fd");
		json_object_array_add(rows, json_object_get(event));
	}
}

static void tell_omitted(struct json_object *context)
{
	struct json_object *omitted;

	if (json_object_object_get_ex(context, "events-omitted", &omitted) &&
	    json_object_get_int64(omitted))
		warnx("process %s has %s more events than the kernel shows",
		      json_object_get_string(json_object_object_get(context, "pid")),
		      json_object_get_string(omitted));
}

static struct json_object *events(const struct options *options)
{
	struct json_object *all = contexts(options), *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *context = json_object_array_get_idx(all, i);

		add_events(rows, context);
		tell_omitted(context);
	}
	json_object_put(all);
	return rows;
}

static const char * const counter_keys[] = {
	"pid", "command", "fd", "events", "active", "starved", "activations", "records",
	"doorbells", "redirects", "starvations", NULL
};

static struct json_object *counters(const struct options *options)
{
	struct json_object *all = contexts(options), *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *row = json_object_new_object();

		for (int k = 0; counter_keys[k]; k++)
			copy(row, json_object_array_get_idx(all, i), counter_keys[k]);
		json_object_array_add(rows, row);
	}
	json_object_put(all);
	return rows;
}

static const struct column service_columns[] = {
	{ "name", "SERVICE", false }, { "version", "VERSION", true }, { "state", "STATE", false },
	{ "base", "BASE", true },
	{ "calls", "CALLS", true }, { "users", "USERS", true }, { "events", "EVENTS", true }, { 0 }
};

static const struct column process_columns[] = {
	{ "pid", "PID", true }, { "command", "COMMAND", false }, { "fd", "FD", true },
	{ "mode", "MODE", false }, { "owner", "OWNER", true }, { "level", "LEVEL", true },
	{ "boost", "BOOST", true }, { "waiters", "WAITING", true },
	{ "events", "EVENTS", true }, { "active", "ACTIVE", true },
	{ "ring-entries", "RING", true },
	{ "vmt-used", "VMT-USED", true }, { "vmt-size", "VMT-SIZE", true }, { 0 }
};

static const struct column event_columns[] = {
	{ "pid", "PID", true }, { "id", "ID", false }, { "service", "SERVICE", false },
	{ "call", "CALL", false }, { "prio", "PRIO", true }, { "state", "STATE", false },
	{ "flag-names", "FLAGS", false },
	{ "activations", "ACTIVATIONS", true }, { "starved", "STARVED", true },
	{ "lost", "LOST", true }, { "parent", "PARENT", true }, { "shown", "DETAILS", false }, { 0 }
};

static const struct column counter_columns[] = {
	{ "pid", "PID", true }, { "command", "COMMAND", false }, { "fd", "FD", true },
	{ "events", "EVENTS", true }, { "active", "ACTIVE", true },
	{ "activations", "ACTIVATIONS", true }, { "records", "RECORDS", true },
	{ "doorbells", "DOORBELLS", true }, { "redirects", "REDIRECTS", true },
	{ "starvations", "STARVATIONS", true }, { 0 }
};

static const struct command commands[] = {
	{ "services", services, service_columns, false,
	  "no service is loaded: modprobe aem-timer, for instance" },
	{ "processes", processes, process_columns, true, "no process has " DEVICE " open" },
	{ "events", events, event_columns, true, "no event is registered" },
	{ "counters", counters, counter_columns, true, "no process has " DEVICE " open" },
	{ 0 }
};

static const char doc[] =
	"Shows what the Asynchronous Event Mechanism does.\n"
	"\vCommands:\n"
	"  save FILE [PID]  writes registrations down, of all or of one process\n"
	"  restore FILE     lays them out for the programs that take them up again\n"
	"  service ...      retires and exchanges services: aemctl service --help\n"
	"  services         the services that are loaded, and who uses them\n"
	"  processes [PID]  the processes that have " DEVICE " open\n"
	"  events [PID]     their events\n"
	"  counters [PID]   what they have counted\n"
	"\n"
	"Exit status: 0, 1 if it could not be told, 64 for wrong usage. An empty list is no error.";

static const struct argp_option argp_options[] = {
	{ "json", 'j', NULL, 0, "Print a JSON array of objects", 0 },
	{ 0 }
};

static const struct command *find_command(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	return NULL;
}

static void take_word(struct argp_state *state, char *word, struct options *options)
{
	char *end;
	long pid;

	if (!options->command) {
		options->command = find_command(word);
		if (!options->command)
			argp_error(state, "there is no command \"%s\"", word);
		return;
	}
	pid = strtol(word, &end, 10);
	if (options->pid || !options->command->pid)
		argp_error(state, "\"%s\" is too much", word);
	if (*end || pid <= 0 || pid > INT_MAX)
		argp_error(state, "\"%s\" is not the number of a process", word);
	options->pid = pid;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case ARGP_KEY_ARG:
		take_word(state, word, options);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "say what to show");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { argp_options, parse, "COMMAND [PID]", doc, NULL, NULL, NULL };

/* What a service says of its event, as "name:value" words. */
static void describe(struct json_object *row)
{
	struct json_object *details;
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!json_object_object_get_ex(row, "details", &details))
		return;
	out = open_memstream(&text, &size);
	if (!out)
		err(1, "no memory");
	json_object_object_foreach(details, key, value)
		fprintf(out, "%s%s:%s", ftell(out) ? " " : "", key, json_object_get_string(value));
	fclose(out);
	json_object_object_add(row, "shown", json_object_new_string(text));
	free(text);
}

static void print(const struct options *options, struct json_object *rows)
{
	const int style = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t n = json_object_array_length(rows);

	if (options->json) {
		puts(json_object_to_json_string_ext(rows, style));
		return;
	}
	for (size_t i = 0; i < n; i++)
		describe(json_object_array_get_idx(rows, i));
	if (n)
		table_print(stdout, rows, options->command->columns);
	else
		warnx("%s", options->command->none);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct json_object *rows;
	int status;

	if (argc > 1 && !strcmp(argv[1], "save"))
		return save_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "restore"))
		return restore_main(argc - 1, argv + 1);
	if (argc > 1 && !strcmp(argv[1], "service")) {
		status = service_main(argc - 1, argv + 1);
		if (status >= 0)
			return status;
		options.command = find_command("services");
	} else {
		argp_parse(&argp, argc, argv, 0, NULL, &options);
	}
	rows = options.command->collect(&options);
	print(&options, rows);
	json_object_put(rows);
	if (fflush(stdout) || ferror(stdout))
		err(1, "cannot write");
	return 0;
}
