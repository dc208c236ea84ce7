/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the service "pexit" share: requests, children, and what was told.
 */
#ifndef SELFTESTS_PEXITS_H
#define SELFTESTS_PEXITS_H

#include "raw.h"
#include <linux/aem_pexit.h>
#include <sys/resource.h>

#define PEXIT_TOLD	64

/**
 * struct told - what the records of one watch said
 * @id:    of the watch
 * @n:     how many
 * @lost:  summed up
 * @last:  one carried AEM_RECORD_F_LAST; none may follow
 * @notes: the first of them
 */
struct told {
	uint64_t id;
	uint32_t n;
	uint32_t lost;
	bool last;
	struct aem_pexit_note notes[PEXIT_TOLD];
};

static uint32_t pexit_base;

static inline void pexit_take(struct raw *raw, struct aem_record *record)
{
	struct told *told = (struct told *)(uintptr_t)record->cookie;
	struct aem_pexit_note note;
	uint32_t word[6];

	memcpy(word, record->arg, sizeof(word));
	memcpy(&note, raw->vmt + record->arg[1], sizeof(note));
	EXPECT_EQ(record->nr, pexit_base + AEM_PEXIT_WATCH);
	EXPECT_EQ(record->count, 1);
	EXPECT_EQ((int)word[0], note.pid);
	EXPECT_EQ(word[1], note.status);
	EXPECT_EQ(word[4], note.kind);
	EXPECT_EQ(word[5], note.flags);
	EXPECT_EQ(note.pad, 0);
	EXPECT_NE(note.time, 0);
	EXPECT(!told->last);
	told->last = record->flags & AEM_RECORD_F_LAST;
	told->lost += record->lost;
	if (told->n < PEXIT_TOLD)
		told->notes[told->n] = note;
	told->n++;
}

static inline void pexits_start(struct raw *raw)
{
	raw_start(raw);
	pexit_base = raw_service(raw, AEM_PEXIT_SERVICE);
}

static inline struct aem_pexit_watch pexit_request(struct told *told, pid_t pid, uint32_t flags)
{
	struct aem_pexit_watch watch;

	memset(&watch, 0, sizeof(watch));
	watch.size = sizeof(watch);
	watch.pid = pid;
	watch.pidfd = -1;
	watch.flags = flags;
	watch.reg.handler = (uintptr_t)pexit_take;
	watch.reg.cookie = (uintptr_t)told;
	watch.reg.flags = EVF_START;
	return watch;
}

static inline long long pexit_try(const struct raw *raw, struct aem_pexit_watch *watch)
{
	return raw_call(raw, pexit_base + AEM_PEXIT_WATCH, watch);
}

static inline void pexit_make(const struct raw *raw, struct told *told,
			      struct aem_pexit_watch *watch)
{
	memset(told, 0, sizeof(*told));
	ASSERT_OK(pexit_try(raw, watch));
	ASSERT_NE(watch->reg.id, 0);
	told->id = watch->reg.id;
}

static inline void pexit_watch(const struct raw *raw, struct told *told, pid_t pid, uint32_t flags)
{
	struct aem_pexit_watch watch = pexit_request(told, pid, flags);

	pexit_make(raw, told, &watch);
}

/* Records until @n have come. */
static inline void pexit_await(struct raw *raw, const struct told *told, uint32_t n)
{
	while (told->n < n)
		ASSERT_EQ(raw_wait(raw, RAW_LONG), 0);
}

static inline void pexit_silence(struct raw *raw)
{
	EXPECT_EQ(raw_wait(raw, RAW_SECOND / 20), ETIME);
	EXPECT_EQ(raw_drain(raw), 0);
}

/* A child that waits until pexit_go(), and then does what it is told. */
struct child {
	pid_t pid;
	int go;
};

static inline struct child pexit_child(void (*run)(void *data), void *data)
{
	struct child child;
	int fds[2];
	char byte;

	ASSERT_OK(pipe(fds));
	child.pid = fork();
	ASSERT_GE(child.pid, 0);
	if (!child.pid) {
		close(fds[1]);
		while (read(fds[0], &byte, 1) < 0)
			;
		run(data);
		_exit(0);
	}
	close(fds[0]);
	child.go = fds[1];
	return child;
}

static inline void pexit_go(struct child *child)
{
	close(child->go);
	child->go = -1;
}

static inline int pexit_reap(pid_t pid, struct rusage *usage)
{
	int status;

	ASSERT_EQ(wait4(pid, &status, 0, usage), pid);
	return status;
}

/* It has ended, and is a zombie. */
static inline void pexit_await_zombie(pid_t pid)
{
	siginfo_t info;

	ASSERT_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
}

/* Where nothing is. */
static inline void pexit_fault_at(uintptr_t address)
{
	volatile int *volatile nowhere = (volatile int *)address;

	*nowhere = 1;
}

#endif /* SELFTESTS_PEXITS_H */
