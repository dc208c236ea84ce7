/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A computation that has something in every register: general ones, flags (the carry through
 * the whole of it, the direction), the red zone, x87, MXCSR and all of AVX. Whatever an
 * interruption does not bring back changes the result.
 */
#ifndef SELFTESTS_CHURN_H
#define SELFTESTS_CHURN_H

#include <stdint.h>
#include <string.h>
#include "ktap.h"

#ifdef __x86_64__
/* In: what to begin with; out: what came of it. */
struct churn {
	uint64_t general[14];
	uint64_t rounds;
	uint64_t flags;
	uint64_t red_zone[2];
	double x87[8];
	uint32_t mxcsr;
	uint32_t pad;
	uint64_t vector[16][4];
};

#define CHURN_AT(_field) __builtin_offsetof(struct churn, _field)

void churn_run(struct churn *churn);

/*
 * -8: counter, -16: the struct, -24 and -128: part of the result. The counter is decremented
 * without touching the carry, which goes around with all registers.
 */
__asm__("	.text\n"
"	.type churn_run, @function\n"
"churn_run:\n"
"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
"	movq %rdi, -16(%rsp)\n"
"	movq 112(%rdi), %rax; movq %rax, -8(%rsp)\n"
"	movq 128(%rdi), %rax; movq %rax, -24(%rsp)\n"
"	movq 136(%rdi), %rax; movq %rax, -128(%rsp)\n"
"	fninit\n"
"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
"	fldl 144 + 8 * \\n(%rdi)\n"
"	.endr\n"
"	ldmxcsr 208(%rdi)\n"
"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
"	vmovdqu 216 + 32 * \\n(%rdi), %ymm\\n\n"
"	.endr\n"
"	movq (%rdi), %rax; movq 8(%rdi), %rbx; movq 16(%rdi), %rcx; movq 24(%rdi), %rdx\n"
"	movq 32(%rdi), %rsi; movq 40(%rdi), %rbp; movq 48(%rdi), %r8; movq 56(%rdi), %r9\n"
"	movq 64(%rdi), %r10; movq 72(%rdi), %r11; movq 80(%rdi), %r12; movq 88(%rdi), %r13\n"
"	movq 96(%rdi), %r14; movq 104(%rdi), %r15\n"
"	xorl %edi, %edi; std; clc\n"
"1:	adcq %rbx, %rax; adcq %rcx, %rbx; adcq %rdx, %rcx; adcq %rsi, %rdx\n"
"	adcq %rdi, %rsi; adcq %rbp, %rdi; adcq %r8, %rbp; adcq %r9, %r8\n"
"	adcq %r10, %r9; adcq %r11, %r10; adcq %r12, %r11; adcq %r13, %r12\n"
"	adcq %r14, %r13; adcq %r15, %r14; adcq %rax, %r15\n"
"	adcq %r8, -24(%rsp); adcq -24(%rsp), %rdi; adcq %rcx, -128(%rsp); adcq -128(%rsp), %rdx\n"
"	bswapq %rbx; bswapq %r9; bswapq %r14\n"
"	vpaddq %ymm1, %ymm0, %ymm0; vpaddq %ymm2, %ymm1, %ymm1; vpaddq %ymm3, %ymm2, %ymm2\n"
"	vpaddq %ymm4, %ymm3, %ymm3; vpaddq %ymm5, %ymm4, %ymm4; vpaddq %ymm6, %ymm5, %ymm5\n"
"	vpaddq %ymm7, %ymm6, %ymm6; vpaddq %ymm8, %ymm7, %ymm7; vpaddq %ymm9, %ymm8, %ymm8\n"
"	vpaddq %ymm10, %ymm9, %ymm9; vpaddq %ymm11, %ymm10, %ymm10\n"
"	vpaddq %ymm12, %ymm11, %ymm11; vpaddq %ymm13, %ymm12, %ymm12\n"
"	vpaddq %ymm14, %ymm13, %ymm13; vpaddq %ymm15, %ymm14, %ymm14\n"
"	vpaddq %ymm0, %ymm15, %ymm15; vpermq $0x93, %ymm0, %ymm0\n"
"	fadd %st(3), %st; fincstp\n"
"	decq -8(%rsp)\n"
"	jnz 1b\n"
"	movq %rdi, -32(%rsp)\n"
"	movq -16(%rsp), %rdi\n"
"	movq %rax, (%rdi); movq %rbx, 8(%rdi); movq %rcx, 16(%rdi); movq %rdx, 24(%rdi)\n"
"	movq %rsi, 32(%rdi); movq %rbp, 40(%rdi); movq %r8, 48(%rdi); movq %r9, 56(%rdi)\n"
"	movq %r10, 64(%rdi); movq %r11, 72(%rdi); movq %r12, 80(%rdi); movq %r13, 88(%rdi)\n"
"	movq %r14, 96(%rdi); movq %r15, 104(%rdi)\n"
"	movq -32(%rsp), %rax; movq %rax, 112(%rdi)\n"
"	movq -24(%rsp), %rax; movq %rax, 128(%rdi)\n"
"	movq -128(%rsp), %rax; movq %rax, 136(%rdi)\n"
"	pushfq; popq 120(%rdi)\n"
"	cld\n"
"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
"	fstpl 144 + 8 * \\n(%rdi)\n"
"	.endr\n"
"	stmxcsr 208(%rdi)\n"
"	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
"	vmovdqu %ymm\\n, 216 + 32 * \\n(%rdi)\n"
"	.endr\n"
"	vzeroupper\n"
"	fninit\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
"	ret\n"
"	.size churn_run, . - churn_run\n"
);

_Static_assert(CHURN_AT(rounds) == 112 && CHURN_AT(flags) == 120 && CHURN_AT(red_zone) == 128 &&
	       CHURN_AT(x87) == 144 && CHURN_AT(mxcsr) == 208 && CHURN_AT(vector) == 216,
	       "churn_run() has other offsets");

/* MXCSR as no handler has it: rounding down. */
#define CHURN_MXCSR 0x3f80

/* Bits that the last instructions of the computation do not leave the same at any time. */
#define CHURN_FLAGS 0xcd5

static inline void churn_compute(struct churn *churn, uint64_t rounds)
{
	unsigned long long seed = 42;
	int i, j;

	memset(churn, 0, sizeof(*churn));
	for (i = 0; i < 14; i++)
		churn->general[i] = ktap_random(&seed) * 0x9e3779b97f4a7c15ULL;
	for (i = 0; i < 8; i++)
		churn->x87[i] = 1.0 + 1.0 / (i + 3);
	for (i = 0; i < 16; i++)
		for (j = 0; j < 4; j++)
			churn->vector[i][j] = ktap_random(&seed) * 0x9e3779b97f4a7c15ULL;
	churn->rounds = rounds;
	churn->mxcsr = CHURN_MXCSR;
	churn_run(churn);
	churn->flags &= CHURN_FLAGS;
	__asm__ volatile("ldmxcsr %0" : : "m"((const uint32_t){ 0x1f80 }));
}

static inline int churn_is_possible(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2");
}
#endif

#endif /* SELFTESTS_CHURN_H */
