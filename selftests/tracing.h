/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel did, by its tracepoints.
 */
#ifndef SELFTESTS_TRACING_H
#define SELFTESTS_TRACING_H

#include "ktap.h"
#include <fcntl.h>

#define TRACING "/sys/kernel/tracing/"

static inline void tracing_put(const char *name, const char *word)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, word, strlen(word)), (ssize_t)strlen(word));
	close(fd);
}

/* @events: a folder of events, or one of them. */
static inline void tracing_begin(const char *events)
{
	char name[64];

	snprintf(name, sizeof(name), "events/%s/enable", events);
	tracing_put("trace", "\n");
	tracing_put(name, "1");
}

/* What was traced stays, for tracing_count(). */
static inline void tracing_end(const char *events)
{
	char name[64];

	snprintf(name, sizeof(name), "events/%s/enable", events);
	tracing_put(name, "0");
}

/* How many lines are of this tracepoint and hold these words; @last becomes a copy of the last. */
static inline int tracing_find(const char *tracepoint, const char *words, char **last)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char name[64], *line = NULL;
	size_t size = 0;
	int n = 0;

	ASSERT(trace);
	*last = NULL;
	snprintf(name, sizeof(name), " %s: ", tracepoint);
	while (getline(&line, &size, trace) > 0) {
		if (!strstr(line, name) || !strstr(line, words))
			continue;
		free(*last);
		*last = strdup(line);
		n++;
	}
	free(line);
	fclose(trace);
	return n;
}

/* How many lines are of this tracepoint and hold these words. */
static inline int tracing_count(const char *tracepoint, const char *words)
{
	char *last;
	int n = tracing_find(tracepoint, words, &last);

	free(last);
	return n;
}

/* Of the last line that tracing_count() would count, the word that begins so. */
static inline void tracing_word(const char *tracepoint, const char *words, const char *begins,
				char *word, size_t size)
{
	char *last, *found;

	ASSERT_GT(tracing_find(tracepoint, words, &last), 0);
	found = strstr(last, begins);
	ASSERT(found);
	snprintf(word, size, "%.*s", (int)strcspn(found, "\n "), found);
	free(last);
}

#endif /* SELFTESTS_TRACING_H */
