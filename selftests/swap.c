// SPDX-License-Identifier: GPL-2.0
/*
 * A service is exchanged under its users, with the service "null" in two versions.
 *
 * vm: load=core,null,null-twin:version=2 mem=768 timeout=400
 */
#include "swap.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define OLD	"aem_null"
#define NEW	"aem_null_twin"
#define ROUNDS_MS	1500

static struct aem_manage there(const struct raw *raw)
{
	return swap_to(raw->fd, NULL_SERVICE, 1, 2);
}

static struct aem_manage back(const struct raw *raw)
{
	return swap_to(raw->fd, NULL_SERVICE, 2, 1);
}

/* Both are offered again, as they were loaded. */
static void reload(void)
{
	ASSERT_EQ(swap_unload(OLD), 0);
	swap_load("aem-null", "");
	ASSERT_EQ(swap_unload(NEW), 0);
	swap_load("aem-null-twin", "version=2");
}

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000ULL + time.tv_nsec / 1000000;
}

static uint64_t told;

static void count(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	told += record->count;
}

TEST(contexts_and_events_move)
{
	struct aem_manage done;
	struct aem_bind bind;
	uint64_t id[20];
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 20; i++) {
		id[i] = null_new(&raw, i & 1 ? NULL_CREATE : NULL_MULTI, count, 1, 0, i);
		null_fire(&raw, id[i], NULL_BY_CALL, i);
	}
	done = there(&raw);
	EXPECT_EQ(done.contexts, 1);
	EXPECT_EQ(done.events, 20);
	EXPECT_EQ(done.moved, 20);
	EXPECT_EQ(done.refused, 0);
	EXPECT_EQ(done.reason, 0);
	EXPECT_GT(done.pause, 0);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 2), 20);
	EXPECT_EQ(swap_users(raw.fd, NULL_SERVICE, 2), 1);
	EXPECT_EQ(swap_users(raw.fd, NULL_SERVICE, 1), 0);
	/* What was active is told, by numbers that stayed. */
	raw_drain(&raw);
	EXPECT_EQ(told, 190);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(null_state(&raw, id[i]).fired, i);
	/* Binding again gives the same range for the new version, and the old is retired. */
	ASSERT_OK(raw_bind(raw.fd, &bind, NULL_SERVICE, 2, 2));
	EXPECT_EQ(bind.base, raw.null);
	EXPECT_ERRNO(raw_bind(raw.fd, &bind, NULL_SERVICE, 1, 1), ENOPROTOOPT);
	/* Nobody holds it. */
	EXPECT_EQ(swap_unload(OLD), 0);
	EXPECT_EQ(swap_unload(NEW), EAGAIN);
	null_fire(&raw, id[7], NULL_BY_IRQ, 3);
	raw_drain(&raw);
	EXPECT_EQ(told, 193);
	/* And back to a module that was not there when they were registered. */
	swap_load("aem-null", "");
	EXPECT_EQ(back(&raw).moved, 20);
	EXPECT_EQ(swap_unload(NEW), 0);
	EXPECT_EQ(null_state(&raw, id[7]).fired, 10);
	for (i = 0; i < 20; i++)
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[i], 0));
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 0);
	raw_end(&raw);
	swap_load("aem-null-twin", "version=2");
	reload();
}

TEST(a_dry_run_changes_nothing)
{
	struct aem_manage arg;
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 10; i++)
		null_new(&raw, NULL_CREATE, count, 1, 0, 1);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 2);
	arg.flags = AEM_MANAGE_DRY_RUN;
	EXPECT_OK(swap_manage(raw.fd, &arg));
	EXPECT_EQ(arg.moved, 10);
	EXPECT_EQ(arg.contexts, 1);
	EXPECT_EQ(arg.pause, 0);
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 1, 0);
	arg.flags = AEM_MANAGE_DRY_RUN;
	EXPECT_OK(swap_manage(raw.fd, &arg));
	EXPECT_EQ(arg.moved, 10);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 10);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 2), 0);
	EXPECT_EQ(raw_drain(&raw), 0);
	raw_end(&raw);
}

TEST(wrong_requests)
{
	struct aem_manage arg;
	int fd = raw_open();

	arg = swap_request(AEM_MANAGE_SWAP, "no-such", 1, 2);
	EXPECT_ERRNO(swap_manage(fd, &arg), ENOENT);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 9, 2);
	EXPECT_ERRNO(swap_manage(fd, &arg), ENOPROTOOPT);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 9);
	EXPECT_ERRNO(swap_manage(fd, &arg), ENOPROTOOPT);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 1);
	EXPECT_ERRNO(swap_manage(fd, &arg), EALREADY);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 0);
	EXPECT_ERRNO(swap_manage(fd, &arg), EINVAL);
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 1, 2);
	EXPECT_ERRNO(swap_manage(fd, &arg), EINVAL);
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 1, 0);
	arg.timeout = 10001;
	EXPECT_ERRNO(swap_manage(fd, &arg), EINVAL);
	arg = swap_request(99, NULL_SERVICE, 1, 0);
	EXPECT_ERRNO(swap_manage(fd, &arg), EINVAL);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 2);
	memset(arg.name, 'a', sizeof(arg.name));
	EXPECT_ERRNO(swap_manage(fd, &arg), EINVAL);
	arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 2);
	ASSERT_OK(setresuid(1000, 1000, 1000));
	EXPECT_ERRNO(swap_manage(fd, &arg), EPERM);
	close(fd);
}

static void versions_that_do_not_fit(const char *parameters, int error)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 2);
	int fd = raw_open();

	ASSERT_EQ(swap_unload(NEW), 0);
	swap_load("aem-null-twin", parameters);
	EXPECT_ERRNO(swap_manage(fd, &arg), error);
	close(fd);
	reload();
}

TEST(a_version_without_a_layout)
{
	versions_that_do_not_fit("version=2 layout=0", EOPNOTSUPP);
}

/* Every third event is refused: it stays, works, and goes with the next swap. */
static void refused(const char *parameter, const char *module, int reason)
{
	struct aem_manage done;
	struct aem_bind bind;
	uint64_t id[30];
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 30; i++)
		id[i] = null_new(&raw, NULL_CREATE, count, 1, 0, 1);
	swap_parameter(module, parameter, 3);
	done = there(&raw);
	EXPECT_EQ(done.moved, 20);
	EXPECT_EQ(done.refused, 10);
	EXPECT_EQ(done.reason, reason);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 10);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 2), 20);
	EXPECT_EQ(swap_unload(OLD), EAGAIN);
	EXPECT_EQ(swap_unload(NEW), EAGAIN);
	EXPECT_ERRNO(raw_bind(raw.fd, &bind, NULL_SERVICE, 1, 1), ENOPROTOOPT);
	/* Calls find their way to either. */
	for (i = 0; i < 30; i++)
		null_fire(&raw, id[i], NULL_BY_CPU, 2);
	raw_drain(&raw);
	EXPECT_EQ(told, 60);
	for (i = 0; i < 30; i++)
		EXPECT_EQ(null_state(&raw, id[i]).destructed, 1);
	EXPECT_ERRNO(null_try_fire(&raw, id[0] + (1ULL << 40), NULL_BY_CALL, 1), ENOENT);
	/* Some of them end meanwhile. */
	for (i = 0; i < 15; i++)
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[i], 0));
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 5);
	swap_parameter(module, parameter, 0);
	done = there(&raw);
	EXPECT_EQ(done.moved, 5);
	EXPECT_EQ(done.refused, 0);
	EXPECT_EQ(swap_unload(OLD), 0);
	swap_load("aem-null", "");
	raw_end(&raw);
	reload();
}

TEST(refused_by_the_new_version)
{
	refused("refuse_adopt", NEW, ENOTUNIQ);
}

TEST(refused_by_the_old_version)
{
	refused("refuse_yield", OLD, EBUSY);
}

/* Whichever event is refused, and however many: those stay, and all are told. */
TEST(every_nth_is_refused)
{
	struct aem_manage done;
	uint64_t id[12];
	struct raw raw;
	unsigned int n;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 12; i++)
		id[i] = null_new(&raw, NULL_CREATE, count, 1, 0, 1);
	for (n = 1; n <= 12; n++) {
		/* It counts from where it was; of any n in a row one is refused. */
		swap_parameter(NEW, "refuse_adopt", n);
		done = there(&raw);
		EXPECT_EQ(done.moved + done.refused, 12);
		EXPECT_GE(done.refused, 12 / n);
		EXPECT_LE(done.refused, (12 + n - 1) / n);
		EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), done.refused);
		for (i = 0; i < 12; i++)
			null_fire(&raw, id[i], i % 3, 1);
		raw_drain(&raw);
		EXPECT_EQ(told, 12 * n);
		EXPECT_EQ(back(&raw).moved, done.moved);
		EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 12);
	}
	EXPECT_EQ(swap_unload(NEW), 0);
	swap_load("aem-null-twin", "version=2");
	raw_end(&raw);
	reload();
}

/* The old version may be the home again of those that never left it. */
TEST(back_after_some_were_refused)
{
	struct aem_manage done;
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 30; i++)
		null_new(&raw, NULL_CREATE, count, 1, 0, 1);
	swap_parameter(NEW, "refuse_adopt", 2);
	EXPECT_EQ(there(&raw).refused, 15);
	swap_parameter(NEW, "refuse_adopt", 0);
	done = back(&raw);
	EXPECT_EQ(done.moved, 15);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 30);
	EXPECT_EQ(swap_unload(NEW), 0);
	EXPECT_EQ(swap_unload(OLD), EAGAIN);
	raw_end(&raw);
	swap_load("aem-null-twin", "version=2");
	reload();
}

static struct raw *shared;

static void run_later(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	(void)record;
}

/* Its handler runs; it is unregistered in there; its block comes back to the new version. */
TEST(handlers_that_run)
{
	struct aem_enter enter = { 0 };
	uint64_t id[2];
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 2; i++) {
		id[i] = null_new(&raw, NULL_CREATE, run_later, 1, 0, 1);
		null_plan(&raw, id[i], (struct null_plan){ .block = 64, .times = 1 });
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	}
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 2);
	for (i = 0; i < 2; i++)
		ASSERT(raw_claim(raw_record(&raw, enter.first + i)));
	ASSERT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[0], 0));
	EXPECT_EQ(there(&raw).moved, 2);
	EXPECT_EQ(swap_unload(OLD), 0);
	null_fire(&raw, id[1], NULL_BY_CALL, 1);
	for (i = 0; i < 2; i++)
		raw_finish(raw_record(&raw, enter.first + i), AEM_RECORD_DONE);
	EXPECT_EQ(raw_drain(&raw), 1);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 2), 1);
	EXPECT_EQ(null_state(&raw, id[1]).destructed, 2);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
	swap_load("aem-null", "");
	reload();
}

static void run_for(unsigned int ms)
{
	raw_sleep_ms(ms);
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
}

static void *look_for_ever(void *rounds)
{
	struct aem_manage arg;
	int fd = raw_open();

	for (; !swap_stopped(); ++*(unsigned long *)rounds) {
		arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 2);
		arg.flags = AEM_MANAGE_DRY_RUN;
		ASSERT_OK(swap_manage(fd, &arg));
		EXPECT_LE(arg.moved, 100);
	}
	close(fd);
	return NULL;
}

/* A dry run holds nobody up, so what it looks at may be about to be freed. */
TEST(a_dry_run_among_events_that_go)
{
	unsigned long rounds = 0;
	pthread_t looker;
	uint64_t id[100], end;
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	ASSERT_EQ(pthread_create(&looker, NULL, look_for_ever, &rounds), 0);
	for (end = now_ms() + ROUNDS_MS / 2; now_ms() < end;) {
		for (i = 0; i < 100; i++)
			id[i] = null_new(&raw, NULL_CREATE, count, 1, 0, 1);
		for (i = 0; i < 100; i++)
			EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, id[i], 0));
	}
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(looker, NULL);
	EXPECT_GT(rounds, 0);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1), 0);
	raw_end(&raw);
}

static uint64_t fired;

static void *fire_for_ever(void *ids)
{
	uint64_t *id = (uint64_t *)ids, n = 0;

	for (; !swap_stopped(); n += 3)
		null_fire(shared, id[n % 7], n % 3, 3);
	__atomic_fetch_add(&fired, n, __ATOMIC_SEQ_CST);
	return NULL;
}

static void ticked(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	*(uint64_t *)(uintptr_t)record->cookie = record->arg[0];
}

static uint64_t written, readings;

static void readable(struct raw *raw, struct aem_record *record)
{
	uint64_t value;

	(void)raw;
	ASSERT_EQ(read((int)record->cookie, &value, sizeof(value)), sizeof(value));
	readings += value;
}

/* Calls, interrupts, timers and wait queues go on; whatever happened is told, all of it. */
TEST_TIMEOUT(nothing_is_lost, 200)
{
	struct aem_manage done = { 0 };
	struct swaps swaps = { .service = NULL_SERVICE, .may_refuse = true };
	uint64_t id[7], tick, ticks = 0, one = 1, end;
	pthread_t swapper, shooter;
	struct raw raw;
	int i, fd;

	swap_begin(&raw, 1);
	shared = &raw;
	fd = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < 7; i++)
		id[i] = null_new(&raw, NULL_CREATE, count, 1, 0, i);
	tick = null_new_tick(&raw, ticked, (uintptr_t)&ticks, 0, 9, 300000);
	null_new_watch(&raw, readable, fd, 0, 10, fd);
	ASSERT_EQ(pthread_create(&swapper, NULL, swap_until_stopped, &swaps), 0);
	ASSERT_EQ(pthread_create(&shooter, NULL, fire_for_ever, id), 0);
	for (end = now_ms() + ROUNDS_MS; now_ms() < end;) {
		ASSERT_EQ(write(fd, &one, sizeof(one)), sizeof(one));
		written++;
		raw_wait(&raw, RAW_SECOND);
	}
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(shooter, NULL);
	pthread_join(swapper, NULL);
	/* The timer still ticks, by itself. */
	end = ticks;
	for (i = 0; i < 100 && ticks < end + 3; i++)
		raw_wait(&raw, RAW_LONG);
	EXPECT_GE(ticks, end + 3);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, tick, 0));
	raw_drain(&raw);
	NOTE("%lu swaps, %llu fired, %llu ticks, %llu written", swaps.count,
	     (unsigned long long)fired, (unsigned long long)ticks, (unsigned long long)written);
	EXPECT_GT(swaps.count, 1);
	EXPECT_EQ(told, fired);
	EXPECT_EQ(readings, written);
	done = there(&raw);
	EXPECT_EQ(done.refused, 0);
	raw_end(&raw);
	close(fd);
	reload();
}

static void *wait_for_one(void *raw)
{
	return (void *)(intptr_t)raw_wait((struct raw *)raw, RAW_LONG);
}

/* A thread waits in AEM_IOC_ENTER, and finds what comes after the swap. */
TEST(a_thread_that_waits)
{
	pthread_t waiter;
	struct raw raw;
	void *result;
	uint64_t id;

	swap_begin(&raw, 1);
	id = null_new(&raw, NULL_CREATE, count, 1, 0, 1);
	ASSERT_EQ(pthread_create(&waiter, NULL, wait_for_one, &raw), 0);
	raw_sleep_ms(50);
	there(&raw);
	null_fire(&raw, id, NULL_BY_IRQ, 1);
	pthread_join(waiter, &result);
	EXPECT_EQ((intptr_t)result, 0);
	EXPECT_EQ(told, 1);
	raw_end(&raw);
	reload();
}

static void swap_as_it_goes(int fd, uint32_t from, uint32_t to)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, from, to);

	if (swap_manage(fd, &arg))
		EXPECT(errno == ENOENT || errno == ENOPROTOOPT);
	else
		EXPECT_EQ(arg.refused, 0);
}

static void *swap_forth(void *unused)
{
	int fd = raw_open();

	while (!swap_stopped())
		swap_as_it_goes(fd, 1, 2);
	close(fd);
	return unused;
}

static void *swap_back(void *unused)
{
	int fd = raw_open();

	while (!swap_stopped())
		swap_as_it_goes(fd, 2, 1);
	close(fd);
	return unused;
}

static void *remove_and_add(void *count)
{
	while (!swap_stopped()) {
		if (swap_unload(NEW))
			continue;
		swap_load("aem-null-twin", "version=2");
		(*(unsigned long *)count)++;
	}
	return NULL;
}

/* Two swap at once, and one of the modules comes and goes when nobody holds it. */
TEST_TIMEOUT(swaps_at_once_and_modules_that_go, 200)
{
	unsigned long reloads = 0;
	pthread_t forth, back_again, remover;
	uint64_t id[10];
	struct raw raw;
	int i;

	swap_begin(&raw, 1);
	for (i = 0; i < 10; i++)
		id[i] = null_new(&raw, NULL_CREATE, count, 1, 0, 1);
	ASSERT_EQ(pthread_create(&forth, NULL, swap_forth, NULL), 0);
	ASSERT_EQ(pthread_create(&back_again, NULL, swap_back, NULL), 0);
	ASSERT_EQ(pthread_create(&remover, NULL, remove_and_add, &reloads), 0);
	run_for(ROUNDS_MS);
	pthread_join(forth, NULL);
	pthread_join(back_again, NULL);
	pthread_join(remover, NULL);
	NOTE("%lu times removed and added", reloads);
	EXPECT_EQ(swap_events(raw.fd, NULL_SERVICE, 1) + swap_events(raw.fd, NULL_SERVICE, 2), 10);
	EXPECT_EQ(swap_users(raw.fd, NULL_SERVICE, 1) + swap_users(raw.fd, NULL_SERVICE, 2), 1);
	for (i = 0; i < 10; i++)
		null_fire(&raw, id[i], NULL_BY_CALL, 1);
	raw_drain(&raw);
	EXPECT_EQ(told, 10);
	raw_end(&raw);
	reload();
}

/* Processes come, register and go in any way, in the middle of it. */
TEST_TIMEOUT(processes_that_come_and_go, 200)
{
	struct swaps swaps = { .service = NULL_SERVICE, .may_refuse = true };
	unsigned long children = 0;
	pthread_t swapper;
	int fd = raw_open();
	uint64_t end;

	ASSERT_EQ(pthread_create(&swapper, NULL, swap_until_stopped, &swaps), 0);
	for (end = now_ms() + ROUNDS_MS; now_ms() < end; children++) {
		pid_t child = fork();

		ASSERT_GE(child, 0);
		if (!child) {
			struct raw raw;
			int i;

			raw_start(&raw);
			for (i = 0; i < 20; i++)
				null_fire(&raw, null_new(&raw, NULL_CREATE, count, 1, 0, 1),
					  NULL_BY_IRQ, 1);
			if (children % 3 == 1)
				kill(getpid(), SIGKILL);
			if (children % 3 == 2)
				raw_drain(&raw);
			_exit(0);
		}
		if (children & 1)
			ASSERT_EQ(waitpid(child, NULL, 0), child);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	__atomic_store_n(&swap_stop, true, __ATOMIC_SEQ_CST);
	pthread_join(swapper, NULL);
	NOTE("%lu swaps, %lu processes", swaps.count, children);
	EXPECT_EQ(swap_events(fd, NULL_SERVICE, 1) + swap_events(fd, NULL_SERVICE, 2), 0);
	EXPECT_EQ(swap_users(fd, NULL_SERVICE, 1) + swap_users(fd, NULL_SERVICE, 2), 0);
	close(fd);
	reload();
}

static void *call_with(void *arg)
{
	return (void *)(intptr_t)(raw_call(shared, shared->null + NULL_TOTALS, arg) ? errno : 0);
}

/* A program holds its own call up, by its argument; others go on, and the swap says why not. */
TEST(a_call_that_is_held_up)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_SWAP, NULL_SERVICE, 1, 2);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct null_totals *totals, source = { .size = sizeof(source) };
	size_t page = sysconf(_SC_PAGESIZE);
	struct uffdio_copy copy = { 0 };
	static uint8_t buffer[65536] __attribute__((aligned(65536)));
	pthread_t caller;
	struct raw raw, other;
	void *result;
	int uffd;

	swap_begin(&raw, 1);
	swap_begin(&other, 1);
	shared = &raw;
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0 && errno == ENOSYS)
		SKIP("optional: no userfaultfd");
	ASSERT_GE(uffd, 0);
	ASSERT_OK(ioctl(uffd, UFFDIO_API, &api));
	totals = (struct null_totals *)mmap(NULL, page, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)totals;
	range.range.len = page;
	ASSERT_OK(ioctl(uffd, UFFDIO_REGISTER, &range));
	ASSERT_EQ(pthread_create(&caller, NULL, call_with, totals), 0);
	/* Time to get there, on a busy machine as well. */
	raw_sleep_ms(1000);
	arg.timeout = 100;
	EXPECT_ERRNO(swap_manage(raw.fd, &arg), ETIMEDOUT);
	arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 1, 0);
	arg.timeout = 100;
	EXPECT_ERRNO(swap_manage(raw.fd, &arg), ETIMEDOUT);
	EXPECT_EQ(null_totals(&other).created, null_totals(&other).created);
	EXPECT_EQ(swap_users(raw.fd, NULL_SERVICE, 1), 2);
	memcpy(buffer, &source, sizeof(source));
	copy.src = (uintptr_t)buffer;
	copy.dst = (uintptr_t)totals;
	copy.len = page;
	ASSERT_OK(ioctl(uffd, UFFDIO_COPY, &copy));
	pthread_join(caller, &result);
	EXPECT_EQ((intptr_t)result, 0);
	EXPECT_EQ(there(&raw).contexts, 2);
	raw_end(&raw);
	raw_end(&other);
	close(uffd);
	reload();
}

static struct aem_manage revoke_old(const struct raw *raw)
{
	struct aem_manage arg = swap_request(AEM_MANAGE_REVOKE, NULL_SERVICE, 1, 0);

	ASSERT_OK(swap_manage(raw->fd, &arg));
	return arg;
}

static uint32_t last;

static void end_of_it(struct raw *raw, struct aem_record *record)
{
	(void)raw;
	if (record->flags == (AEM_RECORD_F_LAST | AEM_RECORD_F_REVOKED))
		last |= 1U << record->cookie;
}

/* Started, stopped, active, running, ending: each is told once, and nothing of it is left. */
TEST(revoked)
{
	struct aem_enter enter = { 0 };
	struct aem_manage done;
	struct aem_bind bind;
	struct raw raw;
	uint64_t id[5];
	int i, fd = eventfd(0, EFD_NONBLOCK);

	swap_begin(&raw, 1);
	for (i = 0; i < 3; i++)
		id[i] = null_new(&raw, NULL_CREATE, end_of_it, i, 0, 1);
	id[3] = null_new_tick(&raw, end_of_it, 3, 0, 2, 1000000);
	id[4] = null_new_watch(&raw, end_of_it, 4, 0, 3, fd);
	null_plan(&raw, id[0], (struct null_plan){ .block = 64, .times = 1 });
	null_fire(&raw, id[0], NULL_BY_CALL, 1);
	EXPECT_OK(raw_event(&raw, AEM_EVENT_STOP, id[1], 0));
	enter.max_events = 1;
	EXPECT_OK(raw_event(&raw, AEM_EVENT_PRIO, id[0], 30));
	ASSERT_OK(raw_enter(&raw, &enter));
	ASSERT_EQ(enter.count, 1);
	ASSERT(raw_claim(raw_record(&raw, enter.first)));
	done = revoke_old(&raw);
	EXPECT_EQ(done.contexts, 1);
	EXPECT_EQ(done.moved, 5);
	EXPECT_EQ(swap_unload(OLD), 0);
	EXPECT_ERRNO(null_try_fire(&raw, id[2], NULL_BY_CALL, 1), ENODEV);
	EXPECT_ERRNO(raw_bind(raw.fd, &bind, NULL_SERVICE, 1, 1), ENOPROTOOPT);
	raw_drain(&raw);
	EXPECT_EQ(last, 0x1e);
	raw_finish(raw_record(&raw, enter.first), AEM_RECORD_DONE);
	raw_drain(&raw);
	EXPECT_EQ(last, 0x1f);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	EXPECT_ERRNO(raw_event(&raw, AEM_EVENT_INFO, id[2], 0), ENOENT);
	/* The context may go on with another version. */
	ASSERT_OK(raw_bind(raw.fd, &bind, NULL_SERVICE, 0, 0));
	EXPECT_EQ(bind.version, 2);
	EXPECT_NE(bind.base, raw.null);
	raw_end(&raw);
	close(fd);
	swap_load("aem-null", "");
	reload();
}

static void *wait_for_many(void *raw)
{
	struct aem_enter enter = { .min_events = 1000, .timeout = -1 };

	return (void *)(intptr_t)(raw_enter((struct raw *)raw, &enter) ? errno : enter.count);
}

TEST(revoked_while_threads_wait)
{
	struct raw with, without;
	pthread_t one, two;
	void *result;

	swap_begin(&with, 1);
	swap_begin(&without, 1);
	null_new(&with, NULL_CREATE, end_of_it, 1, 0, 1);
	ASSERT_EQ(pthread_create(&one, NULL, wait_for_many, &with), 0);
	ASSERT_EQ(pthread_create(&two, NULL, wait_for_many, &without), 0);
	raw_sleep_ms(100);
	EXPECT_EQ(revoke_old(&with).contexts, 2);
	pthread_join(one, &result);
	EXPECT_EQ((intptr_t)result, 1);
	pthread_join(two, &result);
	EXPECT_EQ((intptr_t)result, ENODEV);
	EXPECT_EQ(swap_unload(OLD), 0);
	raw_end(&with);
	raw_end(&without);
	swap_load("aem-null", "");
	reload();
}

/**
 * struct waiting - a thread that waits in AEM_IOC_ENTER
 * @raw:      its context, that of others as well
 * @cpu:      where it runs
 * @thread:   of pthread_create()
 * @tid:      known when it runs
 * @returned: it has
 * @result:   0, or errno
 */
struct waiting {
	struct raw raw;
	int cpu;
	pthread_t thread;
	int tid;
	bool returned;
	int result;
};

static void *wait_there(void *arg)
{
	struct waiting *w = (struct waiting *)arg;

	raw_pin(w->cpu);
	__atomic_store_n(&w->tid, raw_gettid(), __ATOMIC_SEQ_CST);
	w->result = raw_wait(&w->raw, RAW_LONG);
	__atomic_store_n(&w->returned, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void begin_to_wait(struct waiting *w, const struct raw *raw, int cpu)
{
	*w = (struct waiting){ .raw = *raw, .cpu = cpu };
	ASSERT_EQ(pthread_create(&w->thread, NULL, wait_there, w), 0);
	while (!__atomic_load_n(&w->tid, __ATOMIC_SEQ_CST))
		raw_sleep_ms(1);
	raw_wait_asleep(w->tid);
}

static bool has_returned(const struct waiting *w)
{
	return __atomic_load_n(&w->returned, __ATOMIC_SEQ_CST);
}

/*
 * The first has waited longest, so it is woken for the last record. But it cannot run before we let
 * it, and by then the other one has taken that. Each is told all the same.
 */
static void revoked_under_two(uint32_t events)
{
	struct sched_param urgent = { .sched_priority = 1 }, normal = { 0 };
	struct waiting first, second;
	struct raw raw;
	uint32_t i;

	last = 0;
	swap_begin(&raw, 1);
	for (i = 0; i < events; i++)
		null_new(&raw, NULL_CREATE, end_of_it, i, 0, 1);
	raw_pin(0);
	begin_to_wait(&first, &raw, 0);
	begin_to_wait(&second, &raw, 1);
	ASSERT_OK(sched_setscheduler(0, SCHED_FIFO, &urgent));
	EXPECT_EQ(revoke_old(&raw).moved, events);
	while (!has_returned(&second) && !has_returned(&first))
		;
	ASSERT_OK(sched_setscheduler(0, SCHED_OTHER, &normal));
	pthread_join(second.thread, NULL);
	pthread_join(first.thread, NULL);
	NOTE("%u events: %d and %d", events, first.result, second.result);
	EXPECT_EQ(!first.result + !second.result, events > 0);
	EXPECT(!first.result || first.result == ENODEV);
	EXPECT(!second.result || second.result == ENODEV);
	EXPECT_EQ(last, (1U << events) - 1);
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
	EXPECT_EQ(swap_unload(OLD), 0);
	raw_end(&raw);
	swap_load("aem-null", "");
	reload();
}

TEST(revoked_while_two_threads_wait_in_one_context)
{
	revoked_under_two(1);
	revoked_under_two(0);
}

KTAP_MAIN()
