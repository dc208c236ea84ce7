/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program as it runs: in a process of its own, whose memory is the process's but for what it
 * shares with the fuzzer.
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <linux/aem.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include "coverage.h"
#include "program.h"

#define FUZZ_QUEUE	16
/* A thread's memory that pointers point to: data, and behind it a page for structs. */
#define ARENA_DATA	(32 * 4096)
#define ARENA_STRUCTS	ARENA_DATA
#define ARENA_ADDRESS	(ARENA_DATA + 4096)
#define ARENA_SIZE	(ARENA_DATA + 2 * 4096)

/**
 * struct shared - what the program tells the fuzzer
 * @tried:     how often each call was made
 * @reached:   how often it got to what it was meant for: not to a descriptor of another kind
 * @succeeded: how often it succeeded
 * @outcomes:  a bit for each errno that it ever gave, this program's only
 * @forks:     processes that the program has made
 * @trouble:   a call that answered what it must not
 * @errno_of:  and what that was
 * @parameter: a parameter of the core was changed
 * @managed:   a service was retired, exchanged or revoked
 * @files:     names of files came or went
 */
struct shared {
	uint32_t tried[FUZZ_CALLS];
	uint32_t reached[FUZZ_CALLS];
	uint32_t succeeded[FUZZ_CALLS];
	uint64_t outcomes[FUZZ_CALLS][4];
	uint32_t forks;
	uint32_t trouble;
	uint32_t errno_of;
	uint32_t parameter;
	uint32_t managed;
	uint32_t files;
};

/**
 * struct context - a descriptor of /dev/aem and what is mapped of it
 * @fd:      the descriptor, -1: none
 * @area:    control page, ring, vmtable
 * @enter:   what its trampoline asks for; it knows where this and those above are
 * @bytes:   of each
 * @entries: of the ring
 */
struct context {
	int fd;
	uint8_t *area[3];
	struct aem_enter enter;
	size_t bytes[3];
	uint32_t entries;
};

/**
 * struct arena - memory that pointers point to
 * @good: writable
 * @read: the same memory, read only
 * @edge: the end of a page that none follows
 */
struct arena {
	uint8_t *good;
	uint8_t *read;
	uint8_t *edge;
};

/**
 * struct thread - one of the program's
 * @run:       the program
 * @index:     which
 * @statement: that it is at
 * @fail_fd:   where it asks for failures, -1: nowhere
 * @arena:     its memory
 * @armed:     a fault ends the statement
 * @guard:     there
 * @queue:     calls for the next AEM_IOC_ENTER
 * @structs:   their structs
 * @owners:    their statements
 * @queued:    how many
 * @left:      of a forked child: statements until it ends, -1: not a child
 */
struct thread {
	struct run *run;
	unsigned int index;
	const struct statement *statement;
	int fail_fd;
	struct arena *arena;
	volatile sig_atomic_t armed;
	sigjmp_buf guard;
	struct aem_call queue[FUZZ_QUEUE];
	uint8_t structs[FUZZ_QUEUE][FUZZ_STRUCT];
	const struct statement *owners[FUZZ_QUEUE];
	unsigned int queued;
	int left;
};

/**
 * struct run - a program that runs
 * @program:  it
 * @shared:   with the fuzzer
 * @base:     of the ranges of services, by describe_service()
 * @made:     what statements made
 * @contexts: by number of the statement that made them
 * @threads:  them
 * @cover:    where their coverage goes
 * @rounds:   how often the later part is run
 * @until:    when nothing is begun once more, in milliseconds of CLOCK_MONOTONIC
 * @tick:     milliseconds after which what blocks is interrupted
 * @fails:    some allocations shall fail, and this kernel can do so
 * @linger:   milliseconds that a child stays after its last statement
 * @bells:    how many more doorbells are answered
 */
struct run {
	const struct program *program;
	struct shared *shared;
	uint32_t base[8];
	int64_t made[FUZZ_NUMBERS][2];
	struct context contexts[FUZZ_NUMBERS];
	struct thread threads[FUZZ_THREADS];
	struct coverage *cover;
	unsigned int rounds;
	long until;
	unsigned int tick;
	bool fails;
	unsigned int linger;
	int bells;
};

extern __thread struct thread *self;

/* execute.c: does not return. */
void execute_program(struct run *run) __attribute__((noreturn));

/* arena.c */
int arena_init(void);
int arena_map(struct arena *arenas, unsigned int count, unsigned int place);
void *arena_pointer(const struct thread *thread, const struct value *value, const struct value *on,
		    size_t base);

/* context.c */
struct context *context_of(struct run *run, int fd);
struct context *context_new(struct run *run, int fd);
int context_map(struct context *context, unsigned int which);
int context_dispatch(struct run *run, struct context *context, uint32_t state,
		     unsigned int max);
void context_answer(struct run *run, int signo);

/* trampoline.c */
void trampoline_of(struct context *context, struct aem_setup *setup);

/* signals.c */
void signals_init(void);
int signals_set(int signo, unsigned int how);
void signals_tick(unsigned int ms);

static inline long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif /* FUZZ_RUN_H */
