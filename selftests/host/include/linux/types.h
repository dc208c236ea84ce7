/* SPDX-License-Identifier: GPL-2.0 */
/* For kernel code that is tested in user space. */
#ifndef SELFTESTS_HOST_TYPES_H
#define SELFTESTS_HOST_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* SELFTESTS_HOST_TYPES_H */
