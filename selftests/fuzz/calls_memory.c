// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts as a whole, the memory that they share, and what is written there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "run.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

static const uint64_t ring_sizes[] = { 0, 64, 64, 64, 64, 64, 256, 256, 4096 };

static const uint64_t zone_sizes[] = {
	0, 0x10000, 0x10000, 0x10000, 0x10000, 0x20000, 0x20000, 0x100000,
};

static const uint64_t doorbells[] = { 0, 0, 1, 10, 11, 12, 17, 23, 29, 34, 40, 64 };

static const uint64_t areas[] = { AEM_MMAP_CONTROL, AEM_MMAP_RING, AEM_MMAP_VMT, 0x1000 };

/* 0: as long as it should be. */
static const uint64_t lengths[] = { 0, 0, 0, 4096, 4096, 16384, 65536, 0x100000 };

static const uint64_t map_flags[] = { MAP_SHARED, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE };

static const uint64_t advices[] = {
	MADV_NORMAL, MADV_DONTNEED, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_DODUMP,
	MADV_WILLNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_HUGEPAGE, MADV_MERGEABLE,
	MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_WIPEONFORK, MADV_KEEPONFORK,
};

static const uint64_t states[] = {
	AEM_RECORD_DONE, AEM_RECORD_DONE, AEM_RECORD_DONE, AEM_RECORD_DONE, AEM_RECORD_KEEP,
	AEM_RECORD_KEEP, AEM_RECORD_RUNNING, AEM_RECORD_READY, AEM_RECORD_CANCELLED,
	AEM_RECORD_FREE, 0xffffffff,
};

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static void bind_services(struct run *run, int fd, uint32_t mask)
{
	struct aem_bind bind;
	unsigned int i;

	for (i = 0; i < FUZZ_SERVICES; i++) {
		if (!(mask & 1 << i))
			continue;
		memset(&bind, 0, sizeof(bind));
		bind.size = sizeof(bind);
		strncpy((char *)bind.name, describe_service(i), sizeof(bind.name) - 1);
		/* There may be two versions, with ranges of their own. */
		if (!ioctl(fd, AEM_IOC_BIND, &bind))
			__atomic_store_n(&run->base[i], bind.base, __ATOMIC_RELAXED);
	}
}

/* A context with all that belongs to it: what most programs begin with. */
static long system_begin(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct aem_setup setup = {
		.size = sizeof(setup), .ring_entries = arg[1], .vmt_size = arg[2],
		.signo = arg[0], .flags = arg[0] ? 0 : AEM_SETUP_SAFEPOINT,
	};
	int fd = open("/dev/aem", O_RDWR | (arg[5] ? O_CLOEXEC : 0));
	struct context *context;
	unsigned int i;

	if (fd < 0)
		return -errno;
	made[0] = fd;
	context = context_new(run, fd);
	if (arg[0] && arg[6] & 1)
		trampoline_of(context, &setup);
	if (arg[6] & 2)
		setup.flags |= AEM_SETUP_HINT;
	if (ioctl(fd, AEM_IOC_SETUP, &setup))
		return -errno;
	context->bytes[0] = 4096;
	context->bytes[1] = setup.ring_entries * sizeof(struct aem_record);
	context->bytes[2] = setup.vmt_size;
	for (i = 0; i < 3; i++)
		if (!(arg[3] & 1 << i))
			context->bytes[i] = 0;
		else if (context_map(context, i))
			return -errno;
	bind_services(run, fd, arg[4]);
	return 0;
}

static size_t length_of(int fd, uint64_t offset)
{
	struct aem_query query = { .size = sizeof(query) };

	ioctl(fd, AEM_IOC_QUERY, &query);
	switch (offset) {
	case AEM_MMAP_CONTROL:
		return 4096;
	case AEM_MMAP_RING:
		return query.ring_entries * sizeof(struct aem_record);
	default:
		return query.vmt_size;
	}
}

/* A mapping of its own; the first of an area is the one that is used from then on. */
static long system_mmap(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct context *context = context_of(run, arg[0]);
	size_t length = arg[2] ? arg[2] : length_of(arg[0], arg[1]);
	unsigned int which = arg[6] % 3;
	void *where = NULL, *area;
	int flags = arg[4];

	(void)made;
	if (arg[5] && context && context->bytes[which]) {
		where = context->area[which];
		flags |= MAP_FIXED;
	}
	area = mmap(where, length, arg[3], flags, arg[0], arg[1]);
	if (area == MAP_FAILED)
		return -errno;
	for (which = 0; context && which < 3; which++)
		if (areas[which] == arg[1] && !context->bytes[which]) {
			context->area[which] = area;
			context->bytes[which] = length;
		}
	return 0;
}

/** struct range - a piece of an area */
struct range {
	uint8_t *start;
	size_t bytes;
};

/* arg: context, area, first page, pages (0: all). */
static int range_of(struct run *run, const uint64_t *arg, struct range *range)
{
	struct context *context = context_of(run, arg[0]);
	size_t all, skip;

	if (!context || !context->bytes[arg[1] % 3])
		return -EBADF;
	all = (context->bytes[arg[1] % 3] + 4095) & ~4095ULL;
	skip = arg[2] * 4096 % all;
	range->start = context->area[arg[1] % 3] + skip;
	range->bytes = all - skip;
	if (arg[3] && arg[3] * 4096 < range->bytes)
		range->bytes = arg[3] * 4096;
	return 0;
}

static long system_munmap(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct range range;
	int ret = range_of(run, arg, &range);

	(void)made;
	return ret ? ret : result(munmap(range.start, range.bytes));
}

static long system_mremap(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct range range;
	int ret = range_of(run, arg, &range);
	void *area;

	(void)made;
	if (ret)
		return ret;
	area = mremap(range.start, arg[6] ? 0 : range.bytes, arg[4] ? arg[4] : range.bytes,
		      MREMAP_MAYMOVE | (arg[5] ? MREMAP_FIXED : 0),
		      (void *)0x700000000000);
	return area == MAP_FAILED ? -errno : 0;
}

static long system_mprotect(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct range range;
	int ret = range_of(run, arg, &range);

	(void)made;
	return ret ? ret : result(mprotect(range.start, range.bytes, arg[4]));
}

static long system_madvise(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct range range;
	int ret = range_of(run, arg, &range);

	(void)made;
	return ret ? ret : result(madvise(range.start, range.bytes, arg[4]));
}

static long system_mlock(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct range range;
	int ret = range_of(run, arg, &range);

	(void)made;
	return ret ? ret : result(arg[4] ? mlock(range.start, range.bytes) :
					   munlock(range.start, range.bytes));
}

/* Writes a number, of one, four or eight bytes. */
static long system_poke(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct context *context = context_of(run, arg[0]);
	unsigned int which = arg[1] % 3;
	uint8_t *place;

	(void)made;
	if (!context || context->bytes[which] < 16)
		return -EBADF;
	place = context->area[which] + arg[2] % (context->bytes[which] - 8);
	memcpy(place, &arg[3], arg[4] == 1 ? 1 : arg[4] == 8 ? 8 : 4);
	return 0;
}

static long system_level(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct context *context = context_of(run, arg[0]);

	(void)made;
	if (!context || !context->bytes[0])
		return -EBADF;
	__atomic_store_n((uint32_t *)context->area[0], (uint32_t)arg[1], __ATOMIC_SEQ_CST);
	return 0;
}

static long system_dispatch(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct context *context = context_of(run, arg[0]);

	if (!context || !context->bytes[1])
		return -EBADF;
	made[0] = context_dispatch(run, context, arg[1], arg[2] ? arg[2] : ~0U);
	return 0;
}

/* Enter and dispatch, as a program's loop does. */
static long system_loop(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct aem_enter enter = {
		.size = sizeof(enter), .min_events = arg[2], .timeout = 2000000,
	};
	struct context *context = context_of(run, arg[0]);
	unsigned int i;
	int fd;

	if (!context || !context->bytes[1])
		return -EBADF;
	for (i = 0; i < arg[1]; i++) {
		if (ioctl(arg[0], AEM_IOC_ENTER, &enter) && errno != ETIME)
			return -errno;
		fd = context_dispatch(run, context, AEM_RECORD_DONE, ~0U);
		if (fd >= 0)
			made[0] = fd;
	}
	return 0;
}

static long system_futex(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct timespec time = { 0, 1000000 };
	struct range range;
	int ret = range_of(run, arg, &range);

	(void)made;
	if (ret)
		return ret;
	return result(syscall(SYS_futex, range.start, arg[4], 0, &time, NULL, 0));
}

/* Shared memory as the source, or the target, of a system call's data. */
static long system_transfer(struct run *run, const uint64_t *arg, uint64_t *made)
{
	struct range range;
	struct iovec iov;
	int ret = range_of(run, arg, &range);

	(void)made;
	if (ret)
		return ret;
	iov.iov_base = range.start;
	iov.iov_len = range.bytes > 8192 ? 8192 : range.bytes;
	switch (arg[5]) {
	case 0:
		return result(write(arg[4], iov.iov_base, iov.iov_len));
	case 1:
		return result(read(arg[4], iov.iov_base, iov.iov_len));
	case 2:
		return result(vmsplice(arg[4], &iov, 1, SPLICE_F_NONBLOCK));
	default:
		return result(process_vm_readv(getpid(), &(struct iovec){
			self->arena->good, iov.iov_len }, 1, &iov, 1, 0));
	}
}

#define ALL_SERVICES	((1 << FUZZ_SERVICES) - 1)
#define CONTEXT	ARGUMENT(0, "context", WANT, RES_CONTEXT, 0)
#define RANGE	CONTEXT, ARGUMENT(1, "area", BOUNDED, 0, 2),				\
	      ARGUMENT(2, "page", NUMBER, 0, 3), ARGUMENT(3, "pages", NUMBER, 0, 2)

static const struct field begin_fields[] = {
	ARGUMENT_CHOICE(0, "signo", doorbells),
	ARGUMENT_CHOICE(1, "ring", ring_sizes),
	ARGUMENT_CHOICE(2, "zone", zone_sizes),
	ARGUMENT(3, "maps", FLAGS, 7, 7),
	ARGUMENT(4, "services", FLAGS, ALL_SERVICES, ALL_SERVICES),
	ARGUMENT(5, "cloexec", NUMBER, 0, 1),
	ARGUMENT(6, "redirect", FLAGS, 0, 3),
};

static const struct field mmap_fields[] = {
	CONTEXT,
	ARGUMENT_CHOICE(1, "offset", areas),
	ARGUMENT_CHOICE(2, "length", lengths),
	ARGUMENT(3, "prot", FLAGS, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE),
	ARGUMENT_CHOICE(4, "flags", map_flags),
	ARGUMENT(5, "fixed", BOUNDED, 0, 1),
	ARGUMENT(6, "area", BOUNDED, 0, 2),
};

static const struct field range_fields[] = { RANGE };

static const struct field mremap_fields[] = {
	RANGE,
	ARGUMENT_CHOICE(4, "length", lengths),
	ARGUMENT(5, "fixed", NUMBER, 0, 1),
	ARGUMENT(6, "copy", NUMBER, 0, 1),
};

static const struct field mprotect_fields[] = {
	RANGE,
	ARGUMENT(4, "prot", FLAGS, 0, PROT_READ | PROT_WRITE),
};

static const struct field madvise_fields[] = {
	RANGE,
	ARGUMENT_CHOICE(4, "advice", advices),
};

static const struct field mlock_fields[] = { RANGE, ARGUMENT(4, "lock", NUMBER, 0, 1) };

static const struct field poke_fields[] = {
	CONTEXT,
	ARGUMENT(1, "area", BOUNDED, 0, 2),
	ARGUMENT(2, "offset", NUMBER, 0, 256),
	ARGUMENT(3, "value", NUMBER, 0, 8),
	ARGUMENT(4, "bytes", NUMBER, 1, 8),
};

static const struct field level_fields[] = {
	CONTEXT,
	ARGUMENT(1, "level", NUMBER, 0, 32),
};

static const struct field dispatch_fields[] = {
	CONTEXT,
	ARGUMENT_CHOICE(1, "state", states),
	ARGUMENT(2, "max", NUMBER, 0, 3),
};

static const struct field loop_fields[] = {
	CONTEXT,
	ARGUMENT(1, "rounds", BOUNDED, 1, 6),
	ARGUMENT(2, "min", BOUNDED, 0, 1),
};

static const struct field futex_fields[] = {
	RANGE,
	ARGUMENT(4, "op", BOUNDED, FUTEX_WAIT, FUTEX_WAKE),
};

static const struct field transfer_fields[] = {
	RANGE,
	ARGUMENT(4, "fd", WANT, RES_PIPE | RES_STREAM | RES_UNIX | RES_FILE, 0),
	ARGUMENT(5, "how", BOUNDED, 0, 3),
};

static const struct call calls[] = {
	SYSTEM(begin, begin_fields, .makes = { RES_CONTEXT }, .weight = 3, .rare = 1),
	SYSTEM(mmap, mmap_fields, .weight = 3, .rare = 1),
	SYSTEM(munmap, range_fields, .rare = 1),
	SYSTEM(mremap, mremap_fields, .rare = 1),
	SYSTEM(mprotect, mprotect_fields, .rare = 1),
	SYSTEM(madvise, madvise_fields, .rare = 1),
	SYSTEM(mlock, mlock_fields, .weight = 1),
	SYSTEM(poke, poke_fields, .weight = 6),
	SYSTEM(level, level_fields, .weight = 6),
	SYSTEM(dispatch, dispatch_fields, .makes = { RES_STREAM }, .poor = 1, .weight = 24),
	SYSTEM(loop, loop_fields, .makes = { RES_STREAM }, .poor = 1, .weight = 16),
	SYSTEM(futex, futex_fields, .weight = 1, .may_fail = 1),
	SYSTEM(transfer, transfer_fields, .weight = 2),
};

const struct call_table memory_table = { calls, ARRAY_SIZE(calls) };
