/* SPDX-License-Identifier: GPL-2.0 */
/* For kernel code that is tested in user space. */
#ifndef SELFTESTS_HOST_BITOPS_H
#define SELFTESTS_HOST_BITOPS_H

static inline unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

#endif /* SELFTESTS_HOST_BITOPS_H */
