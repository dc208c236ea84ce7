// SPDX-License-Identifier: GPL-2.0
/*
 * binder: a user of a service, for scripts that load and unload modules.
 *
 *	binder hold NAME MIN MAX	binds, prints the version, stays until it is killed
 *	binder ask NAME MIN MAX		binds, prints the version or the errno's name, ends
 *	binder churn NAME		opens, binds, registers and ends, again and again; at
 *					SIGTERM prints how often it was bound, and how often
 *					not; fails for an errno other than ENOENT
 *	binder list			prints NAME VERSION USERS EVENTS of each service
 */
#include "raw.h"

/* CHURN_PAUSE: milliseconds between two rounds, at most. */
#define CHURN_PAUSE	16

static volatile sig_atomic_t stopped;

static void on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static int start(struct raw *raw, struct aem_bind *bind, const char *name, uint32_t min,
		 uint32_t max)
{
	memset(raw, 0, sizeof(*raw));
	raw->setup.size = sizeof(raw->setup);
	raw->setup.flags = AEM_SETUP_SAFEPOINT;
	raw->fd = open(RAW_DEVICE, O_RDWR);
	if (raw->fd < 0 || ioctl(raw->fd, AEM_IOC_SETUP, &raw->setup))
		return errno;
	raw_map_all(raw);
	return raw_bind(raw->fd, bind, name, min, max) ? errno : 0;
}

static int ask(char **argv, bool hold)
{
	struct aem_bind bind;
	struct raw raw;
	int error = start(&raw, &bind, argv[0], strtoul(argv[1], NULL, 0),
			  strtoul(argv[2], NULL, 0));

	if (error) {
		puts(strerrorname_np(error));
		return 1;
	}
	printf("%u\n", bind.version);
	fflush(stdout);
	while (hold && !stopped)
		pause();
	return 0;
}

/* A short use of the service "null", or of any other that lets itself be bound. */
static void use(struct raw *raw, const struct aem_bind *bind)
{
	struct null_create create = null_request(raw_nothing, 1, EVF_START, 3);

	raw->null = bind->base;
	if (bind->calls != NULL_CALLS || raw_call(raw, raw->null + NULL_CREATE, &create))
		return;
	null_fire(raw, create.reg.id, NULL_BY_IRQ, 1);
	raw_round(raw);
}

static int churn(const char *name)
{
	unsigned long bound = 0, absent = 0;
	struct aem_bind bind;
	struct raw raw;
	int error;

	signal(SIGTERM, on_stop);
	while (!stopped) {
		error = start(&raw, &bind, name, 0, 0);
		if (error && error != ENOENT) {
			puts(strerrorname_np(error));
			return 1;
		}
		if (!error)
			use(&raw, &bind);
		error ? absent++ : bound++;
		munmap(raw.ring, raw_ring_bytes(&raw));
		munmap(raw.vmt, raw.setup.vmt_size);
		munmap(raw.control, sysconf(_SC_PAGESIZE));
		close(raw.fd);
		/* So that now and then none of us is bound, also on a slow machine. */
		raw_sleep_ms((bound + absent) % CHURN_PAUSE);
	}
	printf("%lu %lu\n", bound, absent);
	return 0;
}

static int list(void)
{
	struct aem_service_info info = { .size = sizeof(info) };
	int fd = open(RAW_DEVICE, O_RDWR);

	if (fd < 0) {
		puts(strerrorname_np(errno));
		return 1;
	}
	for (; !ioctl(fd, AEM_IOC_SERVICE, &info); info.index++)
		printf("%s %u %u %u\n", info.name, info.version, info.users, info.events);
	return 0;
}

int main(int argc, char **argv)
{
	ktap_shared = (struct ktap_shared *)mmap(NULL, sizeof(*ktap_shared),
						 PROT_READ | PROT_WRITE,
						 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc == 5 && !strcmp(argv[1], "hold"))
		return ask(argv + 2, true);
	if (argc == 5 && !strcmp(argv[1], "ask"))
		return ask(argv + 2, false);
	if (argc == 3 && !strcmp(argv[1], "churn"))
		return churn(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "list"))
		return list();
	fputs("usage: binder hold|ask NAME MIN MAX | churn NAME | list\n", stderr);
	return 2;
}
