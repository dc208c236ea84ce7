// SPDX-License-Identifier: GPL-2.0
/* aem-rogue once more under another name. */
#include "aem-rogue.c"
