// SPDX-License-Identifier: GPL-2.0
/*
 * The binary contract: layouts, and what every ioctl does alike with sizes, addresses, flags
 * and padding.
 *
 * vm: load=core,null m32
 */
#include <linux/aem_fd.h>
#include <linux/aem_ip.h>
#include <linux/aem_pexit.h>
#include <linux/aem_timer.h>
#include "raw.h"

/* The same numbers for 32 and 64 bits: this file is compiled for both. */
#define SIZE(_type, _size)						\
	_Static_assert(sizeof(_type) == (_size), #_type " has another size")
#define AT(_type, _field, _offset)					\
	_Static_assert(offsetof(_type, _field) == (_offset), #_type "." #_field " has moved")

SIZE(struct aem_registration, 32);
AT(struct aem_registration, flags, 16);
AT(struct aem_registration, id, 24);
SIZE(struct aem_control, 64);
AT(struct aem_control, pending, 4);
AT(struct aem_control, interrupt, 8);
AT(struct aem_control, flags, 12);
SIZE(struct aem_record, 64);
AT(struct aem_record, id, 16);
AT(struct aem_record, state, 24);
AT(struct aem_record, nr, 28);
AT(struct aem_record, prio, 30);
AT(struct aem_record, flags, 31);
AT(struct aem_record, count, 32);
AT(struct aem_record, lost, 36);
AT(struct aem_record, arg, 40);
SIZE(struct aem_query, 104);
AT(struct aem_query, vmt_size, 24);
AT(struct aem_query, max_events, 40);
AT(struct aem_query, activations, 56);
AT(struct aem_query, redirects, 88);
AT(struct aem_query, boost, 100);
SIZE(struct aem_setup, 56);
AT(struct aem_setup, vmt_size, 16);
AT(struct aem_setup, trampoline, 24);
SIZE(struct aem_trampoline, 32);
SIZE(struct aem_frame, 120);
AT(struct aem_frame, flags, 104);
SIZE(struct aem_bind, 56);
AT(struct aem_bind, name, 24);
SIZE(struct aem_call, 24);
AT(struct aem_call, arg, 8);
AT(struct aem_call, result, 16);
SIZE(struct aem_enter, 56);
AT(struct aem_enter, calls, 8);
AT(struct aem_enter, level, 28);
AT(struct aem_enter, timeout, 32);
AT(struct aem_enter, pending, 52);
SIZE(struct aem_event, 56);
AT(struct aem_event, id, 8);
AT(struct aem_event, prio, 24);
AT(struct aem_event, pad, 52);
SIZE(struct aem_vmt, 24);
SIZE(struct aem_service_info, 64);
AT(struct aem_service_info, name, 32);

SIZE(struct aem_timer_create, 72);
AT(struct aem_timer_create, reg, 8);
AT(struct aem_timer_create, value, 48);
SIZE(struct aem_manage, 88);
AT(struct aem_manage, name, 56);
SIZE(struct aem_timer_settime, 56);
SIZE(struct aem_timer_gettime, 32);
SIZE(struct aem_pexit_watch, 56);
AT(struct aem_pexit_watch, reg, 8);
SIZE(struct aem_pexit_note, 96);
AT(struct aem_pexit_note, time, 32);
SIZE(struct aem_fd_watch, 80);
AT(struct aem_fd_watch, reg, 8);
AT(struct aem_fd_watch, path, 40);
SIZE(struct aem_fd_add, 32);
SIZE(struct aem_fd_remove, 16);
SIZE(struct aem_fd_note, 104);
AT(struct aem_fd_note, kinds, 16);
AT(struct aem_fd_note, inode, 64);
AT(struct aem_fd_note, start, 88);
AT(struct aem_fd_note, names, 104);

SIZE(struct aem_ip_socket, 48);
SIZE(struct aem_ip_template, 32);
SIZE(struct aem_ip_accept, 80);
AT(struct aem_ip_accept, data, 40);
SIZE(struct aem_ip_connect, 56);
AT(struct aem_ip_connect, address, 40);
SIZE(struct aem_ip_send, 48);
SIZE(struct aem_ip_address, 40);

/* The numbers are part of the contract as well. */
_Static_assert(AEM_IOC_QUERY == 0xae00 && AEM_IOC_SERVICE == 0xae07 &&
	       AEM_IOC_MANAGE == 0xae08, "ioctl numbers");
_Static_assert(EVF_ONESHOT == 0x40000 && EVF_FORK == 0x100000 && EVF_START == 0x2000000,
	       "flags of events");

/* A valid argument of each ioctl on a context with one stopped event. */
union argument {
	uint32_t size;
	uint8_t bytes[4096];
	struct aem_query query;
	struct aem_setup setup;
	struct aem_bind bind;
	struct aem_call call;
	struct aem_enter enter;
	struct aem_event event;
	struct aem_vmt vmt;
	struct aem_service_info service;
	struct aem_manage manage;
};

static struct raw raw;
static uint64_t event_id;
static struct null_totals totals;

static void fill_query(union argument *arg)
{
	arg->query.size = sizeof(arg->query);
}

static void fill_setup(union argument *arg)
{
	arg->setup.size = sizeof(arg->setup);
	arg->setup.flags = AEM_SETUP_SAFEPOINT;
}

static void fill_bind(union argument *arg)
{
	arg->bind.size = sizeof(arg->bind);
	strcpy((char *)arg->bind.name, NULL_SERVICE);
}

static void fill_call(union argument *arg)
{
	memset(&totals, 0, sizeof(totals));
	totals.size = sizeof(totals);
	arg->call.size = sizeof(arg->call);
	arg->call.nr = raw.null + NULL_TOTALS;
	arg->call.arg = (uintptr_t)&totals;
}

static void fill_enter(union argument *arg)
{
	arg->enter.size = sizeof(arg->enter);
}

static void fill_event(union argument *arg)
{
	arg->event.size = sizeof(arg->event);
	arg->event.op = AEM_EVENT_INFO;
	arg->event.id = event_id;
}

static void fill_vmt(union argument *arg)
{
	arg->vmt.size = sizeof(arg->vmt);
	arg->vmt.op = AEM_VMT_ALLOC;
	arg->vmt.length = 64;
}

static void fill_service(union argument *arg)
{
	arg->service.size = sizeof(arg->service);
}

static void fill_manage(union argument *arg)
{
	arg->manage.size = sizeof(arg->manage);
	arg->manage.op = AEM_MANAGE_RETIRE;
	arg->manage.flags = AEM_MANAGE_DRY_RUN;
	arg->manage.version = NULL_VERSION;
	strcpy((char *)arg->manage.name, NULL_SERVICE);
}

static const struct kind {
	const char *name;
	unsigned int number;
	uint32_t size;
	bool before_setup;
	void (*fill)(union argument *arg);
} kinds[] = {
	{ "QUERY", AEM_IOC_QUERY, sizeof(struct aem_query), true, fill_query },
	{ "SETUP", AEM_IOC_SETUP, sizeof(struct aem_setup), true, fill_setup },
	{ "BIND", AEM_IOC_BIND, sizeof(struct aem_bind), false, fill_bind },
	{ "CALL", AEM_IOC_CALL, sizeof(struct aem_call), false, fill_call },
	{ "ENTER", AEM_IOC_ENTER, sizeof(struct aem_enter), false, fill_enter },
	{ "EVENT", AEM_IOC_EVENT, sizeof(struct aem_event), false, fill_event },
	{ "VMT", AEM_IOC_VMT, sizeof(struct aem_vmt), false, fill_vmt },
	{ "SERVICE", AEM_IOC_SERVICE, sizeof(struct aem_service_info), true, fill_service },
	{ "MANAGE", AEM_IOC_MANAGE, sizeof(struct aem_manage), true, fill_manage },
};

#define for_each_kind(_kind) \
	for (_kind = kinds; _kind < kinds + ARRAY_SIZE(kinds); _kind++)

/* The descriptor to try an ioctl on: SETUP wants a fresh one. */
static int target(const struct kind *kind)
{
	return kind->number == AEM_IOC_SETUP ? raw_open() : raw.fd;
}

static void release(int fd)
{
	if (fd != raw.fd)
		EXPECT_OK(close(fd));
}

static void begin(void)
{
	struct null_create create = null_request(raw_nothing, 1, 0, 0);

	raw_start(&raw);
	event_id = null_make(&raw, NULL_CREATE, &create);
}

static void fresh(const struct kind *kind, union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	kind->fill(arg);
}

/* The ioctl with this argument must say @error; told by name if it does not. */
static void try_error(const struct kind *kind, void *arg, int error, const char *what)
{
	int fd = target(kind);

	if (!EXPECT_ERRNO(ioctl(fd, kind->number, arg), error))
		NOTE("%s: %s", kind->name, what);
	release(fd);
}

/* ... and it must still work after all those refusals. */
static void try_valid(const struct kind *kind)
{
	union argument arg;

	fresh(kind, &arg);
	try_error(kind, &arg, 0, "valid");
}

static void end(void)
{
	const struct kind *kind;

	for_each_kind(kind)
		try_valid(kind);
	raw_end(&raw);
}

TEST(layouts_are_the_same_for_32_and_64_bits)
{
	/* The asserts above have been compiled; the kernel must see the same. */
	begin();
	EXPECT_EQ(null_totals(&raw).compat, sizeof(void *) == 4);
	end();
}

TEST(valid_arguments)
{
	begin();
	end();
}

TEST(unknown_ioctl)
{
	union argument arg;
	unsigned int n;

	begin();
	memset(&arg, 0, sizeof(arg));
	for (n = 9; n < 256; n++)
		EXPECT_ERRNO(ioctl(raw.fd, _IO(AEM_IOC_MAGIC, n), &arg), ENOTTY);
	for (n = 0; n < 9; n++) {
		EXPECT_ERRNO(ioctl(raw.fd, _IO('A', n), &arg), ENOTTY);
		EXPECT_ERRNO(ioctl(raw.fd, _IOWR(AEM_IOC_MAGIC, n, struct aem_call), &arg), ENOTTY);
		EXPECT_ERRNO(ioctl(raw.fd, _IOR(AEM_IOC_MAGIC, n, uint32_t), &arg), ENOTTY);
	}
	end();
}

TEST(size_too_small)
{
	static const uint32_t sizes[] = { 0, 1, 3, 4, 7 };
	const struct kind *kind;
	union argument arg;
	size_t i;

	begin();
	for_each_kind(kind) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			fresh(kind, &arg);
			arg.size = sizes[i];
			try_error(kind, &arg, EINVAL, "size too small");
		}
		/* In the first version of the contract every field is there. */
		fresh(kind, &arg);
		arg.size = kind->size - 1;
		try_error(kind, &arg, EINVAL, "a byte too small");
	}
	end();
}

TEST(size_larger_with_zeroes)
{
	const struct kind *kind;
	union argument arg;

	begin();
	for_each_kind(kind) {
		fresh(kind, &arg);
		arg.size = kind->size + 8;
		try_error(kind, &arg, 0, "8 zeroes behind it");
		fresh(kind, &arg);
		arg.size = sizeof(arg);
		try_error(kind, &arg, 0, "zeroes to the end of a page");
	}
	end();
}

/* What lies behind the struct that the kernel knows must stay as it is. */
TEST(size_larger_is_not_written)
{
	const struct kind *kind;
	union argument arg, before;

	begin();
	for_each_kind(kind) {
		fresh(kind, &arg);
		memset(arg.bytes + kind->size, RAW_POISON, 64);
		before = arg;
		try_error(kind, &arg, 0, "something behind it, exact size");
		EXPECT_EQ(memcmp(arg.bytes + kind->size, before.bytes + kind->size, 64), 0);
	}
	end();
}

TEST(size_larger_with_something)
{
	const struct kind *kind;
	union argument arg, before;

	begin();
	for_each_kind(kind) {
		fresh(kind, &arg);
		arg.size = kind->size + 8;
		arg.bytes[kind->size] = 1;
		try_error(kind, &arg, E2BIG, "the first byte behind it");
		fresh(kind, &arg);
		arg.size = kind->size + 8;
		arg.bytes[kind->size + 7] = 0x80;
		before = arg;
		try_error(kind, &arg, E2BIG, "the last byte behind it");
		EXPECT_EQ(memcmp(&arg, &before, sizeof(arg)), 0);
	}
	end();
}

TEST(size_absurd)
{
	static const uint32_t sizes[] = { 1 << 20, 0x7fffffff, 0x80000000, 0xffffffff };
	const struct kind *kind;
	uint8_t *area = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	union argument *arg = (union argument *)area;
	size_t i;

	ASSERT(area != MAP_FAILED);
	memset(area, RAW_POISON, 2 << 20);
	begin();
	for_each_kind(kind) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			fresh(kind, arg);
			arg->bytes[kind->size] = RAW_POISON;
			arg->size = sizes[i];
			try_error(kind, arg, E2BIG, "absurd size");
		}
	}
	end();
}

TEST(bad_address)
{
	const struct kind *kind;
	union argument *arg = raw_guarded(8);
	uint8_t *edge = raw_guarded(0);
	int32_t *size_only = raw_guarded(4);

	begin();
	for_each_kind(kind) {
		try_error(kind, NULL, EFAULT, "NULL");
		try_error(kind, (void *)-4096L, EFAULT, "an address of the kernel");
		try_error(kind, (void *)(-1L), EFAULT, "the last address");
		try_error(kind, edge, EFAULT, "a page that is not readable");
		try_error(kind, edge - 2, EFAULT, "half a size");
		*size_only = kind->size;
		try_error(kind, size_only, EFAULT, "only the size is readable");
		arg->size = kind->size;
		try_error(kind, arg, EFAULT, "eight bytes are readable");
	}
	end();
}

/* A failing call must not have changed the state in a way that cannot be undone. */
TEST(read_only_argument)
{
	const struct kind *kind;
	union argument *arg = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct aem_query before, after;

	ASSERT(arg != MAP_FAILED);
	begin();
	for_each_kind(kind) {
		ASSERT_OK(mprotect(arg, 4096, PROT_READ | PROT_WRITE));
		fresh(kind, arg);
		ASSERT_OK(mprotect(arg, 4096, PROT_READ));
		before = raw_query(&raw);
		try_error(kind, arg, EFAULT, "read-only");
		after = raw_query(&raw);
		EXPECT_EQ(after.events, before.events);
		EXPECT_EQ(after.vmt_used, before.vmt_used);
	}
	end();
}

TEST(unaligned_argument)
{
	const struct kind *kind;
	uint8_t *bytes = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	union argument arg;

	ASSERT(bytes != MAP_FAILED);
	begin();
	for_each_kind(kind) {
		fresh(kind, &arg);
		memcpy(bytes + 3, &arg, kind->size);
		try_error(kind, bytes + 3, 0, "at an odd address");
	}
	end();
}

TEST(argument_at_the_end_of_memory)
{
	const struct kind *kind;
	union argument arg;
	void *edge;

	begin();
	for_each_kind(kind) {
		fresh(kind, &arg);
		edge = raw_guarded(kind->size);
		memcpy(edge, &arg, kind->size);
		try_error(kind, edge, 0, "not a byte more is touched");
	}
	end();
}

/* What must be refused: the value of a 32-bit field. */
static const struct refusal {
	unsigned int kind;
	size_t offset;
	uint32_t value;
	int error;
} refusals[] = {
	{ 1, offsetof(struct aem_setup, flags), 1U << 1 | AEM_SETUP_SAFEPOINT, EINVAL },
	{ 1, offsetof(struct aem_setup, flags), 1U << 31 | AEM_SETUP_SAFEPOINT, EINVAL },
	{ 1, offsetof(struct aem_setup, flags), ~0U, EINVAL },
	{ 2, offsetof(struct aem_bind, min_version), 1, 0 },
	{ 3, offsetof(struct aem_call, nr), ~0U, ENOSYS },
	{ 4, offsetof(struct aem_enter, flags), 1U << 1, EINVAL },
	{ 4, offsetof(struct aem_enter, flags), 1U << 31, EINVAL },
	{ 4, offsetof(struct aem_enter, level), 33, EINVAL },
	{ 4, offsetof(struct aem_enter, level), ~0U, EINVAL },
	{ 4, offsetof(struct aem_enter, level), 32, 0 },
	{ 4, offsetof(struct aem_enter, n_calls), 65537, EINVAL },
	{ 4, offsetof(struct aem_enter, n_calls), ~0U, EINVAL },
	{ 5, offsetof(struct aem_event, op), 0, EINVAL },
	{ 5, offsetof(struct aem_event, op), AEM_EVENT_NEAR + 1, EINVAL },
	{ 5, offsetof(struct aem_event, op), ~0U, EINVAL },
	{ 5, offsetof(struct aem_event, arg), 1, EINVAL },
	{ 5, offsetof(struct aem_event, arg) + 4, 1, EINVAL },
	{ 5, offsetof(struct aem_event, pad), 1, EINVAL },
	{ 6, offsetof(struct aem_vmt, op), 0, EINVAL },
	{ 6, offsetof(struct aem_vmt, op), 3, EINVAL },
	{ 6, offsetof(struct aem_vmt, length), 0, EINVAL },
	{ 6, offsetof(struct aem_vmt, length), 65537, EINVAL },
	{ 6, offsetof(struct aem_vmt, length) + 4, 1, EINVAL },
	{ 7, offsetof(struct aem_service_info, index), ~0U, ENOENT },
};

TEST(unknown_flags_and_padding)
{
	const struct refusal *refusal;
	union argument arg;
	size_t i;

	begin();
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		refusal = &refusals[i];
		fresh(&kinds[refusal->kind], &arg);
		memcpy(arg.bytes + refusal->offset, &refusal->value, 4);
		try_error(&kinds[refusal->kind], &arg, refusal->error, "refusals[]");
	}
	end();
}

TEST(before_setup)
{
	const struct kind *kind;
	union argument arg;
	int fd;

	begin();
	fd = raw_open();
	for_each_kind(kind) {
		fresh(kind, &arg);
		if (kind->number != AEM_IOC_SETUP)
			EXPECT_ERRNO(ioctl(fd, kind->number, &arg), kind->before_setup ? 0 : ENXIO);
	}
	/* Bad arguments do not matter more than that there is no context. */
	fresh(&kinds[1], &arg);
	EXPECT_OK(ioctl(fd, AEM_IOC_SETUP, &arg));
	close(fd);
	end();
}

/* Another address space, the same descriptor. */
TEST(after_fork)
{
	const struct kind *kind;
	union argument arg;
	int status;
	pid_t child;

	begin();
	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		for_each_kind(kind) {
			fresh(kind, &arg);
			if (!kind->before_setup)
				EXPECT_ERRNO(ioctl(raw.fd, kind->number, &arg), EPERM);
		}
		_exit(0);
	}
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	end();
}

TEST(other_file_operations)
{
	struct null_create create = null_request(raw_nothing, 1, 0, 0);
	char byte = 0;

	begin();
	EXPECT_ERRNO(read(raw.fd, &byte, 1), EINVAL);
	EXPECT_ERRNO(write(raw.fd, &byte, 1), EINVAL);
	EXPECT_ERRNO(lseek(raw.fd, 0, SEEK_SET), ESPIPE);
	EXPECT_ERRNO(ftruncate(raw.fd, 0), EINVAL);
	EXPECT_NE(null_make(&raw, NULL_CREATE, &create), event_id);
	end();
}

KTAP_MAIN()
