/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory is short, and addresses go bad, at every place where they can: the first, the second ...
 * the last allocation or copy of each call is made to fail. A call that fails says so with a clean
 * errno, has changed nothing, and succeeds when it is made again; and whatever fails while
 * events are delivered, no event is lost.
 *
 * The kernel does that for a thread that asks for it (fail-nth, on the debug kernel only). Others
 * run each row once, without faults.
 */
#ifndef SELFTESTS_ROWS_H
#define SELFTESTS_ROWS_H

#include "faults.h"

static uint64_t id;			/* of an event */

/**
 * struct row - a call that is to fail
 * @name:    for who reads the log
 * @service: whose call it is; IOCTL, CORE, SYSTEM
 * @nr:      its number there
 * @op:      what it is asked to do, where that is a number too
 * @before:  prepares; may be NULL
 * @call:    makes it: -1 and errno, or success
 * @after:   undoes it; may be NULL
 * @errors:  errnos that it may fail with besides ENOMEM and EFAULT
 * @twice:   it may be done twice: EFAULT leaves open whether it was done, see the errno contract
 * @done:    errno of the second time, if it was
 * @spared:  no faults: the kernel prints a trace of its own if it has no memory for a stack
 */
struct row {
	const char *name;
	const char *service;
	uint32_t nr;
	uint32_t op;
	void (*before)(void);
	long long (*call)(void);
	void (*after)(void);
	int errors[3];
	bool twice;
	int done;
	bool spared;
};

#define IOCTL	"ioctl"
#define CORE	"core"
#define SYSTEM	"system"

/**
 * struct sums - what there is of everything
 * @users:  contexts that are bound, of all services
 * @events: of all services
 * @live:   events of the service "null" that are not released
 * @mine:   of the context
 * @used:   bytes of its blocks
 * @fds:    open descriptors
 */
struct sums {
	uint64_t users;
	uint64_t events;
	uint64_t live;
	uint64_t mine;
	uint64_t used;
	uint64_t fds;
};

static int subject = -1;		/* a descriptor that the call is about */

/* What there is. */

static inline void take_sums(struct sums *sums)
{
	struct aem_service_info info = { .size = sizeof(info) };
	struct null_totals totals = null_totals(&raw);
	struct aem_query query = raw_query(&raw);

	memset(sums, 0, sizeof(*sums));
	for (; !ioctl(raw.fd, AEM_IOC_SERVICE, &info); info.index++) {
		sums->users += info.users;
		sums->events += info.events;
	}
	sums->live = totals.created - totals.released;
	sums->mine = query.events;
	sums->used = query.vmt_used;
	sums->fds = open_fds();
}

/* All but the time that a timer has left. */
static inline size_t copy_fdinfo(int fd, char *to, size_t size)
{
	static const char left[] = " value:", end[] = "\n ";
	char path[64], *at;
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(file, 0);
	n = read(file, to, size - 1);
	ASSERT_GT(n, 0);
	to[n] = 0;
	close(file);
	while ((at = strstr(to, left)))
		memmove(at, at + strcspn(at + 1, end) + 1, strlen(at + strcspn(at + 1, end)));
	return strlen(to);
}

/* As text, with everything that a call that fails must leave alone. */
static inline void take_state(char *text, size_t size)
{
	struct sums sums;
	size_t n;

	take_sums(&sums);
	n = snprintf(text, size, "users %llu events %llu live %llu descriptors %llu\n",
		     (unsigned long long)sums.users, (unsigned long long)sums.events,
		     (unsigned long long)sums.live, (unsigned long long)sums.fds);
	n += copy_fdinfo(raw.fd, text + n, size - n);
	if (subject >= 0)
		copy_fdinfo(subject, text + n, size - n);
}

/* A row, with each fault that it can meet. */

static inline bool is_clean(const struct row *row, int error)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(row->errors); i++)
		if (error == row->errors[i] && error)
			return true;
	return error == ENOMEM || error == EFAULT;
}

static inline void note_lines(const char *text)
{
	size_t length;

	for (; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		NOTE("  %.*s", (int)length, text);
	}
}

static inline void expect_unchanged(const struct row *row, const char *before)
{
	static char after[16384];

	take_state(after, sizeof(after));
	if (!strcmp(before, after))
		return;
	NOTE("%s failed, and changed", row->name);
	note_lines(before);
	NOTE("to");
	note_lines(after);
	ktap_fail(0);
}

static inline void expect_success_now(const struct row *row)
{
	long long ret = row->call();

	if (ret < 0 && !(row->done && errno == row->done)) {
		NOTE("%s failed, and then again: %s", row->name, strerrorname_np(errno));
		ktap_fail(0);
	}
}

/* Returns whether there was a fault: if there was none, there is no n-th one. */
static inline bool fail_once(const struct row *row, unsigned int nth, uint32_t *failures)
{
	static char before[16384];
	bool injected;
	long long ret;
	int error;

	if (row->before)
		row->before();
	take_state(before, sizeof(before));
	if (!row->spared)
		arm(nth);
	ret = row->call();
	error = errno;
	injected = disarm() && !row->spared;
	if (ret < 0) {
		(*failures)++;
		if (!injected || !is_clean(row, error)) {
			NOTE("%s: fault %u: %s", row->name, nth, strerrorname_np(error));
			ktap_fail(0);
		}
		if (!row->twice || error != EFAULT)
			expect_unchanged(row, before);
		expect_success_now(row);
	}
	if (row->after)
		row->after();
	return injected;
}

static inline void run_row(const struct row *row)
{
	uint32_t nth = 0, failures = 0;
	struct sums first, last;

	take_sums(&first);
	do {
		ASSERT_LT(++nth, MANY);
	} while (fail_once(row, nth, &failures));
	take_sums(&last);
	if (memcmp(&first, &last, sizeof(first))) {
		NOTE("%s left %lld users, %lld events (%lld here, %lld null), %lld bytes, %lld fds",
		     row->name, (long long)(last.users - first.users),
		     (long long)(last.events - first.events), (long long)(last.mine - first.mine),
		     (long long)(last.live - first.live), (long long)(last.used - first.used),
		     (long long)(last.fds - first.fds));
		ktap_fail(0);
	}
	NOTE("%s: %u faults, %u failures", row->name, nth - 1, failures);
}

static inline void shut(void)
{
	ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	raw_drain(&raw);
}

/* The rows of a service; the program has the table. */
static inline void run_rows(const struct row *rows, size_t n, const char *service)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(rows[i].service, service))
			run_row(&rows[i]);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

/* What the kernel knows has a row. */
static inline void expect_row(const struct row *rows, size_t n, const char *service, uint32_t nr,
			      uint32_t op)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(rows[i].service, service) && rows[i].nr == nr &&
		    (!op || rows[i].op == op))
			return;
	NOTE("no row for %s %u, operation %u", service, nr, op);
	ktap_fail(0);
}

#endif /* SELFTESTS_ROWS_H */
