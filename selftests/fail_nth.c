// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the core, of aem-null, aem-timer and aem-ip, with each allocation and copy made to
 * fail (rows.h); fail_pexit.c has those of aem-pexit. No call lacks a row.
 *
 * vm: load=core,timer,ip,null,null-twin:version=2 timeout=900
 */
#include "rows.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define FAR	(1000000 * RAW_SECOND)
/* A time of CLOCK_REALTIME that has not come. */
#define IN_TIME	(8000000000ULL * RAW_SECOND)

static uint64_t other;			/* of an event, or a block */
static int poller;
static void *mapped;
static uint64_t sent, perhaps, received;

/* System calls on the device. */

static void fresh_subject(void)
{
	struct aem_setup setup = { .size = sizeof(setup), .flags = AEM_SETUP_SAFEPOINT };

	subject = raw_open();
	ASSERT_OK(ioctl(subject, AEM_IOC_SETUP, &setup));
}

static void open_subject(void)
{
	subject = raw_open();
}

static void close_subject(void)
{
	ASSERT_OK(close(subject));
	subject = -1;
}

static long long call_open(void)
{
	subject = open(RAW_DEVICE, O_RDWR | O_CLOEXEC);
	return subject;
}

static long long call_close(void)
{
	int fd = subject;

	subject = -1;
	return close(fd);
}

static long long map(size_t size, unsigned long offset)
{
	mapped = raw_map(subject, size, offset);
	return mapped == MAP_FAILED ? -1 : 0;
}

static long long call_map_control(void)
{
	return map(4096, AEM_MMAP_CONTROL);
}

static long long call_map_ring(void)
{
	return map(256 * sizeof(struct aem_record), AEM_MMAP_RING);
}

static long long call_map_zone(void)
{
	return map(1 << 20, AEM_MMAP_VMT);
}

/* The first touch of each page; what the kernel has no memory for, it tries again. */
static long long call_touch(void)
{
	*(volatile uint32_t *)mapped = 0;
	return 0;
}

static void map_subject(void)
{
	fresh_subject();
	ASSERT_OK(call_map_control());
}

static void unmap_control(void)
{
	ASSERT_OK(munmap(mapped, 4096));
	close_subject();
}

static void unmap_ring(void)
{
	ASSERT_OK(munmap(mapped, 256 * sizeof(struct aem_record)));
	close_subject();
}

static void unmap_zone(void)
{
	ASSERT_OK(munmap(mapped, 1 << 20));
	close_subject();
}

static long long call_poll(void)
{
	struct pollfd fd = { .fd = raw.fd, .events = POLLIN };

	return poll(&fd, 1, 0);
}

static void open_poller(void)
{
	poller = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_GE(poller, 0);
}

static void close_poller(void)
{
	ASSERT_OK(close(poller));
}

static long long call_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(poller, EPOLL_CTL_ADD, raw.fd, &event);
}

static long long call_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid)
		_exit(raw.vmt[other] != 0x5a);
	if (waitpid(pid, &status, 0) != pid || status)
		ktap_fail(0);
	return 0;
}

static void take_block(void)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC, .length = 128 };

	ASSERT_OK(ioctl(raw.fd, AEM_IOC_VMT, &vmt));
	other = vmt.offset;
	raw.vmt[other] = 0x5a;
}

static long long call_free(void)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_FREE, .offset = other };

	return ioctl(raw.fd, AEM_IOC_VMT, &vmt);
}

static void give_block(void)
{
	ASSERT_OK(call_free());
}

static void open_fdinfo(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", raw.fd);
	poller = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(poller, 0);
}

static long long call_fdinfo(void)
{
	static char text[16384];

	return pread(poller, text, sizeof(text), 0);
}

/* Ioctls. */

static long long call_query(void)
{
	struct aem_query query = { .size = sizeof(query) };

	return ioctl(raw.fd, AEM_IOC_QUERY, &query);
}

static long long call_setup(void)
{
	struct aem_setup setup = { .size = sizeof(setup), .flags = AEM_SETUP_SAFEPOINT };
	long ret = ioctl(subject, AEM_IOC_SETUP, &setup);

	if (!ret)
		EXPECT_EQ(setup.ring_entries, 256);
	return ret;
}

static long long call_bind(void)
{
	struct aem_bind bind;

	return raw_bind(subject, &bind, NULL_SERVICE, 0, 0);
}

static long long call_service(void)
{
	struct aem_service_info info = { .size = sizeof(info) };

	return ioctl(raw.fd, AEM_IOC_SERVICE, &info);
}

static long long call_alloc(void)
{
	struct aem_vmt vmt = { .size = sizeof(vmt), .op = AEM_VMT_ALLOC, .length = 65536 };

	return ioctl(subject, AEM_IOC_VMT, &vmt);
}

static void make_stopped(void)
{
	struct null_create create = null_request(raw_nothing, 0, 0, 3);

	id = null_make(&raw, NULL_CREATE, &create);
}

static void make_started(void)
{
	id = null_new(&raw, NULL_CREATE, raw_nothing, 0, 0, 3);
}

static void make_active(void)
{
	make_started();
	null_fire(&raw, id, NULL_BY_IRQ, 1);
}

static long long call_start(void)
{
	return raw_event(&raw, AEM_EVENT_START, id, 0);
}

static long long call_stop(void)
{
	return raw_event(&raw, AEM_EVENT_STOP, id, 0);
}

static long long call_prio(void)
{
	return raw_event(&raw, AEM_EVENT_PRIO, id, 7);
}

static long long call_shutdown(void)
{
	return raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0);
}

static long long call_info(void)
{
	return raw_event(&raw, AEM_EVENT_INFO, id, 0);
}

static long long call_near(void)
{
	return raw_event(&raw, AEM_EVENT_NEAR, id, 0);
}

static long long call_enter(void)
{
	struct aem_enter enter = { 0 };

	return raw_enter(&raw, &enter);
}

/* Only what would be done: what is taken away does not come back. */
static long long manage(uint32_t op, uint32_t target)
{
	struct aem_manage manage = {
		.size = sizeof(manage), .op = op, .flags = AEM_MANAGE_DRY_RUN, .version = 1,
		.target = target, .name = NULL_SERVICE,
	};

	return ioctl(raw.fd, AEM_IOC_MANAGE, &manage);
}

static long long call_retire(void)
{
	return manage(AEM_MANAGE_RETIRE, 0);
}

static long long call_swap(void)
{
	return manage(AEM_MANAGE_SWAP, 2);
}

static long long call_revoke(void)
{
	return manage(AEM_MANAGE_REVOKE, 0);
}

/* Pseudo-system calls. */

static long long call_event(void)
{
	struct aem_event event = { .size = sizeof(event), .op = AEM_EVENT_INFO, .id = id };

	return raw_call(&raw, AEM_CALL_EVENT, &event);
}

/* Registers something, and notes its id. */
static long long note_id(long long ret, const struct aem_registration *reg)
{
	if (!ret)
		id = reg->id;
	return ret;
}

static long long make_null(uint32_t call, uint64_t period, int fd)
{
	struct null_create create = null_request(raw_nothing, 0, EVF_START, 3);

	create.period = period;
	create.fd = fd;
	return note_id(raw_call(&raw, raw.null + call, &create), &create.reg);
}

static long long call_create(void)
{
	return make_null(NULL_CREATE, 0, 0);
}

static long long call_multi(void)
{
	return make_null(NULL_MULTI, 0, 0);
}

static long long call_tick(void)
{
	return make_null(NULL_TICK, FAR, 0);
}

static long long call_watch(void)
{
	return make_null(NULL_WATCH, 0, pair[0]);
}

static long long call_fire(void)
{
	return null_try_fire(&raw, id, NULL_BY_CALL, 1);
}

static long long call_plan(void)
{
	struct null_plan plan = { .size = sizeof(plan), .id = id };

	return raw_call(&raw, raw.null + NULL_PLAN, &plan);
}

static long long call_state(void)
{
	struct null_state state = { .size = sizeof(state), .id = id };

	return raw_call(&raw, raw.null + NULL_STATE, &state);
}

static long long call_totals(void)
{
	struct null_totals totals = { .size = sizeof(totals) };

	return raw_call(&raw, raw.null + NULL_TOTALS, &totals);
}

/* The same by AEM_IOC_ENTER: its own failure comes first, then that of the call in it. */
static long long call_batch(void)
{
	struct null_create create = null_request(raw_nothing, 0, 0, 3);
	struct aem_call call = {
		.size = sizeof(call), .nr = raw.null + NULL_CREATE, .arg = (uintptr_t)&create,
		.result = -EAGAIN,
	};
	struct aem_enter enter = { .calls = (uintptr_t)&call, .n_calls = 1 };
	long ret = raw_enter(&raw, &enter);

	if (!call.result && ret) {
		/* It was made, and its answer says so. */
		EXPECT_OK(raw_event(&raw, AEM_EVENT_SHUTDOWN, create.reg.id, 0));
		errno = EFAULT;
		return -1;
	}
	if (ret)
		return -1;
	errno = -call.result;
	return note_id(call.result ? -1 : 0, &create.reg);
}

static long long make_timer(uint32_t clock, uint32_t flags, uint64_t value)
{
	struct aem_timer_create create = timer_request(clock, flags, value);

	return note_id(raw_call(&raw, timer_base + AEM_TIMER_CREATE, &create), &create.reg);
}

static long long call_timer(void)
{
	return make_timer(CLOCK_MONOTONIC, 0, FAR);
}

static long long call_watched_timer(void)
{
	return make_timer(CLOCK_REALTIME, AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET,
			  IN_TIME);
}

static void unset_timer(void)
{
	ASSERT_OK(make_timer(CLOCK_REALTIME, 0, 0));
}

static void set_timer(void)
{
	ASSERT_OK(call_timer());
}

static long long call_settime(void)
{
	struct aem_timer_settime set = {
		.size = sizeof(set), .id = id, .value = IN_TIME,
		.flags = AEM_TIMER_ABSTIME | AEM_TIMER_CANCEL_ON_SET,
	};

	return raw_call(&raw, timer_base + AEM_TIMER_SETTIME, &set);
}

static long long call_gettime(void)
{
	struct aem_timer_gettime get = { .size = sizeof(get), .id = id };

	return raw_call(&raw, timer_base + AEM_TIMER_GETTIME, &get);
}

static long long make_on(uint32_t call, int fd, uint32_t flags)
{
	struct aem_ip_socket request = ip_on(fd, 0, flags);

	return note_id(ip_call(&raw, call, &request), &request.reg);
}

static long long call_accept(void)
{
	struct aem_ip_accept request = ip_accept_on(listener, 0, EVF_START);

	ip_template(&request, 0, EVF_START);
	return note_id(ip_call(&raw, AEM_IP_ACCEPT, &request), &request.reg);
}

static long long call_data(void)
{
	return make_on(AEM_IP_DATA, pair[0], EVF_START);
}

static long long call_exchange(void)
{
	return make_on(AEM_IP_EXCHANGE, pair[0], EVF_START);
}

static long long call_datagram(void)
{
	return make_on(AEM_IP_DATAGRAM, udp[0], EVF_START);
}

static long long call_datagrams(void)
{
	return make_on(AEM_IP_DATAGRAMS, udp[0], EVF_START);
}

static long long call_room(void)
{
	/* Not started: there is room, and it would tell so at once. */
	return make_on(AEM_IP_ROOM, pair[0], 0);
}

static union address target;

static void fresh_socket(void)
{
	target = ip_name(listener);
	poller = ip_socket(AF_INET, SOCK_STREAM);
}

static long long call_connect(void)
{
	struct aem_ip_connect request = ip_connect_to(poller, &target, EVF_START);

	return note_id(ip_call(&raw, AEM_IP_CONNECT, &request), &request.reg);
}

/* One that was begun, and not registered, has no event. */
static void end_connect(void)
{
	raw_event(&raw, AEM_EVENT_SHUTDOWN, id, 0);
	raw_drain(&raw);
	ip_reset(poller);
	raw_sleep_ms(5);
	while (ip_poll(listener, POLLIN, 0))
		close(accept(listener, NULL, NULL));
}

static void stream_to_send_on(void)
{
	ASSERT_OK(make_on(AEM_IP_DATA, pair[0], 0));
}

static void socket_to_send_on(void)
{
	target = ip_name(udp[1]);
	ASSERT_OK(make_on(AEM_IP_DATAGRAM, udp[0], 0));
}

/* A send that fails for an address has perhaps taken the bytes, any other has not. */
static long long count_sent(long long n)
{
	if (n > 0)
		sent += n;
	else if (errno == EFAULT)
		perhaps += 100;
	return n;
}

static long long call_send(void)
{
	static char bytes[100];

	return count_sent(ip_send(&raw, id, bytes, sizeof(bytes), 0));
}

static long long call_send_to(void)
{
	static char bytes[100];
	struct aem_ip_send request = ip_bytes(id, bytes, sizeof(bytes), 0);

	request.address = (uintptr_t)&target;
	request.addrlen = ip_size(AF_INET);
	return count_sent(ip_call(&raw, AEM_IP_SEND, &request));
}

/* One message: what is sent before another that fails is no failure. */
static long long call_send_many(void)
{
	static char bytes[sizeof(struct aem_ip_message) + 104] __attribute__((aligned(8)));
	struct aem_ip_message *m = (struct aem_ip_message *)bytes;
	struct aem_ip_send_many request;
	long long n;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	request.id = id;
	request.messages = (uintptr_t)bytes;
	request.bytes = sizeof(bytes);
	m->length = sizeof(bytes);
	m->bytes = 100;
	m->peer.length = ip_size(AF_INET);
	memcpy(m->peer.address, &target, m->peer.length);
	n = ip_call(&raw, AEM_IP_SEND_MANY, &request);
	if (!n) {
		errno = (int)request.error;
		n = -1;
	}
	return count_sent(n > 0 ? 100 : n);
}

static void receive(int fd)
{
	char bytes[4096];
	ssize_t n;

	/* The loopback delivers soon, not at once. */
	while (received < sent && ip_poll(fd, POLLIN, 10000)) {
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		ASSERT_GT(n, 0);
		received += n;
	}
	EXPECT_GE(received, sent);
	EXPECT_LE(received, sent + perhaps);
	shut();
}

static void receive_stream(void)
{
	receive(pair[1]);
}

static void receive_datagrams(void)
{
	receive(udp[1]);
}

static const struct row rows[] = {
	{ "open", SYSTEM, .call = call_open, .after = close_subject },
	{ "close", SYSTEM, .before = fresh_subject, .call = call_close },
	{ "mmap of the control page", SYSTEM, .before = fresh_subject, .call = call_map_control,
	  .after = unmap_control },
	{ "mmap of the ring", SYSTEM, .before = fresh_subject, .call = call_map_ring,
	  .after = unmap_ring },
	{ "mmap of the zone", SYSTEM, .before = fresh_subject, .call = call_map_zone,
	  .after = unmap_zone },
	{ "page fault", SYSTEM, .before = map_subject, .call = call_touch, .after = unmap_control },
	{ "poll", SYSTEM, .call = call_poll },
	{ "epoll_ctl", SYSTEM, .before = open_poller, .call = call_epoll, .after = close_poller },
	{ "fork", SYSTEM, .before = take_block, .call = call_fork, .after = give_block,
	  .spared = true },
	{ "read of fdinfo", SYSTEM, .before = open_fdinfo, .call = call_fdinfo,
	  .after = close_poller },

	{ "QUERY", IOCTL, 0, .call = call_query },
	{ "SETUP", IOCTL, 1, .before = open_subject, .call = call_setup, .after = close_subject },
	{ "BIND", IOCTL, 2, .before = fresh_subject, .call = call_bind, .after = close_subject,
	  .twice = true },
	{ "CALL", IOCTL, 3, .call = call_totals },
	{ "ENTER", IOCTL, 4, .call = call_enter },
	{ "ENTER with a call", IOCTL, 4, .call = call_batch, .after = shut, .twice = true },
	{ "EVENT START", IOCTL, 5, AEM_EVENT_START, .before = make_stopped, .call = call_start,
	  .after = shut, .twice = true },
	{ "EVENT STOP", IOCTL, 5, AEM_EVENT_STOP, .before = make_active, .call = call_stop,
	  .after = shut, .twice = true },
	{ "EVENT PRIO", IOCTL, 5, AEM_EVENT_PRIO, .before = make_active, .call = call_prio,
	  .after = shut, .twice = true },
	{ "EVENT SHUTDOWN", IOCTL, 5, AEM_EVENT_SHUTDOWN, .before = make_active,
	  .call = call_shutdown },
	{ "EVENT INFO", IOCTL, 5, AEM_EVENT_INFO, .before = make_active, .call = call_info,
	  .after = shut },
	{ "EVENT NEAR", IOCTL, 5, AEM_EVENT_NEAR, .before = make_active, .call = call_near,
	  .after = shut, .twice = true },
	{ "VMT ALLOC", IOCTL, 6, AEM_VMT_ALLOC, .before = fresh_subject, .call = call_alloc,
	  .after = close_subject },
	{ "VMT FREE", IOCTL, 6, AEM_VMT_FREE, .before = take_block, .call = call_free },
	{ "SERVICE", IOCTL, 7, .call = call_service },
	{ "MANAGE RETIRE", IOCTL, 8, AEM_MANAGE_RETIRE, .call = call_retire },
	{ "MANAGE SWAP", IOCTL, 8, AEM_MANAGE_SWAP, .call = call_swap },
	{ "MANAGE REVOKE", IOCTL, 8, AEM_MANAGE_REVOKE, .call = call_revoke },

	{ "EVENT as a call", CORE, AEM_CALL_EVENT, .before = make_started, .call = call_event,
	  .after = shut },

	{ "null create", "null", NULL_CREATE, .call = call_create, .after = shut },
	{ "null multi", "null", NULL_MULTI, .call = call_multi, .after = shut },
	{ "null tick", "null", NULL_TICK, .call = call_tick, .after = shut },
	{ "null watch", "null", NULL_WATCH, .call = call_watch, .after = shut },
	{ "null fire", "null", NULL_FIRE, .before = make_started, .call = call_fire,
	  .after = shut, .twice = true },
	{ "null plan", "null", NULL_PLAN, .before = make_started, .call = call_plan,
	  .after = shut, .twice = true },
	{ "null state", "null", NULL_STATE, .before = make_started, .call = call_state,
	  .after = shut },
	{ "null totals", "null", NULL_TOTALS, .call = call_totals },

	{ "timer create", "timer", AEM_TIMER_CREATE, .call = call_timer, .after = shut },
	{ "timer create, watched", "timer", AEM_TIMER_CREATE, .call = call_watched_timer,
	  .after = shut },
	{ "timer settime", "timer", AEM_TIMER_SETTIME, .before = unset_timer,
	  .call = call_settime, .after = shut, .twice = true },
	{ "timer gettime", "timer", AEM_TIMER_GETTIME, .before = set_timer, .call = call_gettime,
	  .after = shut },

	{ "ip accept", "ip", AEM_IP_ACCEPT, .call = call_accept, .after = shut },
	{ "ip data", "ip", AEM_IP_DATA, .call = call_data, .after = shut },
	{ "ip exchange", "ip", AEM_IP_EXCHANGE, .call = call_exchange, .after = shut },
	{ "ip datagram", "ip", AEM_IP_DATAGRAM, .call = call_datagram, .after = shut },
	{ "ip datagrams", "ip", AEM_IP_DATAGRAMS, .call = call_datagrams, .after = shut },
	{ "ip room", "ip", AEM_IP_ROOM, .call = call_room, .after = shut },
	{ "ip connect", "ip", AEM_IP_CONNECT, .before = fresh_socket, .call = call_connect,
	  .after = end_connect, .errors = { ENOBUFS }, .twice = true, .done = EISCONN },
	{ "ip send, a stream", "ip", AEM_IP_SEND, .before = stream_to_send_on, .call = call_send,
	  .after = receive_stream, .errors = { EAGAIN, ENOBUFS }, .twice = true },
	{ "ip send, datagrams", "ip", AEM_IP_SEND, .before = socket_to_send_on,
	  .call = call_send_to, .after = receive_datagrams, .errors = { EAGAIN, ENOBUFS },
	  .twice = true },
	{ "ip send many", "ip", AEM_IP_SEND_MANY, .before = socket_to_send_on,
	  .call = call_send_many, .after = receive_datagrams, .errors = { EAGAIN, ENOBUFS },
	  .twice = true },
};

static void run(const char *service)
{
	have_faults();
	begin();
	run_rows(rows, ARRAY_SIZE(rows), service);
}

TEST(faults)
{
	if (!have_faults())
		SKIP("optional: this kernel injects no faults");
}

/* Completeness: what the kernel knows has a row. */

static bool vmt_knows(uint32_t op, uint64_t offset, uint64_t length)
{
	struct aem_vmt vmt = {
		.size = sizeof(vmt), .op = op, .offset = offset, .length = length,
	};

	return !ioctl(raw.fd, AEM_IOC_VMT, &vmt);
}

/* Of no version that there is, so that nothing comes of it. */
static bool manage_knows(uint32_t op, uint32_t target)
{
	struct aem_manage manage = {
		.size = sizeof(manage), .op = op, .version = 99, .target = target,
		.name = NULL_SERVICE,
	};

	return ioctl(raw.fd, AEM_IOC_MANAGE, &manage) && errno == ENOPROTOOPT;
}

static void expect(const char *service, uint32_t nr, uint32_t op)
{
	expect_row(rows, ARRAY_SIZE(rows), service, nr, op);
}

static void expect_rows_for_ioctls(void)
{
	uint32_t nr, op;

	for (nr = 0; nr < 256; nr++)
		if (ioctl(raw.fd, _IO(AEM_IOC_MAGIC, nr), NULL) && errno != ENOTTY)
			expect(IOCTL, nr, 0);
	for (op = 0; op < 64; op++)
		if (raw_event(&raw, op, ~0ULL, 0) && errno == ENOENT)
			expect(IOCTL, _IOC_NR(AEM_IOC_EVENT), op);
	for (op = 0; op < 64; op++) {
		take_block();
		if (vmt_knows(op, 0, 1) || vmt_knows(op, other, 0))
			expect(IOCTL, _IOC_NR(AEM_IOC_VMT), op);
	}
	for (op = 0; op < 64; op++)
		if (manage_knows(op, 0) || manage_knows(op, 98))
			expect(IOCTL, _IOC_NR(AEM_IOC_MANAGE), op);
	for (nr = 0; nr < AEM_RANGE_CALLS; nr++)
		if (raw_call(&raw, nr, NULL) == -1 && errno != ENOSYS)
			expect(CORE, nr, 0);
}

TEST(every_call_has_a_row)
{
	struct aem_service_info info = { .size = sizeof(info) };
	uint32_t call;

	begin();
	expect_rows_for_ioctls();
	for (; !ioctl(raw.fd, AEM_IOC_SERVICE, &info); info.index++)
		for (call = 0; call < info.calls; call++)
			expect((const char *)info.name, call, 0);
	EXPECT_EQ(info.index, 4);
	raw_end(&raw);
}

TEST_TIMEOUT(descriptor, 400)
{
	run(SYSTEM);
}

TEST_TIMEOUT(ioctls, 200)
{
	run(IOCTL);
}

TEST_TIMEOUT(calls_of_the_core, 200)
{
	run(CORE);
	run("null");
}

TEST_TIMEOUT(calls_of_timer, 200)
{
	run("timer");
}

TEST_TIMEOUT(calls_of_ip, 400)
{
	run("ip");
}

KTAP_MAIN()
