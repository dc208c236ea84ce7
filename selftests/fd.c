// SPDX-License-Identifier: GPL-2.0
/*
 * The service "fd": what is told of files and directories.
 */
/* vm: load=core,null,fd timeout=240 m32 */
/* A lock of an open file has one form, also in a 32-bit program. */
#define _FILE_OFFSET_BITS 64
#include "fds.h"
#include <limits.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/xattr.h>

static struct fd_told told, other;

static uintptr_t address(const char *text)
{
	return (uintptr_t)text;
}

TEST(each_kind_of_a_directory)
{
	struct aem_fd_note note;
	struct raw raw;
	char byte;
	int fd;

	fds_start(&raw);
	fds_go();
	fd_watch(&raw, &told, ".", AEM_FD_ALL & ~(AEM_FD_OPEN | AEM_FD_CLOSE));
	fd = fd_touch("a");
	note = fd_one(&raw, &told, AEM_FD_CREATE, "a");
	EXPECT_EQ(note.number, 1);
	EXPECT_EQ(note.number2, 0);
	EXPECT_EQ(note.flags, AEM_FD_F_ACTOR | AEM_FD_F_STAT);
	EXPECT_EQ(note.mode, S_IFREG | 0644);
	EXPECT_EQ(note.owner, getuid());
	EXPECT_EQ(note.group, getgid());
	ASSERT_EQ(write(fd, "ab", 2), 2);
	fd_one(&raw, &told, AEM_FD_MODIFY, "a");
	ASSERT_EQ(pread(fd, &byte, 1, 0), 1);
	fd_one(&raw, &told, AEM_FD_ACCESS, "a");
	ASSERT_OK(ftruncate(fd, 0));
	fd_one(&raw, &told, AEM_FD_MODIFY, "a");
	close(fd);
	ASSERT_OK(mkdir("d", 0700));
	note = fd_one(&raw, &told, AEM_FD_CREATE, "d");
	EXPECT_EQ(note.flags, AEM_FD_F_ACTOR | AEM_FD_F_STAT | AEM_FD_F_DIR);
	EXPECT_EQ(note.mode, S_IFDIR | 0700);
	ASSERT_OK(rmdir("d"));
	note = fd_one(&raw, &told, AEM_FD_DELETE, "d");
	EXPECT(note.flags & AEM_FD_F_DIR);
	ASSERT_OK(unlink("a"));
	fd_one(&raw, &told, AEM_FD_DELETE, "a");
	ASSERT_OK(symlink("nowhere", "s"));
	note = fd_one(&raw, &told, AEM_FD_CREATE, "s");
	EXPECT_EQ(note.mode & S_IFMT, S_IFLNK);
	raw_end(&raw);
}

TEST(open_and_close)
{
	struct raw raw;
	int fd;

	fds_start(&raw);
	fds_go();
	fd_create("a");
	fd_watch(&raw, &told, ".", AEM_FD_OPEN | AEM_FD_CLOSE);
	fd = open("a", O_RDONLY);
	ASSERT_GE(fd, 0);
	fd_one(&raw, &told, AEM_FD_OPEN, "a");
	close(fd);
	fd_one(&raw, &told, AEM_FD_CLOSE_READ, "a");
	fd = open("a", O_WRONLY);
	ASSERT_GE(fd, 0);
	fd_one(&raw, &told, AEM_FD_OPEN, "a");
	close(fd);
	fd_one(&raw, &told, AEM_FD_CLOSE_WRITE, "a");
	raw_end(&raw);
}

/* Is the kernel such that attributes are told apart? */
static bool attributes_are_known(const struct aem_fd_note *note)
{
	if (!(note->flags & AEM_FD_F_UNSURE))
		return true;
	EXPECT_EQ(note->kinds, AEM_FD_MODE | AEM_FD_OWNER | AEM_FD_ATTR | AEM_FD_XATTR);
	NOTE("this kernel has no return probes: attributes are not told apart");
	return false;
}

static void each_attribute(struct raw *raw, const char *path, const char *name)
{
	struct aem_fd_note note;

	ASSERT_OK(chmod(path, 0600));
	raw_drain(raw);
	if (!attributes_are_known(fd_note(&told, 0)))
		return;
	note = fd_one(raw, &told, AEM_FD_MODE, name);
	EXPECT_EQ(note.flags, AEM_FD_F_ACTOR | AEM_FD_F_STAT | AEM_FD_F_OLD);
	EXPECT_EQ(note.old_mode, S_IFREG | 0644);
	EXPECT_EQ(note.mode, S_IFREG | 0600);
	EXPECT_EQ(note.old_owner, 0);
	ASSERT_OK(chown(path, 11, 22));
	note = fd_one(raw, &told, AEM_FD_OWNER, name);
	EXPECT_EQ(note.flags, AEM_FD_F_ACTOR | AEM_FD_F_STAT | AEM_FD_F_OLD);
	EXPECT_EQ(note.owner, 11);
	EXPECT_EQ(note.group, 22);
	EXPECT_EQ(note.old_owner, 0);
	EXPECT_EQ(note.old_group, 0);
	EXPECT_EQ(note.mode, note.old_mode);
	ASSERT_OK(utimensat(AT_FDCWD, path, NULL, 0));
	fd_one(raw, &told, AEM_FD_ATTR, name);
	ASSERT_OK(setxattr(path, "trusted.some", "thing", 5, 0));
	note = fd_one(raw, &told, AEM_FD_XATTR, name);
	EXPECT_EQ(note.flags, AEM_FD_F_ACTOR | AEM_FD_F_STAT);
	ASSERT_OK(removexattr(path, "trusted.some"));
	fd_one(raw, &told, AEM_FD_XATTR, name);
	/* What clears the bit is the change of the owner. */
	ASSERT_OK(chmod(path, 04711));
	fd_one(raw, &told, AEM_FD_MODE, name);
	ASSERT_OK(chown(path, 12, -1));
	note = fd_one(raw, &told, AEM_FD_OWNER | AEM_FD_MODE, name);
	EXPECT_EQ(note.old_mode, S_IFREG | 04711);
	EXPECT_EQ(note.mode, S_IFREG | 0711);
	EXPECT_EQ(note.old_owner, 11);
}

#define ATTRIBUTES	(AEM_FD_MODE | AEM_FD_OWNER | AEM_FD_ATTR | AEM_FD_XATTR)

TEST(attributes_in_a_directory)
{
	struct raw raw;

	fds_start(&raw);
	fds_go();
	fd_create("a");
	fd_watch(&raw, &told, ".", ATTRIBUTES);
	each_attribute(&raw, "a", "a");
	raw_end(&raw);
}

TEST(attributes_of_a_file)
{
	struct raw raw;

	fds_start(&raw);
	fds_go();
	fd_create("a");
	fd_watch(&raw, &told, "a", ATTRIBUTES);
	each_attribute(&raw, "a", "");
	raw_end(&raw);
}

TEST(only_the_attribute_that_was_asked_for)
{
	struct raw raw;

	fds_start(&raw);
	fds_go();
	fd_create("a");
	fd_watch(&raw, &told, ".", AEM_FD_OWNER);
	ASSERT_OK(chmod("a", 0600));
	raw_drain(&raw);
	/* Without return probes nobody knows. */
	if (told.n && fd_note(&told, 0)->flags & AEM_FD_F_UNSURE)
		return;
	EXPECT_EQ(told.n, 0);
	ASSERT_OK(chown("a", 11, -1));
	fd_one(&raw, &told, AEM_FD_OWNER, "a");
	raw_end(&raw);
}

TEST(a_rename_is_one_event)
{
	struct aem_fd_note note;
	struct raw raw;

	fds_start(&raw);
	fds_go();
	ASSERT_OK(mkdir("x", 0755));
	ASSERT_OK(mkdir("y", 0755));
	fd_create("x/a");
	fd_watch(&raw, &told, "x", AEM_FD_RENAME | AEM_FD_CREATE | AEM_FD_DELETE);
	ASSERT_OK(rename("x/a", "x/b"));
	raw_drain(&raw);
	EXPECT_STR(fd_name2(fd_note(&told, 0)), "b");
	note = fd_one(&raw, &told, AEM_FD_RENAME, "a");
	EXPECT_EQ(note.number, 1);
	EXPECT_EQ(note.number2, 1);
	EXPECT_EQ(note.mode, S_IFREG | 0644);

	/* The other directory is not watched: nothing is told of its name. */
	ASSERT_OK(rename("x/b", "y/c"));
	raw_drain(&raw);
	EXPECT_EQ(fd_note(&told, 0)->name2_length, 0);
	note = fd_one(&raw, &told, AEM_FD_RENAME, "b");
	EXPECT_EQ(note.number2, 0);
	ASSERT_OK(rename("y/c", "x/d"));
	raw_drain(&raw);
	EXPECT_STR(fd_name2(fd_note(&told, 0)), "d");
	note = fd_one(&raw, &told, AEM_FD_RENAME, "");
	EXPECT_EQ(note.number, 0);
	EXPECT_EQ(note.number2, 1);

	EXPECT_EQ(fd_add(&raw, &told, "y"), 2);
	fd_watch(&raw, &other, "y", AEM_FD_RENAME);
	ASSERT_OK(rename("x/d", "y/e"));
	raw_drain(&raw);
	EXPECT_STR(fd_name2(fd_note(&told, 0)), "e");
	note = fd_one(&raw, &told, AEM_FD_RENAME, "d");
	EXPECT_EQ(note.number, 1);
	EXPECT_EQ(note.number2, 2);
	EXPECT_STR(fd_name2(fd_note(&other, 0)), "e");
	fd_one(&raw, &other, AEM_FD_RENAME, "");
	raw_end(&raw);
}

TEST(a_file_and_its_directory)
{
	struct aem_fd_note note;
	struct raw raw;

	fds_start(&raw);
	fds_go();
	fd_create("a");
	fd_watch(&raw, &told, "a", AEM_FD_MODIFY | AEM_FD_MOVED | AEM_FD_ATTR);
	EXPECT_EQ(fd_add(&raw, &told, "."), 2);
	fd_write("a");
	raw_drain(&raw);
	ASSERT_EQ(told.n, 2);
	EXPECT_EQ(fd_note(&told, 0)->number, 2);
	EXPECT_STR(fd_name(fd_note(&told, 0)), "a");
	EXPECT_EQ(fd_note(&told, 1)->number, 1);
	EXPECT_STR(fd_name(fd_note(&told, 1)), "");
	fd_forget(&told);

	/* It is the file that is watched, whatever its name. */
	ASSERT_OK(rename("a", "b"));
	fd_one(&raw, &told, AEM_FD_MOVED, "");
	ASSERT_OK(fd_try_remove(&raw, told.id, 2));
	fd_write("b");
	note = fd_one(&raw, &told, AEM_FD_MODIFY, "");
	EXPECT_EQ(note.number, 1);
	ASSERT_OK(link("b", "c"));
	fd_one(&raw, &told, AEM_FD_ATTR, "");
	ASSERT_OK(unlink("c"));
	fd_one(&raw, &told, AEM_FD_ATTR, "");
	raw_end(&raw);
}

TEST(links_and_what_is_executed)
{
	struct aem_fd_note note;
	struct raw raw;
	pid_t pid;

	fds_start(&raw);
	fds_go();
	fd_create("a");
	fd_watch(&raw, &told, ".", AEM_FD_CREATE | AEM_FD_OPEN);
	ASSERT_OK(link("a", "b"));
	note = fd_one(&raw, &told, AEM_FD_CREATE, "b");
	EXPECT(note.flags & AEM_FD_F_LINK);
	ASSERT_OK(chmod("a", 0755));
	pid = fork();
	if (!pid) {
		execl("./a", "a", NULL);
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	raw_drain(&raw);
	ASSERT_GE(told.n, 1);
	EXPECT_EQ(fd_note(&told, 0)->kinds, AEM_FD_OPEN);
	EXPECT(fd_note(&told, 0)->flags & AEM_FD_F_EXEC);
	EXPECT_EQ(fd_note(&told, 0)->pid, pid);
	raw_end(&raw);
}

TEST(gone_and_unmounted)
{
	struct raw raw;
	int fd;

	fds_start(&raw);
	fds_go();
	fd = fd_touch("a");
	fd_watch(&raw, &told, "a", AEM_FD_MODIFY);
	ASSERT_OK(unlink("a"));
	fd_expect(&raw, &told, 0);
	close(fd);
	fd_one(&raw, &told, AEM_FD_GONE, "");
	EXPECT_ERRNO(fd_try_remove(&raw, told.id, 1), ENOENT);

	ASSERT_OK(mkdir("m", 0755));
	ASSERT_OK(mount("none", "m", "tmpfs", 0, NULL));
	fd_create("m/f");
	EXPECT_EQ(fd_add(&raw, &told, "m/f"), 2);
	EXPECT_EQ(fd_add(&raw, &told, "m"), 3);
	ASSERT_OK(umount("m"));
	raw_drain(&raw);
	ASSERT_EQ(told.n, 2);
	EXPECT_EQ(fd_note(&told, 0)->kinds, AEM_FD_UNMOUNT);
	EXPECT_EQ(fd_note(&told, 1)->kinds, AEM_FD_UNMOUNT);
	EXPECT_EQ(fd_note(&told, 0)->number + fd_note(&told, 1)->number, 5);
	raw_end(&raw);
}

TEST(filters)
{
	struct aem_fd_watch watch;
	struct raw raw;
	pid_t pid;

	fds_start(&raw);
	fds_go();
	watch = fd_request(&told, ".", AEM_FD_CREATE | AEM_FD_RENAME);
	watch.pattern = address("*.[ch]");
	fd_make(&raw, &told, &watch);
	fd_create("a.txt");
	fd_create("a.c");
	fd_one(&raw, &told, AEM_FD_CREATE, "a.c");
	ASSERT_OK(rename("a.txt", "b.txt"));
	fd_expect(&raw, &told, 0);
	ASSERT_OK(rename("b.txt", "b.h"));
	fd_one(&raw, &told, AEM_FD_RENAME, "b.txt");
	fd_shutdown(&raw, &told);

	pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	watch = fd_request(&told, ".", AEM_FD_CREATE);
	watch.actor = pid;
	fd_make(&raw, &told, &watch);
	watch = fd_request(&other, ".", AEM_FD_CREATE);
	watch.actor = getpid();
	watch.flags = AEM_FD_NOT_ACTOR;
	fd_make(&raw, &other, &watch);
	fd_create("mine");
	fd_expect(&raw, &told, 0);
	fd_expect(&raw, &other, 0);
	kill(pid, SIGKILL);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	fd_shutdown(&raw, &told);
	pid = fork();
	if (!pid) {
		fd_create("its");
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
	fd_expect(&raw, &other, 1);
	EXPECT_STR(fd_name(fd_note(&other, 0)), "its");
	EXPECT_EQ(fd_note(&other, 0)->pid, pid);
	raw_end(&raw);
}

TEST(only_what_the_actor_does)
{
	struct aem_fd_watch watch;
	struct raw raw;

	fds_start(&raw);
	fds_go();
	watch = fd_request(&told, ".", AEM_FD_CREATE);
	watch.actor = getpid();
	fd_make(&raw, &told, &watch);
	fd_create("mine");
	fd_one(&raw, &told, AEM_FD_CREATE, "mine");
	raw_end(&raw);
}

TEST(merged_and_not)
{
	struct aem_fd_watch watch;
	struct raw raw;
	int fd, i;

	fds_start(&raw);
	fds_go();
	fd = fd_touch("a");
	fd_create("b");
	fd_watch(&raw, &other, ".", AEM_FD_MODIFY);
	watch = fd_request(&told, ".", AEM_FD_MODIFY);
	watch.flags = AEM_FD_MERGE;
	fd_make(&raw, &told, &watch);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(write(fd, "x", 1), 1);
	fd_write("b");
	ASSERT_EQ(write(fd, "x", 1), 1);
	raw_drain(&raw);
	EXPECT_EQ(other.n, 7);
	ASSERT_EQ(told.n, 3);
	EXPECT_EQ(fd_note(&told, 0)->count, 5);
	EXPECT_STR(fd_name(fd_note(&told, 0)), "a");
	EXPECT_EQ(fd_note(&told, 1)->count, 1);
	EXPECT_STR(fd_name(fd_note(&told, 1)), "b");
	EXPECT_EQ(fd_note(&told, 2)->count, 1);
	EXPECT_STR(fd_name(fd_note(&told, 2)), "a");
	raw_end(&raw);
}

/* Names of all lengths, so that notes begin and end everywhere in the ring. */
TEST(losses_are_counted)
{
	uint32_t made = 0, taken = 0;
	struct aem_fd_watch watch;
	char name[NAME_MAX + 1];
	struct raw raw;
	int i, round;

	fds_start(&raw);
	fds_go();
	watch = fd_request(&told, ".", AEM_FD_CREATE);
	watch.room = AEM_FD_ROOM_MIN + 8;
	fd_make(&raw, &told, &watch);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < round; i++, made++) {
			memset(name, 'a' + made % 26, NAME_MAX);
			snprintf(name + (made * 37) % (NAME_MAX - 12), 12, "%u", made);
			ASSERT_OK(mkdir(name, 0700));
		}
		raw_drain(&raw);
		ASSERT_LE(told.n, FD_TOLD);
		for (i = 0; i < (int)told.n; i++)
			EXPECT_OK(rmdir(fd_name(fd_note(&told, i))));
		taken += told.n;
		told.n = 0;
	}
	/* A loss is told with the next note. */
	ASSERT_OK(mkdir("last", 0700));
	raw_drain(&raw);
	EXPECT_EQ(told.n, 1);
	EXPECT_GT(told.lost, 0);
	EXPECT_EQ(taken + told.lost, made);
	raw_end(&raw);
}

static void nth_name(uint32_t n, char *name)
{
	uint32_t length = n * 37 % 50;

	memset(name, 'a', length);
	snprintf(name + length, 12, "%u", n);
}

/* One comes for each that is taken: so they go round the ring, and it is never empty. */
TEST(notes_go_round_the_ring)
{
	struct aem_enter enter = { .max_events = 1 };
	struct aem_fd_watch watch;
	char name[64];
	struct raw raw;
	uint32_t i;

	fds_start(&raw);
	fds_go();
	watch = fd_request(&told, ".", AEM_FD_CREATE);
	watch.room = AEM_FD_ROOM_MIN;
	fd_make(&raw, &told, &watch);
	for (i = 0; i < 60; i++) {
		nth_name(i, name);
		ASSERT_OK(mkdir(name, 0700));
		if (i < 3)
			continue;
		ASSERT_OK(raw_enter(&raw, &enter));
		EXPECT_EQ(raw_dispatch(&raw, &enter), 1);
		nth_name(i - 3, name);
		EXPECT_STR(fd_name(fd_note(&told, 0)), name);
		fd_forget(&told);
	}
	fd_expect(&raw, &told, 3);
	raw_end(&raw);
}

TEST(stopped_notes_wait)
{
	struct raw raw;

	fds_start(&raw);
	fds_go();
	fd_watch(&raw, &told, ".", AEM_FD_CREATE);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, told.id, 0));
	fd_create("a");
	fd_expect(&raw, &told, 0);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, told.id, 0));
	fd_one(&raw, &told, AEM_FD_CREATE, "a");
	fd_shutdown(&raw, &told);
	fd_create("b");
	fd_expect(&raw, &told, 0);
	raw_end(&raw);
}

TEST(by_descriptor)
{
	struct aem_fd_watch watch;
	struct raw raw;
	int fd;

	fds_start(&raw);
	fds_go();
	ASSERT_OK(mkdir("d", 0755));
	fd = open("d", O_PATH);
	ASSERT_GE(fd, 0);
	watch = fd_request(&told, NULL, AEM_FD_CREATE);
	watch.fd = fd;
	fd_make(&raw, &told, &watch);
	close(fd);
	fd_create("d/a");
	fd_one(&raw, &told, AEM_FD_CREATE, "a");
	fd_shutdown(&raw, &told);
	fd = open(".", O_RDONLY);
	watch = fd_request(&told, "d", AEM_FD_CREATE);
	watch.fd = fd;
	fd_make(&raw, &told, &watch);
	fd_create("d/b");
	fd_one(&raw, &told, AEM_FD_CREATE, "b");
	raw_end(&raw);
}

/* What @told was told of one lock. */
static void expect_lock(struct raw *raw, uint32_t kinds, uint32_t lock, uint64_t start,
			uint64_t end)
{
	struct aem_fd_note note = fd_one(raw, &told, kinds, "a");

	EXPECT_EQ(note.lock, lock);
	EXPECT_EQ(note.start, start);
	EXPECT_EQ(note.end, end);
}

static int set_lock(int fd, int command, int type, uint64_t start, uint64_t length)
{
	struct flock lock = { .l_type = type, .l_start = start, .l_len = length };

	return fcntl(fd, command, &lock);
}

TEST(locks)
{
	const uint64_t end = INT64_MAX;
	struct raw raw;
	int fd, other_fd;

	fds_start(&raw);
	fds_go();
	fd = fd_touch("a");
	fd_watch(&raw, &told, ".", AEM_FD_LOCK | AEM_FD_UNLOCK);
	fd_watch(&raw, &other, "a", AEM_FD_LOCK);
	ASSERT_OK(set_lock(fd, F_SETLK, F_RDLCK, 10, 5));
	expect_lock(&raw, AEM_FD_LOCK, AEM_FD_LOCK_POSIX, 10, 14);
	fd_one(&raw, &other, AEM_FD_LOCK, "");
	ASSERT_OK(set_lock(fd, F_SETLKW, F_WRLCK, 100, 0));
	expect_lock(&raw, AEM_FD_LOCK, AEM_FD_LOCK_POSIX | AEM_FD_LOCK_WRITE, 100, end);
	ASSERT_OK(set_lock(fd, F_SETLK, F_UNLCK, 0, 0));
	expect_lock(&raw, AEM_FD_UNLOCK, AEM_FD_LOCK_POSIX, 0, end);
	ASSERT_OK(set_lock(fd, F_OFD_SETLK, F_WRLCK, 3, 1));
	expect_lock(&raw, AEM_FD_LOCK, AEM_FD_LOCK_OFD | AEM_FD_LOCK_WRITE, 3, 3);

	/* What is not got is not told. */
	other_fd = open("a", O_RDWR);
	ASSERT_GE(other_fd, 0);
	EXPECT_ERRNO(set_lock(other_fd, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
	fd_expect(&raw, &told, 0);
	ASSERT_OK(set_lock(fd, F_OFD_SETLK, F_UNLCK, 3, 1));
	expect_lock(&raw, AEM_FD_UNLOCK, AEM_FD_LOCK_OFD, 3, 3);
	ASSERT_OK(flock(fd, LOCK_EX));
	expect_lock(&raw, AEM_FD_LOCK, AEM_FD_LOCK_FLOCK | AEM_FD_LOCK_WRITE, 0, end);
	EXPECT_ERRNO(flock(other_fd, LOCK_SH | LOCK_NB), EAGAIN);
	fd_expect(&raw, &told, 0);
	/* The last close gives it up. */
	close(fd);
	expect_lock(&raw, AEM_FD_UNLOCK, AEM_FD_LOCK_FLOCK, 0, end);
	ASSERT_OK(flock(other_fd, LOCK_SH));
	expect_lock(&raw, AEM_FD_LOCK, AEM_FD_LOCK_FLOCK, 0, end);
	raw_end(&raw);
}

/* What is in it is told too, though nobody listened when it was made. */
TEST(directories_from_their_birth)
{
	struct aem_fd_watch watch;
	struct aem_fd_add add;
	uint32_t self;
	struct raw raw;

	fds_start(&raw);
	fds_go();
	watch = fd_request(&told, ".", AEM_FD_CREATE | AEM_FD_RENAME | AEM_FD_DELETE);
	watch.flags = AEM_FD_TREE;
	fd_make(&raw, &told, &watch);
	ASSERT_OK(mkdir("a", 0755));
	ASSERT_OK(mkdir("a/b", 0755));
	fd_create("a/b/f");
	ASSERT_OK(rename("a/b", "c"));
	ASSERT_OK(unlink("c/f"));
	raw_drain(&raw);
	ASSERT_EQ(told.n, 5);
	self = fd_note(&told, 1)->self;
	EXPECT_EQ(fd_note(&told, 1)->number, fd_note(&told, 0)->self);
	EXPECT_EQ(fd_note(&told, 2)->number, self);
	EXPECT_STR(fd_name(fd_note(&told, 2)), "f");
	EXPECT_EQ(fd_note(&told, 3)->kinds, AEM_FD_RENAME);
	EXPECT_EQ(fd_note(&told, 3)->self, self);
	EXPECT_EQ(fd_note(&told, 3)->number2, 1);
	EXPECT_EQ(fd_note(&told, 4)->kinds, AEM_FD_DELETE);
	EXPECT_EQ(fd_note(&told, 4)->number, self);
	EXPECT_EQ(fd_try_add(&raw, told.id, "c", &add), 1);
	EXPECT_EQ(add.number, self);
	raw_end(&raw);
}

TEST(what_is_refused)
{
	static const uint32_t flags[] = { 1U << 5, 1U << 31, AEM_FD_NOT_ACTOR };
	struct aem_fd_watch watch;
	struct aem_fd_add add, none;
	char pattern[AEM_FD_PATTERN_MAX + 1];
	unsigned int i;
	struct raw raw;
	int fds[2];

	fds_start(&raw);
	fds_go();
	fd_create("a");
	ASSERT_OK(symlink("a", "s"));
#define REFUSED(_field, _value, _errno) do {				\
	watch = fd_request(&told, ".", AEM_FD_CREATE);			\
	watch._field = _value;						\
	EXPECT_ERRNO(fd_try(&raw, &watch), _errno);			\
} while (0)
	REFUSED(kinds, 0, EINVAL);
	REFUSED(kinds, AEM_FD_GONE, EINVAL);
	REFUSED(kinds, AEM_FD_ALL + 1, EINVAL);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		REFUSED(flags, flags[i], EINVAL);
	watch = fd_request(&told, ".", AEM_FD_OPEN);
	watch.flags = AEM_FD_TREE;
	EXPECT_ERRNO(fd_try(&raw, &watch), EINVAL);
	REFUSED(room, AEM_FD_ROOM_MIN - 1, EINVAL);
	REFUSED(room, AEM_FD_ROOM_MAX + 1, EINVAL);
	REFUSED(files, AEM_FD_FILES_MAX + 1, EINVAL);
	REFUSED(actor, -1, EINVAL);
	REFUSED(actor, 0x7fffffff, ESRCH);
	REFUSED(path, address("nowhere"), ENOENT);
	REFUSED(path, address("a/b"), ENOTDIR);
	REFUSED(path, 8, EFAULT);
	REFUSED(pattern, 8, EFAULT);
	REFUSED(pattern, address(""), EINVAL);
	memset(pattern, 'a', sizeof(pattern));
	REFUSED(pattern, (uintptr_t)pattern, EINVAL);
	pattern[AEM_FD_PATTERN_MAX - 1] = '\0';
	watch = fd_request(&told, ".", AEM_FD_CREATE);
	watch.pattern = (uintptr_t)pattern;
	EXPECT_OK(fd_try(&raw, &watch));
	REFUSED(reg.prio, AEM_PRIORITIES, EINVAL);
	watch = fd_request(&told, "a", AEM_FD_OPEN);
	watch.flags = AEM_FD_ONLYDIR;
	EXPECT_ERRNO(fd_try(&raw, &watch), ENOTDIR);
	watch = fd_request(&told, NULL, AEM_FD_OPEN);
	EXPECT_ERRNO(fd_try(&raw, &watch), EBADF);
	ASSERT_OK(pipe(fds));
	watch.fd = fds[0];
	EXPECT_ERRNO(fd_try(&raw, &watch), EINVAL);

	watch = fd_request(&told, ".", AEM_FD_OPEN);
	watch.files = 2;
	fd_make(&raw, &told, &watch);
	EXPECT_EQ(fd_try_add(&raw, told.id, ".", &add), 1);
	EXPECT_EQ(add.number, 1);
	EXPECT_ERRNO(fd_try_add(&raw, told.id + 1, "a", &add), ENOENT);
	EXPECT_ERRNO(fd_try_add(&raw, told.id, "b", &add), ENOENT);
	ASSERT_OK(fd_try_add(&raw, told.id, "a", &add));
	EXPECT_ERRNO(fd_try_add(&raw, told.id, "/", &none), ENOSPC);
	EXPECT_ERRNO(fd_try_remove(&raw, told.id, 0), ENOENT);
	EXPECT_ERRNO(fd_try_remove(&raw, told.id, 77), ENOENT);
	EXPECT_ERRNO(fd_try_remove(&raw, told.id + 1, 1), ENOENT);
	ASSERT_OK(fd_try_remove(&raw, told.id, add.number));
	EXPECT_ERRNO(fd_try_remove(&raw, told.id, add.number), ENOENT);
	ASSERT_OK(fd_try_add(&raw, told.id, "a", &add));
	raw_end(&raw);
}

KTAP_MAIN()
