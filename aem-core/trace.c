// SPDX-License-Identifier: GPL-2.0
/* The tracepoints of aem-core: /sys/kernel/tracing/events/aem. */
#define CREATE_TRACE_POINTS
#include "trace.h"
