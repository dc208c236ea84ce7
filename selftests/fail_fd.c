// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of aem-fd, with each allocation and copy made to fail (rows.h), and what is done in a
 * tree that is watched, where the kernel allocates for the watch. No call lacks a row.
 *
 * vm: load=core,timer,ip,null,fd timeout=600
 */
#include "rows.h"
#include "fd_polls.h"

/* Of these, all but those that there are have marks in store. */
#define FILES	20

static const char pattern[] = "*.c";
static struct fd_told told;
static uint32_t number;

static long long watch(const char *path, uint32_t kinds, uint32_t flags)
{
	struct aem_fd_watch watch = fd_request(&told, path, kinds);
	long long ret;

	watch.flags = flags;
	watch.pattern = (uintptr_t)pattern;
	/* More than a page is had in another way. */
	watch.room = flags ? 16384 : AEM_FD_ROOM;
	watch.files = FILES;
	watch.actor = getpid();
	if (!path)
		watch.fd = subject;
	ret = fd_try(&raw, &watch);
	if (!ret)
		id = watch.reg.id;
	return ret;
}

static long long watch_directory(void)
{
	return watch(".", AEM_FD_CREATE | AEM_FD_RENAME, 0);
}

static long long watch_locks(void)
{
	return watch("a", AEM_FD_ALL, AEM_FD_MERGE);
}

/* With all marks that it keeps for directories to come, or with as many as there is memory for. */
static long long watch_tree(void)
{
	return watch(".", AEM_FD_ALL, AEM_FD_TREE);
}

static void open_directory(void)
{
	subject = open(".", O_PATH | O_CLOEXEC);
	ASSERT_GE(subject, 0);
}

static long long watch_descriptor(void)
{
	return watch(NULL, AEM_FD_CREATE, AEM_FD_ONLYDIR);
}

static void close_directory(void)
{
	shut();
	close(subject);
	subject = -1;
}

static void have_watch(void)
{
	ASSERT_OK(watch(".", AEM_FD_ALL, 0));
}

static void have_tree(void)
{
	struct aem_fd_watch watch = fd_request(&told, ".", AEM_FD_CREATE | AEM_FD_LOCK);

	watch.flags = AEM_FD_TREE;
	watch.files = FILES;
	fd_make(&raw, &told, &watch);
	id = watch.reg.id;
}

static long long add(void)
{
	struct aem_fd_add add;
	long long ret = fd_try_add(&raw, id, "a", &add);

	number = add.number;
	return ret;
}

/* What failed for an address, and was done, has given its number the second time. */
static void end_add(void)
{
	EXPECT_OK(fd_try_remove(&raw, id, number));
	EXPECT_ERRNO(fd_try_remove(&raw, id, number), ENOENT);
	shut();
}

static void have_file(void)
{
	have_watch();
	ASSERT_OK(add());
}

static long long take_away(void)
{
	return fd_try_remove(&raw, id, number);
}

static long long make_directory(void)
{
	return mkdir("d", 0755);
}

/* It is told in any case; whether there was memory to watch it is told as well. */
static void end_directory(void)
{
	struct aem_fd_add add;

	raw_drain(&raw);
	EXPECT_EQ(told.n, 1);
	EXPECT_STR(fd_name(fd_note(&told, 0)), "d");
	EXPECT_EQ(fd_try_add(&raw, id, "d", &add), fd_note(&told, 0)->self ? 1 : 0);
	if (fd_note(&told, 0)->self)
		EXPECT_EQ(add.number, fd_note(&told, 0)->self);
	shut();
	ASSERT_OK(rmdir("d"));
}

static int terminals[2] = { -1, -1 };

/* A terminal needs a second place in a wait queue, which is allocated. */
static void have_terminal(void)
{
	mount_terminals();
	open_terminal(&terminals[0], &terminals[1]);
}

/* Without one, a descriptor of what has one queue. */
static long long make_source(void)
{
	static struct source source;
	long long ret = source_try(&raw, &source, terminals[1] < 0 ? raw.fd : terminals[1],
				   AEM_FD_IN, 0);

	if (!ret)
		id = source.id;
	return ret;
}

static void close_terminal(void)
{
	int i;

	shut();
	for (i = 0; i < 2; i++) {
		if (terminals[i] >= 0)
			close(terminals[i]);
		terminals[i] = -1;
	}
}

static const struct row rows[] = {
	{ "fd watch of a directory", "fd", AEM_FD_WATCH, .call = watch_directory, .after = shut },
	{ "fd watch of a file, locks too", "fd", AEM_FD_WATCH, .call = watch_locks,
	  .after = shut },
	{ "fd watch by descriptor", "fd", AEM_FD_WATCH, .before = open_directory,
	  .call = watch_descriptor, .after = close_directory },
	{ "fd watch of a tree", "fd", AEM_FD_WATCH, .call = watch_tree, .after = shut },
	{ "fd add", "fd", AEM_FD_ADD, .before = have_watch, .call = add, .after = end_add,
	  .twice = true },
	{ "fd add to a tree", "fd", AEM_FD_ADD, .before = have_tree, .call = add,
	  .after = end_add, .twice = true },
	{ "fd remove", "fd", AEM_FD_REMOVE, .before = have_file, .call = take_away,
	  .after = shut, .twice = true, .done = ENOENT },
	{ "fd poll", "fd", AEM_FD_POLL, .before = have_terminal, .call = make_source,
	  .after = close_terminal },
	{ "mkdir in a tree", "tree", .before = have_tree, .call = make_directory,
	  .after = end_directory, .errors = { ENOSPC } },
};

TEST(every_call_has_a_row)
{
	uint32_t call;

	for (call = 0; call < AEM_FD_CALLS; call++)
		expect_row(rows, ARRAY_SIZE(rows), AEM_FD_SERVICE, call, 0);
}

static void run(const char *service)
{
	have_faults();
	begin();
	fds_bind(&raw);
	fds_go();
	fd_create("a");
	run_rows(rows, ARRAY_SIZE(rows), service);
}

TEST_TIMEOUT(calls, 400)
{
	run(AEM_FD_SERVICE);
}

TEST_TIMEOUT(in_a_tree, 200)
{
	run("tree");
}

KTAP_MAIN()
