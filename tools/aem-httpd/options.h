/* SPDX-License-Identifier: GPL-2.0 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <sys/socket.h>

/**
 * struct options - the command line
 * @address:         where to listen
 * @address_length:  its bytes
 * @port:            0: the kernel picks one
 * @root:            the directory that is served
 * @interrupt:       main() computes and is interrupted; otherwise it waits for events
 * @timers:          periodic timers that tick along
 * @stats:           seconds from one line of counters to the next, 0: none
 * @max_connections: more wait in the listening socket's queue
 * @idle:            seconds that a connection may wait for a request
 * @head:            seconds that a request's head may take, and its body
 * @send:            seconds without progress that a client may take to receive
 * @cache:           bytes of small files kept in memory
 */
struct options {
	struct sockaddr_storage address;
	socklen_t address_length;
	unsigned int port;
	const char *root;
	bool interrupt;
	unsigned int timers;
	unsigned int stats;
	unsigned int max_connections;
	unsigned int idle;
	unsigned int head;
	unsigned int send;
	unsigned long cache;
};

/* Ends the program if it is wrong. */
void options_parse(struct options *options, int argc, char **argv);

#endif /* OPTIONS_H */
