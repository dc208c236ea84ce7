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
/* Of these a watch with the least room loses some. */
#define BEHIND		(2 * AEM_FD_ROOM_MIN / sizeof(struct aem_fd_note))
/* The smallest zone: one largest block. */
#define ZONE		65536

static struct fd_told told;
static uint32_t records;

static void begin_in(struct raw *raw, uint64_t zone)
{
	struct aem_bind bind;

	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw->setup.vmt_size = zone;
	raw_begin(raw);
	ASSERT_OK(raw_bind(raw->fd, &bind, AEM_FD_SERVICE, 1, 1));
	fd_base = bind.base;
	fds_go();
}

static void begin(struct raw *raw)
{
	begin_in(raw, 0);
}

/* Calls for each note of a record. */
static void walk(const struct raw *raw, const struct aem_record *record,
		 void (*take)(const struct aem_fd_note *note))
{
	const struct aem_fd_note *note;
	uint64_t at = record->arg[1];
	bool more;

	do {
		note = (const struct aem_fd_note *)(raw->vmt + at);
		more = note->flags & AEM_FD_F_MORE;
		at += note->length;
		take(note);
	} while (more);
}

static void take_note(const struct aem_fd_note *note)
{
	fd_take_note(&told, note);
}

static void take_packed(struct raw *raw, struct aem_record *record)
{
	records++;
	told.lost += record->lost;
	walk(raw, record, take_note);
}

/* A watch of the names in the directory. */
static void watch_names(const struct raw *raw, uint32_t flags)
{
	struct aem_fd_watch watch = fd_request(&told, ".", AEM_FD_CREATE | AEM_FD_DELETE);

	watch.flags = flags;
	if (flags & AEM_FD_PACKED)
		watch.reg.handler = (uintptr_t)take_packed;
	fd_make(raw, &told, &watch);
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
static void before_and_after(uint32_t flags)
{
	struct raw raw;

	begin(&raw);
	watch_names(&raw, flags);
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
	EXPECT_EQ(records, flags & AEM_FD_PACKED ? 2 : 0);
	raw_end(&raw);
	swap_load("aem-fd_2", "");
}

TEST(changes_before_and_after) { before_and_after(0); }
TEST(changes_before_and_after_in_one_record) { before_and_after(AEM_FD_PACKED); }

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
static void during_the_hold(uint32_t flags)
{
	pthread_t caller, swapper;
	char name[16];
	struct raw raw;
	int i;

	begin(&raw);
	if (!make_page())
		SKIP("optional: no userfaultfd");
	watch_names(&raw, flags);
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
	EXPECT_EQ(records, flags & AEM_FD_PACKED ? 1 : 0);
	ASSERT_OK(unlink("0"));
	fd_one(&raw, &told, AEM_FD_DELETE, "0");
	raw_end(&raw);
	EXPECT_EQ(swap_unload("aem_fd_2"), 0);
	swap_load("aem-fd", "");
	swap_load("aem-fd_2", "");
}

TEST(changes_during_the_hold) { during_the_hold(0); }
TEST(changes_during_the_hold_in_one_record) { during_the_hold(AEM_FD_PACKED); }

/* Each name comes, and goes, before the next one; those that are lost leave a gap. */
static unsigned long heard, lost, next;

static void hear_note(const struct aem_fd_note *note)
{
	unsigned long change = 2 * strtoul(fd_name(note), NULL, 10) +
			       (note->kinds == AEM_FD_DELETE);

	EXPECT_GE(change, next);
	next = change + 1;
	heard++;
}

static void hear(struct raw *raw, struct aem_record *record)
{
	lost += record->lost;
	walk(raw, record, hear_note);
}

static void *change(void *changes)
{
	unsigned long *n = (unsigned long *)changes, max = n[1];
	char name[24];

	while (!swap_stopped() && *n < max) {
		snprintf(name, sizeof(name), "%lu", *n / 2);
		EXPECT_OK(mkdir(name, 0700));
		EXPECT_OK(rmdir(name));
		*n += 2;
	}
	return NULL;
}

/* More than there is room for happens. */
static void fall_behind(const unsigned long *changes)
{
	unsigned long until = __atomic_load_n(changes, __ATOMIC_RELAXED) + BEHIND;

	while (__atomic_load_n(changes, __ATOMIC_RELAXED) < until)
		raw_sleep_ms(5);
}

/* With little room, and who hears being @slow, changes are lost, and counted. */
static void under_swaps(uint32_t flags, uint32_t room, bool slow, unsigned int ms)
{
	struct swaps swaps = { .service = AEM_FD_SERVICE };
	unsigned long changes[2] = { 0, slow ? ~0UL : CHANGES_MAX };
	struct timespec first, time;
	pthread_t swapper, changer;
	struct aem_fd_watch watch;
	struct raw raw;

	begin(&raw);
	watch = fd_request(NULL, ".", AEM_FD_CREATE | AEM_FD_DELETE);
	watch.reg.handler = (uintptr_t)hear;
	watch.flags = flags;
	watch.room = room;
	ASSERT_OK(fd_try(&raw, &watch));
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_until_stopped, &swaps), 0);
	ASSERT_EQ(pthread_create(&changer, NULL, change, changes), 0);
	clock_gettime(CLOCK_MONOTONIC, &first);
	do {
		if (slow)
			fall_behind(changes);
		raw_wait(&raw, RAW_SECOND / 10);
		clock_gettime(CLOCK_MONOTONIC, &time);
	} while ((time.tv_sec - first.tv_sec) * 1000 +
		 (time.tv_nsec - first.tv_nsec) / 1000000 < ms);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(changer, NULL);
	pthread_join(swapper, NULL);
	raw_drain(&raw);
	NOTE("%lu swaps, %lu changes, %lu lost", swaps.count, changes[0], lost);
	EXPECT_GT(swaps.count, 0);
	EXPECT_GT(changes[0], 0);
	EXPECT_EQ(!!lost, slow);
	EXPECT_EQ(heard + lost, changes[0]);
	raw_end(&raw);
}

TEST_TIMEOUT(changes_under_swaps, 200)
{
	under_swaps(0, 1 << 20, false, ROUNDS_MS);
	EXPECT_EQ(swap_unload("aem_fd_2"), 0);
	reload();
}

TEST_TIMEOUT(many_changes_under_swaps, 200)
{
	under_swaps(AEM_FD_PACKED, 1 << 20, false, ROUNDS_MS / 2);
}

TEST_TIMEOUT(losses_under_swaps, 200)
{
	under_swaps(AEM_FD_PACKED, AEM_FD_ROOM_MIN, true, ROUNDS_MS / 2);
}

static void expect_to_starve(struct raw *raw)
{
	EXPECT_EQ(raw_drain(raw), 0);
	EXPECT_EQ(raw_query(raw).starved, 1);
}

/* It waits for memory when the one version goes, and has it when the other serves it. */
TEST(a_swap_while_there_is_no_memory)
{
	long long all;
	struct raw raw;

	begin_in(&raw, ZONE);
	watch_names(&raw, AEM_FD_PACKED);
	all = raw_take(&raw, ZONE);
	fd_create("a");
	expect_to_starve(&raw);
	there(&raw, 1);
	fd_create("b");
	expect_to_starve(&raw);
	raw_give(&raw, all);
	fd_expect(&raw, &told, 2);
	EXPECT_EQ(records, 1);
	expect_name(0, AEM_FD_CREATE, "a");
	expect_name(1, AEM_FD_CREATE, "b");
	back(&raw, 1);
	raw_end(&raw);
	swap_load("aem-fd_2", "");
}

/* By its cookie, each is to be told once. */
static unsigned int ends[8];

static void end_of_it(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	if (record->flags & AEM_RECORD_F_REVOKED) {
		EXPECT_EQ(record->flags, AEM_RECORD_F_LAST | AEM_RECORD_F_REVOKED);
		ends[record->cookie]++;
	} else {
		EXPECT_EQ(ends[record->cookie], 0);
	}
}

static uint64_t watch_to_its_end(const struct raw *raw, uint64_t cookie, uint32_t prio,
				 uint32_t flags)
{
	struct aem_fd_watch watch = fd_request(NULL, ".", AEM_FD_CREATE | AEM_FD_DELETE);

	watch.flags = flags;
	watch.reg.handler = (uintptr_t)end_of_it;
	watch.reg.cookie = cookie;
	watch.reg.prio = prio;
	ASSERT_OK(fd_try(raw, &watch));
	return watch.reg.id;
}

static void take_away(const struct raw *raw, uint32_t watches)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_REVOKE, AEM_FD_SERVICE, 1, 0);

	ASSERT_OK(swap_manage(raw->fd, &arg));
	EXPECT_EQ(arg.moved, watches);
	EXPECT_EQ(swap_unload("aem_fd"), 0);
}

/* Its notes are delivered, its handler runs, its notes wait, it is stopped. */
TEST(revoked)
{
	struct aem_enter enter = { .max_events = 2 };
	struct aem_fd_add add;
	struct raw raw;
	uint64_t id[4];
	int i;

	begin(&raw);
	for (i = 0; i < 4; i++)
		id[i] = watch_to_its_end(&raw, i, 9 - i, i == 3 ? 0 : AEM_FD_PACKED);
	ASSERT_OK(raw_event(&raw, AEM_EVENT_STOP, id[3], 0));
	fd_create("a");
	fd_create("b");
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 2);
	ASSERT(raw_claim(raw_record(&raw, enter.first)));
	take_away(&raw, 4);
	fd_create("c");
	EXPECT_ERRNO(fd_try_add(&raw, id[2], "/", &add), ENODEV);
	raw_finish(raw_record(&raw, enter.first), AEM_RECORD_DONE);
	ASSERT(raw_claim(raw_record(&raw, enter.first + 1)));
	raw_finish(raw_record(&raw, enter.first + 1), AEM_RECORD_DONE);
	raw_drain(&raw);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(ends[i], 1);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
	swap_load("aem-fd", "");
}

/* The last record needs no block. */
TEST(revoked_while_there_is_no_memory)
{
	struct raw raw;

	begin_in(&raw, ZONE);
	watch_to_its_end(&raw, 0, 1, AEM_FD_PACKED);
	ASSERT_GE(raw_take(&raw, ZONE), 0);
	fd_create("a");
	expect_to_starve(&raw);
	take_away(&raw, 1);
	raw_drain(&raw);
	EXPECT_EQ(ends[0], 1);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
	swap_load("aem-fd", "");
}

/* Files change on, and are told of to nobody; a new watch is of the other version. */
TEST(revoked_while_files_change)
{
	unsigned long changes[2] = { 0, ~0UL };
	struct aem_bind bind;
	pthread_t changer;
	struct raw raw;
	int i;

	begin(&raw);
	for (i = 0; i < 4; i++)
		watch_to_its_end(&raw, i, i, i % 2 ? 0 : AEM_FD_PACKED);
	ASSERT_EQ(pthread_create(&changer, NULL, change, changes), 0);
	for (i = 0; i < 10; i++)
		raw_wait(&raw, RAW_LONG);
	take_away(&raw, 4);
	raw_drain(&raw);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(ends[i], 1);
	EXPECT_EQ(raw_query(&raw).events, 0);
	ASSERT_OK(raw_bind(raw.fd, &bind, AEM_FD_SERVICE, 0, 0));
	EXPECT_EQ(bind.version, 2);
	fd_base = bind.base;
	watch_to_its_end(&raw, 4, 1, AEM_FD_PACKED);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(raw_wait(&raw, RAW_LONG), 0);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(changer, NULL);
	raw_end(&raw);
	swap_load("aem-fd", "");
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
