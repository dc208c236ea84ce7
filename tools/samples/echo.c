// SPDX-License-Identifier: GPL-2.0
/*
 * Sends back what comes on TCP port 7777, while a timer counts the connections. One system call
 * serves a whole burst: it sends the answers and fetches what came next.
 */
#include <stdio.h>
#include <arpa/inet.h>
#include <aem/ip.h>
#include <aem/timer.h>

static int connections;

static void accepted(struct aem *aem, void *user, aem_id id, int fd, const struct sockaddr *peer,
		     socklen_t length, aem_id data, int error)
{
	(void)aem, (void)user, (void)id, (void)fd, (void)peer, (void)length, (void)data;
	if (!error)
		connections++;
}

/* A server that is to last would keep the rest, and go on when aem_ip_room() says so. */
static void sent(struct aem *aem, void *user, aem_id id, const void *rest, size_t left, int error)
{
	(void)aem, (void)user, (void)id, (void)rest;
	if (error)
		fprintf(stderr, "echo: %zu bytes lost\n", left);
}

static void data(struct aem *aem, void *user, aem_id id, int fd, void *bytes, size_t length,
		 unsigned int flags, int error)
{
	(void)user, (void)flags, (void)error;
	if (length) {
		aem_ip_send(aem, id, bytes, length, AEM_SEND_QUIET, sent, NULL);
	} else {
		aem_ip_close(aem, &id, 1, fd);
		connections--;
	}
}

static void tell(struct aem *aem, void *user, aem_id timer, uint64_t overruns, uint64_t expiry,
		 int error)
{
	(void)aem, (void)user, (void)timer, (void)overruns, (void)expiry, (void)error;
	printf("%d connections\n", connections);
	fflush(stdout);
}

int main(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(7777) };
	struct aem_timer_spec second = { .value = 1000000000, .interval = 1000000000 };
	struct aem_ip_stream stream = { .handler = data, .how = AEM_PRIO(1) };
	struct aem_options options = { .flags = AEM_OPEN_SAFEPOINT };
	int fd = socket(AF_INET, SOCK_STREAM, 0), err;
	struct aem *aem = NULL;

	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) || listen(fd, 128))
		return perror("echo: port 7777"), 1;
	err = aem_open(&aem, &options);
	if (!err)
		err = aem_ip_accept(aem, NULL, fd, AEM_PRIO(2), &stream, 0, accepted, NULL);
	if (!err)
		err = aem_timer_create(aem, NULL, CLOCK_MONOTONIC, AEM_PRIO(3), &second, tell,
				       NULL);
	if (!err)
		err = aem_run(aem);
	fprintf(stderr, "echo: %s\n", aem_strerror_hint(err));
	return 1;
}
