/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the trampoline (entry.S) and C code must agree about; trampoline.c asserts it.
 */
#ifndef LIBAEM_TRAMPOLINE_H
#define LIBAEM_TRAMPOLINE_H

#if defined(__x86_64__) && !defined(__ILP32__)
#define TRAMPOLINE
#endif

#define RED_ZONE		128

/* struct aem_frame, and where the interrupted program's stack pointer was */
#define FRAME_COOKIE		0
#define FRAME_LEVEL		8
#define FRAME_USER		12
#define FRAME_BP		16
#define FRAME_BX		24
#define FRAME_R11		32
#define FRAME_R10		40
#define FRAME_R9		48
#define FRAME_R8		56
#define FRAME_DI		64
#define FRAME_SI		72
#define FRAME_DX		80
#define FRAME_CX		88
#define FRAME_AX		96
#define FRAME_FLAGS		104
#define FRAME_IP		112
#define CFA			(FRAME_IP + 8 + RED_ZONE)

/*
 * aem_frame.user: the lowest priority that is looked for at the end; above it, crossings that were
 * fruitless; or, negative: what is pending shall wait for whoever looks next
 */
#define USER_FRUITLESS		8
#define USER_GIVE_UP		0x80000000

/* struct aem_control */
#define CONTROL_LEVEL		0
#define CONTROL_INTERRUPT	8
#define LEVEL_ALL		32

/* struct aem */
#define AEM_CONTROL		0
#define AEM_SWALLOWED		29

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <linux/aem.h>

bool aem_trampoline_fill(struct aem_trampoline *trampoline, const void *cookie);
#endif

#endif /* LIBAEM_TRAMPOLINE_H */
