// SPDX-License-Identifier: GPL-2.0
/*
 * The descriptor in poll() and epoll, and events that wait in a wait queue themselves.
 *
 * vm: load=core,null m32
 */
#include "raw.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

static struct raw raw;

static short polled(int fd, int timeout)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };

	ASSERT_GE(poll(&pollfd, 1, timeout), 0);
	return pollfd.revents;
}

TEST(not_set_up)
{
	int fd = raw_open();

	EXPECT_EQ(polled(fd, 0), POLLERR | POLLHUP);
	close(fd);
}

TEST(readable_while_events_are_active)
{
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	EXPECT_EQ(polled(raw.fd, 0), 0);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(polled(raw.fd, 0), POLLIN);
	EXPECT_EQ(polled(raw.fd, 0), POLLIN);
	EXPECT_EQ(raw_round(&raw), 1);
	EXPECT_EQ(polled(raw.fd, 0), 0);
	/* It happens again during its handler: active when the record is taken back. */
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(polled(raw.fd, 0), 0);
	raw_end(&raw);
}

TEST(hangs_up_when_the_context_ends)
{
	raw_start(&raw);
	EXPECT_EQ(polled(raw.fd, 0), 0);
	EXPECT_OK(munmap(raw.control, sysconf(_SC_PAGESIZE)));
	EXPECT_EQ(polled(raw.fd, 10000), POLLERR | POLLHUP);
	close(raw.fd);
}

static uint64_t slow_id;
static uint32_t slow_how;

static void *fire_later(void *unused)
{
	(void)unused;
	raw_sleep_ms(50);
	null_fire(&raw, slow_id, slow_how, 1);
	return NULL;
}

static pthread_t later(uint64_t id, uint32_t how)
{
	pthread_t thread;

	slow_id = id;
	slow_how = how;
	ASSERT_EQ(pthread_create(&thread, NULL, fire_later, NULL), 0);
	return thread;
}

TEST(wakes_poll)
{
	pthread_t thread;
	uint32_t how;
	uint64_t id;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	for (how = NULL_BY_CALL; how <= NULL_BY_CPU; how++) {
		thread = later(id, how);
		EXPECT_EQ(polled(raw.fd, 20000), POLLIN);
		pthread_join(thread, NULL);
		EXPECT_EQ(raw_drain(&raw), 1);
	}
	raw_end(&raw);
}

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = 7 };
	int epoll = epoll_create1(0);

	ASSERT_GE(epoll, 0);
	ASSERT_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

TEST(epoll_level)
{
	struct epoll_event event;
	pthread_t thread;
	uint64_t id;
	int epoll;

	raw_start(&raw);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	epoll = epoll_of(raw.fd, EPOLLIN);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	thread = later(id, NULL_BY_IRQ);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 20000), 1);
	EXPECT_EQ(event.events, EPOLLIN);
	pthread_join(thread, NULL);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	raw_drain(&raw);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	raw_end(&raw);
}

/* An edge for each event that joins. */
TEST(epoll_edge)
{
	struct epoll_event event;
	uint64_t one, two;
	int epoll;

	raw_start(&raw);
	one = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	two = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 1);
	epoll = epoll_of(raw.fd, EPOLLIN | EPOLLET);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	null_fire(&raw, one, NULL_BY_CALL, 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 20000), 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	/* Merged: no edge. */
	null_fire(&raw, one, NULL_BY_CALL, 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	null_fire(&raw, two, NULL_BY_CALL, 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 20000), 1);
	EXPECT_EQ(raw_drain(&raw), 2);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	null_fire(&raw, one, NULL_BY_CPU, 1);
	EXPECT_EQ(epoll_wait(epoll, &event, 1, 20000), 1);
	raw_end(&raw);
}

/* A loop on the edge must not sleep over what happened during a handler. */
static uint64_t again_id;

static void fire_myself(struct raw *r, struct aem_record *record)
{
	(void)record;
	if (r->handled == 0)
		null_fire(r, again_id, NULL_BY_CALL, 1);
}

TEST(epoll_edge_loses_nothing)
{
	struct aem_enter enter = { 0 };
	struct epoll_event event;
	int epoll;

	raw_start(&raw);
	again_id = null_new(&raw, NULL_CREATE, fire_myself, 1, 0, 1);
	epoll = epoll_of(raw.fd, EPOLLIN | EPOLLET);
	null_fire(&raw, again_id, NULL_BY_CALL, 1);
	while (raw.handled < 2) {
		ASSERT_EQ(epoll_wait(epoll, &event, 1, 20000), 1);
		do {
			ASSERT_OK(raw_enter(&raw, &enter));
		} while (raw_dispatch(&raw, &enter) || enter.pending);
	}
	EXPECT_EQ(raw.handled, 2);
	raw_end(&raw);
}

/* The other way round: an event in somebody's wait queue. */

static void read_it(struct raw *r, struct aem_record *record)
{
	uint64_t value;

	(void)r;
	EXPECT_EQ(read((int)record->cookie, &value, sizeof(value)), sizeof(value));
}

TEST(watch_eventfd)
{
	int fd = eventfd(0, EFD_NONBLOCK), i;
	uint64_t one = 1, id;

	ASSERT_GE(fd, 0);
	raw_start(&raw);
	id = null_new_watch(&raw, read_it, fd, 0, 1, fd);
	EXPECT_EQ(raw_round(&raw), 0);
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
		EXPECT_EQ(raw_drain(&raw), 1);
	}
	/* What is there at the start counts. */
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	EXPECT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_START, id, 0));
	EXPECT_EQ(raw_drain(&raw), 1);
	raw_end(&raw);
}

/* The event holds the file; nobody else need. */
TEST(watch_outlives_the_descriptor)
{
	int pipes[2];
	char byte = 1;
	uint64_t id;

	ASSERT_OK(pipe(pipes));
	raw_start(&raw);
	id = null_new_watch(&raw, raw_nothing, 0, 0, 1, pipes[0]);
	EXPECT_OK(close(pipes[0]));
	EXPECT_EQ(write(pipes[1], &byte, 1), 1);
	EXPECT_EQ(raw_round(&raw), 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	/* Its record held it. */
	EXPECT_EQ(raw_round(&raw), 0);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_ERRNO(write(pipes[1], &byte, 1), EPIPE);
	raw_end(&raw);
}

/* Wait queues that go before their file does (POLLFREE): a signalfd's, with the thread group. */
TEST(watch_a_queue_that_goes)
{
	int sockets[2], fd, i, status;
	sigset_t set;
	pid_t child;

	raw_start(&raw);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (i = 0; i < 50; i++) {
		ASSERT_OK(pipe(sockets));
		child = fork();
		ASSERT_GE(child, 0);
		if (child == 0) {
			struct raw own;

			sigprocmask(SIG_BLOCK, &set, NULL);
			raw_start(&own);
			fd = signalfd(-1, &set, SFD_NONBLOCK);
			null_new_watch(&own, raw_nothing, fd, 0, 1, fd);
			null_new_watch(&own, raw_nothing, fd, 0, 2, fd);
			raise(SIGUSR2);
			EXPECT_EQ(raw_round(&own), 2);
			if (i & 1)
				raw_end(&own);
			_exit(0);
		}
		ASSERT_EQ(waitpid(child, &status, 0), child);
		EXPECT_EQ(status, 0);
		close(sockets[0]);
		close(sockets[1]);
	}
	raw_end(&raw);
}

/* What must not be able to hang the machine: a loop of things that wake each other. */

TEST(watch_itself)
{
	struct null_create create = null_request(raw_nothing, 1, EVF_START, 9);
	uint64_t other;

	raw_start(&raw);
	other = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 1);
	create.fd = raw.fd;
	if (raw_call(&raw, raw.null + NULL_WATCH, &create) == 0) {
		null_fire(&raw, other, NULL_BY_CALL, 1);
		null_fire(&raw, other, NULL_BY_IRQ, 1);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, create.reg.id, 0));
	} else {
		EXPECT_EQ(errno, EOPNOTSUPP);
	}
	raw_end(&raw);
}

/* ... nor to keep its context for ever. */
TEST(watch_itself_and_die)
{
	struct aem_service_info info;
	int fd = raw_open(), status, i;
	pid_t child;

	for (i = 0; i < 20; i++) {
		child = fork();
		ASSERT_GE(child, 0);
		if (child == 0) {
			raw_start(&raw);
			null_new_watch(&raw, raw_nothing, 1, 0, 1, raw.fd);
			raise(SIGKILL);
		}
		ASSERT_EQ(waitpid(child, &status, 0), child);
	}
	for (i = 0; i < 500; i++) {
		ASSERT(raw_service_info(fd, NULL_SERVICE, &info));
		if (!info.users)
			break;
		raw_sleep_ms(10);
	}
	EXPECT_EQ(info.users, 0);
	EXPECT_EQ(info.events, 0);
	close(fd);
}

TEST(watch_an_epoll_that_watches_us)
{
	struct null_create create = null_request(raw_nothing, 1, EVF_START, 9);
	uint64_t other;
	int epoll, outer;

	raw_start(&raw);
	other = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 1);
	epoll = epoll_of(raw.fd, EPOLLIN);
	outer = epoll_of(epoll, EPOLLIN);
	create.fd = outer;
	if (raw_call(&raw, raw.null + NULL_WATCH, &create) == 0) {
		null_fire(&raw, other, NULL_BY_CALL, 1);
		null_fire(&raw, other, NULL_BY_IRQ, 1);
		EXPECT_GE(raw_round(&raw), 1);
		null_fire(&raw, other, NULL_BY_CPU, 1);
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, create.reg.id, 0));
	} else {
		EXPECT_EQ(errno, EOPNOTSUPP);
	}
	close(epoll);
	close(outer);
	raw_end(&raw);
}

/* The doorbell's signal is read by a signalfd that an event watches. */
TEST(watch_the_doorbell)
{
	uint64_t other;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	ASSERT_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	raw_start_signal(&raw, SIGUSR2);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	ASSERT_GE(fd, 0);
	other = null_new(&raw, NULL_CREATE, raw_nothing, 2, 0, 1);
	null_new_watch(&raw, raw_nothing, fd, 0, 9, fd);
	null_fire(&raw, other, NULL_BY_CALL, 1);
	EXPECT_GE(raw_round(&raw), 1);
	null_fire(&raw, other, NULL_BY_IRQ, 1);
	EXPECT_GE(raw_round(&raw), 1);
	raw_end(&raw);
}

KTAP_MAIN()
