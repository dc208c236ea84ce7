// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: each step in an event's life, and what the administrator does, can be followed
 * in /sys/kernel/tracing, with ids and numbers that are right.
 *
 * vm: load=core,null,null-twin:version=2
 */
#include "swap.h"

#define TRACING "/sys/kernel/tracing/"

static char text[1 << 16];

static void put(const char *name, const char *word)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, word, strlen(word)), strlen(word));
	close(fd);
}

static void begin_trace(void)
{
	put("trace", "\n");
	put("events/aem/enable", "1");
}

/* What was traced since begin_trace(). */
static void end_trace(void)
{
	size_t length = 0;
	ssize_t n;
	int fd;

	put("events/aem/enable", "0");
	fd = open(TRACING "trace", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	while ((n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += n;
	ASSERT_EQ(n, 0);
	text[length] = '\0';
	close(fd);
}

/* How many lines are of this tracepoint and hold these words. */
static int count(const char *tracepoint, const char *words)
{
	char name[64], *line, *next;
	int n = 0;

	snprintf(name, sizeof(name), " %s: ", tracepoint);
	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		n += memmem(line, next - line, name, strlen(name)) &&
		     memmem(line, next - line, words, strlen(words));
	}
	return n;
}

TEST(life_of_an_event)
{
	struct raw raw;
	char words[64];
	uint64_t id;

	raw_start_signal(&raw, SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	begin_trace();
	id = null_new(&raw, NULL_CREATE, raw_nothing, 0, 0, 7);
	null_fire(&raw, id, NULL_BY_CALL, 3);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	raw_drain(&raw);
	end_trace();
	raw_end(&raw);

	snprintf(words, sizeof(words), "id=0x%llx ", (unsigned long long)id);
	EXPECT_EQ(count("aem_register", words), 1);
	EXPECT_GE(count("aem_activate", words), 1);
	EXPECT_EQ(count("aem_construct", words), 1);
	EXPECT_EQ(count("aem_done", words), 1);
	EXPECT_EQ(count("aem_unregister", words), 1);
	EXPECT_EQ(count("aem_register", "prio=7 "), 1);
	EXPECT_EQ(count("aem_construct", "ret=0"), 1);
	snprintf(words, sizeof(words), "owner=%d prio=7", getpid());
	EXPECT_EQ(count("aem_doorbell", words), 1);
}

TEST(what_the_administrator_does)
{
	struct aem_manage arg;
	struct raw raw;

	swap_begin(&raw, 1);
	null_new(&raw, NULL_CREATE, raw_nothing, 0, 0, 0);
	begin_trace();
	swap_to(raw.fd, NULL_SERVICE, 1, 2);
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 2, 0);
	EXPECT_OK(swap_manage(raw.fd, &arg));
	end_trace();
	raw_drain(&raw);
	raw_end(&raw);

	EXPECT_EQ(count("aem_swap", "service=null from=1 to=2 contexts=1 moved=1 refused=0 "), 1);
	EXPECT_EQ(count("aem_revoke", "service=null from=2 to=0 "), 1);
}

KTAP_MAIN()
