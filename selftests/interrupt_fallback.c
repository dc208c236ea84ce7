// SPDX-License-Identifier: GPL-2.0
/*
 * Where registers cannot be redirected soundly the signal rings, delivery by delivery; and
 * what looks for callers finds the interrupted program behind a handler.
 *
 * vm: load=core,null
 */
#include "nulls.h"
#include <linux/io_uring.h>
#include <linux/rseq.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unwind.h>

#ifdef __x86_64__
static struct aem *aem;
static struct null null;
static char *handler_stack;

static void note_stack(struct aem *unused, struct null *self, aem_id id, uint64_t fired,
		       void *block, uint64_t constructed)
{
	(void)unused, (void)self, (void)id, (void)fired, (void)block, (void)constructed;
	handler_stack = __builtin_frame_address(0);
}

static void begin(void)
{
	struct aem_query q;

	aem = nulls_open(0);
	ASSERT_RESULT(aem_query(aem, &q), 0);
	if (!(q.flags & AEM_SETUP_REDIRECT))
		ktap_skip("optional: no redirection on this kernel");
	null = (struct null){ .then = note_stack };
	nulls_add(aem, &null, 1, 0);
	nulls_fire(aem, &null);
	EXPECT_RAN(1);
}

static uint64_t redirects(void)
{
	struct aem_query q;

	ASSERT_RESULT(aem_query(aem, &q), 0);
	return q.redirects;
}

/* The event's handler has run when it is fired, and this many registers were redirected. */
static void expect(uint64_t redirected)
{
	uint64_t before = redirects();

	nulls_fire(aem, &null);
	EXPECT_RAN(1);
	EXPECT_EQ(redirects() - before, redirected);
}

static void end(void)
{
	expect(1);
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(signal_is_blocked)
{
	struct aem_query q;
	sigset_t set;

	begin();
	ASSERT_RESULT(aem_query(aem, &q), 0);
	sigemptyset(&set);
	sigaddset(&set, q.signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	nulls_fire(aem, &null);
	EXPECT_NONE_RAN();
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	EXPECT_RAN(1);
	EXPECT_EQ(redirects(), 1);
	/* As with all of them blocked, as a program does around fork. */
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	nulls_fire(aem, &null);
	EXPECT_NONE_RAN();
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	EXPECT_RAN(1);
	end();
}

/* Who takes the bell looks itself. */
TEST(sigwait_takes_the_bell)
{
	struct aem_query q;
	sigset_t set;
	int signo;

	begin();
	ASSERT_RESULT(aem_query(aem, &q), 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	nulls_fire(aem, &null);
	ASSERT_EQ(sigwait(&set, &signo), 0);
	EXPECT_EQ(signo, q.signo);
	EXPECT_NONE_RAN();
	EXPECT_EQ(aem_dispatch(aem), 1);
	EXPECT_RAN(1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	EXPECT_NONE_RAN();
	end();
}

static char alternate[65536];

static int is_alternate(const char *at)
{
	return at >= alternate && at < alternate + sizeof(alternate);
}

static void fire_there(int signo)
{
	(void)signo;
	/* On it already: that is the thread's stack now. */
	expect(1);
	EXPECT(is_alternate(handler_stack));
}

TEST(alternate_stack)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction action = { .sa_handler = fire_there, .sa_flags = SA_ONSTACK };

	begin();
	EXPECT(!is_alternate(handler_stack));
	ASSERT_OK(sigaltstack(&stack, NULL));
	expect(0);
	EXPECT(is_alternate(handler_stack));
	sigaction(SIGUSR2, &action, NULL);
	raise(SIGUSR2);
	stack.ss_flags = SS_DISABLE;
	ASSERT_OK(sigaltstack(&stack, NULL));
	expect(1);
	EXPECT(!is_alternate(handler_stack));
	end();
}

extern const ptrdiff_t __rseq_offset;
extern const unsigned int __rseq_size;

/* The kernel forgets what it finds left behind. */
TEST(restartable_sequence)
{
	/* Before where it would be aborted to stands a signature, by which the kernel knows it. */
	static const uint32_t code[] = { 0x53053053, 0 };
	static struct rseq_cs sequence = { .start_ip = 4096, .post_commit_offset = 16 };
	struct rseq *rseq;

	begin();
	if (!__rseq_size)
		ktap_skip("optional: no restartable sequences in this C library");
	sequence.abort_ip = (uintptr_t)&code[1];
	rseq = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	__atomic_store_n(&rseq->rseq_cs, (uintptr_t)&sequence, __ATOMIC_SEQ_CST);
	expect(0);
	EXPECT_EQ(__atomic_load_n(&rseq->rseq_cs, __ATOMIC_SEQ_CST), 0);
	end();
}

/* Task work runs inside of its system call, which has no result yet. */
TEST(io_uring_that_waits)
{
	struct null_create arg = { .size = sizeof(arg), .period = 20000000 };
	struct io_uring_params params = { 0 };
	struct null tick = { 0 };
	int ring, i;

	begin();
	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		ktap_skip("optional: no io_uring on this kernel");
	aem_registration_init(&arg.reg, (void (*)(void))nulls_handler, &tick, 0);
	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_TICK, &arg), 0);
	for (i = 0; i < 20; i++)
		EXPECT_ERRNO(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS,
				     NULL, 0), EINTR);
	EXPECT_RESULT(aem_event_stop(aem, arg.reg.id), 0);
	EXPECT_GE(tick.runs, 20);
	nulls_log.n = 0;
	end();
}

/* Step by step through interruptions: every one by signal, and none is lost. */
TEST(stepped)
{
	int status, signo, steps = 0;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		begin();
		ASSERT_OK(ptrace(PTRACE_TRACEME, 0, 0, 0));
		raise(SIGSTOP);
		expect(0);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		signo = WSTOPSIG(status);
		steps++;
		ptrace(PTRACE_SINGLESTEP, pid, 0,
		       signo == SIGTRAP || signo == SIGSTOP ? 0 : signo);
	}
	EXPECT(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 0);
	EXPECT_GT(steps, 100);
}

/* An unwinder comes from the handler through the trampoline to the interrupted function. */
static void *callers[64];
static int n_callers;

static _Unwind_Reason_Code note_caller(struct _Unwind_Context *context, void *unused)
{
	(void)unused;
	if (n_callers == ARRAY_SIZE(callers))
		return _URC_END_OF_STACK;
	callers[n_callers++] = (void *)_Unwind_GetIP(context);
	return _URC_NO_REASON;
}

static void look_back(struct aem *unused, struct null *self, aem_id id, uint64_t fired,
		      void *block, uint64_t constructed)
{
	(void)unused, (void)self, (void)id, (void)fired, (void)block, (void)constructed;
	n_callers = 0;
	_Unwind_Backtrace(note_caller, NULL);
}

static volatile int turns;

__attribute__((noipa)) static void spin(struct null *tick)
{
	while (!__atomic_load_n(&tick->runs, __ATOMIC_SEQ_CST))
		turns++;
}

__attribute__((noipa)) static void call_spin(struct null *tick)
{
	spin(tick);
	turns = 0;
}

static int is_in(void (*function)(struct null *), const void *ip)
{
	return (char *)ip >= (char *)function && (char *)ip < (char *)function + 64;
}

static void expect_backtrace(uint32_t flags)
{
	struct null_create arg = { .size = sizeof(arg), .period = 20000000 };
	struct null tick = { .then = look_back };
	int i;

	aem = nulls_open(flags);
	aem_registration_init(&arg.reg, (void (*)(void))nulls_handler, &tick, 0);
	ASSERT_RESULT(aem_call(aem, nulls_base + NULL_TICK, &arg), 0);
	call_spin(&tick);
	EXPECT_RESULT(aem_event_stop(aem, arg.reg.id), 0);
	for (i = 0; i < n_callers && !is_in(spin, callers[i]); i++)
		;
	EXPECT_LT(i, n_callers - 1);
	EXPECT(is_in(call_spin, callers[i + 1]));
	EXPECT_RESULT(aem_close(aem), 0);
}

TEST(backtrace_by_redirection)
{
	expect_backtrace(0);
}

TEST(backtrace_by_signal)
{
	expect_backtrace(AEM_OPEN_SIGNAL);
}
#endif

KTAP_MAIN()
