/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of libaem share.
 */
#ifndef LIBAEM_INTERNAL_H
#define LIBAEM_INTERNAL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

#pragma GCC visibility push(default)
#include <aem/aem.h>
#include <aem/fd.h>
#include <aem/ip.h>
#include <aem/pexit.h>
#include <aem/timer.h>
#pragma GCC visibility pop

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

/* Ranges of call numbers that the kernel hands out; aem_bind() checks. */
#define MAX_RANGES	64
#define MAX_CALLS	(MAX_RANGES * AEM_RANGE_CALLS)

/*
 * Each dispatch inside a handler runs strictly higher priorities only, so no more
 * than one frame per priority and one below them can be open.
 */
#define MAX_FRAMES	(AEM_PRIORITIES + 1)

/*
 * Between the owner and its own signal handler, and with the kernel: single
 * accesses that the compiler neither splits nor moves across each other.
 */
#define LOAD(x)		__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
/* The compiler moves nothing across; a signal handler needs no more than that. */
#define FENCE()		__atomic_signal_fence(__ATOMIC_SEQ_CST)

/**
 * struct frame - the records of one AEM_IOC_ENTER whose handlers are being run
 * @index: of the record whose turn it is, free-running
 * @end:   index behind the last
 * @entry: level in force when the dispatch began
 * @flags: AEM_ENTER_INTERRUPT: the dispatch leaves out events with EVF_SAFEPOINT
 * @keep:  the running handler wants to keep its block
 * @in_run: the dispatch is aem_run()
 */
struct frame {
	uint32_t index;
	uint32_t end;
	uint8_t entry;
	uint8_t flags;
	uint8_t keep;
	uint8_t in_run;
};

struct queued;
typedef void (*report_fn)(struct aem *aem, const struct queued *queued,
			  const void *arg, int64_t result);

/**
 * struct queued - beside a queued struct aem_call: who is told its result
 * @report: NULL: nobody
 * @done:   the program's callback, which @report casts back
 * @user:   for @done
 */
struct queued {
	report_fn report;
	void (*done)(void);
	void *user;
};

/**
 * struct queue - calls that wait for the next crossing
 * @calls:     made are those before @made, reported those before @head
 * @queued:    what to do with their results
 * @bytes:     their arguments and data, up to @used
 * @size:      of @bytes
 * @used:      bytes of it in use; all are given back when @head meets @tail
 * @max:       elements of @calls
 * @head:      next to report
 * @made:      next to make
 * @tail:      next to fill
 * @wanted:    of the calls that are not made, how many have a report that cannot wait
 * @reporting: callbacks that we are in
 *
 * Touched only while the level is AEM_LEVEL_ALL.
 */
struct queue {
	struct aem_call *calls;
	struct queued *queued;
	char *bytes;
	size_t size;
	size_t used;
	uint32_t max;
	uint32_t head;
	uint32_t made;
	uint32_t tail;
	uint32_t wanted;
	uint32_t reporting;
};

/**
 * struct storm - whether interruptions leave the program any time
 * @ended:   when the last one did
 * @took:    how long it took
 * @pressed: how many in a row came soon after one another
 * @base:    1 + the frames below the outermost dispatch that is open, 0: none is
 * @bursts:  what that has run, with those in its handlers
 * @top:     the highest priority among these
 *
 * Times are in the ticks of storm.c.
 */
struct storm {
	uint64_t ended;
	uint64_t took;
	uint32_t pressed;
	uint32_t base;
	uint32_t bursts;
	uint32_t top;
};

/* Index in aem.bases */
enum { BASE_TIMER, BASE_IP, BASE_PEXIT, BASE_FD, BASES };

/**
 * struct aem - a context
 * @control:    shared with the kernel. NULL in a child after fork (the whole
 *              struct is wiped there) and with AEM_OPEN_LOOK
 * @ring:       shared with the kernel
 * @vmt:        shared with the kernel
 * @mask:       ring_entries - 1
 * @interrupts: a doorbell may ring: the level must be lowered with care
 * @swallowed:  the doorbell rang while everything was held back; written by the
 *              signal handler
 * @depth:      frames that are open
 * @frames:     them
 * @queue:      queued calls
 * @storm:      whether interruptions leave the program any time
 * @waiting:    the struct of an AEM_IOC_ENTER that may sleep, for aem_stop()
 * @stop:       aem_stop() was called
 * @alive:      true; false in a child after fork
 * @fd:         descriptor of /dev/aem
 * @next:       further contexts of this thread that can be interrupted
 * @anchor:     address of the owner's thread_contexts: tells threads apart
 * @tid:        the owner
 * @signo:      the doorbell's signal
 * @bases:      of services that typed functions have bound, 0: not yet
 * @thunks:     by number of the pseudo-system call
 *
 * Everything belongs to the owner, but for @stop, and what is constant after
 * aem_open().
 */
struct aem {
	struct aem_control *control;
	struct aem_record *ring;
	char *vmt;
	uint32_t mask;
	bool interrupts;
	bool swallowed;
	uint32_t depth;
	struct frame frames[MAX_FRAMES];
	struct queue queue;
	struct storm storm;
	struct aem_enter *waiting;
	bool stop;
	bool alive;
	int fd;
	struct aem *next;
	const void *anchor;
	pid_t tid;
	int signo;
	uint32_t bases[BASES];
	struct aem_thunk thunks[MAX_CALLS];
};

static inline int call_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return likely(ret >= 0) ? ret : -errno;
}

/* In a child after fork, or only looking: nothing that the pages are needed for. */
static inline int check(const struct aem *aem)
{
	if (likely(aem->control))
		return 0;
	return aem->alive ? -ENXIO : -EPERM;
}

static inline unsigned int level_of(const struct aem *aem)
{
	return LOAD(aem->control->level);
}

/* Holds everything back; needs no barrier: a late doorbell finds the level. */
static inline unsigned int mask_all(struct aem *aem)
{
	unsigned int level = level_of(aem);

	STORE(aem->control->level, AEM_LEVEL_ALL);
	/* What the level protects must not be touched before the store. */
	FENCE();
	return level;
}

/* Bits of priorities from level on; level may be 32. */
static inline uint32_t bits_from(uint32_t bits, unsigned int level)
{
	return (uint32_t)((uint64_t)bits >> level);
}

/**
 * lower_and_look() - put a lower level in force
 * @aem:   the context
 * @level: the level
 * @from:  the lowest priority that is looked for
 *
 * The kernel rings for an event only if it finds the level low enough, so what came
 * before the store must be looked for after it: a full barrier lies between, as
 * it does in the kernel between its two accesses.
 *
 * Return: true: interrupts were held back that are due now: aem_dispatch_drain() them.
 */
static inline bool lower_and_look(struct aem *aem, unsigned int level, unsigned int from)
{
	FENCE();
	if (!aem->interrupts) {
		STORE(aem->control->level, level);
		return false;
	}
	__atomic_exchange_n(&aem->control->level, level, __ATOMIC_SEQ_CST);
	return bits_from(LOAD(aem->control->interrupt), from) ||
	       (LOAD(aem->swallowed) && level < AEM_LEVEL_ALL);
}

static inline bool lower(struct aem *aem, unsigned int level)
{
	return lower_and_look(aem, level, level);
}

/* storm.c */
uint64_t aem_storm_begin(struct aem *aem);
void aem_storm_end(struct aem *aem, uint64_t began);
bool aem_storm_is_enough(struct aem *aem, unsigned int top);
void aem_storm_enter(struct aem *aem);
void aem_storm_leave(struct aem *aem);

/* doorbell.c */
int aem_doorbell_attach(struct aem *aem, int signo);
void aem_doorbell_detach(struct aem *aem);
void aem_doorbell_look(void);
unsigned int aem_doorbell_depth(void);
void aem_doorbell_unwind(unsigned int depth);
const void *aem_doorbell_anchor(void);

static inline bool is_owner(const struct aem *aem)
{
	return aem->anchor == aem_doorbell_anchor();
}

/* dispatch.c */
int aem_dispatch_enter(struct aem *aem, struct aem_enter *e, unsigned int level);
int aem_dispatch_drain(struct aem *aem, uint32_t flags);
int aem_dispatch_interrupt(struct aem *aem, unsigned int level, uint32_t *fruitless);
int aem_dispatch_leave(struct aem *aem, unsigned int level);

/* queue.c */
size_t aem_queue_memory(uint32_t calls, size_t bytes);
void aem_queue_setup(struct queue *q, uint32_t calls, size_t bytes, char *memory);
void aem_queue_report(struct aem *aem);
int aem_queue_room(struct aem *aem, size_t length, void **room);
void aem_queue_add(struct aem *aem, uint32_t nr, void *arg, size_t length,
		   const struct queued *queued);
int aem_queue_flush(struct aem *aem);
int aem_queue_now(struct aem *aem, uint32_t nr, void *arg, const struct queued *queued);

/* ip.c */
int aem_ip_base(struct aem *aem);

/* saved.c */
int aem_saved_take(const char *service, uint64_t token, char *text, size_t size);
int aem_saved_number(const char *text, const char *name, uint64_t *value);

/* service.c */
int aem_service_bind(struct aem *aem, int index, const char *name, uint32_t version,
		     const struct aem_thunk *thunks, unsigned int n);

/* Of a record's arguments seen as 32-bit words. */
static inline uint32_t word_of(const struct aem_record *record, unsigned int n)
{
	uint32_t word;

	__builtin_memcpy(&word, (const char *)record->arg + n * sizeof(word), sizeof(word));
	return word;
}

/* The base of a service of ours, bound at its first use: base or -errno. */
static inline int base_of(struct aem *aem, int index, const char *name, uint32_t version,
			  const struct aem_thunk *thunks, unsigned int n)
{
	if (likely(aem->bases[index]))
		return aem->bases[index];
	return aem_service_bind(aem, index, name, version, thunks, n);
}

#endif /* LIBAEM_INTERNAL_H */
