/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The Asynchronous Event Mechanism: contract between aem-core and user space.
 */
#ifndef _UAPI_LINUX_AEM_H
#define _UAPI_LINUX_AEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: errno contract
 *
 * Every ioctl returns 0, or -1 with errno set. What each errno means, for
 * every ioctl alike:
 *
 * ``E2BIG``      the struct is larger than this kernel knows, and the part that
 *                it does not know is not zero
 * ``EINVAL``     an argument is out of range, a struct is too small, or a flag
 *                or padding that must be zero is not
 * ``EFAULT``     an address is not the caller's to read or write
 * ``ENOTTY``     no such ioctl
 * ``ENXIO``      AEM_IOC_SETUP has not been done on this descriptor, or an event is
 *                registered while the control page is not mapped
 * ``EBUSY``      already set up; or AEM_WAITERS threads wait on this descriptor
 * ``EPERM``      the caller's address space is not the one that was set up
 *                (after fork or exec: open a descriptor of your own); or what is asked
 *                for is the administrator's
 * ``ENOENT``     no event has this id (it may have ended), or no service has
 *                this name
 * ``ENOPROTOOPT``  the service is loaded, but no version in the range asked for, or it is
 *                retired
 * ``EALREADY``   it is so already
 * ``ENOSYS``     no such pseudo-system call: its range is not bound here
 * ``EOPNOTSUPP`` the event or the service does not have this operation
 * ``ENOSPC``     a limit of this process: events, or memory of the vmtable
 * ``EDQUOT``     a limit of this user: events, open contexts, files watched
 * ``ENOMEM``     the kernel has no memory, or the memory cgroup's limit is met
 * ``EINTR``      a signal arrived while waiting; calls that were made are told
 *                in @done
 * ``ETIME``      the timeout passed with fewer than min_events events
 * ``ENODEV``     the service was revoked; of AEM_IOC_ENTER: while the caller waited, and nothing
 *                else came
 * ``EPROTO``     two versions of a service do not fit together
 * ``ETIMEDOUT``  somebody is held up inside of the service
 *
 * Pseudo-system calls add errnos of their own, named in the service's header.
 *
 * A call that fails has done nothing, and may be made again, with one exception:
 * EFAULT although every address was good when the call began, because another thread took the
 * memory away, or there was none to bring it back. If only the answer could not be written,
 * an event or a block that only the answer would have named is not made, and records are told
 * of by the next AEM_IOC_ENTER; but what may be done twice may have been done (binding, START,
 * STOP, PRIO, a timer's setting), a connection may have been begun, and the bytes of a send that
 * AEM_IOC_CALL made may have been taken.
 */

/** AEM_ABI: Counts up with every change that a program can tell. */
#define AEM_ABI			4

/** AEM_NAME_MAX: Bytes of a service's name, the closing NUL among them. */
#define AEM_NAME_MAX		32

/** AEM_PRIORITIES: Priorities are 0 (lowest) to AEM_PRIORITIES - 1. */
#define AEM_PRIORITIES		32

/** AEM_RANGE_CALLS: Call numbers per range: number = base + call. */
#define AEM_RANGE_CALLS		64

/**
 * DOC: event flags
 *
 * Values of the original where it had them. Bits that are not named here, and
 * those that a kernel does not support, are refused (EINVAL, EOPNOTSUPP).
 *
 * ``EVF_ONESHOT``   the event ends after its handler has run once
 * ``EVF_FORK``      the handler runs in a child process
 * ``EVF_NOCLDWAIT`` that child leaves no zombie
 * ``EVF_CAPSULE``   the handler runs in a ready-made process
 * ``EVF_KEEPALIVE`` that process stays parked after the handler
 * ``EVF_SAFEPOINT`` the handler runs only where the program asks for it
 * ``EVF_START``     the event is started as it is registered; without it, events
 *                   are registered stopped and AEM_EVENT_START starts them
 * ``EVF_WAKE_LEAST`` of several threads that wait in AEM_IOC_ENTER, the least loaded is
 *                   woken, see below
 * ``EVF_WAKE_ALL``  all of them are
 * ``EVF_NEAR``      of several, one is woken that is near the stimulus, see below
 * ``EVF_NEAR_CPU``  never given, only told: AEM_EVENT_NEAR has asked for a processor, whose
 *                   number is in the low 16 bits (EVF_CPU)
 */
#define EVF_CPU			0xffffU
#define EVF_ONESHOT		(1U << 18)
#define EVF_FORK		(1U << 20)
#define EVF_NOCLDWAIT		(1U << 21)
#define EVF_CAPSULE		(1U << 22)
#define EVF_KEEPALIVE		(1U << 23)
#define EVF_SAFEPOINT		(1U << 24)
#define EVF_START		(1U << 25)
#define EVF_WAKE_LEAST		(1U << 26)
#define EVF_WAKE_ALL		(1U << 27)
#define EVF_NEAR		(1U << 28)
#define EVF_NEAR_CPU		(1U << 29)

/**
 * struct aem_registration - what every registering pseudo-system call takes
 * @handler: address of the handler, handed back in each record; never
 *           interpreted by the kernel
 * @cookie:  the caller's own value, handed back in each record
 * @flags:   EVF_*
 * @prio:    0 to 31, 31 is the most urgent
 * @id:      out: the event's id. Unique within the context for 2^32
 *           registrations: index in the low half, generation in the high half;
 *           never 0
 */
struct aem_registration {
	__aligned_u64 handler;
	__aligned_u64 cookie;
	__u32 flags;
	__u32 prio;
	__aligned_u64 id;
};

/**
 * DOC: the memory map of a context
 *
 * mmap() of the descriptor, MAP_SHARED, PROT_READ | PROT_WRITE, at offset
 *
 * ``AEM_MMAP_CONTROL`` struct aem_control, one page. The context lives as long
 *                      as this mapping: it is not inherited by fork, and when
 *                      it goes (exec, exit, munmap) all events are
 *                      unregistered
 * ``AEM_MMAP_RING``    struct aem_record[ring_entries], not inherited by fork
 * ``AEM_MMAP_VMT``     the vmtable zone, vmt_size bytes, inherited by fork.
 *                      Offsets of blocks count from its start
 */
#define AEM_MMAP_CONTROL	0x00000000U
#define AEM_MMAP_RING		0x00100000U
#define AEM_MMAP_VMT		0x10000000U

/**
 * struct aem_control - the control page
 * @level:    written by the process: only events with priority >= @level are
 *            delivered, so 0 holds nothing back and 32 everything. The
 *            kernel reads it before it rings the doorbell
 * @pending:  written by the kernel, a hint: bit p is set while events of
 *            priority p are active. A process that lowers @level must
 *            (after a full memory barrier) look here, and enter the
 *            kernel if a bit at or above the new level is set
 * @interrupt: like @pending, only of events that may interrupt the process
 *            (those without EVF_SAFEPOINT)
 * @flags:    written by the kernel, AEM_CONTROL_*
 * @reserved: zero
 */
struct aem_control {
	__u32 level;
	__u32 pending;
	__u32 interrupt;
	__u32 flags;
	__u32 reserved[12];
};

/**
 * AEM_CONTROL_REAP: Somebody waits for a handler that runs now to end: call
 * AEM_IOC_ENTER as soon as it has.
 */
#define AEM_CONTROL_REAP	(1U << 0)

/**
 * enum aem_record_state - who has a record
 * @AEM_RECORD_FREE:      the kernel; nothing in it
 * @AEM_RECORD_READY:     delivered. The process takes it by an atomic compare
 *                        and exchange to RUNNING, so that exactly one of the
 *                        handler's start and an unregistration wins
 * @AEM_RECORD_RUNNING:   the handler runs
 * @AEM_RECORD_DONE:      the handler has returned; the next AEM_IOC_ENTER runs
 *                        the destructor
 * @AEM_RECORD_KEEP:      like DONE, but the block stays with the process, which
 *                        gives it back with AEM_VMT_FREE
 * @AEM_RECORD_CANCELLED: the event was unregistered: do not run the handler
 */
enum aem_record_state {
	AEM_RECORD_FREE		= 0,
	AEM_RECORD_READY	= 1,
	AEM_RECORD_RUNNING	= 2,
	AEM_RECORD_DONE		= 3,
	AEM_RECORD_KEEP		= 4,
	AEM_RECORD_CANCELLED	= 5,
};

/**
 * struct aem_record - one call of a handler
 * @handler: as registered
 * @cookie:  as registered
 * @id:      the event
 * @state:   enum aem_record_state, the only field that the kernel reads back
 * @nr:      the pseudo-system call that registered the event; tells the meaning
 *           of @arg (see the service's header)
 * @prio:    the event's priority
 * @flags:   AEM_RECORD_F_*
 * @count:   occurrences that this record stands for, at least 1
 * @lost:    occurrences that were lost since the event's last record
 * @arg:     the handler's arguments, as the service defines them
 */
struct aem_record {
	__aligned_u64 handler;
	__aligned_u64 cookie;
	__aligned_u64 id;
	__u32 state;
	__u16 nr;
	__u8 prio;
	__u8 flags;
	__u32 count;
	__u32 lost;
	__aligned_u64 arg[3];
};

/** AEM_RECORD_F_LAST: The event has ended; this is its last record. */
#define AEM_RECORD_F_LAST	(1U << 0)
/** AEM_RECORD_F_REVOKED: Its service was taken away (ENODEV). */
#define AEM_RECORD_F_REVOKED	(1U << 1)

/**
 * struct aem_query - AEM_IOC_QUERY: what this kernel and this context have
 * @size:         sizeof(struct aem_query)
 * @abi:          out: AEM_ABI
 * @features:     out: AEM_FEATURE_*
 * @flags:        out: the flags given to AEM_IOC_SETUP
 * @ring_entries: out: records of the ring, 0 before AEM_IOC_SETUP
 * @signo:        out: the doorbell's signal, 0: none
 * @vmt_size:     out: bytes of the vmtable zone
 * @vmt_used:     out: bytes of it in use
 * @max_events:   out: events that this context may register
 * @events:       out: events that it has
 * @active:       out: of these, active now
 * @starved:      out: of these, waiting for memory of the vmtable
 * @activations:  out: since the start
 * @records:      out: records delivered since the start
 * @doorbells:    out: times that the doorbell rang
 * @starvations:  out: times that an event had to wait for memory
 * @redirects:    out: times that registers were redirected
 * @hint:         out: 1 + the highest priority that was active lately, 0: none; only
 *                with AEM_SETUP_HINT
 * @boost:        out: steps of nice that the owner is boosted by now, or
 *                AEM_BOOST_REALTIME
 */
struct aem_query {
	__u32 size;
	__u32 abi;
	__u32 features;
	__u32 flags;
	__u32 ring_entries;
	__u32 signo;
	__aligned_u64 vmt_size;
	__aligned_u64 vmt_used;
	__u32 max_events;
	__u32 events;
	__u32 active;
	__u32 starved;
	__aligned_u64 activations;
	__aligned_u64 records;
	__aligned_u64 doorbells;
	__aligned_u64 starvations;
	__aligned_u64 redirects;
	__u32 hint;
	__u32 boost;
};

/** AEM_BOOST_REALTIME: The owner is in the real-time class. More than there are steps of nice. */
#define AEM_BOOST_REALTIME	40

/** AEM_FEATURE_SIGNAL: Interrupts by signal. */
#define AEM_FEATURE_SIGNAL	(1U << 0)
/** AEM_FEATURE_REDIRECT: Interrupts by redirected registers, see AEM_SETUP_REDIRECT. */
#define AEM_FEATURE_REDIRECT	(1U << 1)

/**
 * DOC: interrupting by redirected registers
 *
 * On x86-64 the owner can be interrupted at about half of what a signal costs. On
 * the owner's way back to user space the kernel writes a struct aem_frame below the stack's
 * red zone, sets @level of the control page to AEM_PRIORITIES, and has the owner go on
 * at the trampoline's @entry with the stack pointer at the frame. All other registers
 * are those of the interrupted program, but for the direction and trap flags, which are clear.
 *
 * The trampoline saves the rest (vector registers), delivers, and ends with an epilogue
 * that brings @level and the registers back. The epilogue is as good as atomic: where the
 * kernel is to interrupt it, the kernel brings the registers back itself and interrupts
 * what they say; so the stack does not grow. For that the epilogue has the stack
 * pointer at the frame and changes nothing of it from @epilogue until @tail, where it is
 * at @flags of the frame and all registers but the flags, the instruction pointer and
 * itself are back. At @tail are these two instructions, of one and three bytes:
 * popf; ret $128.
 *
 * An interrupted system call restarts or ends as it does for a signal whose handler has
 * SA_RESTART.
 *
 * The signal rings instead, delivery by delivery, while registers cannot be redirected
 * soundly: the signal is blocked; the thread has an alternate stack for signals that it
 * is not on, has no room on its stack, has a shadow stack, is in a restartable sequence, or is
 * traced or stepped; another signal interrupts the same system call; or the kernel is not on
 * its way to user space.
 */

/**
 * struct aem_frame - what the kernel saves of an interrupted program
 * @cookie: of the trampoline
 * @level:  of the control page; to be restored
 * @user:   0; the trampoline's to use
 * @bp:     this and the following are registers
 * @bx:     a register
 * @r11:    a register
 * @r10:    a register
 * @r9:     a register
 * @r8:     a register
 * @di:     a register
 * @si:     a register
 * @dx:     a register
 * @cx:     a register
 * @ax:     a register
 * @flags:  the flags register
 * @ip:     where to go on. The red zone of 128 bytes follows, then what the stack
 *          pointer pointed to
 */
struct aem_frame {
	__aligned_u64 cookie;
	__u32 level;
	__u32 user;
	__aligned_u64 bp;
	__aligned_u64 bx;
	__aligned_u64 r11;
	__aligned_u64 r10;
	__aligned_u64 r9;
	__aligned_u64 r8;
	__aligned_u64 di;
	__aligned_u64 si;
	__aligned_u64 dx;
	__aligned_u64 cx;
	__aligned_u64 ax;
	__aligned_u64 flags;
	__aligned_u64 ip;
};

/**
 * struct aem_trampoline - where redirected registers lead to
 * @entry:    address of the first instruction
 * @epilogue: address of the first instruction of the epilogue
 * @tail:     address of the last but one, see above
 * @cookie:   copied to each frame; no two contexts of a thread may have the same
 */
struct aem_trampoline {
	__aligned_u64 entry;
	__aligned_u64 epilogue;
	__aligned_u64 tail;
	__aligned_u64 cookie;
};

/**
 * struct aem_setup - AEM_IOC_SETUP: give a fresh descriptor its memory
 * @size:         sizeof(struct aem_setup)
 * @flags:        AEM_SETUP_*
 * @ring_entries: records of the ring, a power of two from 64 to 4096;
 *                0: 256. Out: what was taken
 * @signo:        the doorbell's signal, sent to the calling thread, which becomes
 *                the context's owner. 0 with AEM_SETUP_SAFEPOINT, otherwise 1 to
 *                64 without SIGKILL and SIGSTOP
 * @vmt_size:     bytes of the vmtable zone, a multiple of 64 KiB up to the limit
 *                of the module parameter vmt_max; 0: 1 MiB. Memory is taken as it
 *                is used. Out: what was taken
 * @trampoline:   with AEM_SETUP_REDIRECT; otherwise zero
 *
 * Once per descriptor, before everything but AEM_IOC_QUERY and
 * AEM_IOC_SERVICE. Errors: EBUSY (done before), EINVAL, ENOMEM, ENOSPC (vmt_max),
 * EOPNOTSUPP (AEM_SETUP_REDIRECT without AEM_FEATURE_REDIRECT, or by a 32-bit program).
 */
struct aem_setup {
	__u32 size;
	__u32 flags;
	__u32 ring_entries;
	__u32 signo;
	__aligned_u64 vmt_size;
	struct aem_trampoline trampoline;
};

/** AEM_SETUP_SAFEPOINT: No handler of this context ever interrupts. */
#define AEM_SETUP_SAFEPOINT	(1U << 0)
/** AEM_SETUP_REDIRECT: Interrupt by redirected registers, and by @signo where that cannot be. */
#define AEM_SETUP_REDIRECT	(1U << 1)
/**
 * AEM_SETUP_HINT: While events are active the owner's nice value is lowered, the more so the more
 * urgent the most urgent of them is: by up to as many steps as the module parameter
 * hint_ceiling says, and not below what setpriority() would allow the owner (RLIMIT_NICE,
 * CAP_SYS_NICE). It is given back some milliseconds after the last, and when the context ends.
 * A child that is forked meanwhile inherits the nice value of then.
 *
 * For events of priority 16 and higher the owner is in the real-time class instead, as with
 * SCHED_FIFO, priority 1, where sched_setscheduler() would allow it that (RLIMIT_RTPRIO,
 * CAP_SYS_NICE), it has chosen no class of its own and no RLIMIT_RTTIME. That lasts until the
 * thread leaves the kernel and nothing urgent is left to handle, 2 milliseconds at most, and in the
 * long run as much of a processor as the module parameter hint_realtime says in percent: 10, at
 * most 50; 0: never. It is inherited, as from who waits for a mutex: policy, priority and nice
 * value of the thread stay what they are, and a child that is forked meanwhile has none of it.
 * Threads that lend it are two per processor; who has none has the nice value.
 */
#define AEM_SETUP_HINT		(1U << 2)

/**
 * struct aem_bind - AEM_IOC_BIND: get the range of a service
 * @size:        sizeof(struct aem_bind)
 * @min_version: lowest version that will do
 * @max_version: highest version that will do; 0: any
 * @version:     out: the newest version in that range, bound from now on
 * @base:        out: number of its first pseudo-system call
 * @calls:       out: how many it has
 * @name:        of the service, NUL-terminated
 *
 * Binding again gives the same answer if the bound version is in the range.
 * Errors: ENOENT, ENOPROTOOPT, EINVAL, ENOMEM, ENXIO, EPERM.
 */
struct aem_bind {
	__u32 size;
	__u32 min_version;
	__u32 max_version;
	__u32 version;
	__u32 base;
	__u32 calls;
	__u8 name[AEM_NAME_MAX];
};

/**
 * struct aem_call - AEM_IOC_CALL, and an element of AEM_IOC_ENTER: one
 * pseudo-system call
 * @size:   sizeof(struct aem_call)
 * @nr:     base of the range + number of the call; the core's own calls
 *          (AEM_CALL_EVENT) have range 0
 * @arg:    address of the call's argument struct, which begins with its size
 * @result: out: what the call returned, or -errno. In AEM_IOC_CALL an error is
 *          the ioctl's errno as well
 */
struct aem_call {
	__u32 size;
	__u32 nr;
	__aligned_u64 arg;
	__s64 result;
};

/** AEM_CALL_EVENT: The core's pseudo-system call that takes a struct aem_event. */
#define AEM_CALL_EVENT		0

/**
 * struct aem_enter - AEM_IOC_ENTER: the one crossing of a busy loop
 * @size:       sizeof(struct aem_enter)
 * @flags:      AEM_ENTER_*
 * @calls:      address of struct aem_call[n_calls], made in their order; each
 *              gets its @result, a failing one does not stop the others
 * @n_calls:    at most 65536
 * @min_events: wait until so many events at or above @level are active; 0: do
 *              not wait. With calls it does not wait either while an event waits for memory,
 *              which the process may give back as it hears of their results
 * @max_events: deliver at most so many records; 0: as many as the ring takes
 * @level:      deliver only priorities >= @level, 0 to 32
 * @timeout:    longest wait in nanoseconds (CLOCK_MONOTONIC); negative: no limit
 * @first:      out: index in the ring of the first new record; the others
 *              follow it, modulo ring_entries
 * @count:      out: how many new records
 * @done:       out: calls that were made: all, unless an address was bad (EFAULT)
 * @pending:    out: bit p is set if events of priority p are still active
 *
 * In this order: finished records are taken back (destructors run), calls are
 * made, the caller sleeps if asked to, constructors run and fill the ring.
 * The doorbell is silent while its owner is in here: what became active meanwhile
 * is told in @pending (and in struct aem_control), and the owner enters again for it.
 * @first, @count, @done and @pending are written even on EINTR and ETIME, with
 * @count 0. Up to AEM_WAITERS threads wait on a descriptor at a time (EBUSY); which of
 * them is woken stands below.
 * Errors: EINVAL, EFAULT, EINTR, ETIME, EBUSY, ENXIO, EPERM.
 */
struct aem_enter {
	__u32 size;
	__u32 flags;
	__aligned_u64 calls;
	__u32 n_calls;
	__u32 min_events;
	__u32 max_events;
	__u32 level;
	__s64 timeout;
	__u32 first;
	__u32 count;
	__u32 done;
	__u32 pending;
};

/** AEM_WAITERS: Threads that may wait on a descriptor at a time. */
#define AEM_WAITERS		64

/**
 * DOC: several threads that wait
 *
 * Threads of a process may wait in AEM_IOC_ENTER on one descriptor. An event that becomes active
 * wakes one of those whose @level and @min_events are met by it: the one that has waited
 * longest (first in, first out), or, with EVF_WAKE_LEAST, the one that has used the least
 * processor time since it began, as its CPU clock (CLOCK_THREAD_CPUTIME_ID) has it; of equals the
 * one that has waited longest. It takes what is there when it has woken, up to @max_events
 * records; with @max_events 1 each event has a thread. What a thread leaves there as it leaves
 * AEM_IOC_ENTER wakes the one that has waited longest; so does what it was woken for, if
 * a signal or its timeout was faster. Who was woken and finds nothing any more waits on,
 * and has lost its place to nobody.
 *
 * With EVF_WAKE_ALL all of them are woken. One finds the record, the others return all the same,
 * with @count 0 if there is nothing else.
 *
 * With EVF_NEAR those come first that ran last on the processor which the stimulus came to (its
 * interrupt, or who wrote into the pipe), then those that ran on the same memory node;
 * AEM_EVENT_NEAR names a processor instead. Among those that are as near it goes on as above.
 * No thread is moved: a program that wants its events handled where they come from has a thread
 * for each processor, bound to it by sched_setaffinity() or not. A thread that waits alone
 * is woken wherever it is, and runs where the scheduler puts it, within its affinity mask and its
 * cpuset.
 *
 * While one of them sleeps, what it can take does not interrupt the owner.
 *
 * Each registration has a waking of its own: where several processes, or several contexts,
 * have registered the same stimulus, an event of each becomes active. What can be had once
 * only, a connection for instance, has who comes first; the others' handlers do not run.
 */

/** AEM_ENTER_INTERRUPT: Leave events with EVF_SAFEPOINT where they are. */
#define AEM_ENTER_INTERRUPT	(1U << 0)

/**
 * AEM_ENTER_PAUSE: Deliver nothing, and give the program that is interrupted its turn:
 * for &aem_enter.timeout nanoseconds (1 to %AEM_PAUSE_MAX), or until the next AEM_IOC_ENTER,
 * the doorbell is silent for priorities below &aem_enter.level. What becomes active meanwhile stays
 * so, and is shown in the control page; the bell rings for it at the end. Not with min_events.
 *
 * For an interrupt that comes again before the program has got anywhere; see J. Mogul and
 * K. Ramakrishnan, "Eliminating receive livelock in an interrupt-driven kernel", 1997.
 */
#define AEM_ENTER_PAUSE		(1U << 1)

/** AEM_PAUSE_MAX: Longest AEM_ENTER_PAUSE, in nanoseconds. */
#define AEM_PAUSE_MAX		1000000000

/**
 * enum aem_event_op - what AEM_IOC_EVENT does
 * @AEM_EVENT_START:    arm the job. What happened before counts if the source
 *                      still shows it. Starting a started event does nothing
 * @AEM_EVENT_STOP:     disarm it. Records that are delivered already stay; no
 *                      new one is made. Stopping a stopped event does nothing
 * @AEM_EVENT_PRIO:     @arg is the new priority; an active event joins the end of
 *                      its new list
 * @AEM_EVENT_SHUTDOWN: unregister. When it returns, no handler of the event
 *                      starts any more; one that runs in another thread has
 *                      ended, one that the caller is in goes on to its end, and
 *                      the block it was given stays valid until then
 *                      (EINTR: a signal came while waiting for it; the
 *                      event is unregistered nevertheless, and the same call
 *                      waits again)
 * @AEM_EVENT_INFO:     fill the out fields only, as every operation but
 *                      SHUTDOWN does
 * @AEM_EVENT_NEAR:     wake a thread near the processor with the number @arg (EINVAL: there
 *                      is none), near the stimulus (AEM_NEAR_STIMULUS, as with EVF_NEAR),
 *                      or any (AEM_NEAR_ANY)
 */
enum aem_event_op {
	AEM_EVENT_START		= 1,
	AEM_EVENT_STOP		= 2,
	AEM_EVENT_PRIO		= 3,
	AEM_EVENT_SHUTDOWN	= 4,
	AEM_EVENT_INFO		= 5,
	AEM_EVENT_NEAR		= 6,
};

/** AEM_NEAR_STIMULUS: Argument of AEM_EVENT_NEAR: near the processor of the stimulus. */
#define AEM_NEAR_STIMULUS	0xffffffffU
/** AEM_NEAR_ANY: Argument of AEM_EVENT_NEAR: wherever. */
#define AEM_NEAR_ANY		0xfffffffeU

/**
 * struct aem_event - AEM_IOC_EVENT, and argument of AEM_CALL_EVENT
 * @size:        sizeof(struct aem_event)
 * @op:          enum aem_event_op
 * @id:          the event
 * @arg:         of the operation, otherwise 0
 * @prio:        out: its priority
 * @state:       out: AEM_EVENT_S_*
 * @nr:          out: the pseudo-system call that registered it
 * @flags:       out: EVF_*
 * @activations: out: how often it was activated, merged occurrences included
 * @starved:     out: how often it waited for memory
 * @parent:      out: id's low half of the event that made this one, 0: none
 * @pad:         0
 *
 * Errors: ENOENT, EINVAL, EOPNOTSUPP, EINTR, ENXIO, EPERM, ENODEV.
 */
struct aem_event {
	__u32 size;
	__u32 op;
	__aligned_u64 id;
	__aligned_u64 arg;
	__u32 prio;
	__u32 state;
	__u32 nr;
	__u32 flags;
	__u32 activations;
	__u32 starved;
	__u32 parent;
	__u32 pad;
};

/** AEM_EVENT_S_STARTED: The job is armed or will be after the handler. */
#define AEM_EVENT_S_STARTED	(1U << 0)
/** AEM_EVENT_S_ACTIVE: In the active list. */
#define AEM_EVENT_S_ACTIVE	(1U << 1)
/** AEM_EVENT_S_BUSY: Has a record that is not finished. */
#define AEM_EVENT_S_BUSY	(1U << 2)
/** AEM_EVENT_S_STARVED: Waits for memory of the vmtable. */
#define AEM_EVENT_S_STARVED	(1U << 3)

/**
 * enum aem_vmt_op - what AEM_IOC_VMT does
 * @AEM_VMT_ALLOC: take a block of @length bytes; its offset comes back in @offset
 * @AEM_VMT_FREE:  give back the block at @offset: one that was allocated by
 *                 AEM_VMT_ALLOC or kept by AEM_RECORD_KEEP
 */
enum aem_vmt_op {
	AEM_VMT_ALLOC		= 1,
	AEM_VMT_FREE		= 2,
};

/**
 * struct aem_vmt - AEM_IOC_VMT: blocks of the vmtable
 * @size:   sizeof(struct aem_vmt)
 * @op:     enum aem_vmt_op
 * @offset: of the block from the start of the zone; AEM_VMT_ALLOC: 0, and out
 * @length: AEM_VMT_ALLOC: bytes, 1 to 65536, and out: what the block really
 *          holds. AEM_VMT_FREE: 0
 *
 * Errors: EINVAL (length, or no such block of the process), ENOSPC (the zone is
 * full), ENOMEM, ENXIO, EPERM.
 */
struct aem_vmt {
	__u32 size;
	__u32 op;
	__aligned_u64 offset;
	__aligned_u64 length;
};

/**
 * struct aem_service_info - AEM_IOC_SERVICE: list the services that are loaded
 * @size:    sizeof(struct aem_service_info)
 * @index:   from 0; ENOENT after the last
 * @version: out
 * @base:    out: number of its first pseudo-system call, for who binds it anew; 0: retired
 * @calls:   out: how many it has
 * @users:   out: contexts that are bound to it
 * @events:  out: events registered with it
 * @flags:   out: AEM_SERVICE_S_*
 * @name:    out
 */
struct aem_service_info {
	__u32 size;
	__u32 index;
	__u32 version;
	__u32 base;
	__u32 calls;
	__u32 users;
	__u32 events;
	__u32 flags;
	__u8 name[AEM_NAME_MAX];
};

/** AEM_SERVICE_S_RETIRED: Nobody binds it any more. */
#define AEM_SERVICE_S_RETIRED	(1U << 0)
/** AEM_SERVICE_S_LAYERED: A layer sits above it, which may refuse calls and swallow events. */
#define AEM_SERVICE_S_LAYERED	(1U << 1)

/**
 * enum aem_manage_op - what AEM_IOC_MANAGE does
 * @AEM_MANAGE_RETIRE: the version is bound no more. Who is bound stays so; when the last has
 *                     gone, the module can be unloaded. EALREADY: it was retired before
 * @AEM_MANAGE_SWAP:   version @target takes over all contexts and events of @version, which
 *                     is retired by it. An event that cannot be taken over stays with
 *                     @version, and works on; if there is none, its module can be unloaded.
 *                     EALREADY: they are the same; EPROTO: they do not fit together;
 *                     EOPNOTSUPP: one of them cannot be swapped
 * @AEM_MANAGE_REVOKE: the version is taken away from all who use it. Their calls end with
 *                     ENODEV, each event gets a last record with AEM_RECORD_F_REVOKED, threads
 *                     that wait return, and the module can be unloaded
 */
enum aem_manage_op {
	AEM_MANAGE_RETIRE	= 1,
	AEM_MANAGE_SWAP		= 2,
	AEM_MANAGE_REVOKE	= 3,
};

/**
 * struct aem_manage - AEM_IOC_MANAGE: exchange services, and take them away
 * @size:     sizeof(struct aem_manage)
 * @op:       enum aem_manage_op
 * @flags:    AEM_MANAGE_DRY_RUN
 * @version:  of the service that this is about
 * @target:   AEM_MANAGE_SWAP: the version that takes over; otherwise 0
 * @timeout:  milliseconds to wait for calls that run, at most 10000; 0: 1000. Meanwhile all
 *            users of the service wait, too. ETIMEDOUT: a call did not end, and nothing has
 *            changed. AEM_MANAGE_RETIRE: 0
 * @pause:    out: nanoseconds for which users of the service may have had to wait
 * @contexts: out: those that are, or were, bound to @version
 * @events:   out: those that it served before
 * @moved:    out: those that are served by @target now, or were revoked
 * @refused:  out: those that stay with @version
 * @held:     out: of all these, those to which something happened meanwhile; it was told after
 * @reason:   out: errno of the first that was refused; 0: none was. EPROTO: the calls do not
 *            fit; EMSGSIZE: its private part is too small; otherwise what the service said
 * @name:     of the service, NUL-terminated
 *
 * For the administrator: EPERM without CAP_SYS_MODULE in the initial user namespace. Needs no
 * AEM_IOC_SETUP.
 * Errors: EPERM, EINVAL, ENOENT, ENOPROTOOPT (of that name, but not of that version),
 * EALREADY, EOPNOTSUPP, EPROTO, ETIMEDOUT, ENOSPC, ENOMEM.
 */
struct aem_manage {
	__u32 size;
	__u32 op;
	__u32 flags;
	__u32 version;
	__u32 target;
	__u32 timeout;
	__aligned_u64 pause;
	__u32 contexts;
	__u32 events;
	__u32 moved;
	__u32 refused;
	__u32 held;
	__u32 reason;
	__u8 name[AEM_NAME_MAX];
};

/** AEM_MANAGE_DRY_RUN: Change nothing, only say what would be done. */
#define AEM_MANAGE_DRY_RUN	(1U << 0)

#define AEM_IOC_MAGIC		0xAE
#define AEM_IOC_QUERY		_IO(AEM_IOC_MAGIC, 0)
#define AEM_IOC_SETUP		_IO(AEM_IOC_MAGIC, 1)
#define AEM_IOC_BIND		_IO(AEM_IOC_MAGIC, 2)
#define AEM_IOC_CALL		_IO(AEM_IOC_MAGIC, 3)
#define AEM_IOC_ENTER		_IO(AEM_IOC_MAGIC, 4)
#define AEM_IOC_EVENT		_IO(AEM_IOC_MAGIC, 5)
#define AEM_IOC_VMT		_IO(AEM_IOC_MAGIC, 6)
#define AEM_IOC_SERVICE		_IO(AEM_IOC_MAGIC, 7)
#define AEM_IOC_MANAGE		_IO(AEM_IOC_MAGIC, 8)

#endif /* _UAPI_LINUX_AEM_H */
