// SPDX-License-Identifier: GPL-2.0
/* aem-sieve once more under another name. */
#include "aem-sieve.c"
