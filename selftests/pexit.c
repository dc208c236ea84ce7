// SPDX-License-Identifier: GPL-2.0
/*
 * The service "pexit": what is told of one process, of a group, and of a family.
 */
/* vm: load=core,null,pexit timeout=240 m32 */
#include "pexits.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

static void leave_with(void *data)
{
	_exit((int)(intptr_t)data);
}

static void die_of(void *data)
{
	int signo = (int)(intptr_t)data;

	signal(signo, SIG_DFL);
	raise(signo);
}

static void hang(void *data)
{
	(void)data;
	for (;;)
		pause();
}

static void no_core(void)
{
	struct rlimit none = { 0, 0 };

	ASSERT_OK(setrlimit(RLIMIT_CORE, &none));
}

/* Runs @run in a child that is watched, and compares the end with what wait4() says. */
static struct aem_pexit_note watched_end(struct raw *raw, void (*run)(void *), void *data)
{
	struct child child = pexit_child(run, data);
	struct rusage usage;
	struct told told;

	pexit_watch(raw, &told, child.pid, 0);
	pexit_go(&child);
	pexit_await(raw, &told, 1);
	EXPECT(told.last);
	EXPECT_EQ(told.lost, 0);
	EXPECT_EQ(told.notes[0].kind, AEM_PEXIT_END);
	EXPECT_EQ(told.notes[0].pid, child.pid);
	EXPECT_EQ(told.notes[0].parent, getpid());
	EXPECT_EQ(told.notes[0].uid, getuid());
	EXPECT(told.notes[0].flags & AEM_PEXIT_F_STATUS);
	EXPECT_EQ(told.notes[0].status, pexit_reap(child.pid, &usage));
	EXPECT_EQ(told.notes[0].peak, usage.ru_maxrss * 1024ULL);
	raw_drain(raw);
	EXPECT_ERRNO(raw_event(raw, AEM_EVENT_INFO, told.id, 0), ENOENT);
	return told.notes[0];
}

TEST(every_status_as_wait_tells_it)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGKILL, SIGUSR1, SIGPIPE,
				       SIGALRM, SIGTERM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	static const int codes[] = { 0, 1, 2, 127, 128, 255 };
	struct aem_pexit_note note;
	struct raw raw;
	unsigned int i;

	no_core();
	pexits_start(&raw);
	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		note = watched_end(&raw, leave_with, (void *)(intptr_t)codes[i]);
		EXPECT_EQ(note.status, codes[i] << 8);
		EXPECT_EQ(note.flags, AEM_PEXIT_F_STATUS);
	}
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		note = watched_end(&raw, die_of, (void *)(intptr_t)signals[i]);
		EXPECT_EQ(note.status, signals[i]);
		EXPECT_EQ(note.flags, AEM_PEXIT_F_STATUS);
	}
	raw_end(&raw);
}

__attribute__((noipa)) static void read_from(void *data)
{
	__asm__ volatile(".globl faulty_load\nfaulty_load: mov (%0), %%eax" : : "r"(data) : "eax");
}

extern const char faulty_load[];

__attribute__((noipa)) static void trap_out(void *data)
{
	(void)data;
	__asm__ volatile(".globl faulty_code\nfaulty_code: ud2");
}

extern const char faulty_code[];

static void be_called(void *data)
{
	prctl(PR_SET_NAME, "fifteen-letters-and-more");
	(void)data;
}

TEST(faults_with_address_and_instruction)
{
	struct aem_pexit_note note;
	struct raw raw;

	no_core();
	pexits_start(&raw);
	note = watched_end(&raw, read_from, (void *)0x1234);
	EXPECT_EQ(note.flags, AEM_PEXIT_F_STATUS | AEM_PEXIT_F_FAULT | AEM_PEXIT_F_ADDRESS);
	EXPECT_EQ(note.code, SEGV_MAPERR);
	EXPECT_EQ(note.address, 0x1234);
	EXPECT_EQ(note.ip, (uintptr_t)faulty_load);
	note = watched_end(&raw, trap_out, NULL);
	EXPECT_EQ(note.flags, AEM_PEXIT_F_STATUS | AEM_PEXIT_F_FAULT | AEM_PEXIT_F_ADDRESS);
	EXPECT_EQ(WTERMSIG(note.status), SIGILL);
	EXPECT_EQ(note.ip, (uintptr_t)faulty_code);
	EXPECT_EQ(note.address, (uintptr_t)faulty_code);
	note = watched_end(&raw, be_called, NULL);
	EXPECT_STR((const char *)note.comm, "fifteen-letters");
	raw_end(&raw);
}

/* The one that faults is not the last that ends. */
static void *fault_in_thread(void *data)
{
	read_from(data);
	return NULL;
}

static void *sit(void *data)
{
	hang(data);
	return NULL;
}

static void threads_then_fault(void *data)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&thread, NULL, sit, NULL);
	pthread_create(&thread, NULL, fault_in_thread, data);
	hang(NULL);
}

TEST(a_fault_in_one_of_many_threads)
{
	struct aem_pexit_note note;
	struct raw raw;
	int i;

	no_core();
	pexits_start(&raw);
	for (i = 0; i < 10; i++) {
		note = watched_end(&raw, threads_then_fault, (void *)0x4321);
		EXPECT_EQ(WTERMSIG(note.status), SIGSEGV);
		EXPECT_EQ(note.address, 0x4321);
		EXPECT_EQ(note.ip, (uintptr_t)faulty_load);
	}
	raw_end(&raw);
}

static void *outlive(void *data)
{
	raw_sleep_ms(100);
	syscall(SYS_exit, (int)(intptr_t)data);
	return NULL;
}

/* The first thread ends at once; the process ends with the other. */
static void leader_first(void *data)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive, data);
	syscall(SYS_exit, 3);
}

TEST(a_process_ends_with_its_last_thread)
{
	struct aem_pexit_note note;
	struct raw raw;

	pexits_start(&raw);
	note = watched_end(&raw, leader_first, (void *)7);
	EXPECT_EQ(note.status, 7 << 8);
	raw_end(&raw);
}

static void *burn_in_thread(void *data)
{
	struct timespec now;

	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while (!now.tv_sec && now.tv_nsec < (long)(intptr_t)data);
	return NULL;
}

static void burn(void *data)
{
	pthread_t thread;

	pthread_create(&thread, NULL, burn_in_thread, data);
	burn_in_thread(data);
	pthread_join(thread, NULL);
}

TEST(times_of_all_threads)
{
	struct child child = pexit_child(burn, (void *)100000000L);
	struct rusage usage;
	long long sum, told_sum;
	struct told told;
	struct raw raw;

	pexits_start(&raw);
	pexit_watch(&raw, &told, child.pid, 0);
	pexit_go(&child);
	pexit_await(&raw, &told, 1);
	EXPECT_EQ(pexit_reap(child.pid, &usage), 0);
	sum = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
	      (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
	told_sum = told.notes[0].user + told.notes[0].system;
	NOTE("%lld ns told, %lld by wait4", told_sum, sum);
	EXPECT_LE(told_sum, sum + 1000000);
	EXPECT_GT(told_sum, sum - 60000000);
	raw_end(&raw);
}

TEST(one_that_has_ended_is_told_at_once)
{
	struct child child = pexit_child(leave_with, (void *)5);
	struct told told, again;
	struct raw raw;

	pexits_start(&raw);
	pexit_go(&child);
	pexit_await_zombie(child.pid);
	pexit_watch(&raw, &told, child.pid, 0);
	pexit_watch(&raw, &again, child.pid, AEM_PEXIT_FOLLOW);
	EXPECT_EQ(raw_drain(&raw), 2);
	EXPECT_EQ(told.n, 1);
	EXPECT(told.last);
	EXPECT_EQ(told.notes[0].status, 5 << 8);
	EXPECT_EQ(again.n, 1);
	EXPECT(again.last);
	EXPECT_EQ(pexit_reap(child.pid, NULL), 5 << 8);
	EXPECT_ERRNO(pexit_try(&raw, &(struct aem_pexit_watch){
			.size = sizeof(struct aem_pexit_watch), .pid = child.pid, .pidfd = -1,
		}), ESRCH);
	raw_end(&raw);
}

/* Whatever the instant: once, never twice, never not at all. */
TEST(registration_races_with_the_end)
{
	struct told told[4];
	struct child child;
	struct raw raw;
	int i, j, late = 0;

	pexits_start(&raw);
	for (i = 0; ktap_more(i, 300); i++) {
		child = pexit_child(leave_with, (void *)(intptr_t)(i & 0xff));
		pexit_go(&child);
		for (j = 0; j < i % 7; j++)
			sched_yield();
		for (j = 0; j < 4; j++)
			pexit_watch(&raw, &told[j], child.pid, 0);
		late += raw_round(&raw);
		for (j = 0; j < 4; j++)
			pexit_await(&raw, &told[j], 1);
		EXPECT_EQ(pexit_reap(child.pid, NULL), (i & 0xff) << 8);
		EXPECT_EQ(raw_drain(&raw), 0);
		for (j = 0; j < 4; j++) {
			EXPECT_EQ(told[j].n, 1);
			EXPECT(told[j].last);
			EXPECT_EQ(told[j].notes[0].status, (i & 0xff) << 8);
		}
	}
	NOTE("%d of %d had ended at the registration", late, 4 * i);
	raw_end(&raw);
}

TEST(errnos)
{
	struct child child = pexit_child(hang, NULL);
	struct aem_pexit_watch good, bad;
	struct told told;
	struct raw raw;

	pexits_start(&raw);
	good = pexit_request(&told, child.pid, 0);
#define BAD(_field, _value, _errno) do {				\
		bad = good;						\
		bad._field = _value;					\
		EXPECT_ERRNO(pexit_try(&raw, &bad), _errno);		\
	} while (0)
	BAD(pid, 0, EINVAL);
	BAD(pid, -1, EINVAL);
	BAD(pid, 0x7fffffff, ESRCH);
	BAD(flags, 1U << 4, EINVAL);
	BAD(flags, AEM_PEXIT_GROUP | AEM_PEXIT_FOLLOW, EINVAL);
	BAD(flags, AEM_PEXIT_GROUP, ESRCH);
	BAD(notes, AEM_PEXIT_MAX + 1, EINVAL);
	BAD(members, 1, EINVAL);
	BAD(pidfd, -2, EINVAL);
	BAD(pidfd, 1000000, EBADF);
	BAD(reg.prio, AEM_PRIORITIES, EINVAL);
	BAD(reg.flags, EVF_START | EVF_FORK, EOPNOTSUPP);
	good.flags = AEM_PEXIT_FOLLOW;
	BAD(members, AEM_PEXIT_MAX + 1, EINVAL);
	kill(child.pid, SIGKILL);
	raw_end(&raw);
}

static int pidfd_open(pid_t pid)
{
	return (int)syscall(434, pid, 0);
}

TEST(a_pidfd_makes_sure)
{
	struct child a = pexit_child(hang, NULL), b = pexit_child(hang, NULL);
	struct aem_pexit_watch watch;
	int fd_a, fd_b, other;
	struct told told;
	struct raw raw;

	pexits_start(&raw);
	fd_a = pidfd_open(a.pid);
	fd_b = pidfd_open(b.pid);
	other = eventfd(0, 0);
	ASSERT_GE(fd_a, 0);
	ASSERT_GE(fd_b, 0);
	watch = pexit_request(&told, a.pid, 0);
	watch.pidfd = fd_b;
	EXPECT_ERRNO(pexit_try(&raw, &watch), EINVAL);
	watch.pidfd = other;
	EXPECT_ERRNO(pexit_try(&raw, &watch), EINVAL);
	watch.pidfd = 0;
	EXPECT_ERRNO(pexit_try(&raw, &watch), EINVAL);
	watch.pidfd = fd_a;
	pexit_make(&raw, &told, &watch);
	close(fd_a);
	kill(a.pid, SIGTERM);
	pexit_await(&raw, &told, 1);
	EXPECT_EQ(told.notes[0].status, SIGTERM);
	kill(b.pid, SIGKILL);
	raw_end(&raw);
}

TEST(stopping_holds_back_and_loses_nothing)
{
	struct child child = pexit_child(leave_with, (void *)9);
	struct aem_pexit_watch watch;
	struct told told;
	struct raw raw;

	pexits_start(&raw);
	watch = pexit_request(&told, child.pid, 0);
	watch.reg.flags = 0;
	pexit_make(&raw, &told, &watch);
	pexit_go(&child);
	pexit_await_zombie(child.pid);
	EXPECT_EQ(pexit_reap(child.pid, NULL), 9 << 8);
	pexit_silence(&raw);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, told.id, 0));
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT(told.last);
	EXPECT_EQ(told.notes[0].status, 9 << 8);
	raw_end(&raw);
}

static void *leave_at_once(void *data)
{
	syscall(SYS_exit, 0);
	return data;
}

static void many_threads_at_once(void *data)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 6; i++)
		pthread_create(&thread, NULL, leave_at_once, NULL);
	syscall(SYS_exit, (int)(intptr_t)data);
}

/* A group has no member to forget: that each end is told once is seen to otherwise. */
TEST(each_of_a_group_once)
{
	struct aem_pexit_watch watch;
	struct child child, keeper;
	struct told told;
	struct raw raw;
	uint32_t i;

	pexits_start(&raw);
	keeper = pexit_child(hang, NULL);
	ASSERT_OK(setpgid(keeper.pid, keeper.pid));
	watch = pexit_request(&told, keeper.pid, AEM_PEXIT_GROUP);
	pexit_make(&raw, &told, &watch);
	for (i = 0; ktap_more(i, PEXIT_TOLD - 1); i++) {
		child = pexit_child(many_threads_at_once, (void *)1);
		ASSERT_OK(setpgid(child.pid, keeper.pid));
		pexit_go(&child);
		pexit_await(&raw, &told, i + 1);
		EXPECT_EQ(told.notes[i].pid, child.pid);
		pexit_reap(child.pid, NULL);
		raw_drain(&raw);
		EXPECT_EQ(told.n, i + 1);
	}
	/* One that is not in the group. */
	child = pexit_child(leave_with, NULL);
	pexit_go(&child);
	pexit_reap(child.pid, NULL);
	pexit_silence(&raw);
	kill(keeper.pid, SIGKILL);
	pexit_await(&raw, &told, i + 1);
	EXPECT_EQ(told.notes[i].status, SIGKILL);
	EXPECT(!told.last);
	EXPECT_EQ(told.lost, 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, told.id, 0));
	raw_end(&raw);
}

TEST(what_finds_no_room_is_counted)
{
	struct child keeper = pexit_child(hang, NULL), child;
	struct aem_pexit_watch watch;
	struct told told;
	struct raw raw;
	int i;

	pexits_start(&raw);
	ASSERT_OK(setpgid(keeper.pid, keeper.pid));
	watch = pexit_request(&told, keeper.pid, AEM_PEXIT_GROUP);
	watch.notes = 3;
	pexit_make(&raw, &told, &watch);
	for (i = 0; i < 10; i++) {
		child = pexit_child(leave_with, (void *)(intptr_t)i);
		ASSERT_OK(setpgid(child.pid, keeper.pid));
		pexit_go(&child);
		pexit_reap(child.pid, NULL);
	}
	EXPECT_EQ(raw_drain(&raw), 3);
	EXPECT_EQ(told.lost, 7);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(told.notes[i].status, i << 8);
	kill(keeper.pid, SIGKILL);
	pexit_await(&raw, &told, 4);
	EXPECT_EQ(told.lost, 7);
	raw_end(&raw);
}

/* A child, a grandchild and so on, each ending with its depth. */
static void generations(void *data)
{
	int depth = (int)(intptr_t)data;
	pid_t pid = 0;

	while (depth && !(pid = fork()))
		depth--;
	if (pid)
		waitpid(pid, NULL, 0);
	_exit(depth);
}

TEST(descendants_are_followed)
{
	struct child child = pexit_child(generations, (void *)10);
	struct told told;
	struct raw raw;
	int i;

	pexits_start(&raw);
	pexit_watch(&raw, &told, child.pid, AEM_PEXIT_FOLLOW);
	pexit_go(&child);
	pexit_await(&raw, &told, 11);
	EXPECT(told.last);
	EXPECT_EQ(told.lost, 0);
	for (i = 0; i < 11; i++)
		EXPECT_EQ(told.notes[i].status, i << 8);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(told.notes[i].parent, told.notes[i + 1].pid);
	EXPECT_EQ(told.notes[10].pid, child.pid);
	raw_drain(&raw);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, told.id, 0), ENOENT);
	raw_end(&raw);
}

static void family(void *data)
{
	int *ready = data, i;
	char byte = 0;

	for (i = 0; i < 5; i++)
		if (!fork()) {
			if (!fork())
				hang(NULL);
			if (write(ready[1], &byte, 1) != 1)
				_exit(1);
			hang(NULL);
		}
	hang(NULL);
}

/* They were there before the watch; two of them lose their parent. */
TEST(descendants_that_were_there)
{
	struct child child;
	struct told told;
	int ready[2], i;
	struct raw raw;
	char bytes[5];

	ASSERT_OK(pipe(ready));
	pexits_start(&raw);
	child = pexit_child(family, ready);
	ASSERT_OK(setpgid(child.pid, child.pid));
	pexit_go(&child);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(read(ready[0], bytes, 1), 1);
	pexit_watch(&raw, &told, child.pid, AEM_PEXIT_FOLLOW);
	kill(child.pid, SIGTERM);
	pexit_await(&raw, &told, 1);
	EXPECT(!told.last);
	kill(-child.pid, SIGKILL);
	pexit_await(&raw, &told, 11);
	EXPECT(told.last);
	EXPECT_EQ(told.notes[0].status, SIGTERM);
	for (i = 1; i < 11; i++)
		EXPECT_EQ(told.notes[i].status, SIGKILL);
	raw_end(&raw);
}

static void many_children(void *data)
{
	int i;

	for (i = 0; i < (int)(intptr_t)data; i++)
		if (!fork())
			hang(NULL);
	_exit(0);
}

TEST(who_cannot_be_followed_is_counted)
{
	struct child child = pexit_child(many_children, (void *)8);
	struct aem_pexit_watch watch;
	struct told told;
	struct raw raw;

	pexits_start(&raw);
	ASSERT_OK(setpgid(child.pid, child.pid));
	watch = pexit_request(&told, child.pid, AEM_PEXIT_FOLLOW);
	watch.members = 3;
	watch.notes = 1;
	pexit_make(&raw, &told, &watch);
	pexit_go(&child);
	pexit_await(&raw, &told, 1);
	EXPECT_EQ(told.notes[0].pid, child.pid);
	EXPECT_EQ(told.lost, 5);
	kill(-child.pid, SIGKILL);
	pexit_await(&raw, &told, 4);
	EXPECT(told.last);
	EXPECT_EQ(told.lost, 5);
	raw_end(&raw);
}

static void fork_and_exec(void *data)
{
	pid_t pid = fork();

	(void)data;
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 4", NULL);
		_exit(9);
	}
	waitpid(pid, NULL, 0);
	_exit(6);
}

TEST(forks_and_execs)
{
	struct child child = pexit_child(fork_and_exec, NULL);
	struct told told;
	struct raw raw;
	pid_t grandchild;

	pexits_start(&raw);
	pexit_watch(&raw, &told, child.pid, AEM_PEXIT_FOLLOW | AEM_PEXIT_FORKS | AEM_PEXIT_EXECS);
	pexit_go(&child);
	pexit_await(&raw, &told, 4);
	EXPECT(told.last);
	EXPECT_EQ(told.notes[0].kind, AEM_PEXIT_FORK);
	EXPECT_EQ(told.notes[0].parent, child.pid);
	grandchild = told.notes[0].pid;
	EXPECT_EQ(told.notes[1].kind, AEM_PEXIT_EXEC);
	EXPECT_EQ(told.notes[1].pid, grandchild);
	EXPECT_STR((const char *)told.notes[1].comm, "sh");
	EXPECT_EQ(told.notes[2].kind, AEM_PEXIT_END);
	EXPECT_EQ(told.notes[2].pid, grandchild);
	EXPECT_EQ(told.notes[2].status, 4 << 8);
	EXPECT_EQ(told.notes[3].pid, child.pid);
	EXPECT_EQ(told.notes[3].status, 6 << 8);
	raw_end(&raw);
}

/* By the time that the process ends, the memory of its watches has been given back. */
TEST(watches_that_have_gone_hear_nothing)
{
	static const uint32_t flags[] = { 0, AEM_PEXIT_FOLLOW, AEM_PEXIT_GROUP, AEM_PEXIT_FORKS };
	struct told gone[ARRAY_SIZE(flags)], told;
	struct child child;
	struct raw raw;
	unsigned int i;

	pexits_start(&raw);
	child = pexit_child(leave_with, (void *)3);
	ASSERT_OK(setpgid(child.pid, child.pid));
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		pexit_watch(&raw, &gone[i], child.pid, flags[i]);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, gone[i].id, 0));
	raw_sleep_ms(300);
	pexit_watch(&raw, &told, child.pid, 0);
	pexit_go(&child);
	pexit_await(&raw, &told, 1);
	EXPECT_EQ(told.notes[0].status, pexit_reap(child.pid, NULL));
	raw_drain(&raw);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(gone[i].n, 0);
	raw_end(&raw);
}

/* Ends, forks and watches that go, all at once; what is left over is seen at rmmod. */
TEST(watches_go_while_processes_end)
{
	struct told told[16];
	struct child child;
	struct raw raw;
	int i, j;

	pexits_start(&raw);
	for (i = 0; ktap_more(i, 60); i++) {
		child = pexit_child(many_children, (void *)5);
		ASSERT_OK(setpgid(child.pid, child.pid));
		for (j = 0; j < 16; j++)
			pexit_watch(&raw, &told[j], child.pid,
				    j & 1 ? AEM_PEXIT_FOLLOW : AEM_PEXIT_GROUP);
		pexit_go(&child);
		for (j = 0; j < 8; j++)
			raw_event(&raw, AEM_EVENT_SHUTDOWN, told[j].id, 0);
		kill(-child.pid, SIGKILL);
		for (j = 8; j < 16; j++)
			raw_event(&raw, AEM_EVENT_SHUTDOWN, told[j].id, 0);
		raw_drain(&raw);
		pexit_reap(child.pid, NULL);
	}
	raw_end(&raw);
}

KTAP_MAIN()
