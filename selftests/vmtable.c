// SPDX-License-Identifier: GPL-2.0
/*
 * AEM_IOC_VMT, the zone's mapping, and who owns a block.
 *
 * vm: load=core,null m32 timeout=240 append=init_on_alloc=0
 */
#include "raw.h"
#include <pthread.h>
#include <sys/stat.h>

#define SMALLEST	128U
#define LARGEST		65536U

static long vmt(const struct raw *raw, uint32_t op, uint64_t offset, uint64_t length,
		struct aem_vmt *out)
{
	memset(out, RAW_POISON, sizeof(*out));
	out->size = sizeof(*out);
	out->op = op;
	out->offset = offset;
	out->length = length;
	return ioctl(raw->fd, AEM_IOC_VMT, out);
}

static uint64_t take(const struct raw *raw, uint64_t length)
{
	struct aem_vmt out;

	ASSERT_OK(vmt(raw, AEM_VMT_ALLOC, 0, length, &out));
	return out.offset;
}

static long give(const struct raw *raw, uint64_t offset)
{
	struct aem_vmt out;

	return vmt(raw, AEM_VMT_FREE, offset, 0, &out);
}

static uint64_t used(const struct raw *raw)
{
	return raw_query(raw).vmt_used;
}

static void start(struct raw *raw, uint64_t size)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw->setup.vmt_size = size;
	raw_begin(raw);
	ASSERT_EQ(raw->setup.vmt_size, size);
	raw->null = raw_service(raw, NULL_SERVICE);
	ASSERT_EQ(used(raw), 0);
}

static uint64_t rounded(uint64_t length)
{
	uint64_t size = SMALLEST;

	while (size < length)
		size *= 2;
	return size;
}

static void take_and_give(const struct raw *raw, uint64_t length)
{
	struct aem_vmt out;

	ASSERT_OK(vmt(raw, AEM_VMT_ALLOC, 0, length, &out));
	EXPECT_EQ(out.length, rounded(length));
	EXPECT_EQ(out.offset % out.length, 0);
	EXPECT_LE(out.offset + out.length, raw->setup.vmt_size);
	EXPECT_EQ(used(raw), out.length);
	EXPECT_OK(give(raw, out.offset));
	EXPECT_EQ(used(raw), 0);
}

TEST(lengths)
{
	static const uint64_t wrong[] = {
		0, LARGEST + 1, 2 * LARGEST, 1ULL << 32, (1ULL << 32) + 1, 1ULL << 63, ~0ULL,
	};
	struct aem_vmt out;
	struct raw raw;
	uint64_t size;
	size_t i;

	start(&raw, 4 * LARGEST);
	take_and_give(&raw, 1);
	for (size = SMALLEST; size <= LARGEST; size *= 2) {
		take_and_give(&raw, size - 1);
		take_and_give(&raw, size);
		if (size < LARGEST)
			take_and_give(&raw, size + 1);
	}
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT_ERRNO(vmt(&raw, AEM_VMT_ALLOC, 0, wrong[i], &out), EINVAL);
	EXPECT_EQ(used(&raw), 0);
	raw_end(&raw);
}

TEST(operations)
{
	static const uint32_t wrong[] = { 0, 3, 4, 0x100, 0x80000001, ~0U };
	struct aem_vmt out;
	struct raw raw;
	size_t i;

	start(&raw, LARGEST);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT_ERRNO(vmt(&raw, wrong[i], 0, SMALLEST, &out), EINVAL);
	/* What an operation does not read must be zero. */
	EXPECT_ERRNO(vmt(&raw, AEM_VMT_ALLOC, SMALLEST, SMALLEST, &out), EINVAL);
	ASSERT_OK(vmt(&raw, AEM_VMT_ALLOC, 0, SMALLEST, &out));
	EXPECT_ERRNO(vmt(&raw, AEM_VMT_FREE, out.offset, SMALLEST, &out), EINVAL);
	EXPECT_OK(give(&raw, out.offset));
	EXPECT_EQ(used(&raw), 0);
	raw_end(&raw);
}

TEST(not_set_up)
{
	struct raw raw = { .fd = raw_open() };
	struct aem_vmt out;

	EXPECT_ERRNO(vmt(&raw, AEM_VMT_ALLOC, 0, SMALLEST, &out), ENXIO);
	EXPECT_ERRNO(vmt(&raw, AEM_VMT_FREE, 0, 0, &out), ENXIO);
	EXPECT_OK(close(raw.fd));
}

/* An answer that cannot be written must not cost a block. */
TEST(bad_address)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct aem_vmt *out;
	struct raw raw;

	start(&raw, LARGEST);
	out = (struct aem_vmt *)mmap(NULL, page, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT(out != MAP_FAILED);
	out->size = sizeof(*out);
	out->op = AEM_VMT_ALLOC;
	out->length = SMALLEST;
	EXPECT_ERRNO(ioctl(raw.fd, AEM_IOC_VMT, NULL), EFAULT);
	ASSERT_OK(mprotect(out, page, PROT_READ));
	EXPECT_ERRNO(ioctl(raw.fd, AEM_IOC_VMT, out), EFAULT);
	EXPECT_EQ(used(&raw), 0);
	raw_end(&raw);
}

static void fill_up(const struct raw *raw, uint32_t size)
{
	uint32_t n = raw->setup.vmt_size / size, i;
	uint8_t *seen = (uint8_t *)calloc(n, 1);
	struct aem_vmt out;
	uint64_t at;

	ASSERT(seen);
	for (i = 0; i < n; i++) {
		at = take(raw, size) / size;
		ASSERT_LT(at, n);
		EXPECT_EQ(seen[at]++, 0);
	}
	EXPECT_EQ(used(raw), raw->setup.vmt_size);
	EXPECT_ERRNO(vmt(raw, AEM_VMT_ALLOC, 0, 1, &out), ENOSPC);
	EXPECT_ERRNO(vmt(raw, AEM_VMT_ALLOC, 0, LARGEST, &out), ENOSPC);
	free(seen);
}

static void empty(const struct raw *raw, uint32_t size, uint32_t stride)
{
	uint32_t n = raw->setup.vmt_size / size, i;

	/* @stride is odd and n a power of two: each once, in an order that joins late. */
	for (i = 0; i < n; i++)
		EXPECT_OK(give(raw, (uint64_t)(i * stride % n) * size));
	EXPECT_EQ(used(raw), 0);
}

/* All of the zone can be had, in blocks of any size, and over again in blocks of another. */
TEST(full)
{
	static const uint32_t sizes[] = { LARGEST, SMALLEST, LARGEST, 2048, 256, LARGEST, 32768 };
	struct aem_vmt out;
	struct raw raw;
	size_t i;

	start(&raw, 4 * LARGEST);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fill_up(&raw, sizes[i]);
		empty(&raw, sizes[i], 37);
	}
	/* One small block spoils a large one, and no more than one. */
	take(&raw, 1);
	for (i = 0; i < 3; i++)
		take(&raw, LARGEST);
	EXPECT_ERRNO(vmt(&raw, AEM_VMT_ALLOC, 0, LARGEST, &out), ENOSPC);
	EXPECT_OK(vmt(&raw, AEM_VMT_ALLOC, 0, LARGEST / 2, &out));
	raw_end(&raw);
}

TEST(hostile_offsets)
{
	struct raw raw;
	uint64_t a, b, bit;
	uint32_t i;

	start(&raw, 4 * LARGEST);
	a = take(&raw, 1024);
	b = take(&raw, LARGEST);
	ASSERT_NE(a, b);
	for (i = 1; i < 1024; i++)
		EXPECT_ERRNO(give(&raw, a + i), EINVAL);
	for (i = SMALLEST; i < LARGEST; i += SMALLEST)
		EXPECT_ERRNO(give(&raw, b + i), EINVAL);
	/* The free buddy, the free rest, what the zone has not grown to, what is outside. */
	EXPECT_ERRNO(give(&raw, a ^ 1024), EINVAL);
	EXPECT_ERRNO(give(&raw, a ^ 32768), EINVAL);
	EXPECT_ERRNO(give(&raw, 2 * LARGEST), EINVAL);
	EXPECT_ERRNO(give(&raw, 3 * LARGEST), EINVAL);
	EXPECT_ERRNO(give(&raw, 4 * LARGEST), EINVAL);
	EXPECT_ERRNO(give(&raw, ~0ULL), EINVAL);
	EXPECT_ERRNO(give(&raw, -(uint64_t)SMALLEST), EINVAL);
	EXPECT_ERRNO(give(&raw, 0x1122334455667700), EINVAL);
	/* No high bit is forgotten on the way. */
	for (bit = 1ULL << 18; bit; bit <<= 1) {
		EXPECT_ERRNO(give(&raw, a | bit), EINVAL);
		EXPECT_ERRNO(give(&raw, b | bit), EINVAL);
	}
	EXPECT_EQ(used(&raw), 1024 + LARGEST);
	EXPECT_OK(give(&raw, a));
	EXPECT_ERRNO(give(&raw, a), EINVAL);
	EXPECT_OK(give(&raw, b));
	EXPECT_ERRNO(give(&raw, b), EINVAL);
	EXPECT_EQ(used(&raw), 0);
	raw_end(&raw);
}

/* An event whose records have a block each. */
static uint64_t with_block(const struct raw *raw, uint32_t block)
{
	uint64_t id = null_new(raw, NULL_CREATE, raw_nothing, 7, EVF_SAFEPOINT, 3);

	null_plan(raw, id, (struct null_plan){ .id = id, .block = block });
	return id;
}

/* Fires it; returns the record, claimed, and where its block lies. */
static struct aem_record *deliver(const struct raw *raw, uint64_t id, uint64_t *offset)
{
	struct aem_enter enter = { .flags = 0 };
	struct aem_record *record;

	null_fire(raw, id, NULL_BY_CALL, 1);
	ASSERT_OK(raw_enter(raw, &enter));
	ASSERT_EQ(enter.count, 1);
	record = raw_record(raw, enter.first);
	*offset = record->arg[1];
	EXPECT_ERRNO(give(raw, *offset), EINVAL);
	ASSERT(raw_claim(record));
	return record;
}

TEST(kernel_owns_block)
{
	struct aem_record *record;
	uint64_t id, offset;
	struct raw raw;

	start(&raw, 2 * LARGEST);
	id = with_block(&raw, 1000);
	record = deliver(&raw, id, &offset);
	EXPECT_EQ(used(&raw), 1024);
	EXPECT_ERRNO(give(&raw, offset), EINVAL);
	raw_finish(record, AEM_RECORD_DONE);
	EXPECT_ERRNO(give(&raw, offset), EINVAL);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(used(&raw), 0);
	EXPECT_ERRNO(give(&raw, offset), EINVAL);
	raw_end(&raw);
}

TEST(kept_block)
{
	struct aem_record *record;
	uint64_t id, first, second;
	struct raw raw;

	start(&raw, 2 * LARGEST);
	id = with_block(&raw, 1000);
	record = deliver(&raw, id, &first);
	memset(raw.vmt + first, 0x5c, 1024);
	raw_finish(record, AEM_RECORD_KEEP);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(used(&raw), 1024);
	record = deliver(&raw, id, &second);
	EXPECT_NE(first, second);
	raw_finish(record, AEM_RECORD_DONE);
	EXPECT_EQ(raw_drain(&raw), 0);
	EXPECT_EQ(used(&raw), 1024);
	EXPECT_EQ(raw.vmt[first], 0x5c);
	EXPECT_EQ(raw.vmt[first + 1023], 0x5c);
	/* It outlives its event. */
	ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0));
	EXPECT_EQ(used(&raw), 1024);
	EXPECT_EQ(raw.vmt[first + 512], 0x5c);
	EXPECT_OK(give(&raw, first));
	EXPECT_ERRNO(give(&raw, first), EINVAL);
	EXPECT_EQ(used(&raw), 0);
	raw_end(&raw);
}

/* How a child ends that writes there. */
static int touch(const struct raw *raw, uint64_t offset)
{
	pid_t child = fork();
	int status;

	ASSERT_GE(child, 0);
	if (!child) {
		signal(SIGBUS, SIG_DFL);
		*(volatile uint8_t *)(raw->vmt + offset) = 1;
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	return status;
}

static void expect_sigbus(const struct raw *raw, uint64_t offset)
{
	EXPECT_EQ(touch(raw, offset) & ~WCOREFLAG, SIGBUS);
}

static void expect_zeroes(const struct raw *raw, uint64_t offset, uint32_t size)
{
	uint32_t i, other = 0;

	for (i = 0; i < size; i++)
		other += raw->vmt[offset + i] != 0;
	EXPECT_EQ(other, 0);
}

/* Memory comes as it is used, zeroed, and stays. */
TEST(grows)
{
	struct raw raw;
	uint64_t a, b;

	start(&raw, 3 * LARGEST);
	expect_sigbus(&raw, 0);
	a = take(&raw, LARGEST);
	expect_zeroes(&raw, a, LARGEST);
	b = take(&raw, 1);
	expect_zeroes(&raw, b, SMALLEST);
	EXPECT_EQ(a / LARGEST + b / LARGEST, 1);
	expect_sigbus(&raw, 2 * LARGEST);
	EXPECT_OK(give(&raw, a));
	EXPECT_OK(give(&raw, b));
	EXPECT_EQ(touch(&raw, a), 0);
	EXPECT_EQ(touch(&raw, b), 0);
	raw_end(&raw);
}

/* No process sees what another has left. */
TEST(no_stale_data)
{
	struct raw raw;
	uint32_t round;
	uint64_t at;

	for (round = 0; round < 20; round++) {
		start(&raw, LARGEST);
		at = take(&raw, LARGEST);
		expect_zeroes(&raw, at, LARGEST);
		memset(raw.vmt + at, 0xee, LARGEST);
		raw_end(&raw);
	}
}

TEST(inherited_by_fork)
{
	struct aem_vmt out;
	struct raw raw;
	uint64_t a, b;
	int status;
	pid_t child;

	start(&raw, 2 * LARGEST);
	a = take(&raw, 4096);
	memcpy(raw.vmt + a, "parent", 7);
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		EXPECT_STR((char *)raw.vmt + a, "parent");
		memcpy(raw.vmt + a, "child", 6);
		EXPECT_ERRNO(vmt(&raw, AEM_VMT_ALLOC, 0, 1, &out), EPERM);
		EXPECT_ERRNO(give(&raw, a), EPERM);
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_STR((char *)raw.vmt + a, "child");
	b = take(&raw, LARGEST);
	EXPECT_EQ(touch(&raw, b), 0);
	EXPECT_EQ(raw.vmt[b], 1);
	EXPECT_EQ(used(&raw), 4096 + LARGEST);
	raw_end(&raw);
}

/* The child's mapping holds the memory when everything else has gone. */
TEST(mapping_outlives_context)
{
	struct raw raw;
	int status, go[2];
	pid_t child;
	uint64_t a;
	char c;

	start(&raw, 2 * LARGEST);
	a = take(&raw, LARGEST);
	memset(raw.vmt + a, 0x77, LARGEST);
	ASSERT_OK(pipe(go));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(raw.fd);
		close(go[1]);
		ASSERT_EQ(read(go[0], &c, 1), 0);
		EXPECT_EQ(raw.vmt[a], 0x77);
		EXPECT_EQ(raw.vmt[a + LARGEST - 1], 0x77);
		memset(raw.vmt + a, 0x78, LARGEST);
		_exit(0);
	}
	raw_end(&raw);
	close(go[0]);
	close(go[1]);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
}

#define HELD	64

/* One of several threads; each sees nothing but its own in the blocks that it holds. */
struct worker {
	pthread_t thread;
	const struct raw *raw;
	unsigned long long seed;
	struct aem_vmt held[HELD];
	uint32_t n;
	uint32_t taken;
	uint8_t mark;
};

static void worker_take(struct worker *w)
{
	/* Mostly small ones: who meets another inside the allocator is what matters. */
	uint32_t limit = SMALLEST << ktap_random(&w->seed) % (ktap_random(&w->seed) % 16 ? 2 : 10);
	uint64_t length = 1 + ktap_random(&w->seed) % limit;
	struct aem_vmt *block = &w->held[w->n];

	if (vmt(w->raw, AEM_VMT_ALLOC, 0, length, block)) {
		EXPECT_EQ(errno, ENOSPC);
		return;
	}
	memset(w->raw->vmt + block->offset, w->mark, block->length);
	w->n++;
	w->taken++;
}

static void worker_give(struct worker *w)
{
	uint32_t at = ktap_random(&w->seed) % w->n, i, strange = 0;
	struct aem_vmt block = w->held[at];

	for (i = 0; i < block.length; i++)
		strange += w->raw->vmt[block.offset + i] != w->mark;
	EXPECT_EQ(strange, 0);
	EXPECT_OK(give(w->raw, block.offset));
	w->held[at] = w->held[--w->n];
}

static void *work(void *arg)
{
	struct worker *w = (struct worker *)arg;
	uint32_t i;

	for (i = 0; i < 30000; i++)
		if (w->n < HELD && (!w->n || ktap_random(&w->seed) % 2))
			worker_take(w);
		else
			worker_give(w);
	while (w->n)
		worker_give(w);
	return NULL;
}

TEST_TIMEOUT(blocks_do_not_overlap, 120)
{
	static struct worker workers[4];
	unsigned long long seed = ktap_seed();
	struct raw raw;
	uint32_t i;

	start(&raw, 16 * LARGEST);
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].raw = &raw;
		workers[i].seed = seed + i * 2 + 1;
		workers[i].mark = 0x11 * (i + 1);
		ASSERT_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		ASSERT_EQ(pthread_join(workers[i].thread, NULL), 0);
		EXPECT_GT(workers[i].taken, 100);
	}
	EXPECT_EQ(used(&raw), 0);
	fill_up(&raw, LARGEST);
	raw_end(&raw);
}

#define GROUP "/sys/fs/cgroup/aem-vmtable"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The number that follows @word in a file of the group, or that begins it. */
static unsigned long group_number(const char *file, const char *word)
{
	char path[128], text[1024] = "";
	const char *found;
	int fd;

	snprintf(path, sizeof(path), GROUP "/%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	found = strstr(text, word);
	ASSERT(found);
	return strtoul(found + strlen(word), NULL, 10);
}

/*
 * In the group: takes memory until there is no more, says how much, and keeps it until told.
 * Nothing is left then for what the kernel needs to tell another way, such as a page of a pipe: who
 * wants one is killed.
 */
static void exhaust(uint32_t *tell, int go)
{
	uint32_t chunks = 0;
	struct aem_vmt out;
	struct raw raw;
	char c;

	start(&raw, 32 << 20);
	while (!vmt(&raw, AEM_VMT_ALLOC, 0, LARGEST, &out))
		chunks++;
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(used(&raw), (uint64_t)chunks * LARGEST);
	__atomic_store_n(tell, chunks, __ATOMIC_SEQ_CST);
	ASSERT_EQ(read(go, &c, 1), 0);
	_exit(0);
}

/* Memory is charged to the memory cgroup; at its limit there is ENOMEM, and nobody is killed. */
TEST(charged)
{
	uint32_t *tell = mmap(NULL, sizeof(*tell), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int go[2], status, tries;
	uint32_t chunks = 0;
	pid_t child;

	ASSERT(tell != MAP_FAILED);
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	ASSERT_OK(mkdir(GROUP, 0755));
	write_file(GROUP "/memory.max", "16M");
	ASSERT_OK(pipe(go));
	child = fork();
	ASSERT_GE(child, 0);
	if (!child) {
		close(go[1]);
		write_file(GROUP "/cgroup.procs", "0");
		exhaust(tell, go[0]);
	}
	for (tries = 0; tries < 1000 && !chunks; tries++) {
		raw_sleep_ms(10);
		chunks = __atomic_load_n(tell, __ATOMIC_SEQ_CST);
	}
	EXPECT_GT(chunks, 10 * 16);
	EXPECT_LT(chunks, 16 * 16);
	EXPECT_GT(group_number("memory.current", ""), chunks * LARGEST);
	close(go[1]);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(group_number("memory.events", "oom_kill "), 0);
	/* Statistics come late. */
	for (tries = 0; tries < 100 && group_number("memory.current", "") > 2 << 20; tries++)
		raw_sleep_ms(50);
	EXPECT_LT(group_number("memory.current", ""), 2 << 20);
	EXPECT_OK(rmdir(GROUP));
}

KTAP_MAIN()
