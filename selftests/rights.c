// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 9: who is in the group aem can do all of it, who is not cannot open the device.
 *
 * vm: load=core,null m32
 */
#include "raw.h"
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>

#define ALICE	1000
#define MALLORY	1001
#define AEM	900

static void become(uid_t uid, gid_t group)
{
	gid_t groups[2] = { uid, group };

	ASSERT_OK(setgroups(group ? 2 : 1, groups));
	ASSERT_OK(setresgid(uid, uid, uid));
	ASSERT_OK(setresuid(uid, uid, uid));
	ASSERT_EQ(geteuid(), uid);
}

TEST(the_device)
{
	struct stat stat;

	ASSERT_OK(lstat(RAW_DEVICE, &stat));
	EXPECT(S_ISCHR(stat.st_mode));
	EXPECT_EQ(stat.st_mode & 07777, 0660);
	EXPECT_EQ(stat.st_uid, 0);
	EXPECT_EQ(stat.st_gid, AEM);
}

TEST(outside_of_the_group)
{
	become(MALLORY, 0);
	EXPECT_ERRNO(open(RAW_DEVICE, O_RDWR), EACCES);
	EXPECT_ERRNO(open(RAW_DEVICE, O_RDONLY), EACCES);
	EXPECT_ERRNO(open(RAW_DEVICE, O_WRONLY), EACCES);
	EXPECT_ERRNO(chmod(RAW_DEVICE, 0666), EPERM);
	EXPECT_ERRNO(open("/sys/module/aem_core/parameters/max_events", O_WRONLY), EACCES);
}

static volatile sig_atomic_t rung;

static void on_bell(int signo)
{
	(void)signo;
	rung++;
}

static void answer(struct raw *raw, struct aem_record *record)
{
	*(uint64_t *)(raw->vmt + record->arg[1]) = 77;
}

TEST(in_the_group)
{
	struct pollfd pollfd = { .events = POLLIN };
	struct aem_service_info info;
	struct raw raw;
	char line[256];
	uint64_t id;
	FILE *file;
	int found = 0;

	become(ALICE, AEM);
	signal(SIGUSR1, on_bell);
	raw_start_signal(&raw, SIGUSR1);
	id = null_new(&raw, NULL_CREATE, answer, 1, 0, 31);
	null_plan(&raw, id, (struct null_plan){ .block = 4096 });
	null_fire(&raw, id, NULL_BY_IRQ, 1);
	EXPECT_EQ(rung, 1);
	pollfd.fd = raw.fd;
	EXPECT_EQ(poll(&pollfd, 1, 0), 1);
	EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	EXPECT_EQ(raw_round(&raw), 0);
	EXPECT_EQ(null_state(&raw, id).left, 77);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_PRIO, id, 3));
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, id, 0));
	EXPECT(raw_service_info(raw.fd, NULL_SERVICE, &info));

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", raw.fd);
	file = fopen(line, "r");
	ASSERT(file);
	while (fgets(line, sizeof(line), file))
		found += !strncmp(line, "event:", 6);
	fclose(file);
	EXPECT_EQ(found, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	raw_end(&raw);
}

/* What an ordinary user may not: the limits, the modules, others' contexts. */
TEST(no_more_than_that)
{
	struct raw raw;
	char path[64];
	int status;
	pid_t root = getpid(), child;

	raw_start(&raw);
	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		become(ALICE, AEM);
		EXPECT_ERRNO(open("/sys/module/aem_core/parameters/max_events", O_WRONLY), EACCES);
		EXPECT_ERRNO(open("/sys/module/aem_core/parameters/vmt_max", O_WRONLY), EACCES);
		EXPECT_ERRNO(syscall(SYS_delete_module, "aem_null", O_NONBLOCK), EPERM);
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", root, raw.fd);
		EXPECT_ERRNO(open(path, O_RDONLY), EACCES);
		/* Nor does a descriptor that somebody passes on help. */
		EXPECT_ERRNO(null_try_fire(&raw, 1, NULL_BY_CALL, 1), EPERM);
		EXPECT_EQ((uintptr_t)raw_map(raw.fd, raw_ring_bytes(&raw), AEM_MMAP_RING),
			  (uintptr_t)MAP_FAILED);
		EXPECT_EQ((uintptr_t)raw_map(raw.fd, raw.setup.vmt_size, AEM_MMAP_VMT),
			  (uintptr_t)MAP_FAILED);
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	raw_end(&raw);
}

KTAP_MAIN()
