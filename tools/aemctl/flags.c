// SPDX-License-Identifier: GPL-2.0
/* The flags of events by their names. */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <linux/aem.h>
#include "aemctl.h"

#define FLAG(_flag) { _flag, #_flag }

static const struct {
	unsigned int bit;
	const char *name;
} flags[] = {
	FLAG(EVF_ONESHOT),   FLAG(EVF_FORK),	  FLAG(EVF_NOCLDWAIT), FLAG(EVF_CAPSULE),
	FLAG(EVF_KEEPALIVE), FLAG(EVF_SAFEPOINT), FLAG(EVF_START),     FLAG(EVF_WAKE_LEAST),
	FLAG(EVF_WAKE_ALL),  FLAG(EVF_NEAR),	  FLAG(EVF_NEAR_CPU),  { 0 }
};

struct json_object *flags_new(unsigned int bits)
{
	unsigned int cpu = bits & EVF_NEAR_CPU ? bits & EVF_CPU : 0;
	struct json_object *names;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		err(1, "no memory");
	for (int i = 0; flags[i].bit; i++) {
		if (!(bits & flags[i].bit))
			continue;
		bits &= ~flags[i].bit;
		fprintf(out, "%s%s", ftell(out) ? "," : "", flags[i].name + strlen("EVF_"));
		if (flags[i].bit == EVF_NEAR_CPU)
			fprintf(out, "=%u", cpu);
	}
	bits &= ~cpu;
	/* A newer kernel may have more of them. */
	if (bits)
		fprintf(out, "%s0x%x", ftell(out) ? "," : "", bits);
	fclose(out);
	names = json_object_new_string(text);
	free(text);
	return names;
}
