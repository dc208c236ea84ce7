/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * aem-pexit: the end of any process. Service "pexit", version 1.
 */
#ifndef _UAPI_LINUX_AEM_PEXIT_H
#define _UAPI_LINUX_AEM_PEXIT_H

#include <linux/aem.h>

#define AEM_PEXIT_SERVICE	"pexit"
#define AEM_PEXIT_VERSION	1

/**
 * enum aem_pexit_call - pseudo-system calls, counted from the range's base
 * @AEM_PEXIT_WATCH: struct aem_pexit_watch; registers an event
 * @AEM_PEXIT_CALLS: how many there are
 */
enum aem_pexit_call {
	AEM_PEXIT_WATCH		= 0,
	AEM_PEXIT_CALLS
};

/**
 * DOC: what a watch promises
 *
 * ``once``       the end of a process is told once, when its last thread has ended. One that
 *                has ended already, and is still a zombie, is told of at once; one that its
 *                parent has waited for is ESRCH. What counts is the process that had
 *                the number when the watch was registered, never a later one
 * ``before``     the handler may run a moment before the process can be waited for and its
 *                descriptors are closed: use a wait that blocks
 * ``last``       the watch of a process ends with the process, or, with
 *                AEM_PEXIT_FOLLOW, with the last that it follows: that record carries
 *                AEM_RECORD_F_LAST. The watch of a group does not end by itself
 * ``room``       notes wait in memory that is taken at the registration. The end of a watched
 *                or followed process has its place there from the start and is
 *                never lost. A note of a fork or an exec, a process of a group that
 *                ended, and a child that could not be followed are lost if there is
 *                no room; the next record's @lost says how many
 * ``stop``       AEM_EVENT_STOP holds notes back; they wait
 * ``rights``     status, times, memory, user and name are told to the process's parent and
 *                to who might kill(2) it, by the credentials that registered the watch
 *                and those that the process has at its end. Others learn
 *                that it ended. Of a fault code, address and instruction pointer are told to
 *                who might ptrace(2) it
 * ``numbers``    pids are those of the pid namespace, users those of the user namespace
 *                in which the watch was registered. What cannot be seen there cannot
 *                be watched, and is 0 or the overflow id where it is named
 */

/**
 * struct aem_pexit_watch - register for the end of a process, or of several
 * @size:    sizeof(struct aem_pexit_watch)
 * @pid:     a process; with AEM_PEXIT_GROUP a process group
 * @reg:     handler, cookie, flags, priority; out: id
 * @pidfd:   a pidfd of the process @pid, to be sure that it is still the same; -1: none
 * @flags:   AEM_PEXIT_GROUP, _FOLLOW, _FORKS, _EXECS
 * @notes:   room for notes, 1 to AEM_PEXIT_MAX; 0: AEM_PEXIT_NOTES if more than one can
 *           come, else 1
 * @members: with AEM_PEXIT_FOLLOW: room for followed processes that live at a time, 1 to
 *           AEM_PEXIT_MAX; 0: AEM_PEXIT_NOTES. Otherwise 0
 *
 * Handler's arguments: word[0] pid, word[1] status as of wait(2), arg[1] offset of a block
 * with a struct aem_pexit_note, word[4] enum aem_pexit_kind, word[5] AEM_PEXIT_F_*.
 * One record for each note.
 *
 * Errors: ESRCH (no such process or group, or it was waited for), EBADF (@pidfd is not
 * open), EINVAL (@pidfd is not a pidfd of @pid), EPERM (AEM_PEXIT_FOLLOW, _FORKS and
 * _EXECS of a process that the caller might not kill(2)), those of the registration.
 */
struct aem_pexit_watch {
	__u32 size;
	__s32 pid;
	struct aem_registration reg;
	__s32 pidfd;
	__u32 flags;
	__u32 notes;
	__u32 members;
};

/** AEM_PEXIT_NOTES: Room for notes, and for followed processes, unless asked otherwise. */
#define AEM_PEXIT_NOTES		64
/** AEM_PEXIT_MAX: The most room that can be asked for. */
#define AEM_PEXIT_MAX		65536

/**
 * AEM_PEXIT_GROUP: Each process that is in the process group @pid when it ends. Those that
 * ended before the registration are not told of.
 */
#define AEM_PEXIT_GROUP		(1U << 0)
/**
 * AEM_PEXIT_FOLLOW: The process's descendants too, those that it has among them. A child
 * is followed if the caller might kill(2) its parent when it is made.
 */
#define AEM_PEXIT_FOLLOW	(1U << 1)
/** AEM_PEXIT_FORKS: A note for each child that a watched process makes. */
#define AEM_PEXIT_FORKS		(1U << 2)
/** AEM_PEXIT_EXECS: A note for each program that a watched process begins. */
#define AEM_PEXIT_EXECS		(1U << 3)

/**
 * enum aem_pexit_kind - what happened
 * @AEM_PEXIT_END:  process @pid of the note has ended
 * @AEM_PEXIT_FORK: process @pid was made by @parent
 * @AEM_PEXIT_EXEC: process @pid runs another program, @comm
 */
enum aem_pexit_kind {
	AEM_PEXIT_END		= 1,
	AEM_PEXIT_FORK		= 2,
	AEM_PEXIT_EXEC		= 3,
};

/**
 * struct aem_pexit_note - in the block of a record
 * @kind:    enum aem_pexit_kind
 * @pid:     the process
 * @flags:   AEM_PEXIT_F_*: what else is known
 * @status:  END: as wait(2) tells it: WIFEXITED() and so on, core dump included
 * @parent:  its parent, 0: none that can be seen
 * @uid:     its real user
 * @code:    si_code of the fault
 * @pad:     0
 * @time:    when, in nanoseconds of CLOCK_MONOTONIC
 * @user:    END: nanoseconds in user mode, all threads; a tick may be missing
 * @system:  END: nanoseconds in the kernel
 * @peak:    END: most memory that was resident, in bytes
 * @address: of the fault
 * @ip:      instruction pointer at the fault
 * @comm:    its command name, NUL-terminated
 *
 * Without AEM_PEXIT_F_STATUS all from @status on but @time is 0. Times and peak
 * are those of FORK and EXEC: 0.
 */
struct aem_pexit_note {
	__u32 kind;
	__s32 pid;
	__u32 flags;
	__u32 status;
	__s32 parent;
	__u32 uid;
	__s32 code;
	__u32 pad;
	__aligned_u64 time;
	__aligned_u64 user;
	__aligned_u64 system;
	__aligned_u64 peak;
	__aligned_u64 address;
	__aligned_u64 ip;
	__u8 comm[16];
};

/** AEM_PEXIT_F_STATUS: The caller may know more than that it happened: the other fields are set. */
#define AEM_PEXIT_F_STATUS	(1U << 0)
/** AEM_PEXIT_F_FAULT: A fault was the end of it: @code and @ip are set. */
#define AEM_PEXIT_F_FAULT	(1U << 1)
/** AEM_PEXIT_F_ADDRESS: @address is set; not every fault has one. */
#define AEM_PEXIT_F_ADDRESS	(1U << 2)

#endif /* _UAPI_LINUX_AEM_PEXIT_H */
