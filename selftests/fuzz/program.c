// SPDX-License-Identifier: GPL-2.0
/*
 * Statements come and go.
 */
#include <string.h>
#include "program.h"

static bool number_is_used(const struct program *program, unsigned int number)
{
	unsigned int i;

	for (i = 0; i < program->count; i++)
		if (program->list[i].number == number)
			return true;
	return false;
}

/* More numbers than statements: there is always one. */
static unsigned int free_number(const struct program *program)
{
	unsigned int number = 0;

	while (number_is_used(program, number))
		number++;
	return number;
}

/* An empty statement before the one at @at, or NULL if the program is full. */
struct statement *program_insert(struct program *program, unsigned int at)
{
	unsigned int number = free_number(program);
	struct statement *statement = &program->list[at];

	if (program->count == FUZZ_STATEMENTS)
		return NULL;
	memmove(statement + 1, statement, (program->count - at) * sizeof(*statement));
	memset(statement, 0, sizeof(*statement));
	statement->number = number;
	statement->repeat = 1;
	program->count++;
	return statement;
}

void program_drop(struct program *program, unsigned int at)
{
	struct statement *statement = &program->list[at];

	program->count--;
	memmove(statement, statement + 1, (program->count - at) * sizeof(*statement));
}

static void renumber(struct value *value, const uint8_t *map)
{
	if (value->kind == VALUE_RESULT)
		value->number = (value->number & ~0xffULL) |
				map[value->number % FUZZ_NUMBERS];
}

/* As many of the other's statements as there is room for, with new numbers. */
void program_append(struct program *program, const struct program *other)
{
	uint8_t map[FUZZ_NUMBERS] = { 0 };
	struct statement *statement;
	unsigned int i, j;

	for (i = 0; i < other->count; i++) {
		statement = program_insert(program, program->count);
		if (!statement)
			return;
		map[other->list[i].number] = statement->number;
		j = statement->number;
		*statement = other->list[i];
		statement->number = j;
		renumber(&statement->fd, map);
		renumber(&statement->at, map);
		for (j = 0; j < FUZZ_FIELDS; j++)
			renumber(&statement->field[j], map);
	}
}

unsigned int program_threads(const struct program *program)
{
	unsigned int i, threads = 1;

	for (i = 0; i < program->count; i++)
		if (program->list[i].thread >= threads)
			threads = program->list[i].thread + 1;
	return threads;
}
