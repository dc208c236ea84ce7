// SPDX-License-Identifier: GPL-2.0
/*
 * What the trampoline calls, and what the kernel is told of it.
 */
#include <stddef.h>
#include "internal.h"
#include "trampoline.h"

#ifdef TRAMPOLINE
#include <cpuid.h>

#define IS(_struct, _field, _offset)					\
	_Static_assert(offsetof(struct _struct, _field) == (_offset),	\
		       #_struct "." #_field " is not where entry.S has it")

IS(aem_frame, cookie, FRAME_COOKIE);
IS(aem_frame, level, FRAME_LEVEL);
IS(aem_frame, user, FRAME_USER);
IS(aem_frame, bp, FRAME_BP);
IS(aem_frame, bx, FRAME_BX);
IS(aem_frame, r11, FRAME_R11);
IS(aem_frame, r10, FRAME_R10);
IS(aem_frame, r9, FRAME_R9);
IS(aem_frame, r8, FRAME_R8);
IS(aem_frame, di, FRAME_DI);
IS(aem_frame, si, FRAME_SI);
IS(aem_frame, dx, FRAME_DX);
IS(aem_frame, cx, FRAME_CX);
IS(aem_frame, ax, FRAME_AX);
IS(aem_frame, flags, FRAME_FLAGS);
IS(aem_frame, ip, FRAME_IP);
IS(aem_control, level, CONTROL_LEVEL);
IS(aem_control, interrupt, CONTROL_INTERRUPT);
IS(aem, control, AEM_CONTROL);
IS(aem, swallowed, AEM_SWALLOWED);
_Static_assert(sizeof(struct aem_frame) + RED_ZONE == CFA, "struct aem_frame has grown");
_Static_assert(LEVEL_ALL == AEM_LEVEL_ALL, "priorities have become more");

extern const char aem_trampoline_entry[], aem_trampoline_epilogue[], aem_trampoline_tail[];

/* Bytes for XSAVE, with all that the kernel has enabled; read by the trampoline. */
size_t aem_trampoline_room;

void aem_trampoline_run(struct aem_frame *frame);

/* The program's errno is its own. */
void aem_trampoline_run(struct aem_frame *frame)
{
	struct aem *aem = (struct aem *)(uintptr_t)frame->cookie;
	uint32_t fruitless = frame->user >> USER_FRUITLESS;
	int saved = errno, look;

	look = aem_dispatch_interrupt(aem, frame->level, &fruitless);
	frame->user = look < 0 ? USER_GIVE_UP : (uint32_t)look | fruitless << USER_FRUITLESS;
	errno = saved;
}

/* 0: the processor or the kernel has no XSAVE. */
static size_t xsave_size(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	return __get_cpuid_count(0xd, 0, &a, &b, &c, &d) ? b : 0;
}

/**
 * aem_trampoline_fill() - tell the kernel where it is
 * @trampoline: filled
 * @cookie:     the context
 *
 * Return: false: not on this machine.
 */
bool aem_trampoline_fill(struct aem_trampoline *trampoline, const void *cookie)
{
	aem_trampoline_room = xsave_size();
	*trampoline = (struct aem_trampoline){
		.entry = (uintptr_t)aem_trampoline_entry,
		.epilogue = (uintptr_t)aem_trampoline_epilogue,
		.tail = (uintptr_t)aem_trampoline_tail,
		.cookie = (uintptr_t)cookie,
	};
	return aem_trampoline_room;
}
#else
bool aem_trampoline_fill(struct aem_trampoline *trampoline, const void *cookie)
{
	(void)trampoline;
	(void)cookie;
	return false;
}
#endif
