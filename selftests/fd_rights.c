// SPDX-License-Identifier: GPL-2.0
/*
 * The service "fd": who may watch what, and what they are told, in namespaces too.
 */
/* vm: load=core,null,fd timeout=180 */
#include "fds.h"
#include <sys/mount.h>

#define ALICE	1000
#define BOB	1001

static struct fd_told told;

static void become(uid_t uid)
{
	ASSERT_OK(setresgid(uid, uid, uid));
	ASSERT_OK(setresuid(uid, uid, uid));
}

/* The device is root's: opened first. */
static void start_as(struct raw *raw, uid_t uid)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(raw);
	become(uid);
	fds_bind(raw);
}

static void in_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		run();
		ktap_stop(0);
	}
	ASSERT_GT(pid, 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void expect_refused(const struct raw *raw, const char *path)
{
	struct aem_fd_watch watch = fd_request(&told, path, AEM_FD_ALL);
	struct aem_fd_add add;

	EXPECT_ERRNO(fd_try(raw, &watch), EACCES);
	EXPECT_ERRNO(fd_try_add(raw, told.id, path, &add), EACCES);
}

static void watch_what_cannot_be_read(void)
{
	struct aem_fd_watch watch;
	struct raw raw;
	int fd;

	start_as(&raw, ALICE);
	fd_watch(&raw, &told, ".", AEM_FD_CREATE);
	expect_refused(&raw, "secret");
	expect_refused(&raw, "closed");
	expect_refused(&raw, "closed/open");
	/* A descriptor that grants nothing. */
	fd = open("secret", O_PATH);
	ASSERT_GE(fd, 0);
	watch = fd_request(&told, NULL, AEM_FD_MODIFY);
	watch.fd = fd;
	EXPECT_ERRNO(fd_try(&raw, &watch), EACCES);
	fd_watch(&raw, &told, "readable", AEM_FD_MODIFY);
	raw_end(&raw);
}

TEST(what_cannot_be_read_cannot_be_watched)
{
	fds_go();
	fd_create("secret");
	ASSERT_OK(chmod("secret", 0600));
	fd_create("readable");
	ASSERT_OK(mkdir("closed", 0700));
	fd_create("closed/open");
	ASSERT_OK(mkdir("unlisted", 0711));
	in_child(watch_what_cannot_be_read);
}

/* A descriptor that was opened for reading shows the file anyway. */
TEST(what_is_open_for_reading)
{
	struct aem_fd_watch watch;
	struct raw raw;
	int fd;

	fds_go();
	fd_create("secret");
	ASSERT_OK(chmod("secret", 0600));
	fd = open("secret", O_RDONLY);
	ASSERT_GE(fd, 0);
	start_as(&raw, ALICE);
	watch = fd_request(&told, NULL, AEM_FD_MODIFY);
	watch.fd = fd;
	fd_make(&raw, &told, &watch);
	raw_end(&raw);
}

static int go[2], done[2];

static void alter(void)
{
	ASSERT_OK(truncate("common/file", 0));
}

static void alter_as_bob(void)
{
	become(BOB);
	alter();
}

static void alice_watches(void)
{
	const struct aem_fd_note *note;
	struct raw raw;
	char byte;
	int i;

	start_as(&raw, ALICE);
	fd_watch(&raw, &told, "common", AEM_FD_MODIFY);
	/* Root and Bob act; then Alice herself. */
	ASSERT_EQ(write(done[1], "", 1), 1);
	ASSERT_EQ(read(go[0], &byte, 1), 1);
	raw_drain(&raw);
	ASSERT_EQ(told.n, 2);
	for (i = 0; i < 2; i++) {
		note = fd_note(&told, i);
		EXPECT(!(note->flags & AEM_FD_F_ACTOR));
		EXPECT_EQ(note->pid, 0);
		EXPECT_EQ(note->uid, 65534);
		EXPECT(note->flags & AEM_FD_F_STAT);
		EXPECT_EQ(note->owner, 0);
	}
	fd_forget(&told);
	alter();
	note = fd_note(&told, (raw_drain(&raw), 0));
	EXPECT(note->flags & AEM_FD_F_ACTOR);
	EXPECT_EQ(note->pid, getpid());
	EXPECT_EQ(note->uid, ALICE);
	raw_end(&raw);
}

TEST(actors_as_kill)
{
	int status;
	pid_t pid;
	char byte;

	fds_go();
	ASSERT_OK(mkdir("common", 0755));
	fd_create("common/file");
	ASSERT_OK(chmod("common/file", 0666));
	ASSERT_OK(pipe(go));
	ASSERT_OK(pipe(done));
	pid = fork();
	if (!pid) {
		alice_watches();
		ktap_stop(0);
	}
	ASSERT_EQ(read(done[0], &byte, 1), 1);
	in_child(alter_as_bob);
	in_child(alter);
	ASSERT_EQ(write(go[1], "", 1), 1);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static pid_t somebody;

static void choose_an_actor(void)
{
	struct aem_fd_watch watch;
	struct raw raw;

	start_as(&raw, ALICE);
	watch = fd_request(&told, ".", AEM_FD_CREATE);
	watch.actor = somebody;
	EXPECT_ERRNO(fd_try(&raw, &watch), EPERM);
	watch.actor = getpid();
	fd_make(&raw, &told, &watch);
	raw_end(&raw);
}

TEST(who_cannot_be_told_of_cannot_be_chosen)
{
	fds_go();
	somebody = getpid();
	in_child(choose_an_actor);
}

/* r--: names may be read, nothing else of the files. */
static void watch_without_search(void)
{
	const struct aem_fd_note *note;
	struct raw raw;
	char byte;

	start_as(&raw, ALICE);
	fd_watch(&raw, &told, "listed", AEM_FD_CREATE | AEM_FD_MODE | AEM_FD_OWNER);
	ASSERT_EQ(write(done[1], "", 1), 1);
	ASSERT_EQ(read(go[0], &byte, 1), 1);
	raw_drain(&raw);
	ASSERT_EQ(told.n, 2);
	note = fd_note(&told, 0);
	EXPECT_EQ(note->kinds, AEM_FD_CREATE);
	EXPECT(!(note->flags & (AEM_FD_F_STAT | AEM_FD_F_OLD)));
	EXPECT_EQ(note->mode | note->inode, 0);
	EXPECT_EQ(note->owner, 65534);
	EXPECT_EQ(fd_note(&told, 1)->old_mode, 0);
	EXPECT_EQ(fd_note(&told, 1)->mode, 0);
	raw_end(&raw);
}

TEST(without_search_only_names)
{
	int status;
	pid_t pid;
	char byte;

	fds_go();
	ASSERT_OK(mkdir("listed", 0744));
	ASSERT_OK(pipe(go));
	ASSERT_OK(pipe(done));
	pid = fork();
	if (!pid) {
		watch_without_search();
		ktap_stop(0);
	}
	ASSERT_EQ(read(done[0], &byte, 1), 1);
	fd_create("listed/a");
	ASSERT_OK(chmod("listed/a", 0600));
	ASSERT_EQ(write(go[1], "", 1), 1);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

/* Numbers are those of the namespaces in which it was registered. */
static void inside_namespaces(void)
{
	const struct aem_fd_note *note;
	struct raw raw;
	char byte;

	ASSERT_EQ(getpid(), 1);
	ASSERT_OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	fds_start(&raw);
	ASSERT_OK(mkdir("mine", 0755));
	fd_watch(&raw, &told, ".", AEM_FD_CREATE);
	/* A mount of this namespace; what is outside is not told of. */
	ASSERT_OK(mount("none", "mine", "tmpfs", 0, NULL));
	fd_create("here");
	note = fd_note(&told, (raw_drain(&raw), 0));
	EXPECT_EQ(note->pid, 1);
	fd_forget(&told);
	EXPECT_EQ(fd_add(&raw, &told, "mine"), 2);
	ASSERT_EQ(write(done[1], "", 1), 1);
	ASSERT_EQ(read(go[0], &byte, 1), 1);
	/* From outside: seen, by a process that has no number here; under the mount: not seen. */
	raw_drain(&raw);
	ASSERT_EQ(told.n, 1);
	note = fd_note(&told, 0);
	EXPECT_STR(fd_name(note), "outside");
	EXPECT_EQ(note->pid, 0);
	raw_end(&raw);
}

TEST(pid_and_mount_namespaces)
{
	int status;
	pid_t pid;
	char byte;

	fds_go();
	ASSERT_OK(pipe(go));
	ASSERT_OK(pipe(done));
	ASSERT_OK(unshare(CLONE_NEWPID));
	pid = fork();
	if (!pid) {
		ASSERT_OK(unshare(CLONE_NEWNS));
		inside_namespaces();
		ktap_stop(0);
	}
	ASSERT_EQ(read(done[0], &byte, 1), 1);
	fd_create("outside");
	fd_create("mine/under");
	ASSERT_EQ(write(go[1], "", 1), 1);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

/* Root of a namespace of its own has no rights over what is outside. */
static void root_of_its_own(void)
{
	const struct aem_fd_note *note;
	struct raw raw;
	char byte;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(&raw);
	become(ALICE);
	ASSERT_OK(unshare(CLONE_NEWUSER));
	fds_bind(&raw);
	fd_watch(&raw, &told, ".", AEM_FD_CREATE);
	expect_refused(&raw, "secret");
	ASSERT_EQ(write(done[1], "", 1), 1);
	ASSERT_EQ(read(go[0], &byte, 1), 1);
	note = fd_note(&told, (raw_drain(&raw), 0));
	EXPECT(!(note->flags & AEM_FD_F_ACTOR));
	EXPECT_EQ(note->pid, 0);
	EXPECT_EQ(note->uid, 65534);
	/* Its owner has no number there. */
	EXPECT_EQ(note->owner, 65534);
	raw_end(&raw);
}

TEST(user_namespaces)
{
	int status;
	pid_t pid;
	char byte;

	fds_go();
	fd_create("secret");
	ASSERT_OK(chmod("secret", 0600));
	ASSERT_OK(pipe(go));
	ASSERT_OK(pipe(done));
	pid = fork();
	if (!pid) {
		root_of_its_own();
		ktap_stop(0);
	}
	ASSERT_EQ(read(done[0], &byte, 1), 1);
	fd_create("outside");
	ASSERT_EQ(write(go[1], "", 1), 1);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

KTAP_MAIN()
