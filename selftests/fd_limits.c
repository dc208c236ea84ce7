// SPDX-License-Identifier: GPL-2.0
/*
 * How many files all watches of a user may look at.
 */
/* vm: load=core,null,fd */
#include "fds.h"
#include <sys/wait.h>

#define PARAMETER	"/sys/module/aem_fd_marks/parameters/max_user_files"
#define LIMIT		4

static struct raw raw;
static struct fd_told told[2];

static unsigned long read_limit(void)
{
	FILE *file = fopen(PARAMETER, "r");
	unsigned long value;

	ASSERT(file);
	ASSERT_EQ(fscanf(file, "%lu", &value), 1);
	fclose(file);
	return value;
}

static void set_limit(unsigned long value)
{
	FILE *file = fopen(PARAMETER, "w");

	ASSERT(file);
	ASSERT_GT(fprintf(file, "%lu", value), 0);
	ASSERT_EQ(fclose(file), 0);
}

static unsigned long usual;

static void begin(void)
{
	int i;

	usual = read_limit();
	set_limit(LIMIT);
	fds_go();
	ASSERT_OK(chmod(".", 0777));
	for (i = 0; i < LIMIT; i++) {
		char name[] = { (char)('a' + i), '\0' };

		ASSERT_OK(mkdir(name, 0755));
	}
	fds_start(&raw);
}

static void end(void)
{
	raw_end(&raw);
	set_limit(usual);
}

static long long add(int which, const char *path)
{
	struct aem_fd_add arg;

	return fd_try_add(&raw, told[which].id, path, &arg);
}

/* Two watches, of one user: what the one gives back, the other may have. */
static void fill(void)
{
	struct aem_fd_watch watch = fd_request(NULL, ".", AEM_FD_CREATE);
	int i;

	for (i = 0; i < 2; i++)
		fd_watch(&raw, &told[i], ".", AEM_FD_CREATE);
	ASSERT_OK(add(0, "a"));
	ASSERT_OK(add(1, "a"));
	EXPECT_ERRNO(add(0, "b"), EDQUOT);
	EXPECT_ERRNO(fd_try(&raw, &watch), EDQUOT);
	ASSERT_OK(fd_try_remove(&raw, told[1].id, 2));
	ASSERT_OK(add(0, "b"));
	EXPECT_ERRNO(add(1, "a"), EDQUOT);
	/* It is no more, and counts no more. */
	ASSERT_OK(rmdir("b"));
	ASSERT_OK(add(1, "a"));
	ASSERT_OK(mkdir("b", 0755));
	EXPECT_ERRNO(add(0, "b"), EDQUOT);
}

TEST(all_watches_of_a_user)
{
	begin();
	fill();
	fd_shutdown(&raw, &told[0]);
	ASSERT_OK(add(1, "b"));
	fd_shutdown(&raw, &told[1]);
	fill();
	end();
}

TEST(other_users_have_their_own)
{
	int status;
	pid_t child;

	begin();
	fill();
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		fds_start(&raw);
		ASSERT_OK(setresuid(1000, 1000, 1000));
		fill();
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	end();
}

/* What is made in a tree is told in any case, and not watched beyond the limit. */
TEST(directories_of_a_tree)
{
	struct aem_fd_watch watch = fd_request(&told[0], ".", AEM_FD_CREATE);
	char name[] = "t0";
	uint32_t i;

	begin();
	watch.flags = AEM_FD_TREE;
	fd_make(&raw, &told[0], &watch);
	for (i = 0; i < LIMIT + 1; i++, name[1]++)
		ASSERT_OK(mkdir(name, 0755));
	fd_expect(&raw, &told[0], LIMIT + 1);
	for (i = 0; i < LIMIT + 1; i++)
		EXPECT_EQ(fd_note(&told[0], i)->self, i < LIMIT - 1 ? i + 2 : 0);
	end();
}

KTAP_MAIN()
