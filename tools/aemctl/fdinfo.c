// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/PID/fdinfo/N of a context: lines of "name:<tab>value", then a line for each event.
 * Newer kernels may say more: a name that is not known is taken over as it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "aemctl.h"

/* Members of an event that every service has; what a service adds goes to "details". */
static const char * const event_keys[] = {
	"id", "cookie", "service", "call", "prio", "state", "flags", "activations", "starved",
	"lost", "inflight", "parent", NULL
};

struct json_object *value_new(const char *key, const char *text)
{
	char *end;
	long long number;

	if (!strcmp(key, "id") || !strcmp(key, "cookie"))
		return json_object_new_string(text);
	errno = 0;
	number = strtoll(text, &end, 0);
	if (end == text || *end || errno)
		return json_object_new_string(text);
	return json_object_new_int64(number);
}

static bool is_event_key(const char *key)
{
	for (int i = 0; event_keys[i]; i++)
		if (!strcmp(key, event_keys[i]))
			return true;
	return false;
}

/* "name=value" or "name:value", whichever sign comes first. NULL: neither. */
static char *split(char *pair)
{
	char *sign = strpbrk(pair, "=:");

	if (!sign || sign == pair)
		return NULL;
	*sign = '\0';
	return sign + 1;
}

static struct json_object *event_new(char *line)
{
	struct json_object *event = json_object_new_object();
	struct json_object *details = json_object_new_object(), *bits;
	char *save;

	for (char *pair = strtok_r(line, " \t", &save); pair; pair = strtok_r(NULL, " \t", &save)) {
		char *value = split(pair);

		if (value)
			json_object_object_add(is_event_key(pair) ? event : details, pair,
					       value_new(pair, value));
	}
	json_object_object_add(event, "details", details);
	if (json_object_object_get_ex(event, "flags", &bits))
		json_object_object_add(event, "flag-names", flags_new(json_object_get_int64(bits)));
	return event;
}

static void add_line(struct json_object *context, struct json_object *list, char *line)
{
	char *value = strchr(line, ':');

	if (!value)
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	value[strcspn(value, "\n")] = '\0';
	if (!strcmp(line, "event"))
		json_object_array_add(list, event_new(value));
	else
		json_object_object_add(context, line, value_new(line, value));
}

int fdinfo_read(FILE *in, struct json_object *context)
{
	struct json_object *list = json_object_new_array();
	char *line = NULL;
	size_t size = 0;
	int error;

	errno = 0;
	while (getline(&line, &size, in) >= 0)
		add_line(context, list, line);
	error = ferror(in) ? errno : 0;
	free(line);
	json_object_object_add(context, "list", list);
	if (error)
		return -error;
	return json_object_object_get_ex(context, "aem-abi", NULL) ? 0 : -ENODATA;
}
