// SPDX-License-Identifier: GPL-2.0
/* aemctl service: what is done with services, and why it was not done. */
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <aem/aem.h>
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
 * @dry:   change nothing
 * @timeout: milliseconds, 0: as the kernel thinks best
 */
struct request {
	char *words[MAX_WORDS];
	int n;
	bool dry;
	uint32_t timeout;
};

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

static void tell_retired(const struct aem_manage *done)
{
	printf("%s version %u %s retired: nobody binds it any more\n", (const char *)done->name,
	       done->version, done->flags & AEM_MANAGE_DRY_RUN ? "would be" : "is");
	if (!done->contexts) {
		puts("nobody is bound to it: its module can be unloaded");
		return;
	}
	printf("%u context%s with %u event%s stay%s bound; ", done->contexts,
	       plural(done->contexts), done->events, plural(done->events),
	       done->contexts == 1 ? "s" : "");
	puts("its module can be unloaded when they have gone, or were moved by a swap");
}

static const char *explain_retire(int error)
{
	return error == EALREADY ? "it is retired already" : NULL;
}

/* Why an event stays with its version. */
static const char *reason_of(const struct aem_manage *done)
{
	switch (done->reason) {
	case EPROTO:
		return "their calls do not fit together";
	case EMSGSIZE:
		return "the new version needs more room in an event than the old one left";
	default:
		return strerror(done->reason);
	}
}

static const char *tense(const struct aem_manage *done, const char *would, const char *did)
{
	return done->flags & AEM_MANAGE_DRY_RUN ? would : did;
}

static void tell_pause(const struct aem_manage *done)
{
	if (!(done->flags & AEM_MANAGE_DRY_RUN))
		printf("pause %llu.%03llu ms; %u event%s happened in it and %s told after\n",
		       (unsigned long long)done->pause / 1000000,
		       (unsigned long long)done->pause / 1000 % 1000, done->held,
		       plural(done->held), done->held == 1 ? "is" : "are");
}

static void tell_swapped(const struct aem_manage *done)
{
	const char *name = (const char *)done->name;

	printf("%s: %u of %u event%s in %u context%s %s from version %u to %u\n", name,
	       done->moved, done->moved + done->refused, plural(done->moved + done->refused),
	       done->contexts, plural(done->contexts), tense(done, "can move", "moved"),
	       done->version, done->target);
	tell_pause(done);
	if (done->refused)
		printf("%u event%s %s with version %u, which works on for %s: %s\n", done->refused,
		       plural(done->refused), tense(done, "would stay", "stayed"), done->version,
		       done->refused == 1 ? "it" : "them", reason_of(done));
	else
		printf("the module of version %u can be unloaded%s\n", done->version,
		       tense(done, " then", ""));
}

static const char *explain_swap(int error)
{
	switch (error) {
	case EALREADY:
		return "these are the same version";
	case EOPNOTSUPP:
		return "one of the two declares no layout of its events: they cannot be taken over";
	case EPROTO:
		return "they have no common layout, or calls are missing: swap to one between";
	case ETIMEDOUT:
		return "nothing has changed: a call does not end: try a longer --timeout";
	default:
		return NULL;
	}
}

static void tell_revoked(const struct aem_manage *done)
{
	printf("%s version %u %s taken away from %u context%s, and %u event%s %s a last record\n",
	       (const char *)done->name, done->version, tense(done, "would be", "was"),
	       done->contexts, plural(done->contexts), done->moved, plural(done->moved),
	       tense(done, "would get", "got"));
	tell_pause(done);
	if (!(done->flags & AEM_MANAGE_DRY_RUN))
		puts("its module can be unloaded");
}

static const struct verb verbs[] = {
	{ "list", 0, 1, NULL, NULL },
	{ "ask", 0, 3, NULL, NULL },
	{ "retire", AEM_MANAGE_RETIRE, 3, tell_retired, explain_retire },
	{ "swap", AEM_MANAGE_SWAP, 4, tell_swapped, explain_swap },
	{ "revoke", AEM_MANAGE_REVOKE, 3, tell_revoked, explain_swap },
	{ 0 }
};

static const char doc[] =
	"Says which services are loaded, and exchanges them.\n"
	"\vCommands:\n"
	"  list                  name and version of each, and who uses it\n"
	"  ask NAME VERSION      can it be bound, in this version or a newer one? Or why not\n"
	"  retire NAME VERSION   nobody binds this version any more\n"
	"  swap NAME OLD NEW     version NEW takes over everybody from version OLD, alive\n"
	"  revoke NAME VERSION   nobody has this version any more: calls fail, events end\n"
	"\n"
	"All but list and ask need CAP_SYS_MODULE.\n"
	"Exit status: 0, 1 if it was not done, 64 for wrong usage.";

static error_t parse(int key, char *word, struct argp_state *state)
{
	struct request *request = state->input;

	switch (key) {
	case 'n':
		request->dry = true;
		return 0;
	case 't':
		request->timeout = strtoul(word, NULL, 10);
		if (!request->timeout)
			argp_error(state, "\"%s\" is not a time in milliseconds", word);
		return 0;
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

static const struct argp_option options[] = {
	{ "dry-run", 'n', NULL, 0, "Only say what would be done", 0 },
	{ "timeout", 't', "MS", 0, "Wait so long for calls that run (1000)", 0 },
	{ 0 }
};

static const struct argp argp = { options, parse, "COMMAND [WORD...]", doc, NULL, NULL, NULL };

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
		return "it takes CAP_SYS_MODULE, as loading a module does";
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
	arg.flags = request->dry ? AEM_MANAGE_DRY_RUN : 0;
	arg.timeout = request->timeout;
	if (request->n > 3)
		arg.target = version_of(request->words[3]);
	fd = device_open();
	if (ioctl(fd, AEM_IOC_MANAGE, &arg))
		errx(1, "cannot %s %s version %u: %s", verb->name, request->words[1], arg.version,
		     explain(verb, errno));
	verb->tell(&arg);
	return 0;
}

/* As a program does, which has the module loaded if need be. */
static int ask(const struct request *request)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	const char *name = request->words[1];
	uint32_t version = version_of(request->words[2]), base;
	struct aem *aem;
	int error = aem_open(&aem, &options);

	if (error)
		errx(1, "cannot open " DEVICE ": %s", aem_strerror_hint(error));
	error = aem_bind(aem, name, version, 0, NULL, 0, &base);
	if (error == -ENOENT)
		errx(1, "cannot bind %s: not loaded; as root, modprobe aem-service-%s says why",
		     name, name);
	if (error)
		errx(1, "cannot bind %s version %u: %s", name, version, aem_strerror_hint(error));
	printf("%s can be bound: its calls begin at %u\n", name, base);
	return aem_close(aem);
}

int service_main(int argc, char **argv)
{
	struct request request = { 0 };
	const struct verb *verb;

	argp_parse(&argp, argc, argv, 0, NULL, &request);
	verb = find_verb(&request);
	if (verb->op)
		return manage(verb, &request);
	return verb->words > 1 ? ask(&request) : -1;
}
