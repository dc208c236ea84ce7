/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzer knows of each call: a table a service. A new service is a file calls_NAME.c with
 * its table, and a line in tables[] of describe.c.
 */
#ifndef FUZZ_DESCRIBE_H
#define FUZZ_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(_array) (sizeof(_array) / sizeof((_array)[0]))

/**
 * enum resource - what a call makes and a field may want; a bit each
 * @RES_CONTEXT:  a descriptor of /dev/aem
 * @RES_BARE:     one without AEM_IOC_SETUP
 * @RES_TIMER:    an event of "timer"
 * @RES_NULL:     an event of "null"
 * @RES_IP:       an event of "ip"
 * @RES_PEXIT:    an event of "pexit"
 * @RES_WATCH:    an event of "fd" that watches files
 * @RES_SOURCE:   one that tells what a descriptor is ready for
 * @RES_LISTENER: a listening TCP socket
 * @RES_STREAM:   a connected TCP socket
 * @RES_FRESH:    a TCP socket that is neither
 * @RES_DATAGRAM: a UDP socket
 * @RES_UNIX:     an AF_UNIX socket
 * @RES_PIPE:     an end of a pipe
 * @RES_WAKER:    an eventfd, timerfd or signalfd
 * @RES_EPOLL:    an epoll descriptor
 * @RES_FILE:     a regular file or a directory
 * @RES_PIDFD:    a pidfd
 * @RES_PROCESS:  a process id
 * @RES_BLOCK:    an offset in the vmtable
 */
enum resource {
	RES_CONTEXT	= 1 << 0,
	RES_TIMER	= 1 << 1,
	RES_NULL	= 1 << 2,
	RES_IP		= 1 << 3,
	RES_PEXIT	= 1 << 4,
	RES_WATCH	= 1 << 5,
	RES_SOURCE	= 1 << 6,
	RES_LISTENER	= 1 << 8,
	RES_STREAM	= 1 << 9,
	RES_FRESH	= 1 << 10,
	RES_DATAGRAM	= 1 << 11,
	RES_UNIX	= 1 << 12,
	RES_PIPE	= 1 << 13,
	RES_WAKER	= 1 << 14,
	RES_EPOLL	= 1 << 15,
	RES_FILE	= 1 << 16,
	RES_PIDFD	= 1 << 17,
	RES_PROCESS	= 1 << 20,
	RES_BLOCK	= 1 << 21,
	RES_BARE	= 1 << 22,
};

#define RES_EVENT	(RES_TIMER | RES_NULL | RES_IP | RES_PEXIT | RES_WATCH | RES_SOURCE)
#define RES_SOCKET	(RES_LISTENER | RES_STREAM | RES_FRESH | RES_DATAGRAM | RES_UNIX)
#define RES_FD		(RES_CONTEXT | RES_BARE | RES_SOCKET | RES_PIPE | RES_WAKER | \
		RES_EPOLL | RES_FILE | RES_PIDFD)

/**
 * enum field_type - how a value for a field is chosen
 * @FIELD_NUMBER:  lo to hi, sometimes anything at all
 * @FIELD_BOUNDED: lo to hi, never more: what would only take long
 * @FIELD_FLAGS:   some of the bits of hi; sometimes others
 * @FIELD_CHOICE:  a value of choices[], hi of them; sometimes anything
 * @FIELD_SIZE:    hi, the size of the struct; sometimes another
 * @FIELD_TIME:    nanoseconds: from nothing to the end of time, mostly short
 * @FIELD_ZERO:    must be zero; sometimes is not
 * @FIELD_WANT:    a resource out of lo
 * @FIELD_POINTER: user memory, hi bytes or more
 * @FIELD_ADDRESS: a pointer to a socket address: that of a resource, or rubbish
 * @FIELD_NAME:    a service's name, in the struct
 * @FIELD_TEXT:    address of a string: number lo to hi of describe_text(), 0 for none; sometimes
 *                 rubbish
 */
enum field_type {
	FIELD_NUMBER,
	FIELD_BOUNDED,
	FIELD_FLAGS,
	FIELD_CHOICE,
	FIELD_SIZE,
	FIELD_TIME,
	FIELD_ZERO,
	FIELD_WANT,
	FIELD_POINTER,
	FIELD_ADDRESS,
	FIELD_NAME,
	FIELD_TEXT,
};

/**
 * enum text - strings, by number
 * @TEXT_NAME:    names that programs make and remove
 * @TEXT_FILE:    those of other files
 * @TEXT_PATTERN: patterns
 * @TEXT_END:     so many
 */
enum text {
	TEXT_NAME	= 1,
	TEXT_FILE	= TEXT_NAME + 10,
	TEXT_PATTERN	= TEXT_FILE + 10,
	TEXT_END	= TEXT_PATTERN + 10,
};

/**
 * struct field - an argument, or a field of a struct
 * @name:    in the text
 * @offset:  where in the struct
 * @size:    bytes
 * @type:    enum field_type
 * @lo:      see enum field_type
 * @hi:      see enum field_type
 * @choices: of FIELD_CHOICE
 */
struct field {
	const char *name;
	uint16_t offset;
	uint16_t size;
	uint32_t type;
	uint64_t lo;
	uint64_t hi;
	const uint64_t *choices;
};

/**
 * enum call_kind - how it is made
 * @CALL_IOCTL:  an ioctl of /dev/aem, with a struct
 * @CALL_PSEUDO: a pseudo-system call, with a struct
 * @CALL_SYSTEM: a function of system.h, with an array of 64-bit arguments in the place of the
 *               struct
 */
enum call_kind {
	CALL_IOCTL,
	CALL_PSEUDO,
	CALL_SYSTEM,
};

struct run;

/**
 * struct call - what can be called
 * @name:    in the text
 * @kind:    enum call_kind
 * @number:  of the ioctl, or of the pseudo-system call within its range
 * @service: the pseudo-system call's; NULL: the core's
 * @size:    of the struct
 * @on:      the context that it wants; 0: RES_CONTEXT
 * @result:  where in the struct the resource is found that it makes
 * @makes:   enum resource, of the first and the second result; 0: none
 * @weight:  how often it is chosen; 0: as calls of its kind are
 * @may_fail: it need not ever succeed
 * @rare:    it takes the time of dozens of others, or puts an end to things: not in each round
 * @poor:    what it makes is seldom good for much: not chosen where something is needed
 * @fields:  its fields
 * @n_fields: how many
 * @system:  of CALL_SYSTEM: returns 0 or more, or -errno
 */
struct call {
	const char *name;
	uint32_t kind;
	uint32_t number;
	const char *service;
	uint16_t size;
	uint16_t result;
	uint32_t on;
	uint32_t makes[2];
	uint8_t weight;
	uint8_t may_fail;
	uint8_t rare;
	uint8_t poor;
	const struct field *fields;
	uint16_t n_fields;
	long (*system)(struct run *run, const uint64_t *arg, uint64_t *made);
};

/**
 * struct call_table - a service's calls
 * @calls: them
 * @count: how many
 */
struct call_table {
	const struct call *calls;
	unsigned int count;
};

#define FUZZ_FIELDS	20
#define FUZZ_CALLS	128
#define FUZZ_STRUCT	512

#define FIELD(_struct, _field, _type, _lo, _hi)						\
	{ .name = #_field, .offset = offsetof(_struct, _field),				\
	  .size = sizeof(((_struct *)0)->_field), .type = FIELD_##_type,		\
	  .lo = _lo, .hi = _hi }
#define CHOICE(_struct, _field, _choices)						\
	{ .name = #_field, .offset = offsetof(_struct, _field),				\
	  .size = sizeof(((_struct *)0)->_field), .type = FIELD_CHOICE,			\
	  .hi = ARRAY_SIZE(_choices), .choices = _choices }
#define SIZE(_struct)									\
	FIELD(_struct, size, SIZE, 0, sizeof(_struct))
#define REGISTRATION(_struct)								\
	FIELD(_struct, reg.handler, NUMBER, 1, 0xffff),					\
	FIELD(_struct, reg.cookie, NUMBER, 0, 0xffff),					\
	FIELD(_struct, reg.flags, FLAGS, EVF_START,						\
	      EVF_START | EVF_SAFEPOINT | EVF_ONESHOT | EVF_WAKE_LEAST | EVF_WAKE_ALL | \
	      EVF_NEAR),								\
	FIELD(_struct, reg.prio, NUMBER, 0, AEM_PRIORITIES - 1)

/* An argument of a system call. */
#define ARGUMENT(_nr, _name, _type, _lo, _hi)						\
	{ .name = _name, .offset = 8 * (_nr), .size = 8, .type = FIELD_##_type,	\
	  .lo = _lo, .hi = _hi }
#define ARGUMENT_CHOICE(_nr, _name, _choices)						\
	{ .name = _name, .offset = 8 * (_nr), .size = 8, .type = FIELD_CHOICE,		\
	  .hi = ARRAY_SIZE(_choices), .choices = _choices }

#define IOCTL(_name, _number, _struct, _fields, ...)					\
	{ .name = _name, .kind = CALL_IOCTL, .number = _number, .size = sizeof(_struct),	\
	  .fields = _fields, .n_fields = ARRAY_SIZE(_fields), __VA_ARGS__ }
#define PSEUDO(_name, _service, _number, _struct, _fields, ...)				\
	{ .name = _name, .kind = CALL_PSEUDO, .number = _number, .service = _service,	\
	  .size = sizeof(_struct), .fields = _fields,					\
	  .n_fields = ARRAY_SIZE(_fields), __VA_ARGS__ }
#define REGISTERS(_struct, _resource)							\
	.makes = { _resource }, .result = offsetof(_struct, reg.id)
#define SYSTEM(_function, _fields, ...)							\
	{ .name = #_function, .kind = CALL_SYSTEM,						\
	  .size = ARRAY_SIZE(_fields) * 8, .fields = _fields,				\
	  .n_fields = ARRAY_SIZE(_fields), .system = system_##_function, __VA_ARGS__ }

extern const struct call_table core_table, timer_table, ip_table, null_table, pexit_table,
	fd_table, process_table, memory_table, file_table, path_table, socket_table;

unsigned int describe_count(void);
const struct call *describe_call(unsigned int index);
/* What an ioctl is made on. */
static inline uint32_t describe_on(const struct call *call)
{
	return call->on ? call->on : RES_CONTEXT;
}

unsigned int describe_weight(const struct call *call);
int describe_find(const char *name);
int describe_check(void);

/* Names of services, for FIELD_NAME: by number. The first are those that there are. */
#define FUZZ_SERVICES	5

const char *describe_service(unsigned int number);
unsigned int describe_services(void);

const char *describe_text(uint64_t number);

#endif /* FUZZ_DESCRIBE_H */
