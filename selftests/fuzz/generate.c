// SPDX-License-Identifier: GPL-2.0
/*
 * New programs, and new values. What a statement needs is mostly there: a statement that makes it
 * is put before it if there is none.
 */
#include <linux/aem.h>
#include <string.h>
#include "program.h"

/* Statements that make what others need may need others in turn. */
#define DEPTH	4

static bool enabled[FUZZ_CALLS];

void generate_enable(unsigned int call, bool on)
{
	enabled[call] = on;
}

bool generate_enabled(unsigned int call)
{
	return enabled[call];
}

static const uint64_t odd_numbers[] = {
	0, 1, 2, 63, 64, 65, 127, 255, 4095, 4096, 4097, 65535, 65536, 65537, 0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
	0xffffffffffffffff,
};

static uint64_t any_number(struct random *random)
{
	switch (random_below(random, 4)) {
	case 0:
		return 1ULL << random_below(random, 64);
	case 1:
		return random_next(random) >> random_below(random, 64);
	case 2:
		return -random_below(random, 5);
	default:
		return odd_numbers[random_below(random, ARRAY_SIZE(odd_numbers))];
	}
}

static uint64_t ranged(struct random *random, const struct field *field)
{
	uint64_t span = field->hi - field->lo + 1;

	switch (random_below(random, 8)) {
	case 0 ... 2:
		return field->lo;
	case 3:
		return field->hi;
	default:
		return field->lo + random_below(random, span);
	}
}

static uint64_t some_flags(struct random *random, const struct field *field)
{
	uint64_t flags = random_next(random) & field->hi;

	/* lo are those that should mostly be there. */
	if (random_percent(random, 80))
		flags |= field->lo;
	if (random_percent(random, 3))
		flags |= any_number(random);
	return random_percent(random, 20) ? field->lo : flags;
}

static uint64_t some_time(struct random *random)
{
	switch (random_below(random, 8)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return 1 + random_below(random, 1000);
	case 3:
		return any_number(random);
	default:
		return 10000 + random_below(random, 3000000);
	}
}

static uint64_t some_size(struct random *random, const struct field *field)
{
	if (random_percent(random, 97))
		return field->hi;
	return random_percent(random, 50) ? field->hi + 8 : any_number(random);
}

static void some_pointer(struct random *random, uint64_t bytes, struct value *value)
{
	static const uint8_t usual[] = {
		PLACE_GOOD, PLACE_GOOD, PLACE_EDGE, PLACE_CONTROL, PLACE_RING, PLACE_ZONE,
	};
	enum place place = PLACE_GOOD;
	uint32_t offset = 0;

	if (random_percent(random, 30))
		place = usual[random_below(random, ARRAY_SIZE(usual))];
	else if (random_percent(random, 8))
		place = random_below(random, PLACES);
	if (place == PLACE_EDGE)
		/* It just fits, or some of it is beyond the end. */
		offset = random_percent(random, 70) ? bytes : random_below(random, bytes + 1);
	else if (random_percent(random, 10))
		offset = random_below(random, 4096);
	*value = value_pointer(place, offset);
}

void generate_place(struct random *random, const struct call *call, struct value *value)
{
	*value = value_pointer(PLACE_GOOD, 0);
	if (random_percent(random, 10))
		some_pointer(random, call->size, value);
}

static uint32_t makes(const struct statement *statement)
{
	const struct call *call = describe_call(statement->call);

	return call->makes[0] | call->makes[1];
}

/*
 * One of the statements before @at that make what is wanted, or -1. Often the last, so that several
 * things happen to one and the same.
 */
static int find_among(const struct program *program, struct random *random, unsigned int at,
		      uint32_t want, bool poor)
{
	bool last = random_percent(random, 50);
	unsigned int i, count = 0;
	int found = -1;

	for (i = 0; i < at; i++)
		if (makes(&program->list[i]) & want &&
		    poor == !!describe_call(program->list[i].call)->poor &&
		    (last || !random_below(random, ++count)))
			found = i;
	return found;
}

static int find_maker(const struct program *program, struct random *random, unsigned int at,
		      uint32_t want)
{
	bool poor = random_percent(random, 15);
	int found = find_among(program, random, at, want, poor);

	return found < 0 && !poor ? find_among(program, random, at, want, true) : found;
}

static int choose_maker(struct random *random, uint32_t want)
{
	unsigned int i, count = 0;
	int found = -1;

	for (i = 0; i < describe_count(); i++) {
		const struct call *call = describe_call(i);

		if (enabled[i] && !call->poor && (call->makes[0] | call->makes[1]) & want &&
		    !random_below(random, ++count))
			found = i;
	}
	return found;
}

static unsigned int add(struct program *program, struct random *random, unsigned int at,
			unsigned int call, unsigned int depth);

/* A maker of what is wanted before @at; how many statements were put in. */
static unsigned int need(struct program *program, struct random *random, unsigned int at,
			 uint32_t want, unsigned int depth)
{
	int call;

	/* Mostly one context is enough. */
	if (find_maker(program, random, at, want) >= 0 &&
	    random_percent(random, want == RES_CONTEXT ? 99 : 93))
		return 0;
	call = choose_maker(random, want);
	if (call < 0 || !depth)
		return 0;
	return add(program, random, at, call, depth - 1);
}

static struct value resource(const struct program *program, struct random *random,
			     unsigned int at, uint32_t want)
{
	const struct call *call;
	int i;

	if (random_percent(random, 3))
		return value_number(any_number(random));
	if (random_percent(random, 4))
		want = want & RES_EVENT ? RES_EVENT : RES_FD;
	i = find_maker(program, random, at, want);
	if (i < 0)
		return value_number(want & RES_FD ? ~0ULL : 0);
	call = describe_call(program->list[i].call);
	if ((call->makes[0] & want) && (call->makes[1] & want))
		return value_result(program->list[i].number, random_below(random, 2));
	return value_result(program->list[i].number, !(call->makes[0] & want));
}

/* A new value for a field of the statement at @at. */
void generate_value(struct program *program, struct random *random, unsigned int at,
		    const struct field *field, struct value *value)
{
	bool odd = random_percent(random, 3);

	switch (field->type) {
	case FIELD_NUMBER:
		*value = value_number(odd ? any_number(random) : ranged(random, field));
		break;
	case FIELD_BOUNDED:
		*value = value_number(ranged(random, field));
		break;
	case FIELD_FLAGS:
		*value = value_number(some_flags(random, field));
		break;
	case FIELD_CHOICE:
		*value = value_number(odd ? any_number(random) :
					    field->choices[random_below(random, field->hi)]);
		break;
	case FIELD_SIZE:
		*value = value_number(some_size(random, field));
		break;
	case FIELD_TIME:
		*value = value_number(some_time(random));
		break;
	case FIELD_ZERO:
		*value = value_number(random_percent(random, 1) ? any_number(random) : 0);
		break;
	case FIELD_WANT:
		*value = resource(program, random, at, field->lo);
		break;
	case FIELD_POINTER:
		some_pointer(random, field->hi, value);
		break;
	case FIELD_ADDRESS:
		if (random_percent(random, 10))
			some_pointer(random, 28, value);
		else
			*value = resource(program, random, at, field->lo);
		break;
	case FIELD_NAME:
		*value = value_number(random_below(random, describe_services()));
		break;
	case FIELD_TEXT:
		*value = value_number(ranged(random, field));
		if (odd)
			some_pointer(random, 256, value);
		break;
	}
	/* Fields are as wide as they are; what is cut off would only be in the text. */
	if (value->kind == VALUE_NUMBER && field->size < 8)
		value->number &= (1ULL << field->size * 8) - 1;
}

static bool wants(const struct field *field)
{
	return field->type == FIELD_WANT || field->type == FIELD_ADDRESS;
}

/* What a context made is of use there only. */
static void follow(const struct program *program, struct statement *statement,
		   const struct value *value)
{
	unsigned int i;

	for (i = 0; value->kind == VALUE_RESULT && i < program->count; i++)
		if (program->list[i].number == value->number % FUZZ_NUMBERS &&
		    describe_call(program->list[i].call)->kind != CALL_SYSTEM)
			statement->fd = program->list[i].fd;
}

/* A statement with that call before @at, and before it what it needs; how many were put in. */
static unsigned int add(struct program *program, struct random *random, unsigned int at,
			unsigned int number, unsigned int depth)
{
	const struct call *call = describe_call(number);
	struct statement *statement;
	unsigned int i, start = at;

	if (call->kind != CALL_SYSTEM)
		at += need(program, random, at, describe_on(call), depth);
	for (i = 0; i < call->n_fields; i++)
		if (wants(&call->fields[i]))
			at += need(program, random, at, call->fields[i].lo, depth);
	statement = program_insert(program, at);
	if (!statement)
		return at - start;
	statement->call = number;
	if (call->kind != CALL_SYSTEM) {
		statement->fd = resource(program, random, at, describe_on(call));
		generate_place(random, call, &statement->at);
		statement->queued = call->kind == CALL_PSEUDO && random_percent(random, 15);
	}
	for (i = 0; i < call->n_fields; i++) {
		generate_value(program, random, at, &call->fields[i], &statement->field[i]);
		if (call->fields[i].type == FIELD_WANT && call->kind != CALL_SYSTEM &&
		    random_percent(random, 95))
			follow(program, statement, &statement->field[i]);
	}
	return at + 1 - start;
}

static unsigned int choose_call(struct random *random)
{
	unsigned int i, sum = 0, found = 0;

	for (i = 0; i < describe_count(); i++) {
		unsigned int weight = enabled[i] ? describe_weight(describe_call(i)) : 0;

		sum += weight;
		if (weight && random_below(random, sum) < weight)
			found = i;
	}
	return found;
}

/* One more statement before @at, with all that it needs. */
void generate_more(struct program *program, struct random *random, unsigned int at)
{
	unsigned int thread, count, threads = program_threads(program);

	thread = random_percent(random, 50) ? random_below(random, threads) : 0;
	count = add(program, random, at, choose_call(random), DEPTH);
	if (count && count <= program->count - at)
		program->list[at + count - 1].thread = thread;
}

/* Some statements of the later part are made by other threads, some more than once. */
static void spread(struct program *program, struct random *random)
{
	unsigned int i, threads = 1 + random_below(random, FUZZ_THREADS);

	for (i = program->count / 3; i < program->count; i++)
		program->list[i].thread = random_below(random, threads);
	for (i = 0; i < program->count; i++) {
		if (random_percent(random, 6))
			program->list[i].repeat = 1 + random_below(random, 20);
		if (random_percent(random, 2))
			program->list[i].fail = 1 + random_below(random, 12);
	}
}

void generate_program(struct program *program, struct random *random)
{
	unsigned int length = 3 + random_below(random, FUZZ_STATEMENTS - 16);

	memset(program, 0, sizeof(*program));
	need(program, random, 0, RES_CONTEXT, DEPTH);
	while (program->count < length)
		generate_more(program, random, program->count);
	if (random_percent(random, 75))
		spread(program, random);
}
