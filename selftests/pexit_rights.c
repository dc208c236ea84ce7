// SPDX-License-Identifier: GPL-2.0
/*
 * The service "pexit": who may know what of a process, in user and pid namespaces too.
 */
/* vm: load=core,null,pexit timeout=180 */
#include "pexits.h"
#include <sys/prctl.h>

#define ALICE	1000
#define BOB	1001

static void leave_with(void *data)
{
	_exit((int)(intptr_t)data);
}

static void hang(void *data)
{
	(void)data;
	for (;;)
		pause();
}

static void become(uid_t uid)
{
	ASSERT_OK(setresgid(uid, uid, uid));
	ASSERT_OK(setresuid(uid, uid, uid));
}

static void expect_nothing_known(const struct aem_pexit_note *note, pid_t pid)
{
	struct aem_pexit_note end = {
		.kind = AEM_PEXIT_END, .pid = pid, .time = note->time,
	};

	EXPECT_EQ(memcmp(note, &end, sizeof(end)), 0);
}

static void leave_as_bob(void *data)
{
	become(BOB);
	_exit((int)(intptr_t)data);
}

static void fault_as(void *data)
{
	become((uid_t)(intptr_t)data);
	pexit_fault_at(0x77);
}

static void fault_as_alice_dumpable(void *data)
{
	become((uid_t)(intptr_t)data);
	prctl(PR_SET_DUMPABLE, 1);
	pexit_fault_at(0x77);
}

static struct child subject;

static void let_go(void)
{
	pexit_go(&subject);
}

static void only_the_end(struct raw *raw, pid_t pid)
{
	struct aem_pexit_watch watch;
	struct told told, group;
	uint32_t flag;

	for (flag = AEM_PEXIT_FOLLOW; flag <= AEM_PEXIT_EXECS; flag <<= 1) {
		watch = pexit_request(&told, pid, flag);
		EXPECT_ERRNO(pexit_try(raw, &watch), EPERM);
	}
	pexit_watch(raw, &told, pid, 0);
	pexit_watch(raw, &group, pid, AEM_PEXIT_GROUP | AEM_PEXIT_FORKS);
	let_go();
	pexit_await(raw, &told, 1);
	pexit_await(raw, &group, 1);
	expect_nothing_known(&told.notes[0], pid);
	expect_nothing_known(&group.notes[0], pid);
}

static void the_status(struct raw *raw, pid_t pid)
{
	struct told told;

	pexit_watch(raw, &told, pid, 0);
	let_go();
	pexit_await(raw, &told, 1);
	EXPECT_EQ(told.notes[0].flags, AEM_PEXIT_F_STATUS);
	EXPECT_NE(told.notes[0].status, 0);
	EXPECT_EQ(told.notes[0].ip, 0);
	EXPECT_EQ(told.notes[0].address, 0);
	EXPECT_EQ(told.notes[0].code, 0);
}

static void the_fault(struct raw *raw, pid_t pid)
{
	struct told told;

	pexit_watch(raw, &told, pid, 0);
	let_go();
	pexit_await(raw, &told, 1);
	EXPECT_EQ(told.notes[0].status & 0x7f, SIGSEGV);
	EXPECT_EQ(told.notes[0].address, 0x77);
	EXPECT_NE(told.notes[0].ip, 0);
}

/* The watched child waits for the last writer of its pipe: both we and the tester are. */
static void go_together(void (*run)(void *), intptr_t data, uid_t uid,
			void (*test)(struct raw *raw, pid_t pid))
{
	int gate[2];
	pid_t tester, pid;
	struct raw raw;
	char byte;

	ASSERT_OK(pipe(gate));
	pid = fork();
	if (!pid) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0)
			;
		run((void *)data);
		_exit(0);
	}
	ASSERT_OK(setpgid(pid, pid));
	tester = fork();
	if (!tester) {
		subject.pid = pid;
		subject.go = gate[1];
		memset(&raw, 0, sizeof(raw));
		raw.setup.flags = AEM_SETUP_SAFEPOINT;
		raw_begin(&raw);
		become(uid);
		pexit_base = raw_service(&raw, AEM_PEXIT_SERVICE);
		test(&raw, pid);
		raw_end(&raw);
		ktap_stop(0);
	}
	close(gate[0]);
	close(gate[1]);
	EXPECT_EQ(pexit_reap(tester, NULL), 0);
	pexit_reap(pid, NULL);
}

TEST(of_another_user_only_the_end)
{
	go_together(leave_with, 3, ALICE, only_the_end);
}

/* What counts is who it is when it ends. */
TEST(credentials_at_the_end)
{
	go_together(leave_as_bob, 3, BOB, the_status);
	go_together(leave_as_bob, 3, ALICE, only_the_end);
	go_together(leave_as_bob, 3, 0, the_status);
}

/* Who changes its user cannot be traced, until it says so; its status can be known. */
TEST(faults_as_ptrace)
{
	struct rlimit none = { 0, 0 };

	ASSERT_OK(setrlimit(RLIMIT_CORE, &none));
	go_together(fault_as, ALICE, ALICE, the_status);
	go_together(fault_as_alice_dumpable, ALICE, ALICE, the_fault);
	go_together(fault_as, ALICE, 0, the_fault);
	go_together(fault_as_alice_dumpable, ALICE, BOB, only_the_end);
}

/* The parent is told the status whoever its child has become, as wait(2) does. */
TEST(the_parent)
{
	struct child child;
	struct told told;
	struct raw raw;

	pexits_start(&raw);
	child = pexit_child(leave_as_bob, (void *)8);
	become(ALICE);
	pexit_watch(&raw, &told, child.pid, 0);
	pexit_go(&child);
	pexit_await(&raw, &told, 1);
	EXPECT_EQ(told.notes[0].status, 8 << 8);
	EXPECT_EQ(told.notes[0].uid, BOB);
	raw_end(&raw);
}

/* In a pid namespace: its own numbers, and nobody outside. */
static void inside(int fd)
{
	struct aem_pexit_watch watch;
	struct child child;
	struct told told;
	struct raw raw;
	pid_t outside;

	ASSERT_EQ(read(fd, &outside, sizeof(outside)), (ssize_t)sizeof(outside));
	ASSERT_EQ(getpid(), 1);
	pexits_start(&raw);
	watch = pexit_request(&told, outside, 0);
	EXPECT_ERRNO(pexit_try(&raw, &watch), ESRCH);
	watch.flags = AEM_PEXIT_GROUP;
	EXPECT_ERRNO(pexit_try(&raw, &watch), ESRCH);
	child = pexit_child(leave_with, (void *)5);
	EXPECT_EQ(child.pid, 2);
	pexit_watch(&raw, &told, 2, 0);
	pexit_go(&child);
	pexit_await(&raw, &told, 1);
	EXPECT_EQ(told.notes[0].pid, 2);
	EXPECT_EQ(told.notes[0].parent, 1);
	EXPECT_EQ(told.notes[0].status, 5 << 8);
	raw_end(&raw);
	ktap_stop(0);
}

TEST(pid_namespaces)
{
	struct child far = pexit_child(hang, NULL);
	struct told told;
	struct raw raw;
	int fds[2];
	int i, first;
	pid_t pid;

	pexits_start(&raw);
	ASSERT_OK(pipe(fds));
	/* A number that nobody has inside. */
	for (i = 0; i < 50; i++)
		if (!fork())
			_exit(0);
	while (wait4(-1, NULL, WNOHANG, NULL) > 0)
		;
	ASSERT_OK(unshare(CLONE_NEWPID));
	pid = fork();
	if (!pid)
		inside(fds[0]);
	pexit_watch(&raw, &told, pid, AEM_PEXIT_FOLLOW);
	ASSERT_EQ(write(fds[1], &far.pid, sizeof(pid_t)), (ssize_t)sizeof(pid_t));
	pexit_await(&raw, &told, 2);
	/* Who hears of the child ends while we are still to be told: either may come first. */
	first = told.notes[0].pid == pid;
	EXPECT_EQ(told.notes[first].status, 5 << 8);
	EXPECT_EQ(told.notes[first].parent, pid);
	EXPECT_GT(told.notes[first].pid, 2);
	EXPECT_EQ(told.notes[!first].pid, pid);
	EXPECT_EQ(told.notes[!first].status, 0);
	kill(far.pid, SIGKILL);
	raw_end(&raw);
}

/* Root of a namespace of its own has rights over what is in there, and nowhere else. */
TEST(user_namespaces)
{
	int gate[2], ready[2];
	struct told told;
	struct raw raw;
	pid_t pid, own;
	char byte;

	ASSERT_OK(pipe(gate));
	ASSERT_OK(pipe(ready));
	pexits_start(&raw);
	pid = fork();
	if (!pid) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0)
			;
		_exit(6);
	}
	own = fork();
	if (!own) {
		struct raw mine;

		memset(&mine, 0, sizeof(mine));
		mine.setup.flags = AEM_SETUP_SAFEPOINT;
		raw_begin(&mine);
		become(ALICE);
		ASSERT_OK(unshare(CLONE_NEWUSER));
		pexit_base = raw_service(&mine, AEM_PEXIT_SERVICE);
		pexit_watch(&mine, &told, pid, 0);
		close(gate[1]);
		ASSERT_EQ(write(ready[1], "", 1), 1);
		pexit_await(&mine, &told, 1);
		expect_nothing_known(&told.notes[0], pid);
		ktap_stop(0);
	}
	ASSERT_EQ(read(ready[0], &byte, 1), 1);
	close(gate[1]);
	EXPECT_EQ(pexit_reap(pid, NULL), 6 << 8);
	EXPECT_EQ(pexit_reap(own, NULL), 0);
	raw_end(&raw);
}

KTAP_MAIN()
