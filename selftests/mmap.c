// SPDX-License-Identifier: GPL-2.0
/*
 * The memory map of a context: what may be mapped, and what ends with it.
 *
 * vm: load=core,null m32
 */
#include "raw.h"

static size_t page;

/* The zone has memory where blocks were taken: all of it, in this order. */
static void fill_zone(struct raw *raw)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC };
	uint64_t left;

	for (left = raw->setup.vmt_size; left; left -= vmt.length) {
		vmt.offset = 0;
		vmt.length = 65536;
		ASSERT_OK(ioctl(raw->fd, AEM_IOC_VMT, &vmt));
	}
}

static void begin(struct raw *raw)
{
	page = sysconf(_SC_PAGESIZE);
	memset(raw, 0, sizeof(*raw));
	raw->setup.size = sizeof(raw->setup);
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw->fd = raw_open();
	ASSERT_OK(ioctl(raw->fd, AEM_IOC_SETUP, &raw->setup));
}

static void refuse(int fd, size_t length, int prot, int flags, unsigned long offset, int error)
{
	void *area;

	errno = 0;
	area = mmap(NULL, length, prot, flags, fd, offset);
	if (!EXPECT_EQ(errno, error) || area != MAP_FAILED)
		NOTE("length %zu prot %d flags %#x offset %#lx", length, prot, flags, offset);
	if (area != MAP_FAILED) {
		EXPECT_EQ((uintptr_t)area, (uintptr_t)MAP_FAILED);
		munmap(area, length);
	}
}

TEST(before_setup)
{
	int fd = raw_open();

	page = sysconf(_SC_PAGESIZE);
	refuse(fd, page, PROT_READ | PROT_WRITE, MAP_SHARED, AEM_MMAP_CONTROL, ENXIO);
	refuse(fd, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, AEM_MMAP_RING, ENXIO);
	refuse(fd, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, AEM_MMAP_VMT, ENXIO);
	close(fd);
}

TEST(offsets_and_lengths)
{
	struct raw raw;
	size_t ring, vmt;
	int rw = PROT_READ | PROT_WRITE;

	begin(&raw);
	ring = raw_ring_bytes(&raw);
	vmt = raw.setup.vmt_size;
	refuse(raw.fd, 2 * page, rw, MAP_SHARED, AEM_MMAP_CONTROL, EINVAL);
	refuse(raw.fd, page, rw, MAP_SHARED, AEM_MMAP_CONTROL + page, EINVAL);
	refuse(raw.fd, ring + page, rw, MAP_SHARED, AEM_MMAP_RING, EINVAL);
	refuse(raw.fd, ring - page, rw, MAP_SHARED, AEM_MMAP_RING, EINVAL);
	refuse(raw.fd, ring, rw, MAP_SHARED, AEM_MMAP_RING + page, EINVAL);
	refuse(raw.fd, ring - page, rw, MAP_SHARED, AEM_MMAP_RING + page, EINVAL);
	refuse(raw.fd, vmt + page, rw, MAP_SHARED, AEM_MMAP_VMT, EINVAL);
	refuse(raw.fd, vmt - page, rw, MAP_SHARED, AEM_MMAP_VMT, EINVAL);
	refuse(raw.fd, vmt, rw, MAP_SHARED, AEM_MMAP_VMT + page, EINVAL);
	refuse(raw.fd, page, rw, MAP_SHARED, 0x20000000, EINVAL);
	refuse(raw.fd, page, rw, MAP_SHARED, 0x7ffff000, EINVAL);
	raw_map_all(&raw);
	raw_end(&raw);
}

TEST(protection_and_flags)
{
	struct raw raw;
	size_t ring, vmt;
	int rw = PROT_READ | PROT_WRITE;

	begin(&raw);
	ring = raw_ring_bytes(&raw);
	vmt = raw.setup.vmt_size;
	refuse(raw.fd, page, rw, MAP_PRIVATE, AEM_MMAP_CONTROL, EINVAL);
	refuse(raw.fd, ring, rw, MAP_PRIVATE, AEM_MMAP_RING, EINVAL);
	refuse(raw.fd, vmt, rw, MAP_PRIVATE, AEM_MMAP_VMT, EINVAL);
	refuse(raw.fd, page, rw | PROT_EXEC, MAP_SHARED, AEM_MMAP_CONTROL, EINVAL);
	refuse(raw.fd, ring, rw | PROT_EXEC, MAP_SHARED, AEM_MMAP_RING, EINVAL);
	refuse(raw.fd, vmt, rw | PROT_EXEC, MAP_SHARED, AEM_MMAP_VMT, EINVAL);
	raw_map_all(&raw);
	EXPECT_ERRNO(mprotect(raw.control, page, PROT_READ | PROT_EXEC), EACCES);
	EXPECT_ERRNO(mprotect(raw.ring, ring, PROT_READ | PROT_EXEC), EACCES);
	EXPECT_ERRNO(mprotect(raw.vmt, vmt, PROT_READ | PROT_EXEC), EACCES);
	raw_end(&raw);
}

TEST(control_page_once)
{
	struct raw raw;

	begin(&raw);
	raw_map_all(&raw);
	refuse(raw.fd, page, PROT_READ | PROT_WRITE, MAP_SHARED, AEM_MMAP_CONTROL, EBUSY);
	/* The context lives on. */
	raw.null = raw_service(&raw, NULL_SERVICE);
	raw_end(&raw);
}

TEST(everything_is_zero)
{
	struct raw raw;
	size_t i, other = 0;

	begin(&raw);
	raw_map_all(&raw);
	fill_zone(&raw);
	for (i = 0; i < page; i++)
		other += ((uint8_t *)raw.control)[i] != 0;
	for (i = 0; i < raw_ring_bytes(&raw); i++)
		other += ((uint8_t *)raw.ring)[i] != 0;
	for (i = 0; i < raw.setup.vmt_size; i += 512)
		other += raw.vmt[i] != 0;
	EXPECT_EQ(other, 0);
	raw_end(&raw);
}

static void on_fault(int signo)
{
	(void)signo;
	_exit(77);
}

/* Whether a child of a fork that looks there dies of it. */
static bool child_faults(const volatile void *address)
{
	int status;
	pid_t child = fork();

	ASSERT_GE(child, 0);
	if (child == 0) {
		signal(SIGSEGV, on_fault);
		signal(SIGBUS, on_fault);
		(void)*(const volatile uint8_t *)address;
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	ASSERT(WIFEXITED(status));
	return WEXITSTATUS(status) == 77;
}

TEST(fork_inherits_the_zone_only)
{
	struct raw raw;
	int status;
	pid_t child;

	begin(&raw);
	raw_map_all(&raw);
	fill_zone(&raw);
	raw.vmt[12345] = 42;
	EXPECT(child_faults(raw.control));
	EXPECT(child_faults(raw.ring));
	EXPECT(!child_faults(raw.vmt));
	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		EXPECT_EQ(raw.vmt[12345], 42);
		raw.vmt[12345] = 43;
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(raw.vmt[12345], 43);
	/* The children's end was not the context's. */
	raw.null = raw_service(&raw, NULL_SERVICE);
	raw_end(&raw);
}

/* What holds for a context whose control page went. */
static void expect_ended(struct raw *raw)
{
	struct aem_service_info info;
	struct aem_enter enter = { 0 };
	struct aem_bind bind;
	int tries;

	for (tries = 0; tries < 500; tries++) {
		ASSERT(raw_service_info(raw->fd, NULL_SERVICE, &info));
		if (!info.events)
			break;
		raw_sleep_ms(10);
	}
	EXPECT_EQ(info.events, 0);
	EXPECT_ERRNO(raw_bind(raw->fd, &bind, NULL_SERVICE, 0, 0), ENXIO);
	EXPECT_ERRNO(raw_enter(raw, &enter), ENXIO);
	EXPECT_ERRNO(raw_event(raw, AEM_EVENT_INFO, 1, 0), ENXIO);
	EXPECT_ERRNO(ioctl(raw->fd, AEM_IOC_SETUP, &raw->setup), EBUSY);
	refuse(raw->fd, page, PROT_READ | PROT_WRITE, MAP_SHARED, AEM_MMAP_CONTROL, ENXIO);
	EXPECT_EQ(raw_query(raw).ring_entries, 0);
}

TEST(munmap_of_the_control_page_ends_the_context)
{
	struct raw raw, other;
	struct null_totals before, after;
	uint64_t id[20];
	int i;

	raw_start(&other);
	before = null_totals(&other);
	begin(&raw);
	raw_map_all(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	for (i = 0; i < 20; i++) {
		id[i] = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, i);
		null_plan(&raw, id[i], (struct null_plan){ .block = 256 });
		null_fire(&raw, id[i], NULL_BY_CALL, i & 1);
	}
	raw.data = NULL;
	struct aem_enter enter = { .max_events = 5 };

	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 5);
	EXPECT_OK(munmap(raw.control, page));
	expect_ended(&raw);
	/* What is mapped stays until it is unmapped. */
	raw.vmt[raw.ring[0].arg[1]] = raw.ring[0].prio;
	after = null_totals(&other);
	EXPECT_EQ(after.released - before.released, 20);
	EXPECT_EQ(after.destructed, before.destructed);
	EXPECT_OK(munmap(raw.ring, raw_ring_bytes(&raw)));
	EXPECT_OK(munmap(raw.vmt, raw.setup.vmt_size));
	close(raw.fd);
	raw_end(&other);
}

TEST(munmap_of_the_ring_harms_only_the_process)
{
	struct raw raw;
	uint64_t id;

	begin(&raw);
	raw_map_all(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	EXPECT_OK(munmap(raw.ring, raw_ring_bytes(&raw)));
	null_fire(&raw, id, NULL_BY_CALL, 1);
	/* It can be had again, with what is in it. */
	struct aem_enter enter = { 0 };

	EXPECT_OK(raw_enter(&raw, &enter));
	EXPECT_EQ(enter.count, 1);
	raw.ring = raw_map(raw.fd, raw_ring_bytes(&raw), AEM_MMAP_RING);
	ASSERT(raw.ring != MAP_FAILED);
	EXPECT_EQ(raw_dispatch(&raw, &enter), 1);
	EXPECT_EQ(raw_round(&raw), 0);
	raw_end(&raw);
}

TEST(parts_cannot_be_unmapped)
{
	struct raw raw;

	begin(&raw);
	raw_map_all(&raw);
	EXPECT_ERRNO(munmap(raw.ring, page), EINVAL);
	raw.null = raw_service(&raw, NULL_SERVICE);
	raw_end(&raw);
}

/* Whatever mremap() says, the context stays usable, wherever its pages are now. */
TEST(mremap)
{
	struct raw raw;
	void *there;
	uint64_t id;

	begin(&raw);
	raw_map_all(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);

	EXPECT_EQ((uintptr_t)mremap(raw.control, page, 2 * page, MREMAP_MAYMOVE),
		  (uintptr_t)MAP_FAILED);
	EXPECT_EQ((uintptr_t)mremap(raw.ring, raw_ring_bytes(&raw), 2 * raw_ring_bytes(&raw),
				    MREMAP_MAYMOVE), (uintptr_t)MAP_FAILED);
	EXPECT_EQ((uintptr_t)mremap(raw.vmt, raw.setup.vmt_size, 2 * raw.setup.vmt_size,
				    MREMAP_MAYMOVE), (uintptr_t)MAP_FAILED);
	there = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(there != MAP_FAILED);
	there = mremap(raw.control, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, there);
	if (there != MAP_FAILED)
		raw.control = there;
	/* Time for a shutdown that would be wrong. */
	raw_sleep_ms(200);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw.control->pending, 1 << 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(raw.control->pending, 0);
	raw_end(&raw);
}

/* A child that has the control page nevertheless: the context is its parent's alone. */
TEST(a_copy_in_a_child_does_not_count)
{
	int stop[2], status;
	struct raw raw;
	uint64_t id;
	pid_t pid;

	begin(&raw);
	raw_map_all(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	id = null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	/* Newer kernels let no child have what a driver has mapped so. */
	if (madvise(raw.control, page, MADV_DOFORK)) {
		EXPECT_EQ(errno, EINVAL);
		raw_end(&raw);
		return;
	}
	ASSERT_OK(pipe(stop));
	/* One that goes at once, and one that stays beyond the parent's mapping. */
	pid = fork();
	if (!pid)
		_exit(munmap(raw.control, page) != 0);
	ASSERT_GT(pid, 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	null_fire(&raw, id, NULL_BY_CALL, 1);
	EXPECT_EQ(raw_drain(&raw), 1);
	pid = fork();
	if (!pid) {
		close(stop[1]);
		_exit(read(stop[0], &status, 1) != 0);
	}
	ASSERT_GT(pid, 0);
	EXPECT_OK(munmap(raw.control, page));
	expect_ended(&raw);
	close(stop[1]);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_OK(munmap(raw.vmt, raw.setup.vmt_size));
	EXPECT_OK(munmap(raw.ring, raw_ring_bytes(&raw)));
	EXPECT_OK(close(raw.fd));
	close(stop[0]);
}

TEST(no_event_without_the_control_page)
{
	struct null_create create = null_request(raw_nothing, 1, 0, 1);
	struct raw raw;

	begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	EXPECT_ERRNO(raw_call(&raw, raw.null + NULL_CREATE, &create), ENXIO);
	raw_map_all(&raw);
	EXPECT_OK(raw_call(&raw, raw.null + NULL_CREATE, &create));
	raw_end(&raw);
}

/* The mappings hold the context's memory, not the descriptor. */
TEST(close_before_munmap)
{
	struct aem_service_info info;
	struct raw raw;
	int fd = raw_open();

	begin(&raw);
	raw_map_all(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	null_new(&raw, NULL_CREATE, raw_nothing, 1, 0, 1);
	fill_zone(&raw);
	EXPECT_OK(close(raw.fd));
	raw.vmt[raw.setup.vmt_size - 1] = 1;
	EXPECT_EQ(raw.control->pending, 0);
	ASSERT(raw_service_info(fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.events, 1);
	EXPECT_OK(munmap(raw.ring, raw_ring_bytes(&raw)));
	EXPECT_OK(munmap(raw.vmt, raw.setup.vmt_size));
	EXPECT_OK(munmap(raw.control, page));
	ASSERT(raw_service_info(fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.events, 0);
	EXPECT_EQ(info.users, 0);
	close(fd);
}

/* The kernel reads and writes through these pages on behalf of others. */
TEST(system_calls_on_mapped_memory)
{
	struct raw raw;
	int pipes[2], i;
	char zero[64] = "";

	begin(&raw);
	raw_map_all(&raw);
	fill_zone(&raw);
	ASSERT_OK(pipe(pipes));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(write(pipes[1], raw.vmt + i * 4096, 64), 64);
		EXPECT_EQ(read(pipes[0], raw.vmt + raw.setup.vmt_size - 64, 64), 64);
	}
	EXPECT_EQ(memcmp(raw.vmt + raw.setup.vmt_size - 64, zero, 64), 0);
	EXPECT_EQ(write(pipes[1], raw.ring, 64), 64);
	EXPECT_EQ(read(pipes[0], raw.control, 64), 64);
	raw_end(&raw);
}

KTAP_MAIN()
