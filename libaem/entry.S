/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel leads an interrupted program: the contract is "interrupting by redirected
 * registers" in <linux/aem.h>. The stack pointer is at a struct aem_frame, the level is
 * AEM_LEVEL_ALL, all other registers are the program's.
 *
 * Unwinders see the interrupted program as our caller, by what is said of the frame here.
 */
#include "trampoline.h"

#ifdef TRAMPOLINE
/* XSAVE's header, behind the legacy area, must be all zero but for what XSAVE writes. */
#define HEADER		512

	.text
	.hidden aem_trampoline_room, aem_trampoline_run
	.globl aem_trampoline_entry, aem_trampoline_epilogue, aem_trampoline_tail
	.hidden aem_trampoline_entry, aem_trampoline_epilogue, aem_trampoline_tail
	.type aem_trampoline_entry, @function

aem_trampoline_entry:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, CFA
	.cfi_offset %rip, FRAME_IP - CFA
	/* 49 is the flags register, for which the assembler has no name. */
	.cfi_offset 49, FRAME_FLAGS - CFA
	.cfi_offset %rax, FRAME_AX - CFA
	.cfi_offset %rcx, FRAME_CX - CFA
	.cfi_offset %rdx, FRAME_DX - CFA
	.cfi_offset %rsi, FRAME_SI - CFA
	.cfi_offset %rdi, FRAME_DI - CFA
	.cfi_offset %r8, FRAME_R8 - CFA
	.cfi_offset %r9, FRAME_R9 - CFA
	.cfi_offset %r10, FRAME_R10 - CFA
	.cfi_offset %r11, FRAME_R11 - CFA
	.cfi_offset %rbx, FRAME_BX - CFA
	.cfi_offset %rbp, FRAME_BP - CFA
	movq	%rsp, %rbx
	.cfi_def_cfa_register %rbx
	subq	aem_trampoline_room(%rip), %rsp
	andq	$-64, %rsp
	xorl	%eax, %eax
	.irp	at, 0, 8, 16, 24, 32, 40, 48, 56
	movq	%rax, HEADER + \at(%rsp)
	.endr
	/* Everything that the kernel has enabled. */
	movl	$-1, %eax
	movl	%eax, %edx
	xsave64	(%rsp)
	movq	%rbx, %rdi
	call	aem_trampoline_run
	movl	$-1, %eax
	movl	%eax, %edx
	xrstor64 (%rsp)
	movq	%rbx, %rsp
	.cfi_def_cfa_register %rsp

aem_trampoline_epilogue:
	/* As lower() does: the store, a full barrier, the look. */
	movq	FRAME_COOKIE(%rsp), %rdx
	movq	AEM_CONTROL(%rdx), %rsi
	movl	FRAME_LEVEL(%rsp), %ecx
	movl	%ecx, %eax
	xchgl	%eax, CONTROL_LEVEL(%rsi)
	movl	CONTROL_INTERRUPT(%rsi), %eax
	movl	FRAME_USER(%rsp), %ecx
	shrq	%cl, %rax
	movzbl	AEM_SWALLOWED(%rdx), %edx
	orl	%edx, %eax
	jz	1f
	testl	%ecx, %ecx
	js	1f
	movl	$LEVEL_ALL, CONTROL_LEVEL(%rsi)
	jmp	aem_trampoline_entry
1:	movq	FRAME_BP(%rsp), %rbp
	movq	FRAME_BX(%rsp), %rbx
	movq	FRAME_R11(%rsp), %r11
	movq	FRAME_R10(%rsp), %r10
	movq	FRAME_R9(%rsp), %r9
	movq	FRAME_R8(%rsp), %r8
	movq	FRAME_DI(%rsp), %rdi
	movq	FRAME_SI(%rsp), %rsi
	movq	FRAME_DX(%rsp), %rdx
	movq	FRAME_CX(%rsp), %rcx
	movq	FRAME_AX(%rsp), %rax
	leaq	FRAME_FLAGS(%rsp), %rsp
	.cfi_def_cfa_offset CFA - FRAME_FLAGS

aem_trampoline_tail:
	popfq
	.cfi_def_cfa_offset CFA - FRAME_IP
	ret	$RED_ZONE
	.cfi_endproc
	.size aem_trampoline_entry, . - aem_trampoline_entry
#endif

	.section .note.GNU-stack, "", @progbits
