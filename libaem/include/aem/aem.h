/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libaem: handlers that the kernel's events call, with their data in their
 * parameters. Model, threads, signals and fork: Documentation/libaem.rst.
 */
#ifndef AEM_AEM_H
#define AEM_AEM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/aem.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: conventions
 *
 * Every function that can fail returns a negative errno (-ENOENT), and 0 or
 * something positive when it did not. Nothing is printed, and what errno holds
 * afterwards means nothing. What each errno means is said once, in
 * <linux/aem.h> and in the headers of the services.
 *
 * A context (struct aem) belongs to the thread that opened it. The functions
 * marked "any thread" may be called by others as well, the rest only by the
 * owner: in its handlers, or outside.
 *
 * Handlers and callbacks are plain function pointers; from C++ a lambda without
 * captures will do. The @user pointer is handed back unread.
 */

/** struct aem - a context: one open /dev/aem and what belongs to it; opaque */
struct aem;

/** typedef aem_id - an event. 0 is none; ids are not used again */
typedef uint64_t aem_id;

/**
 * DOC: how
 *
 * Registrations take priority and flags in one word, @how: AEM_PRIO(5) |
 * EVF_ONESHOT. 0 is priority 0 and no flags. Events start as they are
 * registered unless AEM_STOPPED is in it; EVF_START need not be given. Where handlers
 * interrupt, one may run before the function that registers it has filled @id:
 * use its parameter, or register with the level raised.
 */

/** AEM_PRIO() - a priority as part of @how: 0 to 31, 31 is the most urgent */
#define AEM_PRIO(prio)		(0xffffU & (uint32_t)(prio))

/** AEM_STOPPED: Register the event stopped; aem_event_start() starts it. */
#define AEM_STOPPED		(1U << 16)

/** AEM_LEVEL_ALL: The level that holds every event back. */
#define AEM_LEVEL_ALL		((unsigned int)AEM_PRIORITIES)

/** AEM_OPEN_SAFEPOINT: No handler interrupts: they run in aem_run(), aem_wait(), aem_dispatch(). */
#define AEM_OPEN_SAFEPOINT	(1U << 0)

/**
 * AEM_OPEN_SIGNAL: Interrupt by signal only. Without it the kernel redirects the thread's
 * registers instead where it can, at half the price; aem_query() tells (AEM_SETUP_REDIRECT).
 */
#define AEM_OPEN_SIGNAL		(1U << 2)

/** AEM_OPEN_HINT: Active events raise the thread's claim on a processor, see AEM_SETUP_HINT. */
#define AEM_OPEN_HINT		(1U << 3)

/**
 * AEM_OPEN_LOOK: Only for aem_query(), aem_service_info() and aem_manage(); the rest says
 * -ENXIO.
 */
#define AEM_OPEN_LOOK		(1U << 1)

/**
 * struct aem_options - what aem_open() may be told; all zero is a good choice
 * @flags:        AEM_OPEN_*. Without AEM_OPEN_SAFEPOINT a handler interrupts
 *                the owning thread wherever it is, like a signal handler, and may
 *                call what a signal handler may call, and what this library marks
 *                as safe there (everything but aem_open(), aem_close() and
 *                aem_bind())
 * @signo:        signal that interrupts. 0: the library picks a real-time
 *                signal that nobody has a handler for. Not for AEM_OPEN_SAFEPOINT
 * @ring_entries: records that may wait for their handlers: a power of two, 64 to
 *                4096; 0: 256
 * @queue_calls:  calls that may be queued before they must be handed over, up to
 *                4096; 0: 512
 * @vmt_size:     bytes of memory shared with the kernel, where handlers find
 *                their data, a multiple of 64 KiB; 0: 1 MiB
 * @queue_bytes:  for arguments and data of queued calls, at least 4096;
 *                0: 256 KiB. Takes memory only as far as it is used
 * @reserved:     0
 */
struct aem_options {
	uint32_t flags;
	int32_t signo;
	uint32_t ring_entries;
	uint32_t queue_calls;
	uint64_t vmt_size;
	uint64_t queue_bytes;
	uint64_t reserved[4];
};

/**
 * aem_open() - make a context, owned by the calling thread
 * @aem:     filled on success
 * @options: NULL: all zero
 *
 * A thread may have several. Not in handlers.
 *
 * Return: 0; -ENOENT, -EACCES, -ENXIO or what open("/dev/aem") says
 * (aem_strerror_hint() says what to do); -EINVAL; -EBUSY: somebody has a handler
 * for @signo; -EPROTO: the kernel's ABI is older than the library; -ENOMEM,
 * -EDQUOT, -ENOSPC.
 */
int aem_open(struct aem **aem, const struct aem_options *options);

/**
 * aem_close() - unregister all events of a context and free it
 * @aem: may be NULL. Calls still queued are not made, and their callbacks do not
 *       run
 *
 * In a child process after fork() this is the one function that may be called; it
 * takes nothing away from the parent.
 *
 * Return: 0; -EBUSY: called in a handler of this context; -EPERM: not its owner,
 * who is still there.
 */
int aem_close(struct aem *aem);

/**
 * aem_fd() - the descriptor, to wait on with poll(), epoll, io_uring ...
 * @aem: the context
 *
 * Readable while events are active that aem_dispatch() would run. It stays the
 * context's: do not close it. Any thread.
 */
int aem_fd(const struct aem *aem);

/**
 * aem_strerror_hint() - what to do about an error of aem_open() or aem_bind()
 * @error: the negative errno
 *
 * Return: one sentence without a full stop; what strerror() says if there is nothing
 * better. Never NULL, constant. Any thread.
 */
const char *aem_strerror_hint(int error);

/** AEM_RUN_FOLDER: What the tools keep until the machine is switched off. */
#define AEM_RUN_FOLDER		"/run/aem"
/** AEM_SAVED_FOLDER: Where aemctl restore lays registrations out, to be taken up by their users. */
#define AEM_SAVED_FOLDER	AEM_RUN_FOLDER "/saved"

/* Running handlers */

/**
 * aem_dispatch() - run the handlers that are due; do not wait
 * @aem: the context
 *
 * Makes the queued calls, runs the handlers of the events that are active
 * at or above the level in force, most urgent first, and makes the calls
 * that those queued.
 *
 * Return: how many handlers ran, or -errno of AEM_IOC_ENTER.
 */
int aem_dispatch(struct aem *aem);

/**
 * aem_wait() - wait until a handler is due, then do as aem_dispatch()
 * @aem:        the context
 * @timeout_ns: longest wait in nanoseconds; negative: no limit
 *
 * Return: how many handlers ran; -ETIME: none in this time; -EINTR: a signal was
 * handled (the interrupt of another context is one) or aem_stop() was called, and
 * no handler ran; -errno of AEM_IOC_ENTER.
 */
int aem_wait(struct aem *aem, int64_t timeout_ns);

/**
 * aem_run() - run handlers as they become due until aem_stop()
 * @aem: the context
 *
 * The cheapest loop: one system call for each burst of events; it takes
 * back finished records, makes the queued calls and fetches the next events.
 * Goes on after signals.
 *
 * Return: 0 after aem_stop(); -errno of AEM_IOC_ENTER.
 */
int aem_run(struct aem *aem);

/**
 * aem_stop() - let the innermost aem_run() return after the burst that it is in
 * @aem: the context
 *
 * An aem_wait() returns as well. If nobody runs, the next aem_run() returns at once.
 * In handlers, and in signal handlers of the owning thread, where it ends
 * the wait too. From other threads it ends the wait only of a context that can be
 * interrupted; others return after their next event.
 */
void aem_stop(struct aem *aem);

/**
 * aem_current() - the record whose handler runs now
 * @aem: the context
 *
 * Tells what is not among the handler's parameters: how many occurrences the call
 * stands for (count), how many were lost before it (lost), the priority, and
 * whether the event has ended (flags & AEM_RECORD_F_LAST).
 *
 * Return: the record, valid until the handler returns; NULL outside of handlers.
 */
const struct aem_record *aem_current(const struct aem *aem);

/**
 * aem_keep() - keep the block that the running handler's data lies in
 * @aem: the context
 *
 * The data stays where it is after the handler, until aem_vmt_free().
 *
 * Return: the block's start, for aem_vmt_free(); NULL if the handler has no block.
 */
void *aem_keep(struct aem *aem);

/* Level: critical sections without a system call */

/**
 * aem_level_raise() - hold events back
 * @aem:   the context
 * @level: from now on only events with priority >= @level run: prio + 1 holds
 *         back prio and everything below, AEM_LEVEL_ALL holds back all. A level
 *         below the one in force changes nothing
 *
 * A handler runs at level prio + 1 of its event, cannot go below that, and must
 * leave the level as it found it.
 *
 * Return: the level that was in force, for aem_level_restore().
 */
unsigned int aem_level_raise(struct aem *aem, unsigned int level);

/**
 * aem_level_restore() - end what aem_level_raise() began
 * @aem:   the context
 * @level: what that returned
 *
 * Interrupts that were held back happen before it returns. Costs no system
 * call if there are none.
 */
void aem_level_restore(struct aem *aem, unsigned int level);

/**
 * aem_mark() - where we are, for aem_unwind()
 * @aem: the context
 */
unsigned int aem_mark(const struct aem *aem);

/**
 * aem_unwind() - set right what a jump out of a handler left behind
 * @aem:  the context
 * @mark: from aem_mark() at the place where the jump came to
 *
 * After longjmp() or a C++ exception out of handlers: these count as returned,
 * the level is what it was at the mark, and the handlers that were due after
 * them run before aem_unwind() returns. Until then only events of higher
 * priority than the handler left run.
 *
 * Return: how many handlers ran, or -errno.
 */
int aem_unwind(struct aem *aem, unsigned int mark);

/* Events */

/**
 * aem_event_start() - arm an event, see AEM_EVENT_START
 * @aem: the context
 * @id:  the event
 *
 * Any thread. Return: 0 or -errno, as the following ones.
 */
int aem_event_start(struct aem *aem, aem_id id);

/** aem_event_stop() - disarm an event, see AEM_EVENT_STOP. Any thread. */
int aem_event_stop(struct aem *aem, aem_id id);

/** aem_event_prio() - change an event's priority, see AEM_EVENT_PRIO. Any thread. */
int aem_event_prio(struct aem *aem, aem_id id, unsigned int prio);

/**
 * aem_event_near() - wake a thread near a processor, see AEM_EVENT_NEAR
 * @aem: the context
 * @id:  the event
 * @cpu: the processor, AEM_NEAR_STIMULUS or AEM_NEAR_ANY
 *
 * Any thread.
 */
int aem_event_near(struct aem *aem, aem_id id, uint32_t cpu);

/**
 * aem_event_shutdown() - unregister an event, see AEM_EVENT_SHUTDOWN
 * @aem: the context
 * @id:  the event
 *
 * When it returns, the event's handler does not start any more, and has ended unless the
 * caller is in it. Calls queued before are made first if the owner calls.
 * Waits on when a signal interrupts it. Any thread.
 */
int aem_event_shutdown(struct aem *aem, aem_id id);

/**
 * aem_event_info() - ask about an event
 * @aem:  the context
 * @id:   the event
 * @info: filled, needs no preparation. Of its @state: AEM_EVENT_S_STARTED,
 *        AEM_EVENT_S_ACTIVE (its handler is due), AEM_EVENT_S_BUSY (it runs, or its
 *        record waits for it), AEM_EVENT_S_STARVED
 *
 * Any thread. Return: 0 or -errno.
 */
int aem_event_info(struct aem *aem, aem_id id, struct aem_event *info);

/* Memory shared with the kernel */

/**
 * aem_vmt_alloc() - take a block
 * @aem:    the context
 * @length: bytes, 1 to 65536
 * @block:  filled on success
 *
 * Any thread. Return: 0; -EINVAL, -ENOSPC, -ENOMEM.
 */
int aem_vmt_alloc(struct aem *aem, size_t length, void **block);

/** aem_vmt_free() - give back a block of aem_vmt_alloc() or aem_keep(). Any thread. */
int aem_vmt_free(struct aem *aem, void *block);

/* What there is */

/**
 * aem_query() - limits, counters, and what this kernel can do
 * @aem:   the context
 * @query: filled, needs no preparation. Of its @features: AEM_FEATURE_SIGNAL (handlers
 *         can interrupt, by a signal)
 *
 * Any thread. Return: 0 or -errno.
 */
int aem_query(struct aem *aem, struct aem_query *query);

/**
 * aem_service_info() - the services that are loaded, one by one
 * @aem:   the context
 * @index: from 0
 * @info:  filled on success
 *
 * Any thread. Return: 0; -ENOENT after the last.
 */
int aem_service_info(struct aem *aem, unsigned int index, struct aem_service_info *info);

/**
 * aem_manage() - exchange services, or take them away
 * @aem: the context; one with AEM_OPEN_LOOK will do
 * @arg: what to do: @op, @version, @name, and what else <linux/aem.h> says; out: what was done.
 *       Its @size is filled in. With AEM_MANAGE_DRY_RUN nothing is changed. A version that is
 *       retired has AEM_SERVICE_S_RETIRED in the @flags of aem_service_info()
 *
 * For the administrator (CAP_SYS_MODULE). Any thread.
 * Return: 0 or -errno: AEM_IOC_MANAGE names them.
 */
int aem_manage(struct aem *aem, struct aem_manage *arg);

/* Services: for libraries of services, and for calls without a typed function */

/**
 * typedef aem_thunk_fn - turns a record into a call of the typed handler
 * @aem:    the context
 * @record: handler, cookie and arguments; read-only, valid during the call
 * @block:  the data that the record names (struct aem_thunk), or NULL
 *
 * If record->flags has AEM_RECORD_F_REVOKED, there are no arguments: the service
 * was taken away.
 */
typedef void (*aem_thunk_fn)(struct aem *aem, const struct aem_record *record, void *block);

/**
 * struct aem_thunk - how records of one registering call are handled
 * @run:   calls the handler; NULL: this call makes no records
 * @block: 0: no data; n: arg[n - 1] is the offset of its block
 */
struct aem_thunk {
	aem_thunk_fn run;
	unsigned int block;
};

/**
 * aem_bind() - bind a service
 * @aem:         the context
 * @name:        of the service
 * @min_version: lowest that will do
 * @max_version: highest that will do; 0: any
 * @thunks:      one for each call of the service, from its first; stays valid as
 *               long as the context
 * @n_thunks:    how many; records of calls beyond are dropped
 * @base:        out: number of its first call; may be NULL
 *
 * The typed functions of this library's own headers bind by themselves at the first
 * use; bind them early where they are first used in an interrupting handler.
 *
 * Return: 0 or -errno of AEM_IOC_BIND.
 */
int aem_bind(struct aem *aem, const char *name, uint32_t min_version,
	     uint32_t max_version, const struct aem_thunk *thunks,
	     unsigned int n_thunks, uint32_t *base);

/**
 * aem_registration_init() - fill a registration from what users of a typed
 *                           function give
 * @reg:     to be filled
 * @handler: address of the handler, which the thunk casts back
 * @user:    becomes the cookie
 * @how:     priority and flags
 */
void aem_registration_init(struct aem_registration *reg, void (*handler)(void),
			   void *user, uint32_t how);

/**
 * aem_call() - make one pseudo-system call at once
 * @aem: the context
 * @nr:  base of the service + number of the call
 * @arg: its argument struct, size first
 *
 * Does not wait for queued calls. Any thread.
 *
 * Return: the call's result or -errno.
 */
int64_t aem_call(struct aem *aem, uint32_t nr, void *arg);

/**
 * typedef aem_done_fn - a queued call was made
 * @aem:    the context
 * @user:   as given
 * @arg:    the library's copy of the argument struct, with what the call filled in;
 *          valid during the callback
 * @result: the call's result or -errno
 *
 * Callbacks run with all events held back (level AEM_LEVEL_ALL), in the order of
 * the calls.
 */
typedef void (*aem_done_fn)(struct aem *aem, void *user, const void *arg, int64_t result);

/**
 * aem_queue() - make a pseudo-system call with the next crossing
 * @aem:  the context
 * @nr:   base of the service + number of the call
 * @arg:  its argument struct, size first: copied. What it points to must stay
 *        until the callback
 * @done: told the result; NULL: nobody is
 * @user: for @done
 *
 * Calls are made in their order with the next aem_flush(), aem_dispatch(),
 * aem_wait() or turn of aem_run(). When the queue is full they are made at once, and
 * their callbacks run, before aem_queue() returns.
 *
 * Return: 0; -EMSGSIZE: the argument struct does not fit an empty queue; -errno of
 * AEM_IOC_ENTER, if a full queue could not be handed over.
 */
int aem_queue(struct aem *aem, uint32_t nr, const void *arg, aem_done_fn done, void *user);

/**
 * aem_flush() - make the queued calls now, and take back finished records
 * @aem: the context
 *
 * No handler runs in it but callbacks of queued calls, and interrupts.
 *
 * Return: 0 or -errno of AEM_IOC_ENTER.
 */
int aem_flush(struct aem *aem);

#ifdef __cplusplus
}
#endif

#endif /* AEM_AEM_H */
