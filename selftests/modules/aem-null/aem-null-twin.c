// SPDX-License-Identifier: GPL-2.0
/* aem-null once more under another name: for duplicates and for two versions side by side. */
#include "aem-null.c"
