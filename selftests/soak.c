// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once, for as long as AEM_SECONDS says: in turns, *churn*, where processes that do
 * anything are killed at random while their services are unloaded and loaded again, and
 * *load*, where connections, datagrams, timers and batches run beside them, whose sums must
 * match in the end: sent is received, fired is heard, each expiry is accounted for.
 * Then nothing is left, and all modules unload.
 *
 * `make soak MINUTES=n SEED=n`; the seed repeats the choices, not the instants.
 *
 * vm: load=core,timer,ip,null mem=768 timeout=300 own seed
 */
#include "ip.h"
#include <linux/aem_timer.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#define SECONDS		20
#define CHURN		3	/* seconds of a turn; the load takes the others */
#define TURN		10
#define VICTIMS		4
#define TIMERS		200
#define EVENTS		32
#define FDS		4096
#define TWIN		"aem-null-twin"

/**
 * struct tally - what the processes of a turn tell one another; shared
 * @stop:      the time is over: finish
 * @port:      of the TCP server
 * @to:        of the UDP receiver
 * @listening: there is a server
 * @receiving: there is a receiver
 * @hung_up:   the client makes no more connections
 * @sent:      bytes that the client sent
 * @echoed:    bytes that came back to it
 * @dialled:   connections that it made
 * @served:    bytes that the server got
 * @accepted:  connections that it got
 * @ended:     ... and let go
 * @datagrams: sent
 * @heard:     received
 * @lost:      told as lost
 * @quiet:     the sender of datagrams knows that all is accounted for
 */
struct tally {
	bool stop;
	union address port;
	union address to;
	bool listening;
	bool receiving;
	bool hung_up;
	uint64_t sent;
	uint64_t echoed;
	uint64_t dialled;
	uint64_t served;
	uint64_t accepted;
	uint64_t ended;
	uint64_t datagrams;
	uint64_t heard;
	uint64_t lost;
	bool quiet;
};

static struct tally *tally;
static struct raw raw;
static uint32_t timer_base;
static unsigned long long state;
static uint64_t bad;

static uint32_t any(uint32_t below)
{
	return ktap_random(&state) % below;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void say(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
}

static bool said(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static bool stopped(void)
{
	return said(&tally->stop);
}

static void add(uint64_t *sum, uint64_t n)
{
	__atomic_add_fetch(sum, n, __ATOMIC_SEQ_CST);
}

static uint64_t get(uint64_t *sum)
{
	return __atomic_load_n(sum, __ATOMIC_SEQ_CST);
}

/* Each process makes its own choices, all of them by the one seed. */
static pid_t start(void (*run)(void))
{
	unsigned long long own = ktap_random(&state) | 1;
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid)
		return pid;
	state = own;
	run();
	if (bad)
		NOTE("%llu things were not as they should be", (unsigned long long)bad);
	EXPECT_EQ(bad, 0);
	_exit(KTAP_PASS);
}

/* Connections: what the client sends comes back. Sends go in batches, by AEM_IOC_ENTER. */

#define BATCH	64

static struct {
	struct aem_call call[BATCH];
	struct aem_ip_send send[BATCH];
	uint8_t bytes[BATCH][4096];
	uint32_t n;
} batch;

static void be_echo(struct raw *r, struct aem_record *record)
{
	const uint32_t *word = (const uint32_t *)record->arg;
	uint32_t length = word[4], i = batch.n;

	if (record->nr == ip_base + AEM_IP_ACCEPT) {
		bad += word[1] || !record->arg[2];
		add(&tally->accepted, 1);
		return;
	}
	bad += record->lost != 0;
	if (!length) {
		bad += word[1] && word[1] != ECONNRESET;
		bad += raw_event(r, AEM_EVENT_SHUTDOWN, record->id, 0) != 0;
		close(word[0]);
		add(&tally->ended, 1);
		return;
	}
	add(&tally->served, length);
	memcpy(batch.bytes[i], r->vmt + record->arg[1], length);
	batch.send[i] = ip_bytes(record->id, batch.bytes[i], length, 0);
	batch.call[i] = (struct aem_call){
		.size = sizeof(batch.call[i]), .nr = ip_base + AEM_IP_SEND,
		.arg = (uintptr_t)&batch.send[i],
	};
	batch.n++;
}

/* One crossing: answers go, questions come. */
static void echo_round(void)
{
	struct aem_enter enter = {
		.calls = (uintptr_t)batch.call, .n_calls = batch.n, .min_events = 1,
		.max_events = BATCH, .timeout = 100 * MS,
	};
	uint32_t i;

	if (raw_enter(&raw, &enter))
		bad += errno != ETIME;
	bad += enter.done != batch.n;
	for (i = 0; i < batch.n; i++)
		bad += batch.call[i].result != (long long)batch.send[i].length;
	batch.n = 0;
	raw_dispatch(&raw, &enter);
}

static void serve(void)
{
	int listener = ip_listen(AF_INET);
	struct aem_ip_accept request = ip_accept_on(listener, 0, EVF_START);

	ip_start(&raw, 1024, 1 << 20);
	ip_template(&request, 0, EVF_START);
	request.reg.handler = (uintptr_t)be_echo;
	request.data.handler = (uintptr_t)be_echo;
	ASSERT_OK(ip_call(&raw, AEM_IP_ACCEPT, &request));
	tally->port = ip_name(listener);
	say(&tally->listening);
	/* Until the client has gone, and all of its connections. */
	while (!said(&tally->hung_up) || get(&tally->ended) < get(&tally->dialled) || batch.n)
		echo_round();
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).events, 1);
	EXPECT_EQ(raw_query(&raw).vmt_used, 0);
	raw_end(&raw);
}

static void exchange(int fd)
{
	uint8_t out[2000], in[2000];
	uint32_t length = 1 + any(sizeof(out)), i, n;
	ssize_t got;

	for (i = 0; i < length; i++)
		out[i] = any(256);
	ip_write(fd, out, length);
	add(&tally->sent, length);
	for (n = 0; n < length; n += got) {
		got = recv(fd, in + n, length - n, 0);
		ASSERT_GT(got, 0);
	}
	EXPECT_EQ(memcmp(in, out, length), 0);
	add(&tally->echoed, length);
}

static void dial(void)
{
	int fd[8], i, n, k;

	while (!said(&tally->listening))
		raw_sleep_ms(10);
	while (!stopped()) {
		n = 1 + any(ARRAY_SIZE(fd));
		for (i = 0; i < n; i++) {
			fd[i] = ip_socket(AF_INET, SOCK_STREAM);
			add(&tally->dialled, 1);
			ASSERT_OK(connect(fd[i], &tally->port.any, ip_size(AF_INET)));
		}
		for (k = any(20); k >= 0; k--)
			exchange(fd[any(n)]);
		/* Each is accepted before it is reset, or there would be nothing to end. */
		for (i = 0; i < n; i++) {
			exchange(fd[i]);
			any(3) ? (void)close(fd[i]) : ip_reset(fd[i]);
		}
	}
	say(&tally->hung_up);
}

/* Datagrams: what was sent was heard, or is told to be lost. */

static void hear_datagram(struct raw *r, struct aem_record *record)
{
	(void)r;
	add(&tally->heard, 1);
	add(&tally->lost, record->lost);
}

static void receive(void)
{
	int fd = ip_bound(AF_INET, SOCK_DGRAM);
	struct aem_ip_socket request = ip_on(fd, 0, EVF_START);

	ip_start(&raw, 0, 1 << 20);
	request.reg.handler = (uintptr_t)hear_datagram;
	ASSERT_OK(ip_call(&raw, AEM_IP_DATAGRAM, &request));
	tally->to = ip_name(fd);
	say(&tally->receiving);
	while (!said(&tally->quiet)) {
		raw_wait(&raw, 20 * MS);
		if (!any(50))
			raw_sleep_ms(any(20));
	}
	raw_drain(&raw);
	raw_end(&raw);
}

static bool all_accounted(void)
{
	return get(&tally->heard) + get(&tally->lost) == get(&tally->datagrams);
}

static void throw(void)
{
	static uint8_t bytes[3000];
	int fd = ip_socket(AF_INET, SOCK_DGRAM), i;

	while (!said(&tally->receiving))
		raw_sleep_ms(10);
	while (!stopped()) {
		for (i = any(300); i; i--) {
			add(&tally->datagrams, 1);
			if (sendto(fd, bytes, any(sizeof(bytes)), 0, &tally->to.any,
				   ip_size(AF_INET)) < 0)
				add(&tally->datagrams, -1ULL);
		}
		raw_sleep_ms(any(20));
	}
	/* What was lost is told with the next that comes. */
	while (!all_accounted()) {
		raw_sleep_ms(20);
		if (all_accounted())
			break;
		add(&tally->datagrams, 1);
		ASSERT_EQ(sendto(fd, bytes, 1, 0, &tally->to.any, ip_size(AF_INET)), 1);
		raw_sleep_ms(20);
	}
	say(&tally->quiet);
}

/* Timers: the last expiry of each is as many periods after its first as were told. */

static struct ticker {
	uint64_t id, first, interval, expiries, expiry;
} tickers[TIMERS];

static void tick(struct raw *r, struct aem_record *record)
{
	struct ticker *ticker = &tickers[record->cookie];

	(void)r;
	bad += record->id != ticker->id || record->lost || record->arg[2];
	ticker->expiries += 1 + record->arg[0];
	ticker->expiry = record->arg[1];
}

static void make_ticker(uint32_t i)
{
	struct aem_timer_create create = { .size = sizeof(create), .clockid = CLOCK_MONOTONIC };

	tickers[i] = (struct ticker){
		.first = now() + any(100 * MS), .interval = 5 * MS + any(500 * MS),
	};
	create.reg.handler = (uintptr_t)tick;
	create.reg.cookie = i;
	create.reg.prio = any(AEM_PRIORITIES);
	create.flags = AEM_TIMER_ABSTIME;
	create.value = tickers[i].first;
	create.interval = tickers[i].interval;
	ASSERT_OK(raw_call(&raw, timer_base + AEM_TIMER_CREATE, &create));
	tickers[i].id = create.reg.id;
}

static void expect_ticker(const struct ticker *ticker)
{
	if (ticker->expiries)
		bad += ticker->first + (ticker->expiries - 1) * ticker->interval != ticker->expiry;
}

static void shut_ticker(uint32_t i)
{
	bad += raw_event(&raw, AEM_EVENT_SHUTDOWN, tickers[i].id, 0) != 0;
	expect_ticker(&tickers[i]);
}

static void disturb_ticker(uint32_t i)
{
	uint64_t id = tickers[i].id;

	switch (any(4)) {
	case 0:
		bad += raw_event(&raw, AEM_EVENT_STOP, id, 0) != 0;
		return;
	case 1:
		bad += raw_event(&raw, AEM_EVENT_START, id, 0) != 0;
		return;
	case 2:
		bad += raw_event(&raw, AEM_EVENT_PRIO, id, any(AEM_PRIORITIES)) != 0;
		return;
	default:
		shut_ticker(i);
		make_ticker(i);
	}
}

/* Stopped or not, each has expired by then, and tells so when it is started. */
static void await_tickers(void)
{
	uint32_t i;

	for (i = 0; i < TIMERS; i++)
		bad += raw_event(&raw, AEM_EVENT_START, tickers[i].id, 0) != 0;
	for (i = 0; i < TIMERS; i++)
		while (!tickers[i].expiries)
			raw_wait(&raw, 100 * MS);
}

static void keep_time(void)
{
	uint64_t expiries = 0;
	uint32_t i;

	ip_start(&raw, 0, 0);
	timer_base = raw_service(&raw, AEM_TIMER_SERVICE);
	for (i = 0; i < TIMERS; i++)
		make_ticker(i);
	while (!stopped()) {
		raw_wait(&raw, 50 * MS);
		disturb_ticker(any(TIMERS));
	}
	await_tickers();
	for (i = 0; i < TIMERS; i++) {
		expiries += tickers[i].expiries;
		shut_ticker(i);
	}
	NOTE("%llu expiries of the last timers", (unsigned long long)expiries);
	raw_drain(&raw);
	EXPECT_EQ(raw_query(&raw).events, 0);
	raw_end(&raw);
}

/* Threads: what two of them fire is heard, whoever of three enters; memory is short. */

static uint64_t fired[EVENTS], heard_of[EVENTS], ids[EVENTS];

static void hear_null(struct raw *r, struct aem_record *record)
{
	(void)r;
	add(&heard_of[record->cookie], record->count + record->lost);
}

static void *fire_always(void *seed)
{
	unsigned long long own = (uintptr_t)seed;
	uint32_t i, count;

	while (!stopped()) {
		i = ktap_random(&own) % EVENTS;
		count = 1 + ktap_random(&own) % 5;
		if (null_try_fire(&raw, ids[i], ktap_random(&own) % 3, count) == 0)
			add(&fired[i], count);
		if (ktap_random(&own) % 8 == 0)
			raw_event(&raw, AEM_EVENT_PRIO, ids[i], ktap_random(&own) % AEM_PRIORITIES);
		if (ktap_random(&own) % 16 == 0)
			raw_round(&raw);
	}
	return NULL;
}

static void fire(void)
{
	pthread_t thread[2];
	uint32_t i;

	memset(&raw, 0, sizeof(raw));
	raw.setup.flags = AEM_SETUP_SAFEPOINT;
	raw.setup.ring_entries = 64;
	raw.setup.vmt_size = 65536;
	raw_begin(&raw);
	raw.null = raw_service(&raw, NULL_SERVICE);
	for (i = 0; i < EVENTS; i++) {
		ids[i] = null_new(&raw, i % 2 ? NULL_MULTI : NULL_CREATE, hear_null, i, 0, i);
		null_plan(&raw, ids[i], (struct null_plan){ .block = i % 4 ? 8192 : 0 });
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, fire_always,
					 (void *)(uintptr_t)(ktap_random(&state) | 1)), 0);
	while (!stopped())
		raw_wait(&raw, 50 * MS);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(pthread_join(thread[i], NULL), 0);
	do {
		raw_drain(&raw);
	} while (raw_query(&raw).active || raw_query(&raw).starved);
	for (i = 0; i < EVENTS; i++)
		EXPECT_EQ(get(&heard_of[i]), get(&fired[i]));
	NOTE("%llu times memory was short", (unsigned long long)raw_query(&raw).starvations);
	raw_end(&raw);
}

/* Victims: any call at any time, with threads and children, until they are killed. */

static void nothing(int signo)
{
	(void)signo;
}

static void fork_something(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid) {
		raw.vmt[0]++;
		if (any(2))
			execl("/bin/sleep", "sleep", "0.02", NULL);
		raw_sleep_ms(any(10));
		_exit(0);
	}
	if (any(2))
		waitpid(pid, NULL, 0);
}

static void register_something(uint32_t base, const char *service)
{
	struct null_create create = null_request(raw_nothing, 0, EVF_START, any(AEM_PRIORITIES));
	struct aem_timer_create timer = {
		.size = sizeof(timer), .reg = create.reg, .value = 1 + any(5 * MS),
		.interval = any(2) ? 50000 + any(5 * MS) : 0, .clockid = any(2),
	};
	struct aem_ip_socket socket = { .size = sizeof(socket), .reg = create.reg };
	uint32_t i = any(EVENTS);

	if (!strcmp(service, AEM_TIMER_SERVICE)) {
		raw_call(&raw, base + AEM_TIMER_CREATE, &timer);
		ids[i] = timer.reg.id;
	} else if (!strcmp(service, AEM_IP_SERVICE)) {
		socket.fd = ip_socket(AF_INET, SOCK_DGRAM);
		raw_call(&raw, base + AEM_IP_DATAGRAM, &socket);
		if (any(2))
			close(socket.fd);
		ids[i] = socket.reg.id;
	} else {
		create.period = any(2) ? 20000 + any(1 * MS) : 0;
		raw_call(&raw, base + (create.period ? NULL_TICK : NULL_MULTI), &create);
		ids[i] = create.reg.id;
	}
}

static void use(const char *service)
{
	struct aem_bind bind;

	if (!raw_bind(raw.fd, &bind, service, 0, 0))
		register_something(bind.base, service);
}

static void *enter_always(void *unused)
{
	struct aem_enter enter;

	(void)unused;
	for (;;) {
		memset(&enter, 0, sizeof(enter));
		if (!raw_enter(&raw, &enter))
			raw_dispatch(&raw, &enter);
	}
	return NULL;
}

static void do_anything(void)
{
	static const char * const service[] = { "null", "timer", "ip", "twin" };
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC, .length = 1 + any(9000) };
	struct aem_enter enter = { .min_events = any(2), .timeout = 1 * MS };
	pthread_t thread;

	switch (any(10)) {
	case 0:
		ioctl(raw.fd, AEM_IOC_VMT, &vmt);
		return;
	case 1:
		fork_something();
		return;
	case 2:
		if (any(3) == 0)
			pthread_create(&thread, NULL, enter_always, NULL);
		return;
	case 3:
	case 4:
		raw_event(&raw, AEM_EVENT_START + any(4), ids[any(EVENTS)], any(3));
		return;
	case 5:
	case 6:
		if (!raw_enter(&raw, &enter))
			raw_dispatch(&raw, &enter);
		return;
	default:
		use(service[any(ARRAY_SIZE(service))]);
	}
}

static void suffer(void)
{
	uint32_t left;

	setpgid(0, 0);
	for (;;) {
		memset(&raw, 0, sizeof(raw));
		raw.setup.flags = any(2) ? AEM_SETUP_SAFEPOINT : 0;
		raw.setup.signo = raw.setup.flags ? 0 : SIGUSR1;
		signal(SIGUSR1, nothing);
		raw_begin(&raw);
		for (left = 10 + any(200); left; left--)
			do_anything();
		/* A thread that still uses it finds that it has gone, or ends us all. */
		munmap(raw.control, 4096);
		munmap(raw.ring, raw_ring_bytes(&raw));
		munmap(raw.vmt, raw.setup.vmt_size);
		close(raw.fd);
		if (any(4) == 0)
			execl("/bin/sleep", "sleep", "0.05", NULL);
	}
}

static pid_t victims[VICTIMS];

static void kill_victim(uint32_t i)
{
	if (!victims[i])
		return;
	setpgid(victims[i], victims[i]);
	ASSERT_OK(kill(-victims[i], SIGKILL));
	/* Its children come to us when it has gone: see PR_SET_CHILD_SUBREAPER. */
	while (waitpid(-victims[i], NULL, 0) > 0)
		;
	victims[i] = 0;
}

/* Modules. */

static int load(const char *name, const char *parameters)
{
	struct utsname uts;
	char path[300];
	long ret;
	int fd;

	ASSERT_OK(uname(&uts));
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/%s.ko", uts.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ret = syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return ret ? errno : 0;
}

static int unload(const char *name)
{
	char module[64], *at;

	snprintf(module, sizeof(module), "%s", name);
	while ((at = strchr(module, '-')))
		*at = '_';
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? errno : 0;
}

static uint32_t unloaded, refused;

/* It goes if nobody uses it, and comes back. */
static void reload(const char *name, const char *parameters)
{
	int error = unload(name);

	if (error && error != ENOENT) {
		EXPECT(error == EAGAIN || error == EBUSY);
		refused++;
		return;
	}
	unloaded += !error;
	EXPECT_EQ(load(name, parameters), 0);
}

static void reload_something(bool churn)
{
	static const char * const name[] = { "aem-timer", "aem-ip", "aem-null" };
	char parameters[64];

	if (churn && any(4))
		return reload(name[any(3)], "");
	snprintf(parameters, sizeof(parameters), "name=twin version=%u", 1 + any(3));
	reload(TWIN, parameters);
}

static void disturb_until(uint64_t until, bool churn)
{
	uint32_t i;

	while (now() < until) {
		i = any(VICTIMS);
		if (churn || any(2))
			kill_victim(i);
		if (!victims[i])
			victims[i] = start(suffer);
		if (churn || any(4) == 0)
			reload_something(churn);
		raw_sleep_ms(1 + any(churn ? 30 : 100));
	}
}

/* With nobody left, each module can go, and must: the processes have ended. */
static void expect_unused(void)
{
	struct aem_service_info info = { .size = sizeof(info) };
	int fd = raw_open();

	for (; !ioctl(fd, AEM_IOC_SERVICE, &info); info.index++) {
		if (info.users || info.events)
			NOTE("%s: %u users, %u events", info.name, info.users, info.events);
		EXPECT_EQ(info.users, 0);
		EXPECT_EQ(info.events, 0);
	}
	close(fd);
}

static void kill_all(void)
{
	uint32_t i;

	for (i = 0; i < VICTIMS; i++)
		kill_victim(i);
}

static void churn(uint64_t until)
{
	disturb_until(until, true);
	kill_all();
	expect_unused();
	reload("aem-null", "");
	reload("aem-timer", "");
	reload("aem-ip", "");
}

static void expect_sums(void)
{
	EXPECT_EQ(tally->sent, tally->echoed);
	EXPECT_EQ(tally->sent, tally->served);
	EXPECT_EQ(tally->dialled, tally->accepted);
	EXPECT_EQ(tally->dialled, tally->ended);
	EXPECT_EQ(tally->datagrams, tally->heard + tally->lost);
	NOTE("%llu bytes over %llu connections; %llu datagrams, %llu of them lost",
	     (unsigned long long)tally->sent, (unsigned long long)tally->dialled,
	     (unsigned long long)tally->datagrams, (unsigned long long)tally->lost);
}

static void run_load(uint64_t until)
{
	static void (* const part[])(void) = { serve, dial, receive, throw, keep_time, fire };
	pid_t pids[ARRAY_SIZE(part)];
	int status;
	size_t i;

	memset(tally, 0, sizeof(*tally));
	for (i = 0; i < ARRAY_SIZE(part); i++)
		pids[i] = start(part[i]);
	disturb_until(until, false);
	say(&tally->stop);
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		ASSERT_EQ(waitpid(pids[i], &status, 0), pids[i]);
		EXPECT_EQ(status, 0);
	}
	kill_all();
	expect_sums();
	expect_unused();
}

static uint64_t seconds(void)
{
	const char *given = getenv("AEM_SECONDS");
	uint64_t n = given ? strtoull(given, NULL, 0) : 0;

	return n ? n : ktap_is_brief() ? SECONDS / 2 : SECONDS;
}

/* A BIND would load what has just been unloaded, and all its versions: modprobe is told nothing. */
static void forbid_autoload(void)
{
	int fd = open("/proc/sys/kernel/modprobe", O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, "\n", 1), 1);
	ASSERT_OK(close(fd));
}

TEST_TIMEOUT(soak, 0)
{
	uint64_t end = now() + seconds() * RAW_SECOND, turn;
	static const char * const names[] = { TWIN, "aem-null", "aem-ip", "aem-timer", "aem-core" };
	size_t i;

	state = ktap_seed();
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	ASSERT(tally != MAP_FAILED);
	ASSERT_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	forbid_autoload();
	do {
		turn = now();
		churn(turn + CHURN * RAW_SECOND);
		run_load(turn + TURN * RAW_SECOND);
	} while (now() < end);
	NOTE("%u times unloaded, %u times refused", unloaded, refused);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT(unload(names[i]) == 0 || (!i && errno == ENOENT));
	EXPECT_ERRNO(access(RAW_DEVICE, F_OK), ENOENT);
}

KTAP_MAIN()
