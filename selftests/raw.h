/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Raw ioctls on /dev/aem, for tests of the kernel's contract without libaem. What a test is not
 * about is asserted here; what it is about it calls itself and sees -1 and errno.
 *
 * Handlers take (struct raw *, struct aem_record *) and are called by raw_dispatch().
 */
#ifndef SELFTESTS_RAW_H
#define SELFTESTS_RAW_H

#include "ktap.h"
#include <fcntl.h>
#include <linux/aem.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "modules/aem-null/aem_null.h"

#define RAW_DEVICE	"/dev/aem"
#define RAW_POISON	0xa5
#define RAW_SECOND	1000000000LL
/* Longer than anything takes, shorter than a test's guard. */
#define RAW_LONG	(30 * RAW_SECOND)

/**
 * struct raw - a context, set up and mapped
 * @fd:      the descriptor
 * @control: the control page
 * @ring:    the records
 * @vmt:     the vmtable zone
 * @setup:   what SETUP answered
 * @null:    base of the service "null"
 * @handled: handlers that raw_dispatch() ran
 * @skipped: records that it found cancelled
 * @data:    the test's own
 */
struct raw {
	int fd;
	struct aem_control *control;
	struct aem_record *ring;
	uint8_t *vmt;
	struct aem_setup setup;
	uint32_t null;
	uint32_t handled;
	uint32_t skipped;
	void *data;
};

typedef void (*raw_handler)(struct raw *raw, struct aem_record *record);

static inline long raw_gettid(void)
{
	return syscall(SYS_gettid);
}

static inline void raw_sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

/* The caller stays on one processor: what it sends, for one, comes in order only then. */
static inline void raw_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % sysconf(_SC_NPROCESSORS_ONLN), &set);
	ASSERT_OK(sched_setaffinity(0, sizeof(set), &set));
}

/* Until a thread of this process sleeps. */
static inline void raw_wait_asleep(int tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		raw_sleep_ms(5);
		file = fopen(path, "r");
		ASSERT(file);
		ASSERT_EQ(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
	} while (state != 'S');
}

static inline int raw_open(void)
{
	int fd = open(RAW_DEVICE, O_RDWR | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	return fd;
}

static inline void *raw_map(int fd, size_t length, unsigned long offset)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

static inline size_t raw_ring_bytes(const struct raw *raw)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t bytes = raw->setup.ring_entries * sizeof(struct aem_record);

	return (bytes + page - 1) & ~(page - 1);
}

static inline void raw_map_all(struct raw *raw)
{
	raw->control = (struct aem_control *)raw_map(raw->fd, sysconf(_SC_PAGESIZE),
						     AEM_MMAP_CONTROL);
	ASSERT(raw->control != MAP_FAILED);
	raw->ring = (struct aem_record *)raw_map(raw->fd, raw_ring_bytes(raw), AEM_MMAP_RING);
	ASSERT(raw->ring != MAP_FAILED);
	raw->vmt = (uint8_t *)raw_map(raw->fd, raw->setup.vmt_size, AEM_MMAP_VMT);
	ASSERT(raw->vmt != MAP_FAILED);
}

static inline long raw_bind(int fd, struct aem_bind *bind, const char *name, uint32_t min,
			    uint32_t max)
{
	memset(bind, RAW_POISON, sizeof(*bind));
	bind->size = sizeof(*bind);
	bind->min_version = min;
	bind->max_version = max;
	memset(bind->name, 0, sizeof(bind->name));
	memcpy(bind->name, name, strnlen(name, sizeof(bind->name)));
	return ioctl(fd, AEM_IOC_BIND, bind);
}

/* The base of a service that must be there. */
static inline uint32_t raw_service(struct raw *raw, const char *name)
{
	struct aem_bind bind;

	ASSERT_OK(raw_bind(raw->fd, &bind, name, 0, 0));
	return bind.base;
}

/* Opens, sets up as @raw->setup says (its size is filled in here), and maps. */
static inline void raw_begin(struct raw *raw)
{
	raw->setup.size = sizeof(raw->setup);
	raw->fd = raw_open();
	ASSERT_OK(ioctl(raw->fd, AEM_IOC_SETUP, &raw->setup));
	raw_map_all(raw);
}

/* A context with safe points only, bound to the service "null". */
static inline void raw_start(struct raw *raw)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw_begin(raw);
	raw->null = raw_service(raw, NULL_SERVICE);
}

/* The same, interrupted by @signo. */
static inline void raw_start_signal(struct raw *raw, int signo)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.signo = signo;
	raw_begin(raw);
	raw->null = raw_service(raw, NULL_SERVICE);
}

static inline void raw_end(struct raw *raw)
{
	size_t page = sysconf(_SC_PAGESIZE);

	EXPECT_OK(munmap(raw->vmt, raw->setup.vmt_size));
	EXPECT_OK(munmap(raw->ring, raw_ring_bytes(raw)));
	EXPECT_OK(munmap(raw->control, page));
	EXPECT_OK(close(raw->fd));
}

/* A pseudo-system call by AEM_IOC_CALL: its result, or -1 and errno. */
static inline long long raw_call(const struct raw *raw, uint32_t nr, void *arg)
{
	struct aem_call call;

	memset(&call, RAW_POISON, sizeof(call));
	call.size = sizeof(call);
	call.nr = nr;
	call.arg = (uintptr_t)arg;
	if (ioctl(raw->fd, AEM_IOC_CALL, &call))
		return -1;
	return call.result;
}

static inline long raw_event_out(const struct raw *raw, uint32_t op, uint64_t id, uint64_t arg,
				 struct aem_event *event)
{
	memset(event, RAW_POISON, sizeof(*event));
	event->size = sizeof(*event);
	event->op = op;
	event->id = id;
	event->arg = arg;
	event->pad = 0;
	return ioctl(raw->fd, AEM_IOC_EVENT, event);
}

static inline long raw_event(const struct raw *raw, uint32_t op, uint64_t id, uint64_t arg)
{
	struct aem_event event;

	return raw_event_out(raw, op, id, arg, &event);
}

static inline uint32_t raw_state_of(const struct raw *raw, uint64_t id)
{
	struct aem_event event;

	ASSERT_OK(raw_event_out(raw, AEM_EVENT_INFO, id, 0, &event));
	return event.state;
}

static inline struct aem_query raw_query(const struct raw *raw)
{
	struct aem_query query;

	memset(&query, RAW_POISON, sizeof(query));
	query.size = sizeof(query);
	ASSERT_OK(ioctl(raw->fd, AEM_IOC_QUERY, &query));
	return query;
}

/* ENTER with out fields poisoned; @enter's in fields are the caller's. */
static inline long raw_enter(const struct raw *raw, struct aem_enter *enter)
{
	enter->size = sizeof(*enter);
	memset(&enter->first, RAW_POISON, sizeof(*enter) - offsetof(struct aem_enter, first));
	return ioctl(raw->fd, AEM_IOC_ENTER, enter);
}

static inline struct aem_record *raw_record(const struct raw *raw, uint32_t index)
{
	return &raw->ring[index & (raw->setup.ring_entries - 1)];
}

/* READY -> RUNNING; false: it was cancelled meanwhile. */
static inline bool raw_claim(struct aem_record *record)
{
	uint32_t ready = AEM_RECORD_READY;

	return __atomic_compare_exchange_n(&record->state, &ready, AEM_RECORD_RUNNING, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void raw_finish(struct aem_record *record, uint32_t state)
{
	__atomic_store_n(&record->state, state, __ATOMIC_SEQ_CST);
}

/* Runs what ENTER delivered. */
static inline uint32_t raw_dispatch(struct raw *raw, const struct aem_enter *enter)
{
	struct aem_record *record;
	uint32_t i;

	for (i = 0; i < enter->count; i++) {
		record = raw_record(raw, enter->first + i);
		if (!raw_claim(record)) {
			raw->skipped++;
			continue;
		}
		((raw_handler)(uintptr_t)record->handler)(raw, record);
		raw->handled++;
		raw_finish(record, AEM_RECORD_DONE);
	}
	return enter->count;
}

/* One round without waiting: how many records there were. */
static inline uint32_t raw_round(struct raw *raw)
{
	struct aem_enter enter = { 0 };

	ASSERT_OK(raw_enter(raw, &enter));
	return raw_dispatch(raw, &enter);
}

/* Rounds until nothing more comes; takes the last records back too. */
static inline uint32_t raw_drain(struct raw *raw)
{
	uint32_t n, sum = 0;

	while ((n = raw_round(raw)))
		sum += n;
	return sum;
}

/* Waits for at least one event, and runs its handler. 0 or errno of ENTER. */
static inline int raw_wait(struct raw *raw, long long timeout)
{
	struct aem_enter enter = { .min_events = 1, .timeout = timeout };

	if (raw_enter(raw, &enter))
		return errno;
	raw_dispatch(raw, &enter);
	return 0;
}

/* A block of the zone: where it lies, or -1 and errno. */
static inline long long raw_take(const struct raw *raw, uint64_t length)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC, .length = length };

	return ioctl(raw->fd, AEM_IOC_VMT, &vmt) ? -1 : (long long)vmt.offset;
}

static inline void raw_give(const struct raw *raw, uint64_t offset)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_FREE, .offset = offset };

	ASSERT_OK(ioctl(raw->fd, AEM_IOC_VMT, &vmt));
}

/* Takes every block of @length that there is: how many. */
static inline uint32_t raw_take_all(const struct raw *raw, uint64_t *offset, uint32_t max,
				    uint64_t length)
{
	long long at;
	uint32_t n;

	for (n = 0; n < max; n++) {
		at = raw_take(raw, length);
		if (at < 0) {
			EXPECT_EQ(errno, ENOSPC);
			break;
		}
		offset[n] = at;
	}
	return n;
}

/* One event waits for memory, and events did so many @times. */
static inline void raw_expect_starving(struct raw *raw, uint64_t times)
{
	struct aem_query query;

	EXPECT_EQ(raw_drain(raw), 0);
	query = raw_query(raw);
	EXPECT_EQ(query.starved, 1);
	EXPECT_EQ(query.starvations, times);
}

/* Priorities that have active events which may interrupt; 64 bits, to be shifted by a level. */
static inline uint64_t raw_interrupts(const struct raw *raw)
{
	return __atomic_load_n(&raw->control->interrupt, __ATOMIC_SEQ_CST);
}

/* A handler for tests that look at the ring themselves. */
static inline void raw_nothing(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	(void)record;
}

/* Requests to the service "null". */

static inline struct null_create null_request(raw_handler handler, uint64_t cookie,
					      uint32_t flags, uint32_t prio)
{
	struct null_create create;

	memset(&create, 0, sizeof(create));
	create.size = sizeof(create);
	create.reg.handler = (uintptr_t)handler;
	create.reg.cookie = cookie;
	create.reg.flags = flags;
	create.reg.prio = prio;
	return create;
}

static inline uint64_t null_make(const struct raw *raw, uint32_t call, struct null_create *create)
{
	create->reg.id = 0;
	ASSERT_OK(raw_call(raw, raw->null + call, create));
	ASSERT_NE(create->reg.id, 0);
	return create->reg.id;
}

/* A started event of kind NULL_CREATE or NULL_MULTI. */
static inline uint64_t null_new(const struct raw *raw, uint32_t call, raw_handler handler,
				uint64_t cookie, uint32_t flags, uint32_t prio)
{
	struct null_create create = null_request(handler, cookie, flags | EVF_START, prio);

	return null_make(raw, call, &create);
}

static inline uint64_t null_new_tick(const struct raw *raw, raw_handler handler, uint64_t cookie,
				     uint32_t flags, uint32_t prio, uint64_t period)
{
	struct null_create create = null_request(handler, cookie, flags | EVF_START, prio);

	create.period = period;
	return null_make(raw, NULL_TICK, &create);
}

static inline uint64_t null_new_watch(const struct raw *raw, raw_handler handler, uint64_t cookie,
				      uint32_t flags, uint32_t prio, int fd)
{
	struct null_create create = null_request(handler, cookie, flags | EVF_START, prio);

	create.fd = fd;
	return null_make(raw, NULL_WATCH, &create);
}

static inline long long null_try_fire(const struct raw *raw, uint64_t id, uint32_t how,
				      uint32_t count)
{
	struct null_fire fire = { .size = sizeof(fire), .how = how, .id = id, .count = count };

	return raw_call(raw, raw->null + NULL_FIRE, &fire);
}

static inline void null_fire(const struct raw *raw, uint64_t id, uint32_t how, uint32_t count)
{
	ASSERT_OK(null_try_fire(raw, id, how, count));
}

static inline void null_plan(const struct raw *raw, uint64_t id, struct null_plan plan)
{
	plan.size = sizeof(plan);
	plan.id = id;
	ASSERT_OK(raw_call(raw, raw->null + NULL_PLAN, &plan));
}

static inline struct null_state null_state(const struct raw *raw, uint64_t id)
{
	struct null_state state;

	memset(&state, RAW_POISON, sizeof(state));
	state.size = sizeof(state);
	state.pad = 0;
	state.id = id;
	ASSERT_OK(raw_call(raw, raw->null + NULL_STATE, &state));
	return state;
}

static inline struct null_totals null_totals(const struct raw *raw)
{
	struct null_totals totals;

	memset(&totals, RAW_POISON, sizeof(totals));
	totals.size = sizeof(totals);
	ASSERT_OK(raw_call(raw, raw->null + NULL_TOTALS, &totals));
	return totals;
}

/* What fdinfo shows of the context. */
static inline void raw_fdinfo(const struct raw *raw, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", raw->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	n = read(fd, text, size - 1);
	ASSERT_GT(n, 0);
	text[n] = '\0';
	close(fd);
}

/* The service's own numbers; false: it is not loaded. */
static inline bool raw_service_info(int fd, const char *name, struct aem_service_info *info)
{
	uint32_t i;

	for (i = 0;; i++) {
		memset(info, RAW_POISON, sizeof(*info));
		info->size = sizeof(*info);
		info->index = i;
		if (ioctl(fd, AEM_IOC_SERVICE, info))
			return false;
		if (!strcmp((const char *)info->name, name))
			return true;
	}
}

/* A module parameter of the core, read or set (root only). */
static inline unsigned long raw_parameter(const char *name)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/module/aem_core/parameters/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return strtoul(text, NULL, 10);
}

static inline void raw_set_parameter(const char *name, unsigned long value)
{
	char path[128], text[32];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/module/aem_core/parameters/%s", name);
	n = snprintf(text, sizeof(text), "%lu", value);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, n), n);
	close(fd);
}

/* Memory that nobody may touch follows the @size bytes that this returns. */
static inline void *raw_guarded(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), room = (size + page - 1) & ~(page - 1);
	uint8_t *area = (uint8_t *)mmap(NULL, room + page, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(area != MAP_FAILED);
	ASSERT_OK(mprotect(area + room, page, PROT_NONE));
	return area + room - size;
}

#endif /* SELFTESTS_RAW_H */
