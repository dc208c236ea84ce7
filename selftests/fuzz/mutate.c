// SPDX-License-Identifier: GPL-2.0
/*
 * Changes to a program.
 */
#include <string.h>
#include "program.h"

static void change_value(struct program *program, struct random *random, unsigned int at)
{
	struct statement *statement = &program->list[at];
	const struct call *call = describe_call(statement->call);
	unsigned int field;

	if (!call->n_fields || (call->kind != CALL_SYSTEM && random_percent(random, 10))) {
		if (call->kind != CALL_SYSTEM)
			generate_place(random, call, &statement->at);
		return;
	}
	field = random_below(random, call->n_fields);
	generate_value(program, random, at, &call->fields[field], &statement->field[field]);
}

/* What bounded fields promise is kept. */
static void nudge_value(struct program *program, struct random *random, unsigned int at)
{
	struct statement *statement = &program->list[at];
	const struct call *call = describe_call(statement->call);
	unsigned int field = random_below(random, call->n_fields);

	if (!call->n_fields || call->fields[field].type == FIELD_BOUNDED ||
	    statement->field[field].kind != VALUE_NUMBER)
		return;
	if (random_percent(random, 50))
		statement->field[field].number += random_below(random, 9) - 4;
	else
		statement->field[field].number ^= 1ULL << random_below(random, 32);
}

static void repeat_statement(struct program *program, struct random *random, unsigned int at)
{
	struct statement copy = program->list[at], *statement;

	statement = program_insert(program, at + 1);
	if (!statement)
		return;
	copy.number = statement->number;
	*statement = copy;
	if (random_percent(random, 50))
		statement->thread = random_below(random, FUZZ_THREADS);
}

static void swap_statements(struct program *program, unsigned int a, unsigned int b)
{
	struct statement copy = program->list[a];

	program->list[a] = program->list[b];
	program->list[b] = copy;
}

static void change_how(struct program *program, struct random *random, unsigned int at)
{
	struct statement *statement = &program->list[at];

	switch (random_below(random, 4)) {
	case 0:
		statement->thread = random_below(random, FUZZ_THREADS);
		break;
	case 1:
		statement->repeat = 1 + random_below(random, 20);
		break;
	case 2:
		statement->fail = random_below(random, 12);
		break;
	default:
		statement->queued = describe_call(statement->call)->kind == CALL_PSEUDO &&
				    !statement->queued;
	}
}

static void change_once(struct program *program, struct random *random,
			const struct program *other)
{
	unsigned int at = random_below(random, program->count);

	switch (random_below(random, 16)) {
	case 0 ... 3:
		generate_more(program, random, random_below(random, program->count + 1));
		break;
	case 4 ... 7:
		change_value(program, random, at);
		break;
	case 8:
		nudge_value(program, random, at);
		break;
	case 9:
	case 10:
		program_drop(program, at);
		break;
	case 11:
		repeat_statement(program, random, at);
		break;
	case 12:
		swap_statements(program, at, random_below(random, program->count));
		break;
	case 13:
		if (other)
			program_append(program, other);
		break;
	default:
		change_how(program, random, at);
	}
}

/* @other may be NULL. */
void mutate_program(struct program *program, struct random *random, const struct program *other)
{
	do {
		if (!program->count)
			generate_program(program, random);
		change_once(program, random, other);
	} while (random_percent(random, 60));
	if (!program->count)
		generate_program(program, random);
}
