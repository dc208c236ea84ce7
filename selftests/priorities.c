// SPDX-License-Identifier: GPL-2.0
/*
 * Two registrations of one stimulus, at two priorities, of each service: the more urgent goes
 * first, and what can be had only once is had by it.
 *
 * vm: load=core,timer,ip,pexit,fd
 */
#include "ktap.h"
#include <aem/aem.h>
#include <aem/fd.h>
#include <aem/ip.h>
#include <aem/pexit.h>
#include <aem/timer.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LONG	30000000000LL
#define LOW	((void *)2)
#define HIGH	((void *)9)

static struct aem *aem;
static void *order[16];
static unsigned int n_order;

static void begin(void)
{
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };

	ASSERT_RESULT(aem_open(&aem, &options), 0);
}

static void note(void *user)
{
	ASSERT(n_order < 16);
	order[n_order++] = user;
}

/* Handlers until there were so many, and then all that are due; they took turns by priority. */
static void expect(unsigned int n)
{
	unsigned int i;

	while (n_order < n)
		ASSERT_GE(aem_wait(aem, LONG), 0);
	EXPECT_GE(aem_dispatch(aem), 0);
	EXPECT_EQ(n_order, n);
	for (i = 0; i < n_order; i++)
		EXPECT(order[i] == (i % 2 ? LOW : HIGH));
	n_order = 0;
}

/* Only the more urgent one had it. */
static void expect_high(void)
{
	/* The network wakes both on another processor, perhaps, one after the other. */
	usleep(20000);
	while (!n_order)
		ASSERT_GE(aem_wait(aem, LONG), 0);
	EXPECT_GE(aem_dispatch(aem), 0);
	EXPECT_EQ(n_order, 1);
	EXPECT(order[0] == HIGH);
	n_order = 0;
}

static uint32_t prio_of(void *user)
{
	return AEM_PRIO((uintptr_t)user);
}

static void on_timer(struct aem *a, void *user, aem_id id, uint64_t overruns, uint64_t expiry,
		     int error)
{
	(void)a, (void)id, (void)overruns, (void)expiry;
	EXPECT_EQ(error, 0);
	note(user);
}

TEST(timers)
{
	struct aem_timer_spec spec = { .flags = AEM_TIMER_ABSTIME };
	void *users[] = { LOW, HIGH };
	struct timespec now;
	int i;

	begin();
	ASSERT_OK(clock_gettime(CLOCK_MONOTONIC, &now));
	spec.value = now.tv_sec * 1000000000ULL + now.tv_nsec + 1;
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_timer_create(aem, NULL, CLOCK_MONOTONIC, prio_of(users[i]), &spec,
					       on_timer, users[i]), 0);
	usleep(20000);
	expect(2);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void on_end(struct aem *a, void *user, aem_id id, const struct aem_pexit_note *n,
		   uint32_t lost)
{
	(void)a;
	(void)id;
	EXPECT_EQ(n->kind, AEM_PEXIT_END);
	EXPECT_EQ(lost, 0);
	note(user);
}

TEST(ends_of_processes)
{
	void *users[] = { LOW, HIGH };
	int i, go[2];
	pid_t child;
	char c;

	ASSERT_OK(pipe(go));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child)
		_exit(read(go[0], &c, 1));
	begin();
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_pexit_watch(aem, NULL, child, prio_of(users[i]), NULL, on_end,
					      users[i]), 0);
	ASSERT_EQ(write(go[1], "x", 1), 1);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	expect(2);
	EXPECT_RESULT(aem_close(aem), 0);
}

static void on_change(struct aem *a, void *user, aem_id id, const struct aem_fd_note *n,
		      uint32_t lost)
{
	(void)a;
	(void)id;
	EXPECT_EQ(n->kinds, AEM_FD_CREATE);
	EXPECT_EQ(lost, 0);
	note(user);
}

TEST(changes_of_files)
{
	char path[] = "/tmp/priorities.XXXXXX", name[64];
	void *users[] = { LOW, HIGH };
	int i;

	ASSERT(mkdtemp(path));
	snprintf(name, sizeof(name), "%s/made", path);
	begin();
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_fd_watch(aem, NULL, AT_FDCWD, path, AEM_FD_CREATE,
					   prio_of(users[i]), NULL, on_change, users[i]), 0);
	ASSERT_OK(mkdir(name, 0700));
	expect(2);
	ASSERT_OK(rmdir(name));
	ASSERT_OK(rmdir(path));
	EXPECT_RESULT(aem_close(aem), 0);
}

static void on_source(struct aem *a, void *user, aem_id id, int fd, uint32_t kinds)
{
	(void)a, (void)id, (void)fd;
	EXPECT_EQ(kinds, AEM_FD_IN);
	note(user);
}

/* What is told is not taken: both hear of it, once. */
TEST(sources)
{
	void *users[] = { LOW, HIGH };
	int i, ends[2];

	ASSERT_OK(pipe(ends));
	begin();
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_fd_poll(aem, NULL, ends[0], AEM_FD_IN, prio_of(users[i]),
					  AEM_FD_EDGE, on_source, users[i]), 0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(write(ends[1], "x", 1), 1);
		expect(2);
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

/* A socket that is bound to an address of its own, which is returned. */
static int bound(int type, struct sockaddr_in *address)
{
	socklen_t size = sizeof(*address);
	int fd = socket(AF_INET, type, 0);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_OK(bind(fd, (struct sockaddr *)address, size));
	ASSERT_OK(getsockname(fd, (struct sockaddr *)address, &size));
	return fd;
}

static int dial(int type, const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, type, 0);

	ASSERT_OK(connect(fd, (const struct sockaddr *)address, sizeof(*address)));
	return fd;
}

static void on_datagram(struct aem *a, void *user, aem_id id, int fd, void *data, size_t length,
			const struct sockaddr *from, socklen_t size, unsigned int flags, int error)
{
	(void)a, (void)id, (void)fd, (void)data, (void)from, (void)size, (void)flags;
	EXPECT_EQ(error, 0);
	EXPECT_EQ(length, 4);
	note(user);
}

TEST(datagrams)
{
	void *users[] = { LOW, HIGH };
	struct sockaddr_in address;
	int i, fd, client;

	begin();
	fd = bound(SOCK_DGRAM, &address);
	client = dial(SOCK_DGRAM, &address);
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_ip_datagram(aem, NULL, fd, prio_of(users[i]), 0, on_datagram,
					      users[i]), 0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(send(client, "once", 4, 0), 4);
		expect_high();
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

static void on_connection(struct aem *a, void *user, aem_id id, int fd, const struct sockaddr *peer,
			  socklen_t length, aem_id data, int error)
{
	(void)a, (void)id, (void)peer, (void)length, (void)data;
	EXPECT_EQ(error, 0);
	EXPECT_OK(close(fd));
	note(user);
}

TEST(connections)
{
	void *users[] = { LOW, HIGH };
	struct sockaddr_in address;
	int i, fd;

	begin();
	fd = bound(SOCK_STREAM, &address);
	ASSERT_OK(listen(fd, 8));
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_ip_accept(aem, NULL, fd, prio_of(users[i]), NULL, 0,
					    on_connection, users[i]), 0);
	for (i = 0; i < 3; i++) {
		dial(SOCK_STREAM, &address);
		expect_high();
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

static void on_data(struct aem *a, void *user, aem_id id, int fd, void *data, size_t length,
		    unsigned int flags, int error)
{
	(void)a, (void)id, (void)fd, (void)data, (void)flags;
	EXPECT_EQ(error, 0);
	EXPECT_EQ(length, 4);
	note(user);
}

TEST(bytes)
{
	void *users[] = { LOW, HIGH };
	struct sockaddr_in address;
	int i, fd, client;

	begin();
	fd = bound(SOCK_STREAM, &address);
	ASSERT_OK(listen(fd, 8));
	client = dial(SOCK_STREAM, &address);
	fd = accept(fd, NULL, NULL);
	ASSERT_OK(fd);
	for (i = 0; i < 2; i++)
		ASSERT_RESULT(aem_ip_data(aem, NULL, fd, prio_of(users[i]), 100, on_data, users[i]),
			      0);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(send(client, "once", 4, 0), 4);
		expect_high();
	}
	EXPECT_RESULT(aem_close(aem), 0);
}

KTAP_MAIN()
