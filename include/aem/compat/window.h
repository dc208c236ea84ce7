/* SPDX-License-Identifier: GPL-2.0 */
/* Kbuild has every file of the modules include this first. */
#ifndef _AEM_COMPAT_WINDOW_H
#define _AEM_COMPAT_WINDOW_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "AEM needs a kernel of 6.1 or newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(8, 0, 0)
#error "AEM was not tested on kernels newer than 7.x: see tools/build/kernels, and raise this limit"
#endif

#endif /* _AEM_COMPAT_WINDOW_H */
