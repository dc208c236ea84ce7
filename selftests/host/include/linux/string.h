/* SPDX-License-Identifier: GPL-2.0 */
/* For kernel code that is tested in user space. */
#include <string.h>
