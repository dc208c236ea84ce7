// SPDX-License-Identifier: GPL-2.0
/* The command line. */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"

const char *argp_program_version = "aem-httpd " AEM_VERSION;

enum {
	OPTION_MODE = 256,
	OPTION_STATS,
	OPTION_TIMERS,
	OPTION_MAX_CONNECTIONS,
	OPTION_IDLE,
	OPTION_HEAD,
	OPTION_SEND,
	OPTION_CACHE,
};

static const struct argp_option argp_options[] = {
	{ "port", 'p', "PORT", 0, "Listen there (default: 8080; 0: any)", 0 },
	{ "address", 'a', "ADDRESS", 0, "Only there, IPv4 or IPv6 (default: everywhere)", 0 },
	{ "root", 'r', "DIR", 0, "Serve this directory (default: the current one)", 0 },
	{ "mode", OPTION_MODE, "interrupt|safepoint", 0,
	  "main() computes and is interrupted, or it waits for events (default: safepoint)", 0 },
	{ "timers", OPTION_TIMERS, "N", 0, "So many periodic timers tick along (default: 0)", 0 },
	{ "stats", OPTION_STATS, "S", 0, "Print counters every S seconds", 0 },
	{ "max-connections", OPTION_MAX_CONNECTIONS, "N", 0,
	  "Further ones wait to be accepted (default: 10000)", 0 },
	{ "idle-timeout", OPTION_IDLE, "S", 0, "For the next request (default: 15)", 0 },
	{ "request-timeout", OPTION_HEAD, "S", 0, "For all of a request (default: 10)", 0 },
	{ "send-timeout", OPTION_SEND, "S", 0, "Without progress in sending (default: 30)", 0 },
	{ "cache", OPTION_CACHE, "MIB", 0, "Memory for small files (default: 16)", 0 },
	{ 0 }
};

static unsigned long number(struct argp_state *state, const char *text, const char *what,
			    unsigned long low, unsigned long high)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (end == text || *end || errno || *text == '-' || value < low || value > high)
		argp_error(state, "%s is a number from %lu to %lu, not \"%s\"", what, low, high,
			   text);
	return value;
}

static void set_address(struct argp_state *state, struct options *options, const char *text)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&options->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&options->address;

	memset(&options->address, 0, sizeof(options->address));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		options->address_length = sizeof(*in);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		options->address_length = sizeof(*in6);
	} else {
		argp_error(state, "\"%s\" is not an IPv4 or IPv6 address", text);
	}
}

/* Both families have the port at the same place, but it is better not to know that. */
static void set_port(struct options *options)
{
	if (options->address.ss_family == AF_INET)
		((struct sockaddr_in *)&options->address)->sin_port = htons(options->port);
	else
		((struct sockaddr_in6 *)&options->address)->sin6_port = htons(options->port);
}

static void set_mode(struct argp_state *state, struct options *options, const char *text)
{
	if (!strcmp(text, "interrupt"))
		options->interrupt = true;
	else if (!strcmp(text, "safepoint"))
		options->interrupt = false;
	else
		argp_error(state, "the mode is \"interrupt\" or \"safepoint\", not \"%s\"", text);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'p':
		options->port = number(state, text, "the port", 0, 65535);
		return 0;
	case 'a':
		set_address(state, options, text);
		return 0;
	case 'r':
		options->root = text;
		return 0;
	case OPTION_MODE:
		set_mode(state, options, text);
		return 0;
	case OPTION_TIMERS:
		options->timers = number(state, text, "--timers", 0, 100000);
		return 0;
	case OPTION_STATS:
		options->stats = number(state, text, "--stats", 1, 86400);
		return 0;
	case OPTION_MAX_CONNECTIONS:
		options->max_connections = number(state, text, "--max-connections", 1, 1000000);
		return 0;
	case OPTION_IDLE:
		options->idle = number(state, text, "--idle-timeout", 1, 86400);
		return 0;
	case OPTION_HEAD:
		options->head = number(state, text, "--request-timeout", 1, 86400);
		return 0;
	case OPTION_SEND:
		options->send = number(state, text, "--send-timeout", 1, 86400);
		return 0;
	case OPTION_CACHE:
		options->cache = number(state, text, "--cache", 0, 65536) << 20;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Serves a directory over HTTP/1.1 from one thread. The kernel calls its\n"
	"handlers with connections, data and timers in their parameters.\n"
	"\vEnds on SIGTERM and SIGINT, printing what it did.";

static const struct argp argp = { argp_options, parse, NULL, doc, NULL, NULL, NULL };

void options_parse(struct options *options, int argc, char **argv)
{
	*options = (struct options){
		.address.ss_family = AF_INET6,
		.address_length = sizeof(struct sockaddr_in6),
		.port = 8080,
		.root = ".",
		.max_connections = 10000,
		.idle = 15,
		.head = 10,
		.send = 30,
		.cache = 16UL << 20,
	};
	argp_parse(&argp, argc, argv, 0, NULL, options);
	set_port(options);
}
