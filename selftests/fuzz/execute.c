// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program: its statements, each in its thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "run.h"

#define STACK	(128 << 10)
/* After how many rounds all of a program is run. */
#define ALL	32

__thread struct thread *self;

/* No error of the kernel's own may get out, nor one that the contract does not name. */
static bool is_trouble(const struct call *call, int error)
{
	if (call->kind == CALL_SYSTEM)
		return false;
	return error > EHWPOISON ||
	       (error == ESHUTDOWN && (!call->service || strcmp(call->service, "ip")));
}

static void count(const struct statement *statement)
{
	__atomic_add_fetch(&self->run->shared->tried[statement->call], 1, __ATOMIC_RELAXED);
}

/* @made: the kernel was entered. What is not the descriptor of a context does not count. */
static void note(const struct statement *statement, long ret, bool made)
{
	struct shared *shared = self->run->shared;
	unsigned int call = statement->call;
	int error = ret < 0 ? -ret : 0;

	if (made && error != EBADF && error != ENOTTY)
		__atomic_add_fetch(&shared->reached[call], 1, __ATOMIC_RELAXED);
	if (!error)
		__atomic_add_fetch(&shared->succeeded[call], 1, __ATOMIC_RELAXED);
	__atomic_or_fetch(&shared->outcomes[call][error / 64 % 4], 1ULL << error % 64,
			  __ATOMIC_RELAXED);
	if (is_trouble(describe_call(call), error)) {
		__atomic_store_n(&shared->errno_of, error, __ATOMIC_RELAXED);
		__atomic_store_n(&shared->trouble, call + 1, __ATOMIC_RELAXED);
	}
}

static uint64_t made_by(const struct value *value)
{
	struct run *run = self->run;

	return __atomic_load_n(&run->made[value->number % FUZZ_NUMBERS][value->number >> 8 & 1],
			       __ATOMIC_RELAXED);
}

static void set_made(const struct statement *statement, const uint64_t *made)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		__atomic_store_n(&self->run->made[statement->number][i], made[i],
				 __ATOMIC_RELAXED);
}

/* The address that a socket has. */
static uint64_t address_of(int fd)
{
	uint8_t *place = self->arena->good + ARENA_ADDRESS;
	socklen_t length = 128;

	memset(place, 0, 32);
	getsockname(fd, (struct sockaddr *)place, &length);
	return (uintptr_t)place;
}

static uint64_t resolve(const struct statement *statement, const struct field *field,
			const struct value *value)
{
	switch (value->kind) {
	case VALUE_RESULT:
		if (field->type == FIELD_ADDRESS)
			return address_of(made_by(value));
		return made_by(value);
	case VALUE_POINTER:
		return (uintptr_t)arena_pointer(self, value, &statement->fd, 0);
	default:
		if (field->type == FIELD_TEXT)
			return (uintptr_t)describe_text(value->number);
		return value->number;
	}
}

static void fill(const struct statement *statement, uint8_t *arg)
{
	const struct call *call = describe_call(statement->call);
	const struct field *field;
	unsigned int i;
	uint64_t number;

	memset(arg, 0, call->size);
	for (i = 0; i < call->n_fields; i++) {
		field = &call->fields[i];
		number = resolve(statement, field, &statement->field[i]);
		if (field->type == FIELD_NAME)
			strncpy((char *)arg + field->offset, describe_service(number),
				field->size);
		else
			memcpy(arg + field->offset, &number, field->size);
	}
}

/* Puts a struct where the statement wants it, if that can be written. */
static void *put_struct(const struct statement *statement, const uint8_t *arg, size_t size)
{
	uint8_t *place, *target;

	place = arena_pointer(self, &statement->at, &statement->fd, ARENA_STRUCTS);
	target = place;
	switch (statement->at.number >> 32) {
	case PLACE_READ:
		target = self->arena->good + (place - self->arena->read);
		break;
	case PLACE_EDGE:
		if (size > (size_t)(self->arena->edge - place))
			size = self->arena->edge - place;
		break;
	case PLACE_GOOD:
	case PLACE_CONTROL:
	case PLACE_RING:
	case PLACE_ZONE:
		break;
	default:
		return place;
	}
	if (target)
		memcpy(target, arg, size);
	return place;
}

/* What the call made, out of its struct. */
static void keep_result(const struct statement *statement, const uint8_t *arg)
{
	const struct call *call = describe_call(statement->call);
	uint64_t made[2] = { 0, 0 };

	if (!call->makes[0])
		return;
	memcpy(&made[0], arg + call->result, sizeof(made[0]));
	set_made(statement, made);
}

static uint32_t number_of(const struct call *call)
{
	unsigned int i;

	for (i = 0; call->service && i < describe_services(); i++)
		if (!strcmp(call->service, describe_service(i)))
			return self->run->base[i] + call->number;
	return call->number;
}

static void enqueue(const struct statement *statement)
{
	const struct call *call = describe_call(statement->call);
	unsigned int i = self->queued++;

	count(statement);
	fill(statement, self->structs[i]);
	self->owners[i] = statement;
	self->queue[i] = (struct aem_call){
		.size = sizeof(struct aem_call), .nr = number_of(call),
		.arg = (uintptr_t)put_struct(statement, self->structs[i], call->size),
	};
	/* Calls of one batch share no struct, unless it lies somewhere odd. */
	if (statement->at.number >> 32 == PLACE_GOOD)
		self->queue[i].arg = (uintptr_t)self->structs[i];
}

static void dequeue(unsigned int done)
{
	unsigned int i;

	for (i = 0; i < self->queued && i < done; i++) {
		note(self->owners[i], self->queue[i].result, true);
		if (self->queue[i].result >= 0)
			keep_result(self->owners[i], self->structs[i]);
	}
	self->queued = 0;
}

static long make_ioctl(const struct statement *statement, int fd)
{
	const struct call *call = describe_call(statement->call);
	uint8_t arg[FUZZ_STRUCT];
	struct aem_enter *enter = (struct aem_enter *)arg;
	bool flush = call->number == AEM_IOC_ENTER && self->queued;
	uint8_t *place;
	long ret;

	fill(statement, arg);
	if (flush) {
		enter->calls = (uintptr_t)self->queue;
		enter->n_calls = self->queued;
	}
	place = put_struct(statement, arg, call->size);
	ret = ioctl(fd, call->number, place) ? -errno : 0;
	if (!ret && call->number == AEM_IOC_MANAGE)
		self->run->shared->managed = 1;
	if (flush)
		dequeue(ret == -EFAULT ? 0 : ((struct aem_enter *)place)->done);
	if (!ret)
		keep_result(statement, place);
	return ret;
}

static long make_pseudo(const struct statement *statement, int fd)
{
	const struct call *call = describe_call(statement->call);
	uint8_t arg[FUZZ_STRUCT];
	struct aem_call request = { .size = sizeof(request), .nr = number_of(call) };
	uint8_t *place;

	fill(statement, arg);
	place = put_struct(statement, arg, call->size);
	request.arg = (uintptr_t)place;
	if (ioctl(fd, AEM_IOC_CALL, &request))
		return -errno;
	keep_result(statement, place);
	return request.result;
}

static long make_system(const struct statement *statement)
{
	const struct call *call = describe_call(statement->call);
	uint64_t arg[FUZZ_STRUCT / 8], made[2] = { -1, -1 };
	long ret;

	fill(statement, (uint8_t *)arg);
	ret = call->system(self->run, arg, made);
	if (ret >= 0 && (call->makes[0] | call->makes[1]))
		set_made(statement, made);
	return ret;
}

static long make_call(const struct statement *statement)
{
	const struct call *call = describe_call(statement->call);
	int fd = -1;

	if (call->kind == CALL_SYSTEM)
		return make_system(statement);
	fd = statement->fd.kind == VALUE_RESULT ? made_by(&statement->fd) : statement->fd.number;
	return call->kind == CALL_IOCTL ? make_ioctl(statement, fd) : make_pseudo(statement, fd);
}

static void set_failure(unsigned int nth)
{
	char text[16];
	int length;

	if (self->fail_fd < 0)
		return;
	length = snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(self->fail_fd, text, length, 0) < 0)
		self->fail_fd = -1;
}

static void end_call(const struct statement *statement, long ret, bool made)
{
	self->armed = 0;
	if (statement->fail)
		set_failure(0);
	note(statement, ret, made);
}

static void run_once(const struct statement *statement)
{
	self->statement = statement;
	count(statement);
	if (sigsetjmp(self->guard, 0)) {
		end_call(statement, -EFAULT, false);
		return;
	}
	self->armed = 1;
	if (statement->fail)
		set_failure(statement->fail);
	end_call(statement, make_call(statement), true);
}

/* A child is there for a moment, so that others find it. */
static void end_child(void)
{
	struct timespec moment = { 0, self->run->linger * 1000000L };

	nanosleep(&moment, NULL);
	_exit(0);
}

static void run_statement(const struct statement *statement)
{
	unsigned int i;

	if (self->left >= 0 && !self->left--)
		end_child();
	if (statement->queued && self->queued < FUZZ_QUEUE) {
		self->statement = statement;
		if (!sigsetjmp(self->guard, 0)) {
			self->armed = 1;
			enqueue(statement);
		}
		self->armed = 0;
		return;
	}
	for (i = 0; i < statement->repeat && (!i || now_ms() < self->run->until); i++)
		run_once(statement);
}

static void begin_thread(struct thread *thread)
{
	char path[64];

	self = thread;
	thread->fail_fd = -1;
	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	if (thread->run->fails)
		thread->fail_fd = open(path, O_WRONLY | O_CLOEXEC);
	signals_tick(thread->run->tick);
	coverage_enable(&thread->run->cover[thread->index]);
}

/*
 * All once, and then what does not belong to the beginning and is not rare again and again: it
 * meets what the rounds before left, and another thread that is somewhere else each time. Now and
 * then all once more, since what is closed or has ended is of no more use.
 */
static void run_thread(struct thread *thread, unsigned int from)
{
	const struct run *run = thread->run;
	const struct program *program = run->program;
	unsigned int i, round;

	for (round = 0; round < run->rounds && (!round || now_ms() < run->until); round++) {
		for (i = from; i < program->count; i++)
			if (program->list[i].thread == thread->index &&
			    (round % ALL == 0 || !describe_call(program->list[i].call)->rare))
				run_statement(&program->list[i]);
		from = (round + 1) % ALL ? program->count / 3 : 0;
	}
	if (thread->left >= 0)
		end_child();
}

static void *thread_main(void *data)
{
	struct thread *thread = data;

	begin_thread(thread);
	run_thread(thread, 0);
	return NULL;
}

/* Statements of the first thread before any of another: those that the others build on. */
static unsigned int run_prologue(struct run *run)
{
	const struct program *program = run->program;
	unsigned int i;

	for (i = 0; i < program->count && !program->list[i].thread; i++)
		run_statement(&program->list[i]);
	return i;
}

void execute_program(struct run *run)
{
	unsigned int i, from, threads = program_threads(run->program);
	pthread_t others[FUZZ_THREADS];
	bool started[FUZZ_THREADS] = { false };
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	signals_init();
	begin_thread(&run->threads[0]);
	from = run_prologue(run);
	for (i = 1; i < threads && self->left < 0; i++)
		started[i] = !pthread_create(&others[i], &attr, thread_main, &run->threads[i]);
	run_thread(self, from);
	for (i = 1; i < threads; i++)
		if (started[i])
			pthread_join(others[i], NULL);
	_exit(0);
}
