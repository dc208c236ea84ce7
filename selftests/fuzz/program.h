/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program: statements, in their order. A statement keeps its number when others are put in
 * between or dropped, and others refer to what it made by that number.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include "describe.h"
#include "random.h"

#define FUZZ_STATEMENTS	40
#define FUZZ_NUMBERS	64
#define FUZZ_THREADS	3
/* Bytes of a program's text. */
#define FUZZ_TEXT	16384

/**
 * enum value_kind - what a value is
 * @VALUE_NUMBER:  a number
 * @VALUE_RESULT:  what a statement made: its number, and 256 more for its second result
 * @VALUE_POINTER: an address: enum place in the upper half, an offset in the lower
 */
enum value_kind {
	VALUE_NUMBER,
	VALUE_RESULT,
	VALUE_POINTER,
};

/**
 * enum place - memory that pointers point to
 * @PLACE_GOOD:    writable
 * @PLACE_EDGE:    the offset counts back from the end of a page that none follows
 * @PLACE_READ:    read only
 * @PLACE_NONE:    nothing is there
 * @PLACE_NULL:    address 0
 * @PLACE_KERNEL:  the kernel's
 * @PLACE_WILD:    no address at all
 * @PLACE_CONTROL: the context's control page
 * @PLACE_RING:    its ring
 * @PLACE_ZONE:    its vmtable
 */
enum place {
	PLACE_GOOD,
	PLACE_EDGE,
	PLACE_READ,
	PLACE_NONE,
	PLACE_NULL,
	PLACE_KERNEL,
	PLACE_WILD,
	PLACE_CONTROL,
	PLACE_RING,
	PLACE_ZONE,
	PLACES
};

/** struct value - of a field */
struct value {
	uint32_t kind;
	uint64_t number;
};

/**
 * struct statement - a call with its arguments
 * @number: its name
 * @call:   which call
 * @thread: who makes it
 * @repeat: how often, at least once
 * @fail:   let the n-th allocation or copy fail; 0: none
 * @queued: a pseudo-system call for the next AEM_IOC_ENTER
 * @fd:     the context
 * @at:     where its struct lies
 * @field:  values of its fields
 */
struct statement {
	uint8_t number;
	uint8_t call;
	uint8_t thread;
	uint8_t repeat;
	uint8_t fail;
	bool queued;
	struct value fd;
	struct value at;
	struct value field[FUZZ_FIELDS];
};

/** struct program - @count statements */
struct program {
	unsigned int count;
	struct statement list[FUZZ_STATEMENTS];
};

static inline struct value value_number(uint64_t number)
{
	return (struct value){ VALUE_NUMBER, number };
}

static inline struct value value_result(unsigned int number, unsigned int which)
{
	return (struct value){ VALUE_RESULT, number | which << 8 };
}

static inline struct value value_pointer(enum place place, uint32_t offset)
{
	return (struct value){ VALUE_POINTER, (uint64_t)place << 32 | offset };
}

struct statement *program_insert(struct program *program, unsigned int at);
void program_drop(struct program *program, unsigned int at);
void program_append(struct program *program, const struct program *other);
unsigned int program_threads(const struct program *program);

/* text.c: what is printed can be read. */
unsigned int text_print(const struct program *program, char *text, unsigned int size);
int text_parse(struct program *program, const char *text);

/* generate.c: calls that are off are not chosen. */
void generate_enable(unsigned int call, bool on);
bool generate_enabled(unsigned int call);
void generate_program(struct program *program, struct random *random);
void generate_more(struct program *program, struct random *random, unsigned int at);
void generate_value(struct program *program, struct random *random, unsigned int at,
		    const struct field *field, struct value *value);
void generate_place(struct random *random, const struct call *call, struct value *value);

/* mutate.c */
void mutate_program(struct program *program, struct random *random,
		    const struct program *other);

#endif /* FUZZ_PROGRAM_H */
