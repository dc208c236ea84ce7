// SPDX-License-Identifier: GPL-2.0
/*
 * Programs as text, a line a statement:
 *
 *	NUMBER tTHREAD [xREPEAT] [fail=N] [queued] CALL [on=VALUE] [at=VALUE] FIELD=VALUE...
 *
 * A value is a number, @N for what statement N made, @N.1 for the second thing that it made, or
 * PLACE+OFFSET for a pointer. Fields that are left out are zero.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "program.h"

static const char *const places[PLACES] = {
	[PLACE_GOOD] = "good", [PLACE_EDGE] = "edge", [PLACE_READ] = "read",
	[PLACE_NONE] = "none", [PLACE_NULL] = "null", [PLACE_KERNEL] = "kernel",
	[PLACE_WILD] = "wild", [PLACE_CONTROL] = "control", [PLACE_RING] = "ring",
	[PLACE_ZONE] = "zone",
};

/** struct writer - text in the making */
struct writer {
	char *text;
	unsigned int size;
	unsigned int length;
};

#define put(_writer, ...) do {								\
	struct writer *_w = _writer;							\
	int _n = snprintf(_w->text + _w->length, _w->size - _w->length, __VA_ARGS__);	\
											\
	if (_n > 0 && _w->length + _n < _w->size)					\
		_w->length += _n;							\
} while (0)

static void put_value(struct writer *writer, const char *name, const struct value *value)
{
	unsigned long long number = value->number;

	put(writer, " %s=", name);
	if (value->kind == VALUE_RESULT)
		put(writer, "@%llu%s", number & 0xff, number >> 8 ? ".1" : "");
	else if (value->kind == VALUE_POINTER)
		put(writer, "%s+%llu", places[number >> 32], number & 0xffffffff);
	else
		put(writer, number < 100000 ? "%llu" : "0x%llx", number);
}

static bool is_zero(const struct value *value)
{
	return value->kind == VALUE_NUMBER && !value->number;
}

static void put_statement(struct writer *writer, const struct statement *statement)
{
	const struct call *call = describe_call(statement->call);
	unsigned int i;

	put(writer, "%u t%u", statement->number, statement->thread);
	if (statement->repeat != 1)
		put(writer, " x%u", statement->repeat);
	if (statement->fail)
		put(writer, " fail=%u", statement->fail);
	put(writer, "%s %s", statement->queued ? " queued" : "", call->name);
	if (call->kind != CALL_SYSTEM) {
		put_value(writer, "on", &statement->fd);
		put_value(writer, "at", &statement->at);
	}
	for (i = 0; i < call->n_fields; i++)
		if (!is_zero(&statement->field[i]))
			put_value(writer, call->fields[i].name, &statement->field[i]);
	put(writer, "\n");
}

unsigned int text_print(const struct program *program, char *text, unsigned int size)
{
	struct writer writer = { text, size, 0 };
	unsigned int i;

	*text = 0;
	for (i = 0; i < program->count; i++)
		put_statement(&writer, &program->list[i]);
	return writer.length;
}

static int parse_pointer(struct value *value, const char *word)
{
	const char *plus = strchr(word, '+');
	unsigned int i;

	for (i = 0; plus && i < PLACES; i++) {
		if (strlen(places[i]) != (size_t)(plus - word) ||
		    strncmp(places[i], word, plus - word))
			continue;
		*value = value_pointer(i, strtoul(plus + 1, NULL, 0));
		return 0;
	}
	return -1;
}

static int parse_value(struct value *value, const char *word)
{
	unsigned long number;
	char *end;

	if (*word == '@') {
		number = strtoul(word + 1, &end, 10);
		*value = value_result(number % FUZZ_NUMBERS, !strcmp(end, ".1"));
		return 0;
	}
	if (*word < '0' || *word > '9')
		return parse_pointer(value, word);
	*value = value_number(strtoull(word, &end, 0));
	return *end ? -1 : 0;
}

static struct value *find_field(struct statement *statement, const char *name)
{
	const struct call *call = describe_call(statement->call);
	unsigned int i;

	if (!strcmp(name, "on") && call->kind != CALL_SYSTEM)
		return &statement->fd;
	if (!strcmp(name, "at") && call->kind != CALL_SYSTEM)
		return &statement->at;
	for (i = 0; i < call->n_fields; i++)
		if (!strcmp(call->fields[i].name, name))
			return &statement->field[i];
	return NULL;
}

/* What stands before the call's name: 1; the name: 0; nonsense: -1. */
static int parse_prefix(struct statement *statement, const char *word)
{
	int call;

	if (*word == 't' && word[1] >= '0' && word[1] <= '9' && !word[2]) {
		statement->thread = (word[1] - '0') % FUZZ_THREADS;
	} else if (*word == 'x' && word[1] >= '0' && word[1] <= '9') {
		statement->repeat = strtoul(word + 1, NULL, 10);
	} else if (!strncmp(word, "fail=", 5)) {
		statement->fail = strtoul(word + 5, NULL, 10);
	} else if (!strcmp(word, "queued")) {
		statement->queued = true;
	} else {
		call = describe_find(word);
		statement->call = call;
		return call < 0 ? -1 : 0;
	}
	return 1;
}

static int parse_statement(struct statement *statement, char *line)
{
	char *save, *word, *equal;
	struct value *value;
	int more = 1;

	word = strtok_r(line, " ", &save);
	statement->number = strtoul(word, NULL, 10) % FUZZ_NUMBERS;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (more == 1) {
			more = parse_prefix(statement, word);
			if (more < 0)
				return -1;
			continue;
		}
		equal = strchr(word, '=');
		if (!equal)
			return -1;
		*equal = 0;
		value = find_field(statement, word);
		if (!value || parse_value(value, equal + 1))
			return -1;
	}
	return more;
}

/* Of empty lines and comments: nothing. 0, or the number of the line that is wrong. */
int text_parse(struct program *program, const char *text)
{
	char copy[FUZZ_TEXT], *save, *line, *next = copy;
	struct statement *statement;
	int number = 0;

	memset(program, 0, sizeof(*program));
	snprintf(copy, sizeof(copy), "%s", text);
	while ((line = strtok_r(next, "\n", &save))) {
		next = NULL;
		number++;
		if (*line == '#')
			continue;
		statement = program_insert(program, program->count);
		if (!statement || parse_statement(statement, line))
			return number;
	}
	return 0;
}
