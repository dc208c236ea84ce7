// SPDX-License-Identifier: GPL-2.0
/*
 * Where redirected registers lead to: it enters the kernel once, and leaves the records that are
 * delivered to the program's statements. It calls nothing: no vector registers need saving.
 */
#include <string.h>
#include "run.h"

#ifdef __x86_64__
_Static_assert(offsetof(struct context, area) == 8, "as the trampoline knows it");
_Static_assert(offsetof(struct context, enter) == 32, "as the trampoline knows it");
_Static_assert(AEM_IOC_ENTER == 0xae04, "as the trampoline knows it");

extern const char fuzz_entry[], fuzz_epilogue[], fuzz_tail[];

__asm__("	.text\n"
"fuzz_entry:\n"
"	movq (%rsp), %rbx; movl (%rbx), %edi; leaq 32(%rbx), %rdx; movl $0xae04, %esi\n"
"	movl $16, %eax; syscall\n"
"fuzz_epilogue:\n"
"	movq (%rsp), %rdx; movq 8(%rdx), %rsi; movl 8(%rsp), %eax; xchgl %eax, (%rsi)\n"
"	movq 16(%rsp), %rbp; movq 24(%rsp), %rbx; movq 32(%rsp), %r11; movq 40(%rsp), %r10\n"
"	movq 48(%rsp), %r9; movq 56(%rsp), %r8; movq 64(%rsp), %rdi; movq 72(%rsp), %rsi\n"
"	movq 80(%rsp), %rdx; movq 88(%rsp), %rcx; movq 96(%rsp), %rax; leaq 104(%rsp), %rsp\n"
"fuzz_tail:\n"
"	popfq; ret $128\n");

void trampoline_of(struct context *context, struct aem_setup *setup)
{
	context->enter = (struct aem_enter){ .size = sizeof(context->enter),
					     .flags = AEM_ENTER_INTERRUPT, .max_events = 4 };
	setup->flags |= AEM_SETUP_REDIRECT;
	setup->trampoline = (struct aem_trampoline){
		(uintptr_t)fuzz_entry, (uintptr_t)fuzz_epilogue, (uintptr_t)fuzz_tail,
		(uintptr_t)context,
	};
}
#else
void trampoline_of(struct context *context, struct aem_setup *setup)
{
	(void)context;
	(void)setup;
}
#endif
