// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of directories: what is told of one, replayed onto a copy of its names, gives the names
 * that are there; while others are at it at random, and with what tar, git and sqlite3 do.
 */
/* vm: load=core,fd timeout=900 mem=768 files=/usr/bin/git,/usr/bin/sqlite3 seed */
#include "ktap.h"
#include <aem/fd.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* The copy: "name", or "name/" of a directory. */
static void *names;
static uint32_t notes, losses, errors;
static int last_error;

static int compare(const void *a, const void *b)
{
	return strcmp((const char *)a, (const char *)b);
}

static bool knows(const char *name)
{
	return tfind(name, &names, compare);
}

static void put(const char *name)
{
	char *copy = strdup(name);

	ASSERT(copy);
	if (*(char **)tsearch(copy, &names, compare) != copy)
		free(copy);
}

static void take(const char *name)
{
	void *node = tfind(name, &names, compare);
	char *copy;

	if (!node)
		return;
	copy = *(char **)node;
	tdelete(name, &names, compare);
	free(copy);
}

#define NAMES_MAX	65536

static char *all[NAMES_MAX];
static size_t n_all;

static void collect(const void *node, VISIT visit, int depth)
{
	(void)depth;
	if (visit != postorder && visit != leaf)
		return;
	ASSERT_LT(n_all, NAMES_MAX);
	all[n_all++] = *(char *const *)node;
}

static void list(void)
{
	n_all = 0;
	twalk(names, collect);
}

static bool is_in(const char *name, const char *dir)
{
	size_t length = strlen(dir);

	return !strncmp(name, dir, length) && name[length];
}

/* With all that is below it. */
static void forget_dir(const char *path)
{
	char dir[PATH_MAX + 1];
	size_t i;

	snprintf(dir, sizeof(dir), "%s/", path);
	if (!knows(dir))
		return;
	list();
	for (i = 0; i < n_all; i++)
		if (is_in(all[i], dir))
			take(all[i]);
	take(dir);
}

/* What is told of a directory does not concern a file of that name. */
static void forget(const char *path, bool dir)
{
	if (dir)
		forget_dir(path);
	else
		take(path);
}

static void add(const char *path, bool dir)
{
	char name[PATH_MAX + 1];

	forget(path, !dir);
	snprintf(name, sizeof(name), "%s%s", path, dir ? "/" : "");
	if (!knows(name))
		put(name);
}

static void move_all(const char *path, const char *path2)
{
	char dir[PATH_MAX + 1], name[2 * PATH_MAX];
	size_t i, n = 0;
	char **old;

	snprintf(dir, sizeof(dir), "%s/", path);
	list();
	old = (char **)malloc((n_all + 1) * sizeof(*old));
	ASSERT(old);
	for (i = 0; i < n_all; i++)
		if (is_in(all[i], dir))
			old[n++] = strdup(all[i] + strlen(dir));
	forget_dir(path);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%s", path2, old[i]);
		put(name);
		free(old[i]);
	}
	free(old);
}

static void rename_to(const char *path, const char *path2, bool dir)
{
	forget_dir(path2);
	add(path2, dir);
	if (dir && path[0])
		move_all(path, path2);
	else if (path[0])
		take(path);
}

static uint32_t exchanges;

static void exchange(const char *path, const char *path2, bool dir, bool dir2)
{
	exchanges++;
	rename_to(path, "aside", dir);
	rename_to(path2, path, dir2);
	rename_to("aside", path2, dir);
}

static void apply(const struct aem_fd_note *note, const char *path, const char *path2)
{
	bool dir = note->flags & AEM_FD_F_DIR;

	if (note->flags & AEM_FD_F_EXCHANGE)
		exchange(path, path2, dir, note->flags & AEM_FD_F_DIR2);
	else if (note->kinds & AEM_FD_RENAME && path2[0])
		rename_to(path, path2, dir);
	else if (note->kinds & (AEM_FD_RENAME | AEM_FD_DELETE))
		forget(path, dir);
	else if (note->kinds & (AEM_FD_CREATE | AEM_FD_FOUND))
		add(path, dir);
}

static struct aem *context;
static struct aem_fd_tree *tree;
static bool revoked;

static void heard(struct aem *aem, void *user, const struct aem_fd_note *note, uint32_t lost,
		  const char *path, const char *path2, int error)
{
	EXPECT(aem == context);
	EXPECT(user == &names);
	EXPECT(!revoked);
	if (!note) {
		revoked = true;
		return;
	}
	notes++;
	losses += lost;
	if (error) {
		errors++;
		last_error = error;
	}
	if (getenv("FD_TREE_SHOW"))
		NOTE("%x %u %u self %u: %s -> %s", note->kinds, note->number, note->number2,
		     note->self, path, path2);
	apply(note, path, path2);
}

static void begin(void)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	char path[] = "/tmp/tree-XXXXXX";

	ASSERT(mkdtemp(path));
	ASSERT_OK(chdir(path));
	ASSERT_OK(mkdir("outside", 0755));
	ASSERT_OK(mkdir("top", 0755));
	ASSERT_RESULT(aem_open(&context, &options), 0);
}

static int try_watch(const char *path, uint32_t kinds, struct aem_fd_options *how)
{
	return aem_fd_tree_open(context, &tree, AT_FDCWD, path, kinds, AEM_PRIO(1), how, heard,
				&names);
}

static void watch(uint32_t room, uint32_t kinds)
{
	struct aem_fd_options how = { .room = room, .files = 16384 };

	ASSERT_RESULT(try_watch("top", kinds, &how), 0);
}

/* Notes come before the call that they are of returns: nothing is to be waited for. */
static void hear(void)
{
	int ret;

	while ((ret = aem_dispatch(context)) > 0)
		;
	EXPECT_RESULT(ret, 0);
}

static size_t n_real, unknown;

static void check_below(int from, const char *path)
{
	int fd = openat(from, path[0] ? path : ".", O_RDONLY | O_DIRECTORY);
	char name[PATH_MAX], known[PATH_MAX + 1];
	struct dirent *item;
	struct stat info;
	DIR *dir;

	ASSERT_GE(fd, 0);
	dir = fdopendir(fd);
	ASSERT(dir);
	while ((item = readdir(dir))) {
		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", path, path[0] ? "/" : "", item->d_name);
		ASSERT_OK(fstatat(fd, item->d_name, &info, AT_SYMLINK_NOFOLLOW));
		snprintf(known, sizeof(known), "%s%s", name, S_ISDIR(info.st_mode) ? "/" : "");
		n_real++;
		if (!knows(known) && unknown++ < 5)
			NOTE("%s was not told of", known);
		if (S_ISDIR(info.st_mode))
			check_below(from, name);
	}
	closedir(dir);
}

static void check(void)
{
	int fd = open("top", O_RDONLY | O_DIRECTORY);
	struct stat info;
	size_t i;

	ASSERT_GE(fd, 0);
	n_real = 0;
	unknown = 0;
	check_below(fd, "");
	list();
	for (i = 0; i < n_all; i++)
		if (fstatat(fd, all[i], &info, AT_SYMLINK_NOFOLLOW) && unknown++ < 10)
			NOTE("%s is not there", all[i]);
	EXPECT_EQ(unknown, 0);
	EXPECT_EQ(n_all, n_real);
	EXPECT_EQ(losses, 0);
	EXPECT_EQ(errors, 0);
	close(fd);
}

static void end(void)
{
	EXPECT_RESULT(aem_fd_tree_close(tree), 0);
	EXPECT_RESULT(aem_close(context), 0);
}

static void create(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	ASSERT_GE(fd, 0);
	close(fd);
}

TEST(what_is_there_and_what_comes)
{
	begin();
	ASSERT_OK(mkdir("top/a", 0755));
	ASSERT_OK(mkdir("top/a/b", 0755));
	create("top/a/b/f");
	watch(0, AEM_FD_CREATE);
	EXPECT_EQ(notes, 3);
	check();
	/* Nobody listens meanwhile: each is told, in order, and nothing twice but what is found. */
	ASSERT_OK(mkdir("top/n", 0755));
	ASSERT_OK(mkdir("top/n/m", 0755));
	create("top/n/m/g");
	ASSERT_OK(rename("top/n/m/g", "top/a/h"));
	ASSERT_OK(rename("top/n", "top/a/b/n"));
	create("top/a/b/n/m/late");
	ASSERT_OK(unlink("top/a/b/f"));
	hear();
	check();
	notes = 0;
	ASSERT_OK(unlink("top/a/b/n/m/late"));
	ASSERT_OK(rmdir("top/a/b/n/m"));
	ASSERT_OK(rmdir("top/a/b/n"));
	hear();
	EXPECT_EQ(notes, 3);
	check();
	end();
}

TEST(out_and_in)
{
	begin();
	ASSERT_OK(mkdir("outside/x", 0755));
	create("outside/x/f");
	ASSERT_OK(mkdir("top/y", 0755));
	create("top/y/g");
	watch(0, AEM_FD_CREATE);
	ASSERT_OK(rename("outside/x", "top/x"));
	hear();
	check();
	create("top/x/new");
	hear();
	check();
	ASSERT_OK(rename("top/y", "outside/y"));
	hear();
	check();
	notes = 0;
	create("outside/y/unseen");
	hear();
	EXPECT_EQ(notes, 0);
	/* Out and in again before anybody listens. */
	ASSERT_OK(rename("outside/y", "top/y"));
	ASSERT_OK(rename("top/x", "outside/x"));
	ASSERT_OK(rename("outside/x", "top/y/x"));
	create("top/y/x/again");
	hear();
	check();
	create("top/y/x/more");
	hear();
	check();
	end();
}

/* Places change hands before anybody listens. */
TEST(one_in_the_place_of_another)
{
	begin();
	ASSERT_OK(mkdir("top/a", 0755));
	ASSERT_OK(mkdir("top/a/x", 0755));
	create("top/a/x/1");
	ASSERT_OK(mkdir("top/b", 0755));
	ASSERT_OK(mkdir("outside/new", 0755));
	create("outside/new/2");
	watch(0, AEM_FD_CREATE);
	check();
	/* One of them is not watched while it comes and goes. */
	ASSERT_OK(rename("outside/new", "top/new"));
	ASSERT_OK(rename("top/a/x", "top/new/x"));
	ASSERT_OK(rename("top/new", "top/a/x"));
	ASSERT_OK(rename("top/a/x/x", "top/b/x"));
	hear();
	check();
	create("top/a/x/3");
	create("top/b/x/4");
	hear();
	check();
	/* An empty one is replaced; a file takes a directory's name, and the other way round. */
	ASSERT_OK(mkdir("top/empty", 0755));
	ASSERT_OK(rename("top/b", "top/empty"));
	ASSERT_OK(renameat2(AT_FDCWD, "top/a", AT_FDCWD, "top/empty/x/4", RENAME_EXCHANGE));
	create("top/empty/x/4/5");
	hear();
	check();
	ASSERT_OK(unlink("top/a"));
	ASSERT_OK(rename("top/empty/x/4", "top/a"));
	create("top/empty/x/4");
	hear();
	check();
	end();
}

static void change_places(const char *path, const char *path2)
{
	ASSERT_OK(renameat2(AT_FDCWD, path, AT_FDCWD, path2, RENAME_EXCHANGE));
}

/* Told at once, each is one note; and what is below has gone along. */
TEST(exchanged)
{
	static const char *const pairs[][2] = {
		{ "top/f", "top/g" }, { "top/f", "top/a/h" }, { "top/a", "top/b" },
		{ "top/a/x", "top/b/y" }, { "top/a/h", "top/b" }, { "top/b", "top/g" },
	};
	uint32_t i;

	begin();
	ASSERT_OK(mkdir("top/a", 0755));
	ASSERT_OK(mkdir("top/a/x", 0755));
	ASSERT_OK(mkdir("top/b", 0755));
	ASSERT_OK(mkdir("top/b/y", 0755));
	ASSERT_OK(mkdir("top/b/y/z", 0755));
	create("top/f");
	create("top/g");
	create("top/a/h");
	create("top/a/x/1");
	create("top/b/y/z/2");
	watch(0, AEM_FD_CREATE);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		notes = 0;
		change_places(pairs[i][0], pairs[i][1]);
		hear();
		EXPECT_EQ(notes, 1);
		EXPECT_EQ(exchanges, 2 * i + 1);
		check();
		change_places(pairs[i][0], pairs[i][1]);
		hear();
		EXPECT_EQ(notes, 2);
		EXPECT_EQ(exchanges, 2 * i + 2);
		check();
	}
	/* What came by it is still watched; and there is an outside. */
	change_places("top/a/h", "top/b");
	create("top/a/h/y/z/3");
	create("outside/w");
	change_places("outside/w", "top/a/h");
	change_places("top/a", "top/f");
	create("top/f/x/4");
	hear();
	check();
	change_places("outside/w", "top/g");
	hear();
	create("top/g/y/z/5");
	hear();
	check();
	end();
}

TEST(mounts)
{
	begin();
	ASSERT_OK(mkdir("top/m", 0755));
	create("top/m/under");
	ASSERT_OK(mount("none", "top/m", "tmpfs", 0, NULL));
	create("top/m/above");
	watch(0, AEM_FD_CREATE);
	check();
	ASSERT_OK(mkdir("top/m/d", 0755));
	create("top/m/d/f");
	hear();
	check();
	ASSERT_OK(umount("top/m"));
	hear();
	check();
	create("top/m/again");
	hear();
	check();
	end();
}

TEST(what_is_refused)
{
	struct aem_fd_options how = { .pattern = "*" };

	begin();
	create("top/f");
	EXPECT_RESULT(try_watch("top", 0, &how), EINVAL);
	how.pattern = NULL;
	how.actor = getpid();
	EXPECT_RESULT(try_watch("top", 0, &how), EINVAL);
	how.actor = 0;
	how.room = 1;
	EXPECT_RESULT(try_watch("top", 0, &how), EINVAL);
	EXPECT_RESULT(try_watch("top/f", 0, NULL), ENOTDIR);
	EXPECT_RESULT(try_watch("nowhere", 0, NULL), ENOENT);
	EXPECT_EQ(notes, 0);
	EXPECT_RESULT(aem_close(context), 0);
}

/* More than there is room for: it is said so, and the rest is told. */
TEST(too_many)
{
	struct aem_fd_options how = { .files = 2 };

	begin();
	ASSERT_OK(mkdir("top/a", 0755));
	ASSERT_OK(mkdir("top/a/b", 0755));
	ASSERT_RESULT(try_watch("top", 0, &how), 0);
	EXPECT_EQ(errors, 1);
	EXPECT_EQ(last_error, -ENOSPC);
	ASSERT_OK(mkdir("top/c", 0755));
	create("top/a/f");
	hear();
	EXPECT(errors > 1);
	EXPECT_EQ(last_error, -ENOSPC);
	errors = 0;
	ASSERT_OK(mkdir("top/c/unseen", 0755));
	hear();
	EXPECT(knows("a/b/"));
	EXPECT(knows("c/"));
	EXPECT(knows("a/f"));
	EXPECT(!knows("c/unseen/"));
	end();
}

static void any_name(char *path, unsigned long long *seed)
{
	int depth = 1 + ktap_random(seed) % 4;
	char *to = path + sprintf(path, "top");

	while (depth--)
		to += sprintf(to, "/%c", (int)('a' + ktap_random(seed) % 4));
}

/* Most of it fails: there is no such file, or there is. */
static void do_something(unsigned long long *seed)
{
	char a[64], b[64];
	int fd;

	any_name(a, seed);
	any_name(b, seed);
	switch (ktap_random(seed) % 9) {
	case 0:
	case 1:
	case 2:
		mkdir(a, 0755);
		break;
	case 3:
		fd = open(a, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
		break;
	case 4:
		if (unlink(a))
			rmdir(a);
		break;
	case 5:
	case 6:
		rename(a, b);
		break;
	case 7:
		renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
		break;
	default:
		if (rename(a, "outside/one"))
			rename("outside/one", a);
	}
}

/* What a program does at random, while the tree is set up and listened to. */
static void at_random(unsigned long long *seed, int n)
{
	int i, status;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		for (i = 0; i < n; i++)
			do_something(seed);
		ktap_stop(0);
	}
	ktap_random(seed);
	watch(1 << 20, AEM_FD_CREATE);
	while (!waitpid(pid, &status, WNOHANG)) {
		hear();
		usleep(1000);
	}
	EXPECT_EQ(status, 0);
	hear();
	check();
}

TEST_TIMEOUT(at_random_meanwhile, 200)
{
	unsigned long long seed = ktap_seed();
	int i, round;

	begin();
	for (i = 0; i < 200; i++)
		do_something(&seed);
	for (round = 0; round < ktap_rounds(8); round++) {
		at_random(&seed, ktap_rounds(1000));
		EXPECT_RESULT(aem_fd_tree_close(tree), 0);
		list();
		while (n_all)
			take(all[--n_all]);
	}
	NOTE("%u notes, %u of exchanges, %zu names at the end", notes, exchanges, n_real);
	EXPECT_RESULT(aem_close(context), 0);
}

/* Notes wait, some or many, so that what is seen and what is told are far apart. */
TEST_TIMEOUT(at_random_before, 200)
{
	unsigned long long seed = ktap_seed();
	int i, n, round;

	begin();
	watch(1 << 20, AEM_FD_CREATE);
	for (round = 0; round < ktap_rounds(80); round++) {
		n = ktap_random(&seed) % 100;
		for (i = 0; i < n; i++)
			do_something(&seed);
		hear();
		check();
	}
	NOTE("%u notes, %zu names at the end", notes, n_real);
	end();
}

/* Listening all the while, as a program would. */
static void run(const char *command)
{
	pid_t pid = fork();
	int status;

	ASSERT_GE(pid, 0);
	if (!pid) {
		execl("/bin/sh", "sh", "-ec", command, NULL);
		_exit(127);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		hear();
		usleep(5000);
	}
	if (status)
		NOTE("%s: %#x", command, status);
	EXPECT_EQ(status, 0);
	hear();
	check();
}

#define EVERYTHING	(AEM_FD_ALL & ~(AEM_FD_LOCK | AEM_FD_UNLOCK))

static void make_archive(int dirs)
{
	char path[64];
	int i, j;

	for (i = 0; i < dirs; i++) {
		snprintf(path, sizeof(path), "outside/d%d", i);
		ASSERT_OK(mkdir(path, 0755));
		for (j = 0; j < 20; j++) {
			snprintf(path, sizeof(path), "outside/d%d/f%d", i, j);
			create(path);
		}
	}
	ASSERT_EQ(system("tar -C outside -cf all.tar ."), 0);
}

/* Thousands of files by a program that others wrote. */
TEST_TIMEOUT(by_tar, 300)
{
	begin();
	make_archive(ktap_rounds(24) < 24 ? 6 : 24);
	watch(1 << 22, EVERYTHING);
	run("mkdir top/one && tar -C top/one -xf all.tar");
	run("tar -C top -xf all.tar & mv top/one top/two; rm -r top/two/d1*; wait");
	run("cp -r top/two top/d2/ && rm -rf top/d0 && mv top/d2 top/d3/ && mv top/two top/d4");
	run("tar -C top/d4 -xf all.tar; rm -rf top/d3; tar -C top -xf all.tar");
	NOTE("%u notes, %zu names at the end", notes, n_real);
	EXPECT_GE(notes, (uint32_t)ktap_rounds(10000));
	end();
}

TEST_TIMEOUT(by_git, 300)
{
	begin();
	make_archive(ktap_is_slow() ? 3 : 8);
	setenv("HOME", "/tmp", 1);
	setenv("PATH", "/usr/bin:/bin:/usr/sbin:/sbin", 1);
	watch(1 << 22, EVERYTHING);
	run("cd top; git init -q; git config user.name a; git config user.email a@example.org");
	run("cd top; tar -xf ../all.tar; git add .; git commit -qm one");
	run("cd top; git checkout -qb other; git mv d0 moved; rm -r d1; git commit -qam two");
	run("cd top; git checkout -q master; git checkout -q other; git clean -qfd");
	run("cd top; git pack-refs --all; git repack -qad; git prune; git checkout -q master");
	NOTE("%u notes, %zu names at the end", notes, n_real);
	EXPECT_GE(n_real, 40);
	end();
}

/* Journals come and go with each transaction. */
TEST_TIMEOUT(by_sqlite, 300)
{
	begin();
	watch(1 << 22, EVERYTHING);
	run("cd top; sqlite3 a.db 'create table t (x); insert into t values (1), (2);'");
	run("cd top; for i in 1 2 3 4 5 6 7; do sqlite3 a.db \"insert into t values ($i)\"; done");
	run("cd top; sqlite3 b.db 'pragma journal_mode = wal; create table t (x);"
	    " insert into t values (1); vacuum;'");
	run("cd top; sqlite3 a.db \"delete from t; vacuum into 'c.db'; vacuum;\"; mv c.db a.db");
	NOTE("%u notes, %zu names at the end", notes, n_real);
	EXPECT_EQ(n_real, 2);
	EXPECT_GT(notes, 50);
	end();
}

KTAP_MAIN()
