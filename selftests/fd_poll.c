// SPDX-License-Identifier: GPL-2.0
/*
 * Files as sources of the service "fd": readable, writable, hung up; what they are that poll() can
 * wait for, what becomes of them when descriptors are closed, and what is no source.
 */
/* vm: load=fuse,core,null,fd seed */
#include "fd_polls.h"
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

static struct raw raw;
static struct source s;

static void put(int fd)
{
	uint64_t one = 1;

	ASSERT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

static void make_pipe(int *pipes)
{
	ASSERT_OK(pipe2(pipes, O_NONBLOCK | O_CLOEXEC));
}

static void end_pipe(const int *pipes)
{
	close(pipes[0]);
	close(pipes[1]);
	raw_end(&raw);
}

/* Once more, as long as there is something. */
TEST(told_while_it_holds)
{
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	source_make(&raw, &s, pipes[0], AEM_FD_IN, 0, read_byte);
	EXPECT_EQ(raw_drain(&raw), 0);
	ASSERT_EQ(write(pipes[1], "abc", 3), 3);
	EXPECT_EQ(raw_drain(&raw), 3);
	EXPECT_EQ(s.n, 3);
	EXPECT_EQ(s.kinds, AEM_FD_IN);
	ASSERT_EQ(write(pipes[1], "d", 1), 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	end_pipe(pipes);
}

/* It was there before the event. */
TEST(told_from_the_start)
{
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	ASSERT_EQ(write(pipes[1], "a", 1), 1);
	source_make(&raw, &s, pipes[0], AEM_FD_IN, 0, read_byte);
	EXPECT_EQ(raw_drain(&raw), 1);
	end_pipe(pipes);
}

TEST(hanging_up_is_told_once)
{
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	source_make(&raw, &s, pipes[0], 0, 0, NULL);
	ASSERT_EQ(write(pipes[1], "a", 1), 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	close(pipes[1]);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_HUP);
	EXPECT_EQ(raw_drain(&raw), 0);
	end_pipe(pipes);
}

/* What was written before is told with it, and to its end. */
TEST(hanging_up_with_something_to_read)
{
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	ASSERT_EQ(write(pipes[1], "abc", 3), 3);
	close(pipes[1]);
	source_make(&raw, &s, pipes[0], AEM_FD_IN, 0, read_byte);
	EXPECT_EQ(raw_drain(&raw), 3);
	EXPECT_EQ(s.kinds, AEM_FD_IN | AEM_FD_HUP);
	end_pipe(pipes);
}

TEST(an_edge_is_told_once)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	polls_start(&raw);
	source_make(&raw, &s, fd, AEM_FD_IN, AEM_FD_EDGE, NULL);
	put(fd);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(raw_drain(&raw), 0);
	put(fd);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(s.n, 2);
	close(fd);
	raw_end(&raw);
}

/* Who has read it meanwhile leaves nothing to be told. */
TEST(what_is_gone_is_not_told)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t value;

	polls_start(&raw);
	source_make(&raw, &s, fd, AEM_FD_IN, 0, NULL);
	put(fd);
	ASSERT_EQ(read(fd, &value, sizeof(value)), sizeof(value));
	EXPECT_EQ(raw_drain(&raw), 0);
	close(fd);
	raw_end(&raw);
}

TEST(room_to_write)
{
	static char bytes[4096];
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	while (write(pipes[1], bytes, sizeof(bytes)) > 0)
		;
	source_make(&raw, &s, pipes[1], AEM_FD_OUT, 0, NULL);
	EXPECT_EQ(raw_round(&raw), 0);
	ASSERT_EQ(read(pipes[0], bytes, sizeof(bytes)), sizeof(bytes));
	EXPECT_EQ(raw_round(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_OUT);
	EXPECT_EQ(raw_round(&raw), 1);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, s.id, 0));
	EXPECT_EQ(raw_round(&raw), 0);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, s.id, 0));
	EXPECT_EQ(raw_round(&raw), 1);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, s.id, 0));
	ASSERT_EQ(raw_round(&raw), 0);
	close(pipes[0]);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_START, s.id, 0));
	EXPECT_EQ(raw_round(&raw), 1);
	EXPECT(s.kinds & AEM_FD_ERR);
	end_pipe(pipes);
}

TEST(one_shot)
{
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	source_make_how(&raw, &s, pipes[0], AEM_FD_IN, 0, NULL, EVF_ONESHOT);
	ASSERT_EQ(write(pipes[1], "abc", 3), 3);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT(s.flags & AEM_RECORD_F_LAST);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, s.id, 0), ENOENT);
	end_pipe(pipes);
}

/* A terminal has a queue for who reads and one for who writes. */
TEST(terminal)
{
	struct termios settings;
	int master, slave;

	mount_terminals();
	if (!open_terminal(&master, &slave))
		SKIP("optional: no terminals");
	ASSERT_OK(tcgetattr(slave, &settings));
	cfmakeraw(&settings);
	ASSERT_OK(tcsetattr(slave, TCSANOW, &settings));
	polls_start(&raw);
	source_make(&raw, &s, slave, AEM_FD_IN | AEM_FD_OUT, AEM_FD_EDGE, NULL);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_OUT);
	ASSERT_EQ(write(master, "a", 1), 1);
	source_await(&raw, &s, AEM_FD_IN);
	close(master);
	source_await(&raw, &s, AEM_FD_HUP);
	close(slave);
	raw_end(&raw);
}

TEST(socket_pair)
{
	int sockets[2];

	ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
	polls_start(&raw);
	source_make(&raw, &s, sockets[0], AEM_FD_IN | AEM_FD_RDHUP, AEM_FD_EDGE, NULL);
	EXPECT_EQ(raw_drain(&raw), 0);
	ASSERT_EQ(write(sockets[1], "a", 1), 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_IN);
	ASSERT_OK(shutdown(sockets[1], SHUT_WR));
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_IN | AEM_FD_RDHUP);
	close(sockets[1]);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT(s.kinds & AEM_FD_HUP);
	close(sockets[0]);
	raw_end(&raw);
}

TEST(inotify)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_GE(inotify_add_watch(fd, "/tmp", IN_CREATE), 0);
	polls_start(&raw);
	source_make(&raw, &s, fd, AEM_FD_IN, AEM_FD_EDGE, NULL);
	ASSERT_OK(mkdir("/tmp/fd_poll", 0700));
	EXPECT_EQ(raw_drain(&raw), 1);
	ASSERT_OK(rmdir("/tmp/fd_poll"));
	EXPECT_EQ(raw_drain(&raw), 0);
	close(fd);
	raw_end(&raw);
}

TEST(another_context)
{
	struct raw other;
	uint64_t id;

	raw_start(&other);
	id = null_new(&other, NULL_CREATE, raw_nothing, 1, 0, 1);
	polls_start(&raw);
	source_make(&raw, &s, other.fd, AEM_FD_IN, 0, NULL);
	EXPECT_EQ(raw_round(&raw), 0);
	null_fire(&other, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_round(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_IN);
	EXPECT_EQ(raw_drain(&other), 1);
	EXPECT_EQ(raw_round(&raw), 0);
	null_fire(&other, id, NULL_BY_IRQ, 1);
	EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(raw_drain(&other), 1);
	EXPECT_EQ(raw_round(&raw), 0);
	raw_end(&other);
	EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(s.kinds, AEM_FD_NVAL);
	raw_end(&raw);
}

/* The context ends before its descriptor is closed: it hangs up, and never keeps the other. */
TEST(itself)
{
	polls_start(&raw);
	source_make(&raw, &s, raw.fd, AEM_FD_IN, 0, NULL);
	raw_drain(&raw);
	null_fire(&raw, null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 2), NULL_BY_IRQ, 1);
	raw_drain(&raw);
	raw_end(&raw);
}

static void expect_end(uint32_t n)
{
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(s.n, n);
	EXPECT_EQ(s.kinds, AEM_FD_NVAL);
	EXPECT(s.flags & AEM_RECORD_F_LAST);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, s.id, 0), ENOENT);
}

/* The number means nothing any more, or something else. */
TEST(a_closed_descriptor)
{
	int pipes[2], again, copy;

	signal(SIGPIPE, SIG_IGN);
	for (again = 0; again < 2; again++) {
		polls_start(&raw);
		make_pipe(pipes);
		source_make(&raw, &s, pipes[0], AEM_FD_IN, 0, NULL);
		copy = dup(pipes[0]);
		close(pipes[0]);
		if (again)
			ASSERT_EQ(dup2(pipes[1], pipes[0]), pipes[0]);
		ASSERT_EQ(write(pipes[1], "a", 1), 1);
		expect_end(1);
		close(copy);
		EXPECT_ERRNO(write(pipes[1], "a", 1), EPIPE);
		end_pipe(pipes);
	}
}

/* A handler that closes what it was told of: otherwise it would be told for ever. */
TEST(closed_by_its_handler)
{
	int pipes[2];

	polls_start(&raw);
	make_pipe(pipes);
	source_make(&raw, &s, pipes[0], AEM_FD_IN, 0, close_it);
	ASSERT_EQ(write(pipes[1], "ab", 2), 2);
	EXPECT_EQ(raw_round(&raw), 1);
	EXPECT_EQ(s.kinds, AEM_FD_IN);
	expect_end(2);
	end_pipe(pipes);
}

TEST(held_open_until_it_is_shut_down)
{
	int pipes[2];

	signal(SIGPIPE, SIG_IGN);
	polls_start(&raw);
	make_pipe(pipes);
	source_make(&raw, &s, pipes[0], 0, 0, NULL);
	close(pipes[0]);
	EXPECT_EQ(write(pipes[1], "a", 1), 1);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, s.id, 0));
	EXPECT_ERRNO(write(pipes[1], "a", 1), EPIPE);
	end_pipe(pipes);
}

/* In the child, whose signals the descriptor is of; its parent waits until it has ended. */
static int signals_of_a_child(void *unused)
{
	sigset_t set;
	int fd;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	source_make(&raw, &s, fd, AEM_FD_IN, 0, NULL);
	return 0;
}

/* The queue goes, the file stays. */
TEST(a_queue_that_goes)
{
	static char stack[65536] __attribute__((aligned(16)));
	int status;
	pid_t child;

	polls_start(&raw);
	child = clone(signals_of_a_child, stack + sizeof(stack),
		      CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, NULL);
	ASSERT_GT(child, 0);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	expect_end(1);
	raw_end(&raw);
}

static void refuse(int fd, uint32_t kinds, uint32_t flags, int error)
{
	struct aem_fd_poll request = source_request(&s, fd, kinds, flags);

	EXPECT_ERRNO(raw_call(&raw, fd_base + AEM_FD_POLL, &request), error);
}

TEST(no_sources)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = open("/", O_RDONLY | O_CLOEXEC);
	int path = open("/dev/null", O_PATH | O_CLOEXEC), file = memfd_create("file", MFD_CLOEXEC);

	polls_start(&raw);
	refuse(-1, AEM_FD_IN, 0, EBADF);
	refuse(path, AEM_FD_IN, 0, EBADF);
	refuse(fd, AEM_FD_IN, 0, EOPNOTSUPP);
	refuse(file, AEM_FD_IN, 0, EOPNOTSUPP);
	refuse(epoll, AEM_FD_IN, 0, EOPNOTSUPP);
	refuse(raw.fd, AEM_FD_HUP, 0, EINVAL);
	refuse(raw.fd, AEM_FD_CREATE, 0, EINVAL);
	refuse(raw.fd, AEM_FD_IN, AEM_FD_MERGE, EINVAL);
	refuse(raw.fd, AEM_FD_IN, ~0U, EINVAL);
	close(epoll);
	close(fd);
	close(path);
	close(file);
	raw_end(&raw);
}

/* A file system of one file, whose daemon answers all but poll(). */
static void answer(int fuse, const struct fuse_in_header *in)
{
	struct {
		struct fuse_out_header head;
		union {
			struct fuse_init_out init;
			struct fuse_open_out open;
		};
	} out = { .head = { .unique = in->unique, .len = sizeof(out.head) } };

	if (in->opcode == FUSE_INIT) {
		out.init = (struct fuse_init_out){ .major = 7, .minor = 31, .max_write = 4096 };
		out.head.len += sizeof(out.init);
	} else if (in->opcode == FUSE_OPEN) {
		out.head.len += sizeof(out.open);
	} else {
		out.head.error = -ENOSYS;
	}
	if (in->opcode != FUSE_POLL)
		(void)!write(fuse, &out, out.head.len);
}

static void *serve(void *fuse)
{
	static char bytes[65536] __attribute__((aligned(8)));

	while (read(*(int *)fuse, bytes, sizeof(bytes)) > 0)
		answer(*(int *)fuse, (const struct fuse_in_header *)bytes);
	return NULL;
}

/* Who would have to wait for a program's answer is no source. */
TEST(files_of_a_program)
{
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC), fd;
	pthread_t daemon;
	char options[96];

	if (fuse < 0)
		SKIP("optional: no FUSE");
	fd_create("/tmp/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=100644,user_id=0,group_id=0", fuse);
	ASSERT_OK(mount("fuse", "/tmp/fuse", "fuse", 0, options));
	ASSERT_EQ(pthread_create(&daemon, NULL, serve, &fuse), 0);
	fd = open("/tmp/fuse", O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	polls_start(&raw);
	refuse(fd, AEM_FD_IN, 0, EOPNOTSUPP);
	raw_end(&raw);
	close(fd);
	ASSERT_OK(umount2("/tmp/fuse", MNT_DETACH));
	pthread_join(daemon, NULL);
	close(fuse);
}

KTAP_MAIN()
