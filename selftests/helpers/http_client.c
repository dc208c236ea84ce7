// SPDX-License-Identifier: GPL-2.0
/*
 * A client without manners: sends its standard input to a server on this machine, just as it
 * is, in pieces and pauses as asked for, and prints what comes back.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: http_client [option]... PORT <BYTES\n"
	"  -c N    send N bytes at a time\n"
	"  -d MS   wait so long before each piece\n"
	"  -s      then close the sending side\n"
	"  -r      then break the connection off\n"
	"  -w MS   receive nothing for so long, into a small buffer\n"
	"  -n N    so many times, one after the other\n"
	"  -m N    on so many connections at a time\n"
	"  -t S    wait no longer than this for an answer (default: 20)\n"
	"Exit status: 0 the server closed the connection, or all was sent with -r;\n"
	"1 error, 2 no end in time, 3 the connection was reset.\n";

enum outcome { CLOSED = 0, LATE = 2, RESET = 3 };

static struct {
	size_t piece;
	int delay;
	bool shut;
	bool abort;
	int wait;
	int times;
	int many;
	int patience;
	int port;
} options = { .piece = 1 << 20, .times = 1, .many = 1, .patience = 20 };

struct client {
	int fd;
	size_t sent;
	bool shut;
	bool done;
	enum outcome outcome;
	long long next;
};

static char *bytes;
static size_t length;

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void read_input(void)
{
	size_t size = 0;
	ssize_t n;

	do {
		if (length == size) {
			size = size ? 2 * size : 65536;
			bytes = realloc(bytes, size);
			if (!bytes)
				err(1, "no memory");
		}
		n = read(STDIN_FILENO, bytes + length, size - length);
		if (n < 0)
			err(1, "read");
		length += n;
	} while (n);
}

static void set(int fd, int level, int option, const void *value, socklen_t size)
{
	if (setsockopt(fd, level, option, value, size))
		err(1, "setsockopt");
}

static void begin(struct client *client)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(options.port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, small = 4096;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket");
	set(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (options.wait)
		set(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "connect");
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		err(1, "fcntl");
	*client = (struct client){ .fd = fd, .next = now_ms() + options.delay };
}

static void end(struct client *client, enum outcome outcome)
{
	struct linger linger = { .l_onoff = 1 };

	if (options.abort)
		set(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(client->fd);
	client->done = true;
	client->outcome = outcome;
}

static bool wants_to_send(const struct client *client)
{
	return client->sent < length || (options.shut && !client->shut);
}

static void send_piece(struct client *client)
{
	size_t left = length - client->sent;
	size_t piece = left < options.piece ? left : options.piece;
	ssize_t n = send(client->fd, bytes + client->sent, piece, MSG_NOSIGNAL);

	/* What the server says about it is read all the same. */
	if (n < 0 && errno != EAGAIN)
		client->sent = length;
	if (n > 0)
		client->sent += n;
	client->next = now_ms() + options.delay;
	if (client->sent < length)
		return;
	if (options.abort) {
		end(client, CLOSED);
	} else if (options.shut && !client->shut) {
		shutdown(client->fd, SHUT_WR);
		client->shut = true;
	}
}

static void receive(struct client *client)
{
	static char buffer[65536];
	ssize_t n = recv(client->fd, buffer, sizeof(buffer), 0);

	if (n > 0)
		fwrite(buffer, 1, n, stdout);
	else if (!n)
		end(client, CLOSED);
	else if (errno != EAGAIN)
		end(client, RESET);
}

static short interest(const struct client *client, long long time, long long quiet)
{
	short events = time >= quiet ? POLLIN : 0;

	if (wants_to_send(client) && time >= client->next)
		events |= POLLOUT;
	return events;
}

static void turn(struct client *clients, struct pollfd *fds, long long quiet)
{
	long long time = now_ms();

	for (int i = 0; i < options.many; i++) {
		fds[i].fd = clients[i].done ? -1 : clients[i].fd;
		fds[i].events = interest(&clients[i], time, quiet);
	}
	if (poll(fds, options.many, 10) < 0)
		err(1, "poll");
	for (int i = 0; i < options.many; i++) {
		if (clients[i].done)
			continue;
		if (fds[i].revents & POLLOUT)
			send_piece(&clients[i]);
		if (!clients[i].done && time >= quiet &&
		    fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			receive(&clients[i]);
	}
}

static int left(const struct client *clients)
{
	int n = 0;

	for (int i = 0; i < options.many; i++)
		n += !clients[i].done;
	return n;
}

/* The worst outcome. */
static enum outcome go(struct client *clients, struct pollfd *fds)
{
	long long start = now_ms(), quiet = start + options.wait;
	enum outcome outcome = CLOSED;

	for (int i = 0; i < options.many; i++)
		begin(&clients[i]);
	while (left(clients) && now_ms() - start < options.patience * 1000LL)
		turn(clients, fds, quiet);
	for (int i = 0; i < options.many; i++) {
		if (!clients[i].done)
			end(&clients[i], LATE);
		if (clients[i].outcome > outcome)
			outcome = clients[i].outcome;
	}
	return outcome;
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "c:d:srw:n:m:t:")) != -1) {
		switch (option) {
		case 'c':
			options.piece = atoi(optarg);
			break;
		case 'd':
			options.delay = atoi(optarg);
			break;
		case 's':
			options.shut = true;
			break;
		case 'r':
			options.abort = true;
			break;
		case 'w':
			options.wait = atoi(optarg);
			break;
		case 'n':
			options.times = atoi(optarg);
			break;
		case 'm':
			options.many = atoi(optarg);
			break;
		case 't':
			options.patience = atoi(optarg);
			break;
		default:
			fputs(usage, stderr);
			exit(1);
		}
	}
	options.port = optind == argc - 1 ? atoi(argv[optind]) : 0;
	if (options.port <= 0 || !options.piece || options.many < 1) {
		fputs(usage, stderr);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	enum outcome outcome = CLOSED;
	struct client *clients;
	struct pollfd *fds;

	parse(argc, argv);
	read_input();
	clients = calloc(options.many, sizeof(*clients));
	fds = calloc(options.many, sizeof(*fds));
	if (!clients || !fds)
		err(1, "no memory");
	for (int i = 0; i < options.times; i++) {
		enum outcome one = go(clients, fds);

		outcome = one > outcome ? one : outcome;
	}
	if (fflush(stdout))
		err(1, "write");
	return outcome;
}
