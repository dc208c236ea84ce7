/* SPDX-License-Identifier: GPL-2.0 */
/* aemctl: what its parts share. Every answer is a JSON array of objects, a table a view of it. */
#ifndef AEMCTL_H
#define AEMCTL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <json-c/json.h>

#define DEVICE "/dev/aem"

/**
 * struct column - one column of a table
 * @key:   the member of each row's object
 * @title: the heading
 * @right: numbers stand to the right
 */
struct column {
	const char *key;
	const char *title;
	bool right;
};

/* Prints @rows, an array of objects; columns end with a NULL key. Absent members show as "-". */
void table_print(FILE *out, struct json_object *rows, const struct column *columns);

/* Ends the program if the device is not there, saying what to do. */
void device_expect(void);
/* A descriptor of it; ends the program if there is none. */
int device_open(void);
/* The services that are loaded: name, version, state, base, calls, users, events. */
struct json_object *device_services(void);

/* aemctl service ...: its exit status, or -1: show the list. */
int service_main(int argc, char **argv);

/* aemctl save ..., aemctl restore ...: its exit status. */
int save_main(int argc, char **argv);
int restore_main(int argc, char **argv);

/**
 * struct scan - the contexts found in /proc
 * @contexts: array: pid, command, fd, the lines of fdinfo, and "list", its events
 * @hidden:   processes that the caller may not look into
 */
struct scan {
	struct json_object *contexts;
	unsigned int hidden;
};

/* All processes. */
void scan_all(struct scan *scan);
/* One process: 0, or -ENOENT, -EACCES. */
int scan_process(struct scan *scan, pid_t pid);

/* Reads one context's fdinfo into @context: 0, or -errno; -ENODATA: it is not a context's. */
int fdinfo_read(FILE *in, struct json_object *context);

/* The names of an event's flags, with commas between, without EVF_; empty: none. */
struct json_object *flags_new(unsigned int bits);

/* "123", "0x7f" as numbers, everything else as strings; ids as well, for they have 64 bits. */
struct json_object *value_new(const char *key, const char *text);

#endif /* AEMCTL_H */
