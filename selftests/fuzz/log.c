// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's log, to be written and looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>
#include "log.h"
#include "own.h"
#include "program.h"

/* Bytes of a record that a console prints, with what it sets before each line. */
#define RECORD	960
#define PREFIX	32
/* Descriptors that programs do not hit by chance. */
#define HIGH	900
#define CONSOLE_LEVEL	8

static int writer = -1, reader = -1;
static char (*recent)[FUZZ_TEXT];
static unsigned long numbers[LOG_RECENT], count;

static const char *const complaints[] = {
	"BUG:", "WARNING:", "UBSAN:", "KASAN:", "KFENCE:", "ODEBUG:", "refcount_t:", "INFO: task",
	"possible recursive locking", "possible circular locking", "inconsistent lock state",
	"suspicious RCU usage", "possible irq lock inversion", "Call Trace", "rcu: INFO",
};

static int open_high(int flags)
{
	int fd = open("/dev/kmsg", flags | O_CLOEXEC), high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	close(fd);
	return high;
}

/* Goes on without a log that may be written: on a machine that is no guest. */
int log_open(void)
{
	recent = own_memory(LOG_RECENT * sizeof(*recent));
	if (!recent)
		return fprintf(stderr, "fuzz: no memory\n"), -1;
	writer = open_high(O_WRONLY);
	reader = open_high(O_RDONLY | O_NONBLOCK);
	if (reader >= 0)
		lseek(reader, 0, SEEK_END);
	/* What programs are noted with stays off the console. */
	if (writer < 0 || reader < 0 || klogctl(CONSOLE_LEVEL, NULL, 7))
		fprintf(stderr, "fuzz: programs are not noted in the kernel's log\n");
	return 0;
}

/* How much of it fits a record: whole lines, but for one that is too long. */
static unsigned int piece(const char *text, unsigned int length)
{
	unsigned int n = 0, used = 0, line;

	while (n < length) {
		line = strcspn(text + n, "\n") + 1;
		used += PREFIX + line;
		if (n && used > RECORD)
			break;
		n += line;
	}
	return n < length ? n : length;
}

static void note(const char *text, unsigned int length)
{
	char record[RECORD + 64];
	int n;

	n = snprintf(record, sizeof(record), "<7>%.*s", (int)length, text);
	if (writer >= 0 && write(writer, record, n) < 0)
		errno = 0;
}

void log_program(unsigned long number, const char *text)
{
	unsigned int n, slot = count++ % LOG_RECENT, length = strlen(text);
	char head[64];

	snprintf(recent[slot], FUZZ_TEXT, "%s", text);
	numbers[slot] = number;
	n = snprintf(head, sizeof(head), "fuzz: program %lu\n", number);
	note(head, n);
	for (; length; text += n, length -= n) {
		n = piece(text, length);
		note(text, n);
	}
}

/* The programs that ran last, on standard output; the very last one last. */
void log_recent(void)
{
	unsigned long i = count > LOG_RECENT ? count - LOG_RECENT : 0;

	for (; i < count; i++)
		printf("fuzz: program %lu\n%s", numbers[i % LOG_RECENT], recent[i % LOG_RECENT]);
	fflush(stdout);
}

/* What stands between the sentence that says what happened and the trace. */
static bool is_heading(const char *text)
{
	return strncmp(text, "CPU:", 4) && strncmp(text, "Hardware name:", 14) &&
	       strncmp(text, "Workqueue:", 10) && strncmp(text, "-----", 5) && *text;
}

/* Whether the kernel has complained since the last call, and what it said. */
bool log_complaint(char *line, unsigned int size)
{
	char record[2048], *text;
	unsigned int i;
	long n;

	*line = '\0';

	while (reader >= 0) {
		n = read(reader, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return false;
		record[n] = 0;
		text = strchr(record, ';');
		/* What users wrote is of another facility. */
		if (!text || strtoul(record, NULL, 10) >= 8)
			continue;
		text[strcspn(text, "\n")] = 0;
		for (i = 0; i < ARRAY_SIZE(complaints); i++) {
			if (!strstr(text, complaints[i]))
				continue;
			/* A trace without one of the sentences above: the line before says why. */
			if (!strstr(text, "Call Trace") || !*line)
				snprintf(line, size, "%s", text + 1);
			return true;
		}
		if (is_heading(text + 1))
			snprintf(line, size, "%s", text + 1);
	}
	return false;
}
