// SPDX-License-Identifier: GPL-2.0
/*
 * All calls, in one numbering.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "describe.h"

static const struct call_table *const tables[] = {
	&core_table, &timer_table, &ip_table, &null_table, &pexit_table, &fd_table,
	&process_table, &memory_table, &file_table, &path_table, &socket_table,
};

/* What a program may bind; one that does not exist, and one that is no name. */
static const char *const services[] = {
	"null", "timer", "ip", "pexit", "fd", "nothing", "Not A Name",
};

unsigned int describe_count(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		count += tables[i]->count;
	return count;
}

const struct call *describe_call(unsigned int index)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (index < tables[i]->count)
			return &tables[i]->calls[index];
		index -= tables[i]->count;
	}
	return NULL;
}

unsigned int describe_weight(const struct call *call)
{
	static const uint8_t usual[] = { [CALL_IOCTL] = 4, [CALL_PSEUDO] = 8, [CALL_SYSTEM] = 2 };

	return call->weight ? call->weight : usual[call->kind];
}

/* The number of a call, or -1. */
int describe_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < describe_count(); i++)
		if (!strcmp(describe_call(i)->name, name))
			return i;
	return -1;
}

const char *describe_service(unsigned int number)
{
	return number < ARRAY_SIZE(services) ? services[number] : "";
}

unsigned int describe_services(void)
{
	return ARRAY_SIZE(services);
}

static int check_call(const struct call *call, unsigned int index)
{
	bool is_system = call->kind == CALL_SYSTEM, is_choice;
	const struct field *field;
	unsigned int i;

	if (describe_find(call->name) != (int)index || call->size > FUZZ_STRUCT ||
	    call->n_fields > FUZZ_FIELDS || is_system != !!call->system)
		return -1;
	for (i = 0; i < call->n_fields; i++) {
		field = &call->fields[i];
		is_choice = field->type == FIELD_CHOICE;
		if (field->offset + field->size > call->size || is_choice != !!field->choices)
			return -1;
	}
	return 0;
}

/* The tables fit what is built on them: 0, or -1 and a sentence. */
int describe_check(void)
{
	unsigned int i;

	if (describe_count() > FUZZ_CALLS)
		return fprintf(stderr, "fuzz: more than %d calls\n", FUZZ_CALLS), -1;
	for (i = 0; i < describe_count(); i++)
		if (check_call(describe_call(i), i))
			return fprintf(stderr, "fuzz: the table is wrong at %s\n",
				       describe_call(i)->name), -1;
	return 0;
}
