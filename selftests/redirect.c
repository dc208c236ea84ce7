// SPDX-License-Identifier: GPL-2.0
/*
 * Redirected registers, with a trampoline of the test's own: what the kernel writes, how it
 * completes an epilogue, and that it trusts nothing in a frame.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

static struct aem_setup request(void)
{
	struct aem_setup setup = {
		.size = sizeof(setup), .flags = AEM_SETUP_REDIRECT, .signo = SIGUSR1,
		.ring_entries = 64, .vmt_size = 65536,
	};

	setup.trampoline.entry = 0x1000;
	setup.trampoline.epilogue = 0x1010;
	setup.trampoline.tail = 0x1020;
	return setup;
}

static int can_redirect(void)
{
	struct raw raw = { .fd = raw_open() };
	int can = !!(raw_query(&raw).features & AEM_FEATURE_REDIRECT);

	close(raw.fd);
	return can;
}

static void refuse(struct aem_setup setup, int error)
{
	int fd = raw_open();

	EXPECT_ERRNO(ioctl(fd, AEM_IOC_SETUP, &setup), error);
	close(fd);
}

TEST(setup)
{
	struct aem_setup setup = request();

	setup.signo = 0;
	refuse(setup, EINVAL);
	setup = request();
	setup.flags |= AEM_SETUP_SAFEPOINT;
	refuse(setup, EINVAL);
	setup.signo = 0;
	refuse(setup, EINVAL);
	/* A trampoline that nothing leads to. */
	setup = request();
	setup.flags = 0;
	refuse(setup, EINVAL);
	setup = request();
	if (sizeof(void *) == 4 || !can_redirect()) {
		refuse(setup, EOPNOTSUPP);
		return;
	}
	setup.trampoline.epilogue = setup.trampoline.tail;
	refuse(setup, EINVAL);
	setup = request();
	setup.trampoline.entry = 1ULL << 63;
	refuse(setup, EINVAL);
	setup.trampoline.entry = 1ULL << 56;
	refuse(setup, EINVAL);
	setup = request();
	setup.trampoline.tail = ~0ULL;
	refuse(setup, EINVAL);
	refuse(request(), 0);
}

#ifdef __x86_64__
/*
 * The trampoline calls run() and can make a system call in its epilogue, at each of the three
 * kinds of places that there are. fire_in[] says where; the call fires the event again.
 */
#define MAX 1000

static struct raw raw;
static struct aem_call call;
static struct null_fire again;
static uint64_t event;

/* Read by the trampoline. */
struct aem_control *redirect_control;
struct aem_call *redirect_call;
int redirect_fd;
int redirect_begin, redirect_tail, redirect_last;

/* What run() has seen: frames, and where they were. */
static struct aem_frame frames[MAX];
static uintptr_t places[MAX];
static int runs;
static void (*then)(struct aem_frame *frame);

extern const char redirect_entry[], redirect_epilogue[], redirect_at_tail[], redirect_at_last[];
void redirect_run(struct aem_frame *frame);

#define FIRE								\
"	movl $16, %eax; movl redirect_fd(%rip), %edi; movl $0xae03, %esi\n"	\
"	movq redirect_call(%rip), %rdx; syscall\n"

__asm__("	.text\n"
"redirect_entry:\n"
"	movq %rsp, %rbx; andq $-64, %rsp; movq %rbx, %rdi; call redirect_run; movq %rbx, %rsp\n"
"redirect_epilogue:\n"
"	movq redirect_control(%rip), %rcx; movl 8(%rsp), %eax; xchgl %eax, (%rcx)\n"
"	cmpl $0, redirect_begin(%rip); jz 1f\n"
"	decl redirect_begin(%rip)\n"
	FIRE
"1:	cmpl $0, redirect_tail(%rip); jz 2f\n"
"	decl redirect_tail(%rip); leaq 104(%rsp), %rsp\n"
	FIRE
/* If the kernel did not complete it, it is completed here. */
"redirect_at_tail:\n"
"	leaq -104(%rsp), %rsp\n"
"2:	cmpl $0, redirect_last(%rip); jz 3f\n"
"	decl redirect_last(%rip); leaq 112(%rsp), %rsp\n"
	FIRE
"redirect_at_last:\n"
"	leaq -112(%rsp), %rsp\n"
"3:	movq 16(%rsp), %rbp; movq 24(%rsp), %rbx; movq 32(%rsp), %r11; movq 40(%rsp), %r10\n"
"	movq 48(%rsp), %r9; movq 56(%rsp), %r8; movq 64(%rsp), %rdi; movq 72(%rsp), %rsi\n"
"	movq 80(%rsp), %rdx; movq 88(%rsp), %rcx; movq 96(%rsp), %rax; leaq 104(%rsp), %rsp\n"
"	popfq\n"
"	ret $128\n"
);

void redirect_run(struct aem_frame *frame)
{
	if (runs < MAX) {
		frames[runs] = *frame;
		places[runs] = (uintptr_t)frame;
	}
	runs++;
	raw_drain(&raw);
	if (then)
		then(frame);
}

static int signals;

static void on_signal(int signo)
{
	(void)signo;
	signals++;
	raw_drain(&raw);
}

/* @tail: where the kernel is told that the tail is. */
static void begin_at(uintptr_t tail)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (!can_redirect())
		ktap_skip("optional: no redirection on this kernel");
	sigaction(SIGUSR1, &action, NULL);
	memset(&raw, 0, sizeof(raw));
	raw.setup = request();
	raw.setup.trampoline.entry = (uintptr_t)redirect_entry;
	raw.setup.trampoline.epilogue = (uintptr_t)redirect_epilogue;
	raw.setup.trampoline.tail = tail;
	raw.setup.trampoline.cookie = 4711;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	event = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	again = (struct null_fire){ .size = sizeof(again), .id = event, .count = 1 };
	call = (struct aem_call){
		.size = sizeof(call), .nr = raw.null + NULL_FIRE, .arg = (uintptr_t)&again,
	};
	redirect_control = raw.control;
	redirect_call = &call;
	redirect_fd = raw.fd;
}

static void begin(void)
{
	begin_at((uintptr_t)redirect_at_tail);
}

static void fire(void)
{
	null_fire(&raw, event, NULL_BY_CALL, 1);
}

static void end(void)
{
	raw_end(&raw);
}

TEST(frame)
{
	uint64_t flags;
	char here;

	begin();
	raw.control->level = 1;
	fire();
	EXPECT_EQ(runs, 1);
	EXPECT_EQ(signals, 0);
	EXPECT_EQ(frames[0].cookie, 4711);
	EXPECT_EQ(frames[0].level, 1);
	EXPECT_EQ(frames[0].user, 0);
	/* It was in ioctl(), which succeeded. */
	EXPECT_EQ(frames[0].ax, 0);
	EXPECT_LT(places[0] + sizeof(struct aem_frame) + 128, (uintptr_t)&here);
	EXPECT_GT(places[0], (uintptr_t)&here - 4096);
	__asm__("pushfq; popq %0" : "=r"(flags));
	/* The interrupt flag and bit 1 are always set in what a program sees. */
	EXPECT_EQ(frames[0].flags & 0x202, flags & 0x202);
	EXPECT_EQ(raw.control->level, 1);
	EXPECT_EQ(raw_query(&raw).redirects, 1);
	EXPECT_EQ(raw_query(&raw).doorbells, 1);
	end();
}

/* Held back by a level that is no level. */
TEST(levels_that_are_none)
{
	static const uint32_t levels[] = { 2, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff };
	size_t i;

	begin();
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		raw.control->level = levels[i];
		fire();
		EXPECT_EQ(runs, 0);
		EXPECT_EQ(signals, 0);
		EXPECT_EQ(raw.control->level, levels[i]);
		raw_drain(&raw);
	}
	raw.control->level = 0;
	fire();
	EXPECT_EQ(runs, 1);
	end();
}

/* The same frame in the same place, again and again. */
static void expect_same(int n)
{
	int i;

	EXPECT_EQ(runs, n);
	EXPECT_EQ(signals, 0);
	for (i = 1; i < n && i < MAX; i++) {
		EXPECT_EQ(places[i], places[0]);
		EXPECT_EQ(memcmp(&frames[i], &frames[0], sizeof(frames[0])), 0);
	}
	EXPECT_EQ(raw.control->level, 0);
}

TEST(epilogue_is_completed)
{
	begin();
	redirect_begin = 500;
	fire();
	EXPECT_EQ(redirect_begin, 0);
	expect_same(501);
	end();
}

TEST(epilogue_is_completed_at_the_tail)
{
	begin();
	redirect_tail = 500;
	fire();
	EXPECT_EQ(redirect_tail, 0);
	expect_same(501);
	end();
}

TEST(epilogue_is_completed_at_its_last_instruction)
{
	begin_at((uintptr_t)redirect_at_last - 1);
	redirect_last = 500;
	fire();
	EXPECT_EQ(redirect_last, 0);
	expect_same(501);
	end();
}

/* Frames that are not what the kernel wrote: no redirection, the signal rings. */
static uint64_t value;

static void write_cookie(struct aem_frame *frame)
{
	frame->cookie = value;
	then = NULL;
}

static uint64_t right_ip;

static void write_ip(struct aem_frame *frame)
{
	right_ip = frame->ip;
	frame->ip = value;
	then = NULL;
}

static void repair_ip(int signo)
{
	(void)signo;
	on_signal(signo);
	((struct aem_frame *)places[0])->ip = right_ip;
}

TEST(frames_of_others_are_left_alone)
{
	begin();
	then = write_cookie;
	value = 4712;
	redirect_begin = 1;
	fire();
	EXPECT_EQ(runs, 1);
	EXPECT_EQ(signals, 1);
	end();
}

TEST(addresses_that_are_none)
{
	static const uint64_t bad[] = {
		1ULL << 63, ~0ULL, 0xffffffff81000000, 1ULL << 56, 0x8000000000000000 - 1,
	};
	size_t i;

	begin();
	signal(SIGUSR1, repair_ip);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		then = write_ip;
		value = bad[i];
		redirect_begin = 1;
		runs = 0;
		fire();
		EXPECT_EQ(runs, 1);
		EXPECT_EQ(signals, i + 1);
	}
	end();
}

static void write_flags(struct aem_frame *frame)
{
	frame->flags = value;
	then = NULL;
}

/* Interrupts off, input and output, virtual 8086 mode, nested task: not for a program to set. */
TEST(flags_that_are_not_the_programs)
{
	begin();
	then = write_flags;
	value = 0x20000 | 0x7000;
	redirect_begin = 1;
	fire();
	EXPECT_EQ(runs, 2);
	EXPECT_EQ(frames[1].flags & 0x27200, 0x200);
	end();
}

/* Killed, as by a signal that finds no stack; the kernel stays. */
static void crash(void (*how)(void))
{
	int status;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (!pid) {
		begin();
		how();
		_exit(0);
	}
	ASSERT_OK(waitpid(pid, &status, 0));
	EXPECT(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGSEGV);
}

static void lead_nowhere(void)
{
	struct aem_setup setup = request();

	raw_end(&raw);
	memset(&raw, 0, sizeof(raw));
	raw.setup = setup;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	event = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	fire();
}

static void fire_without_a_stack(void)
{
	long ret;

	__asm__ volatile("movq %%rsp, %%r12; movq $4096, %%rsp; syscall; movq %%r12, %%rsp"
			 : "=a"(ret)
			 : "a"(16L), "D"((long)raw.fd), "S"((long)AEM_IOC_CALL), "d"(&call)
			 : "rcx", "r11", "r12", "memory");
	(void)ret;
}

TEST(nowhere)
{
	if (!can_redirect())
		ktap_skip("optional: no redirection on this kernel");
	crash(lead_nowhere);
	crash(fire_without_a_stack);
}
#endif

KTAP_MAIN()
