// SPDX-License-Identifier: GPL-2.0
/*
 * aem-pexit is exchanged while processes that are watched fork, run programs and end: each is told
 * once, whichever version serves the watch then.
 *
 * vm: load=core,null,pexit,pexit_2 mem=768 timeout=240
 */
#include "pexits.h"
#include "swap.h"
#include <pthread.h>

#define CHILDREN 20
#define ROUNDS_MS 1500

static void begin(struct raw *raw)
{
	struct aem_bind bind;

	raw_start(raw);
	ASSERT_OK(raw_bind(raw->fd, &bind, AEM_PEXIT_SERVICE, 1, 1));
	pexit_base = bind.base;
}

static void end_with(void *data)
{
	_exit((int)(intptr_t)data);
}

static void told_once(const struct told *told, const struct child *child, int code)
{
	EXPECT_EQ(told->n, 1);
	EXPECT_EQ(told->lost, 0);
	EXPECT(told->last);
	EXPECT_EQ(told->notes[0].pid, child->pid);
	EXPECT_EQ(told->notes[0].kind, AEM_PEXIT_END);
	EXPECT_EQ(WEXITSTATUS(told->notes[0].status), code);
}

/* What the service says of a watch of one process that lives. */
static void expect_shown(const struct raw *raw)
{
	static char text[65536];

	raw_fdinfo(raw, text, sizeof(text));
	EXPECT(strstr(text, "service=pexit"));
	EXPECT(strstr(text, " flags:0 waiting:0 watched:1"));
}

/* Some end before the swap, and wait to be told of; some after it, some after the way back. */
TEST(ends_before_and_after)
{
	struct child child[CHILDREN];
	struct told told[CHILDREN];
	struct aem_manage done;
	struct raw raw;
	int i;

	begin(&raw);
	for (i = 0; i < CHILDREN; i++) {
		child[i] = pexit_child(end_with, (void *)(intptr_t)(i + 1));
		pexit_watch(&raw, &told[i], child[i].pid, 0);
	}
	/* The last that was made goes first: it holds what the others wait for. */
	for (i = CHILDREN; i--;) {
		if (i == 15) {
			done = swap_to(raw.fd, AEM_PEXIT_SERVICE, 1, 2);
			EXPECT_EQ(done.moved, CHILDREN);
			EXPECT_EQ(done.refused, 0);
			EXPECT_EQ(swap_unload("aem_pexit"), 0);
			expect_shown(&raw);
		}
		if (i == 8) {
			swap_load("aem-pexit", "");
			done = swap_to(raw.fd, AEM_PEXIT_SERVICE, 2, 1);
			EXPECT_EQ(done.moved, swap_events(raw.fd, AEM_PEXIT_SERVICE, 1));
			EXPECT_EQ(swap_events(raw.fd, AEM_PEXIT_SERVICE, 2), 0);
			EXPECT_EQ(swap_unload("aem_pexit_2"), 0);
		}
		pexit_go(&child[i]);
		pexit_await_zombie(child[i].pid);
		if (i == 12)
			pexit_await(&raw, &told[12], 1);
	}
	for (i = 0; i < CHILDREN; i++) {
		pexit_await(&raw, &told[i], 1);
		told_once(&told[i], &child[i], i + 1);
		pexit_reap(child[i].pid, NULL);
	}
	pexit_silence(&raw);
	raw_end(&raw);
	swap_load("aem-pexit_2", "");
}

struct tally {
	unsigned long forks;
	unsigned long execs;
	unsigned long ends;
	unsigned long lost;
};

static struct tally tally;

static void count(struct raw *raw, struct aem_record *record)
{
	uint32_t word[6];

	(void)raw;
	memcpy(word, record->arg, sizeof(word));
	tally.lost += record->lost;
	tally.forks += word[4] == AEM_PEXIT_FORK;
	tally.execs += word[4] == AEM_PEXIT_EXEC;
	tally.ends += word[4] == AEM_PEXIT_END;
}

/* @made is shared with the watcher: each child runs a program, and ends. */
static void make_children(void *made)
{
	unsigned long *n = (unsigned long *)made;
	char *const none[] = { NULL };
	pid_t pid;

	while (!__atomic_load_n(&n[1], __ATOMIC_SEQ_CST)) {
		pid = fork();
		if (!pid) {
			execve("/bin/true", (char *const[]){ (char *)"true", NULL }, none);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			_exit(1);
		n[0]++;
	}
}

/* A family lives on, and is followed, through as many swaps as there is time for. */
TEST_TIMEOUT(a_family_under_swaps, 200)
{
	unsigned long *made = (unsigned long *)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
						    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec first, time;
	struct swaps swaps = { .service = AEM_PEXIT_SERVICE };
	struct aem_pexit_watch watch;
	struct child parent;
	pthread_t swapper;
	struct raw raw;

	ASSERT(made != MAP_FAILED);
	begin(&raw);
	parent = pexit_child(make_children, made);
	watch = pexit_request(NULL, parent.pid,
			      AEM_PEXIT_FOLLOW | AEM_PEXIT_FORKS | AEM_PEXIT_EXECS);
	watch.reg.handler = (uintptr_t)count;
	watch.notes = 65536;
	ASSERT_OK(pexit_try(&raw, &watch));
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_until_stopped, &swaps), 0);
	pexit_go(&parent);
	clock_gettime(CLOCK_MONOTONIC, &first);
	do {
		raw_wait(&raw, RAW_SECOND / 10);
		clock_gettime(CLOCK_MONOTONIC, &time);
	} while ((time.tv_sec - first.tv_sec) * 1000 +
		 (time.tv_nsec - first.tv_nsec) / 1000000 < ROUNDS_MS);
	__atomic_store_n(&made[1], 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(pexit_reap(parent.pid, NULL), 0);
	raw_drain(&raw);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(swapper, NULL);
	NOTE("%lu swaps, %lu children", swaps.count, made[0]);
	EXPECT_GT(swaps.count, 0);
	EXPECT_GT(made[0], 0);
	EXPECT_EQ(tally.lost, 0);
	EXPECT_EQ(tally.forks, made[0]);
	EXPECT_EQ(tally.execs, made[0]);
	EXPECT_EQ(tally.ends, made[0] + 1);
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_pexit"), 0);
	EXPECT_EQ(swap_unload("aem_pexit_2"), 0);
	swap_load("aem-pexit", "");
	swap_load("aem-pexit_2", "");
}

KTAP_MAIN()
