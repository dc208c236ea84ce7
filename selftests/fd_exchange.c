// SPDX-License-Identifier: GPL-2.0
/*
 * Names that change places: one note, whoever of the two directories is watched.
 */
/* vm: load=core,null,fd */
#define _GNU_SOURCE
#include "fds.h"
#include <sys/mount.h>

static struct raw raw;
static struct fd_told told;

static void begin(void)
{
	fds_go();
	ASSERT_OK(mkdir("one", 0755));
	ASSERT_OK(mkdir("two", 0755));
	fd_create("one/a");
	fd_create("one/b");
	fd_create("two/c");
	ASSERT_OK(mkdir("two/d", 0755));
	fds_start(&raw);
}

static void exchange(const char *from, const char *to)
{
	ASSERT_OK(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE));
}

static uint64_t inode_of(const char *path)
{
	struct stat info;

	ASSERT_OK(lstat(path, &info));
	return info.st_ino;
}

/* The note is of the one that has the new name, if both names are known. */
static struct aem_fd_note expect(const char *name, const char *name2, uint32_t flags)
{
	struct aem_fd_note note;

	raw_drain(&raw);
	ASSERT_EQ(told.n, 1);
	EXPECT_STR(fd_name2(fd_note(&told, 0)), name2);
	note = fd_one(&raw, &told, AEM_FD_RENAME, name);
	EXPECT_EQ(note.flags & (AEM_FD_F_EXCHANGE | AEM_FD_F_DIR | AEM_FD_F_DIR2), flags);
	return note;
}

TEST(in_one_directory)
{
	struct aem_fd_note note;
	int i;

	begin();
	fd_watch(&raw, &told, "one", AEM_FD_RENAME);
	for (i = 0; i < 3; i++) {
		exchange("one/a", "one/b");
		note = expect("a", "b", AEM_FD_F_EXCHANGE);
		EXPECT_EQ(note.number, 1);
		EXPECT_EQ(note.number2, 1);
		EXPECT_EQ(note.inode, inode_of("one/b"));
	}
	ASSERT_OK(rename("one/a", "one/b"));
	expect("a", "b", 0);
	ASSERT_OK(rename("one/b", "one/a"));
	expect("b", "a", 0);
	raw_end(&raw);
}

TEST(between_two_directories)
{
	struct aem_fd_note note;

	begin();
	fd_watch(&raw, &told, "one", AEM_FD_RENAME);
	ASSERT_EQ(fd_add(&raw, &told, "two"), 2);
	exchange("one/a", "two/c");
	note = expect("a", "c", AEM_FD_F_EXCHANGE);
	EXPECT_EQ(note.number, 1);
	EXPECT_EQ(note.number2, 2);
	EXPECT_EQ(note.inode, inode_of("two/c"));
	exchange("two/d", "one/b");
	note = expect("d", "b", AEM_FD_F_EXCHANGE | AEM_FD_F_DIR);
	EXPECT_EQ(note.number, 2);
	exchange("two/d", "one/b");
	expect("d", "b", AEM_FD_F_EXCHANGE | AEM_FD_F_DIR2);
	raw_end(&raw);
}

/* The other name is not told, but that there is one is. */
TEST(one_of_two_directories)
{
	begin();
	fd_watch(&raw, &told, "one", AEM_FD_RENAME);
	exchange("one/a", "two/c");
	EXPECT_EQ(expect("a", "", AEM_FD_F_EXCHANGE).number2, 0);
	exchange("two/d", "one/b");
	EXPECT_EQ(expect("", "b", AEM_FD_F_EXCHANGE | AEM_FD_F_DIR).number, 0);
	ASSERT_OK(rename("two/c", "one/c"));
	expect("", "c", 0);
	raw_end(&raw);
}

/* Each watch has what it knows of it. */
TEST(two_watches)
{
	struct fd_told other;

	begin();
	fd_watch(&raw, &told, "one", AEM_FD_RENAME);
	fd_watch(&raw, &other, "two", AEM_FD_RENAME);
	exchange("one/a", "two/c");
	fd_expect(&raw, &other, 1);
	EXPECT_STR(fd_name2(fd_note(&other, 0)), "c");
	expect("a", "", AEM_FD_F_EXCHANGE);
	fd_forget(&other);
	fd_shutdown(&raw, &told);
	exchange("two/c", "one/a");
	fd_expect(&raw, &other, 1);
	EXPECT_STR(fd_name(fd_note(&other, 0)), "c");
	raw_end(&raw);
}

TEST(numbers_of_a_tree)
{
	struct aem_fd_watch watch;
	struct aem_fd_note note;

	begin();
	watch = fd_request(&told, ".", AEM_FD_CREATE | AEM_FD_RENAME);
	watch.flags = AEM_FD_TREE;
	fd_make(&raw, &told, &watch);
	ASSERT_EQ(fd_add(&raw, &told, "one"), 2);
	ASSERT_EQ(fd_add(&raw, &told, "two"), 3);
	exchange("one", "two");
	note = expect("one", "two", AEM_FD_F_EXCHANGE | AEM_FD_F_DIR | AEM_FD_F_DIR2);
	EXPECT_EQ(note.self, 2);
	EXPECT_EQ(note.self2, 3);
	exchange("two/a", "one/d");
	note = expect("a", "d", AEM_FD_F_EXCHANGE | AEM_FD_F_DIR2);
	EXPECT_EQ(note.self, 0);
	EXPECT_EQ(note.self2, 0);
	raw_end(&raw);
}

/* Something has the old name, and it was nowhere before. */
TEST(a_whiteout_is_no_exchange)
{
	begin();
	ASSERT_OK(mount("none", "two", "tmpfs", 0, NULL));
	fd_create("two/c");
	fd_watch(&raw, &told, "two", AEM_FD_RENAME);
	if (renameat2(AT_FDCWD, "two/c", AT_FDCWD, "two/e", RENAME_WHITEOUT)) {
		ASSERT_EQ(errno, EINVAL);
	} else {
		expect("c", "e", 0);
		ASSERT_OK(rename("two/e", "two/c"));
		expect("e", "c", 0);
	}
	raw_end(&raw);
	umount2("two", MNT_DETACH);
}

KTAP_MAIN()
