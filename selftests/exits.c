// SPDX-License-Identifier: GPL-2.0
/*
 * Promise 11: fork, exec, exit and kill -9 at any instant leave nothing behind. A thousand
 * processes that do anything are killed at random instants.
 *
 * vm: load=core,null m32 mem=768 append=slab_nomerge timeout=400
 */
#include "raw.h"
#include <dirent.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#define AT_A_TIME	16

static const char *program;

/* What /proc shows: lines "event:" and descriptors of /dev/aem, but our own. */
static int contexts_shown(void)
{
	char folder[300], path[600], line[512];
	struct dirent *process, *entry;
	DIR *proc = opendir("/proc"), *infos;
	FILE *file;
	int shown = 0;

	ASSERT(proc);
	while ((process = readdir(proc))) {
		if (process->d_name[0] < '1' || process->d_name[0] > '9' ||
		    atoi(process->d_name) == getpid())
			continue;
		snprintf(folder, sizeof(folder), "/proc/%s/fdinfo", process->d_name);
		infos = opendir(folder);
		while (infos && (entry = readdir(infos))) {
			snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
			file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
			if (!file)
				continue;
			while (fgets(line, sizeof(line), file))
				shown += !strncmp(line, "aem-abi:", 8) ||
					 !strncmp(line, "event:", 6);
			fclose(file);
		}
		if (infos)
			closedir(infos);
	}
	closedir(proc);
	return shown;
}

static long objects_in(const char *cache)
{
	char path[300], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	fd = open(path, O_WRONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, "1", 1), 1);
	close(fd);
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	fd = open(path, O_RDONLY);
	ASSERT_GE(fd, 0);
	ASSERT_GT(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return strtol(text, NULL, 10);
}

/* Events of all sizes. */
static long slab_objects(void)
{
	DIR *caches = opendir("/sys/kernel/slab");
	struct dirent *cache;
	long objects = 0, found = 0;

	if (!caches)
		SKIP("/sys/kernel/slab: %s", strerror(errno));
	while ((cache = readdir(caches)))
		if (!strncmp(cache->d_name, "aem_event_", 10)) {
			objects += objects_in(cache->d_name);
			found++;
		}
	closedir(caches);
	ASSERT_GT(found, 0);
	return objects;
}

/* Nothing is there any more, at once for what was waited for, soon for what goes by RCU. */
static void expect_nothing(struct raw *witness, const struct null_totals *before)
{
	struct aem_service_info info;
	struct null_totals after;
	long objects;
	int tries;

	ASSERT(raw_service_info(witness->fd, NULL_SERVICE, &info));
	EXPECT_EQ(info.users, 1);
	EXPECT_EQ(info.events, 0);
	EXPECT_EQ(contexts_shown(), 0);
	after = null_totals(witness);
	EXPECT_EQ(after.created - before->created, after.released - before->released);
	NOTE("%llu events, %llu constructors, %llu destructors",
	     (unsigned long long)(after.created - before->created),
	     (unsigned long long)(after.constructed - before->constructed),
	     (unsigned long long)(after.destructed - before->destructed));
	for (tries = 0; tries < 100; tries++) {
		objects = slab_objects();
		if (!objects)
			break;
		raw_sleep_ms(50);
	}
	EXPECT_EQ(objects, 0);
}

static struct raw raw;
static uint64_t id[32];
static unsigned long long state;

static void *fire_for_ever(void *unused)
{
	unsigned long long own = state ^ 0x77;

	(void)unused;
	for (;;)
		null_try_fire(&raw, id[ktap_random(&own) % 32], ktap_random(&own) % 3, 3);
	return NULL;
}

static void register_some(void)
{
	int event = eventfd(1, 0), i;

	for (i = 0; i < 32; i++) {
		switch (ktap_random(&state) % 5) {
		case 0:
			id[i] = null_new_tick(&raw, raw_nothing, i, 0, i, 50000);
			break;
		case 1:
			id[i] = null_new_watch(&raw, raw_nothing, i, 0, i, event);
			break;
		case 2:
			id[i] = null_new(&raw, NULL_MULTI, raw_nothing, i, EVF_ONESHOT, i);
			break;
		default:
			id[i] = null_new(&raw, NULL_CREATE, raw_nothing, i, 0, i);
		}
		null_plan(&raw, id[i], (struct null_plan){
			.block = ktap_random(&state) % 4096, .times = 100, .answer = NULL_MORE,
		});
	}
}

static void fork_around(void)
{
	char text[32];

	if (ktap_random(&state) % 4 == 0 && fork() == 0) {
		/* The child keeps the descriptor and the zone, and dies later. */
		if (ktap_random(&state) % 2)
			fork();
		raw_sleep_ms(ktap_random(&state) % 30);
		raise(SIGKILL);
	}
	if (ktap_random(&state) % 6 == 0 && fork() == 0) {
		raw_sleep_ms(ktap_random(&state) % 20);
		_exit(0);
	}
	if (ktap_random(&state) % 8 == 0) {
		if (ktap_random(&state) % 2)
			fcntl(raw.fd, F_SETFD, 0);
		snprintf(text, sizeof(text), "%d", raw.fd);
		execl(program, program, "--after-exec", text, NULL);
	}
}

/* A life without aim. It is ended from outside, or by itself in any of its ways. */
static void live(unsigned long long seed)
{
	struct aem_enter enter = { 0 };
	pthread_t thread;
	int i;

	state = seed;
	signal(SIGUSR1, SIG_IGN);
	if (ktap_random(&state) % 2)
		raw_start(&raw);
	else
		raw_start_signal(&raw, SIGUSR1);
	register_some();
	if (ktap_random(&state) % 2)
		pthread_create(&thread, NULL, fire_for_ever, NULL);
	for (i = 0; i < 200; i++) {
		null_try_fire(&raw, id[ktap_random(&state) % 32], ktap_random(&state) % 3, 2);
		enter.min_events = ktap_random(&state) % 2;
		enter.timeout = 1000000;
		if (!raw_enter(&raw, &enter) && ktap_random(&state) % 8)
			raw_dispatch(&raw, &enter);
		if (ktap_random(&state) % 4 == 0)
			raw_event(&raw, AEM_EVENT_SHUTDOWN, id[ktap_random(&state) % 32], 0);
		if (ktap_random(&state) % 50 == 0)
			fork_around();
	}
	if (ktap_random(&state) % 3 == 0)
		close(raw.fd);
	if (ktap_random(&state) % 3 == 0)
		munmap(raw.control, sysconf(_SC_PAGESIZE));
	_exit(0);
}

/* What is left after exec: a descriptor without a context. */
static int after_exec(const char *text)
{
	struct aem_enter enter = { .size = sizeof(enter) };
	int fd = atoi(text);

	if (fcntl(fd, F_GETFD) < 0)
		return 0;
	if (ioctl(fd, AEM_IOC_ENTER, &enter) == 0)
		return 1;
	raw_sleep_ms(20);
	return errno == ENXIO || errno == EPERM ? 0 : 2;
}

/* Waits for all children, the grandchildren that were left to us included. */
static void reap(pid_t *pids, int n)
{
	int i;

	for (i = 0; i < n; i++)
		kill(pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

TEST_TIMEOUT(killed_at_random_instants, 380)
{
	unsigned long long seed = ktap_seed(), random = seed;
	struct null_totals before;
	pid_t pids[AT_A_TIME];
	struct raw witness;
	int i, n;

	/* So that we know when the last grandchild has gone. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	raw_start(&witness);
	before = null_totals(&witness);
	for (i = 0; ktap_more(i, 1000); i += n) {
		for (n = 0; n < AT_A_TIME; n++) {
			pids[n] = fork();
			ASSERT_GE(pids[n], 0);
			if (pids[n] == 0)
				live(seed + i + n + 1);
		}
		raw_sleep_ms(ktap_random(&random) % 60);
		reap(pids, n);
	}
	expect_nothing(&witness, &before);
	raw_end(&witness);
}

/* One of each, in order: easier to look at than the above. */
static void in_a_child(void (*act)(void))
{
	struct null_totals before;
	struct raw witness;
	int status;
	pid_t child;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	raw_start(&witness);
	before = null_totals(&witness);
	child = fork();
	ASSERT_GE(child, 0);
	if (child == 0) {
		state = 12345;
		raw_start(&raw);
		register_some();
		null_fire(&raw, id[3], NULL_BY_CALL, 1);
		act();
		_exit(0);
	}
	while (waitpid(-1, &status, 0) > 0)
		if (WIFEXITED(status))
			EXPECT_EQ(WEXITSTATUS(status), 0);
	expect_nothing(&witness, &before);
	raw_end(&witness);
}

static void exit_now(void)
{
}

static void kill_now(void)
{
	raise(SIGKILL);
}

static void exec_with_descriptor(void)
{
	char text[32];

	fcntl(raw.fd, F_SETFD, 0);
	snprintf(text, sizeof(text), "%d", raw.fd);
	execl(program, program, "--after-exec", text, NULL);
}

static void orphan_with_descriptor(void)
{
	if (fork() == 0)
		raw_sleep_ms(200);
}

static void die_while_waiting(void)
{
	struct aem_enter enter = { .min_events = 1000, .timeout = -1 };

	if (fork() == 0) {
		raw_sleep_ms(50);
		kill(getppid(), SIGKILL);
		_exit(0);
	}
	raw_enter(&raw, &enter);
}

static void die_with_delivered_records(void)
{
	struct aem_enter enter = { .min_events = 1, .timeout = RAW_LONG };

	raw_enter(&raw, &enter);
	EXPECT_GT(enter.count, 0);
	raw_claim(raw_record(&raw, enter.first));
	raise(SIGKILL);
}

TEST(exits)
{
	in_a_child(exit_now);
}

TEST(killed)
{
	in_a_child(kill_now);
}

TEST(exec_keeps_the_descriptor)
{
	in_a_child(exec_with_descriptor);
}

TEST(a_child_keeps_the_descriptor)
{
	in_a_child(orphan_with_descriptor);
}

TEST(killed_while_it_waits)
{
	in_a_child(die_while_waiting);
}

TEST(killed_with_records_in_the_ring)
{
	in_a_child(die_with_delivered_records);
}

int main(int argc, char **argv)
{
	program = "/proc/self/exe";
	if (argc == 3 && !strcmp(argv[1], "--after-exec"))
		return after_exec(argv[2]);
	return ktap_main(argc, argv);
}
