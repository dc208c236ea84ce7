// SPDX-License-Identifier: GPL-2.0
/* aemctl service: what is done with services, and why it was not done. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/aem.h>
#include "aemctl.h"

#define MAX_WORDS 4

/**
 * struct verb - one thing to do
 * @name:    on the command line
 * @op:      enum aem_manage_op, 0: only show
 * @words:   that follow
 * @tell:    says what was done
 * @explain: why it was not: a sentence for an errno, or NULL
 */
struct verb {
	const char *name;
	unsigned int op;
	int words;
	void (*tell)(const struct aem_manage *done);
	const char *(*explain)(int error);
};

/**
 * struct request - the command line
 * @words: of it
 * @n:     how many
 */
struct request {
	char *words[MAX_WORDS];
	int n;
};

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

static void tell_retired(const struct aem_manage *done)
{
	printf("%s version %u is retired: nobody binds it any more\n", (const char *)done->name,
	       done->version);
	if (done->contexts)
		printf("%u context%s with %u event%s stay%s bound; its module can be unloaded when they have gone, or when \"aemctl service swap\" has moved them\n",
		       done->contexts, plural(done->contexts), done->events, plural(done->events),
		       done->contexts == 1 ? "s" : "");
	else
		puts("nobody is bound to it: its module can be unloaded");
}

static const char *explain_retire(int error)
{
	return error == EALREADY ? "it is retired already" : NULL;
}

static const struct verb verbs[] = {
	{ "list", 0, 1, NULL, NULL },
	{ "retire", AEM_MANAGE_RETIRE, 3, tell_retired, explain_retire },
	{ 0 }
};

static const char doc[] =
	"Says which services are loaded, and exchanges them."
	"\vCommands:\n"
	"  list                  name and version of each, and who uses it\n"
	"  retire NAME VERSION   nobody binds this version any more\n"
	"\n"
	"All but list need CAP_SYS_MODULE. Exit status: 0, 1 if it was not done, 64 for wrong usage.";

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (request->n == MAX_WORDS)
			argp_error(state, "\"%s\" is too much", word);
		request->words[request->n++] = word;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "say what to do");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = { NULL, parse, "COMMAND [WORD...]", doc, NULL, NULL, NULL };

static const struct verb *find_verb(const struct request *request)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, request->words[0])) {
			if (verb->words != request->n)
				errx(64, "\"service %s\" takes %d words, see aemctl service --help",
				     verb->name, verb->words - 1);
			return verb;
		}
	errx(64, "there is no command \"service %s\", see aemctl service --help",
	     request->words[0]);
}

static uint32_t version_of(const char *word)
{
	char *end;
	unsigned long version;

	errno = 0;
	version = strtoul(word, &end, 10);
	if (errno || *end || end == word || !version || version > UINT32_MAX)
		errx(64, "\"%s\" is not a version", word);
	return version;
}

static const char *explain(const struct verb *verb, int error)
{
	const char *text = verb->explain(error);

	if (text)
		return text;
	switch (error) {
	case EPERM:
		return "that is the administrator's: it takes CAP_SYS_MODULE, as loading a module does";
	case ENOENT:
		return "no service has this name: see aemctl service list";
	case ENOPROTOOPT:
		return "no such version is loaded: see aemctl service list";
	case ENOTTY:
		return "the loaded aem-core is older than this aemctl";
	default:
		return strerror(error);
	}
}

static int manage(const struct verb *verb, const struct request *request)
{
	struct aem_manage arg = { .size = sizeof(arg), .op = verb->op };
	size_t length = strlen(request->words[1]);
	int fd;

	if (length >= sizeof(arg.name))
		errx(64, "\"%s\" is too long for the name of a service", request->words[1]);
	memcpy(arg.name, request->words[1], length);
	arg.version = version_of(request->words[2]);
	if (request->n > 3)
		arg.target = version_of(request->words[3]);
	fd = device_open();
	if (ioctl(fd, AEM_IOC_MANAGE, &arg))
		errx(1, "cannot %s %s version %u: %s", verb->name, request->words[1], arg.version,
		     explain(verb, errno));
	verb->tell(&arg);
	return 0;
}

int service_main(int argc, char **argv)
{
	struct request request = { 0 };
	const struct verb *verb;

	argp_parse(&argp, argc, argv, 0, NULL, &request);
	verb = find_verb(&request);
	return verb->op ? manage(verb, &request) : -1;
}
