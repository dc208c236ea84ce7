// SPDX-License-Identifier: GPL-2.0
/*
 * aem-fd is exchanged while files that are watched change: each change is told once, in order,
 * whichever version serves the watch then. Likewise for files that are sources.
 *
 * vm: load=core,null,fd,fd_2 mem=768 timeout=240
 */
#include "fd_polls.h"
#include "swap.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/file.h>

#define ROUNDS_MS	1500
/* What the room of a watch holds, should it never be asked. */
#define CHANGES_MAX	6000

static struct fd_told told;

static void begin(struct raw *raw)
{
	struct aem_bind bind;

	raw_start(raw);
	ASSERT_OK(raw_bind(raw->fd, &bind, AEM_FD_SERVICE, 1, 1));
	fd_base = bind.base;
	fds_go();
}

static void there(const struct raw *raw, uint32_t watches)
{
	struct aem_manage done = swap_to(raw->fd, AEM_FD_SERVICE, 1, 2);

	EXPECT_EQ(done.moved, watches);
	EXPECT_EQ(done.refused, 0);
	EXPECT_EQ(swap_unload("aem_fd"), 0);
}

static void back(const struct raw *raw, uint32_t watches)
{
	struct aem_manage done;

	swap_load("aem-fd", "");
	done = swap_to(raw->fd, AEM_FD_SERVICE, 2, 1);
	EXPECT_EQ(done.moved, watches);
	EXPECT_EQ(done.refused, 0);
	EXPECT_EQ(swap_unload("aem_fd_2"), 0);
}

/* Nothing holds what the test has loaded, nor what it stands on. */
static void reload(void)
{
	EXPECT_EQ(swap_unload("aem_fd"), 0);
	EXPECT_EQ(swap_unload("aem_fd_marks"), 0);
	swap_load("aem-fd-marks", "");
	swap_load("aem-fd", "");
	swap_load("aem-fd_2", "");
}

static void expect_name(uint32_t i, uint32_t kinds, const char *name)
{
	EXPECT_EQ(fd_note(&told, i)->kinds, kinds);
	EXPECT_STR(fd_name(fd_note(&told, i)), name);
}

/* Some happen before the swap, and wait to be told of; some after it, some after the way back. */
TEST(changes_before_and_after)
{
	struct raw raw;

	begin(&raw);
	fd_watch(&raw, &told, ".", AEM_FD_CREATE | AEM_FD_DELETE);
	fd_create("a");
	there(&raw, 1);
	fd_create("b");
	fd_expect(&raw, &told, 2);
	expect_name(0, AEM_FD_CREATE, "a");
	expect_name(1, AEM_FD_CREATE, "b");
	fd_forget(&told);
	ASSERT_OK(unlink("a"));
	back(&raw, 1);
	ASSERT_OK(unlink("b"));
	fd_expect(&raw, &told, 2);
	expect_name(0, AEM_FD_DELETE, "a");
	expect_name(1, AEM_FD_DELETE, "b");
	raw_end(&raw);
	reload();
}

/* What a watch has besides notes: files, locks, directories from their birth, what was before. */
TEST(all_of_a_watch)
{
	struct aem_fd_watch watch;
	struct aem_fd_note note;
	struct aem_fd_add add;
	struct raw raw;
	int fd;

	begin(&raw);
	fd = fd_touch("a");
	ASSERT_OK(mkdir("other", 0755));
	watch = fd_request(&told, ".", AEM_FD_CREATE | AEM_FD_MODE | AEM_FD_LOCK | AEM_FD_RENAME);
	watch.flags = AEM_FD_TREE;
	watch.files = 3;
	fd_make(&raw, &told, &watch);
	EXPECT_EQ(fd_add(&raw, &told, "other"), 2);
	there(&raw, 1);
	EXPECT_EQ(fd_try_add(&raw, told.id, "other", &add), 1);
	EXPECT_EQ(add.number, 2);
	ASSERT_OK(flock(fd, LOCK_EX));
	note = fd_one(&raw, &told, AEM_FD_LOCK, "a");
	EXPECT_EQ(note.lock, AEM_FD_LOCK_FLOCK | AEM_FD_LOCK_WRITE);
	ASSERT_OK(chmod("a", 0600));
	raw_drain(&raw);
	if (!(fd_note(&told, 0)->flags & AEM_FD_F_UNSURE))
		EXPECT_EQ(fd_one(&raw, &told, AEM_FD_MODE, "a").old_mode, S_IFREG | 0644);
	fd_forget(&told);
	ASSERT_OK(rename("a", "other/b"));
	note = fd_one(&raw, &told, AEM_FD_RENAME, "a");
	EXPECT_EQ(note.number, 1);
	EXPECT_EQ(note.number2, 2);
	ASSERT_OK(mkdir("other/d", 0755));
	EXPECT_EQ(fd_one(&raw, &told, AEM_FD_CREATE, "d").self, 3);
	back(&raw, 1);
	EXPECT_ERRNO(fd_try_add(&raw, told.id, "/", &add), ENOSPC);
	ASSERT_OK(fd_try_remove(&raw, told.id, 2));
	fd_create("other/unseen");
	fd_create("other/d/seen");
	EXPECT_EQ(fd_one(&raw, &told, AEM_FD_CREATE, "seen").number, 3);
	fd_shutdown(&raw, &told);
	fd_create("late");
	fd_expect(&raw, &told, 0);
	close(fd);
	raw_end(&raw);
	reload();
}

/* A page that is not there until it is put there. */
static void *page;
static int faults;

static bool make_page(void)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	size_t size = sysconf(_SC_PAGESIZE);

	faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (faults < 0 && errno == ENOSYS)
		return false;
	ASSERT_GE(faults, 0);
	ASSERT_OK(ioctl(faults, UFFDIO_API, &api));
	page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(page != MAP_FAILED);
	range.range.start = (uintptr_t)page;
	range.range.len = size;
	ASSERT_OK(ioctl(faults, UFFDIO_REGISTER, &range));
	return true;
}

static void await_fault(void)
{
	struct uffd_msg message;

	ASSERT_EQ(read(faults, &message, sizeof(message)), sizeof(message));
	EXPECT_EQ(message.event, UFFD_EVENT_PAGEFAULT);
}

static void put_page(void)
{
	struct uffdio_zeropage zero = { 0 };

	zero.range.start = (uintptr_t)page;
	zero.range.len = sysconf(_SC_PAGESIZE);
	ASSERT_OK(ioctl(faults, UFFDIO_ZEROPAGE, &zero));
	close(faults);
}

/* A name of the page's: it is empty. */
static void *call_held_up(void *raw)
{
	struct aem_fd_add add;

	EXPECT_ERRNO(fd_try_add((const struct raw *)raw, told.id, (const char *)page, &add),
		     ENOENT);
	return NULL;
}

static void *swap_meanwhile(void *raw)
{
	EXPECT_EQ(swap_to(((const struct raw *)raw)->fd, AEM_FD_SERVICE, 1, 2).moved, 1);
	return NULL;
}

/* Who is inside of a call keeps the swap waiting, and the swap keeps all others out. */
TEST(changes_during_the_hold)
{
	pthread_t caller, swapper;
	char name[16];
	struct raw raw;
	int i;

	begin(&raw);
	if (!make_page())
		SKIP("optional: no userfaultfd");
	fd_watch(&raw, &told, ".", AEM_FD_CREATE | AEM_FD_DELETE);
	ASSERT_EQ(pthread_create(&caller, NULL, call_held_up, &raw), 0);
	await_fault();
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_meanwhile, &raw), 0);
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%d", i);
		fd_create(name);
		raw_sleep_ms(10);
	}
	put_page();
	pthread_join(caller, NULL);
	pthread_join(swapper, NULL);
	EXPECT_EQ(swap_unload("aem_fd"), 0);
	fd_expect(&raw, &told, 10);
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%d", i);
		expect_name(i, AEM_FD_CREATE, name);
	}
	fd_forget(&told);
	ASSERT_OK(unlink("0"));
	fd_one(&raw, &told, AEM_FD_DELETE, "0");
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_fd_2"), 0);
	swap_load("aem-fd", "");
	reload();
}

/* Each name comes, and goes, before the next one. */
static unsigned long heard, lost;

static void hear(struct raw *raw, struct aem_record *record)
{
	const struct aem_fd_note *note =
		(const struct aem_fd_note *)(raw->vmt + record->arg[1]);

	EXPECT_EQ(note->kinds, heard & 1 ? AEM_FD_DELETE : AEM_FD_CREATE);
	EXPECT_EQ(strtoul(fd_name(note), NULL, 10), heard / 2);
	lost += record->lost;
	heard++;
}

static void *change(void *changes)
{
	unsigned long *n = (unsigned long *)changes;
	char name[24];

	while (!swap_stopped() && *n < CHANGES_MAX) {
		snprintf(name, sizeof(name), "%lu", *n / 2);
		EXPECT_OK(mkdir(name, 0700));
		EXPECT_OK(rmdir(name));
		*n += 2;
	}
	return NULL;
}

TEST_TIMEOUT(changes_under_swaps, 200)
{
	struct swaps swaps = { .service = AEM_FD_SERVICE };
	unsigned long changes = 0;
	struct timespec first, time;
	pthread_t swapper, changer;
	struct aem_fd_watch watch;
	struct raw raw;

	begin(&raw);
	watch = fd_request(NULL, ".", AEM_FD_CREATE | AEM_FD_DELETE);
	watch.reg.handler = (uintptr_t)hear;
	watch.room = 1 << 20;
	ASSERT_OK(fd_try(&raw, &watch));
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_until_stopped, &swaps), 0);
	ASSERT_EQ(pthread_create(&changer, NULL, change, &changes), 0);
	clock_gettime(CLOCK_MONOTONIC, &first);
	do {
		raw_wait(&raw, RAW_SECOND / 10);
		clock_gettime(CLOCK_MONOTONIC, &time);
	} while ((time.tv_sec - first.tv_sec) * 1000 +
		 (time.tv_nsec - first.tv_nsec) / 1000000 < ROUNDS_MS);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(changer, NULL);
	pthread_join(swapper, NULL);
	raw_drain(&raw);
	NOTE("%lu swaps, %lu changes", swaps.count, changes);
	EXPECT_GT(swaps.count, 0);
	EXPECT_GT(changes, 0);
	EXPECT_EQ(lost, 0);
	EXPECT_EQ(heard, changes);
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_fd_2"), 0);
	reload();
}

/* A byte at a time; at the end there is none. */
static unsigned long bytes;

static void take_byte(struct source *source)
{
	char byte;

	bytes += read(source->fd, &byte, 1) == 1;
}

static void *write_bytes(void *fd)
{
	unsigned long n;

	for (n = 0; !swap_stopped(); n++)
		EXPECT_EQ(write(*(int *)fd, "x", 1), 1);
	close(*(int *)fd);
	return (void *)n;
}

/* A pipe that is written to without an end, whichever version reads it. */
TEST_TIMEOUT(sources_under_swaps, 200)
{
	struct swaps swaps = { .service = AEM_FD_SERVICE };
	pthread_t swapper, writer;
	struct timespec first, time;
	struct source source;
	int pipes[2];
	struct raw raw;
	void *written;

	begin(&raw);
	swap_stop = false;
	ASSERT_OK(pipe2(pipes, O_CLOEXEC));
	source_make(&raw, &source, pipes[0], AEM_FD_IN, 0, take_byte);
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_until_stopped, &swaps), 0);
	ASSERT_EQ(pthread_create(&writer, NULL, write_bytes, &pipes[1]), 0);
	clock_gettime(CLOCK_MONOTONIC, &first);
	do {
		raw_wait(&raw, RAW_SECOND / 10);
		clock_gettime(CLOCK_MONOTONIC, &time);
	} while ((time.tv_sec - first.tv_sec) * 1000 < ROUNDS_MS);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	/* Who writes may wait for room. */
	while (!(source.kinds & AEM_FD_HUP))
		ASSERT_EQ(raw_wait(&raw, RAW_LONG), 0);
	raw_drain(&raw);
	pthread_join(writer, &written);
	pthread_join(swapper, NULL);
	EXPECT_EQ(bytes, (unsigned long)written);
	EXPECT_GT(swaps.count, 0);
	NOTE("%lu bytes, %lu swaps", bytes, swaps.count);
	close(pipes[0]);
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_fd_2"), 0);
	reload();
}

KTAP_MAIN()
