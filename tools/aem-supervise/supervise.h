/* SPDX-License-Identifier: GPL-2.0 */
/*
 * aem-supervise: keeps unmodified programs alive.
 *
 *	main.c		the loop, signals, a changed configuration
 *	config.c	reads the configuration
 *	program.c	a program's life: started, ended, started again after a delay
 *	notify.c	heartbeats, by the protocol of sd_notify(3)
 */
#ifndef AEM_SUPERVISE_H
#define AEM_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <aem/fd.h>
#include <aem/pexit.h>
#include <aem/timer.h>

/**
 * struct settings - what the configuration says of a program
 * @name:      of its section
 * @command:   for /bin/sh -c, with "exec" before it
 * @delay:     nanoseconds before the first restart
 * @max_delay: nanoseconds that the delay grows to
 * @backoff:   what the delay is multiplied by after each restart
 * @limit:     restarts within @window before it is given up; 0: no limit
 * @window:    nanoseconds
 * @heartbeat: nanoseconds between two signs of life at most; 0: none are expected
 * @always:    restart after exit 0 as well
 */
struct settings {
	char *name;
	char *command;
	uint64_t delay;
	uint64_t max_delay;
	double backoff;
	unsigned int limit;
	uint64_t window;
	uint64_t heartbeat;
	bool always;
};

/**
 * struct program - one that is kept alive
 * @set:      its settings
 * @pid:      of its process, 0: it does not run
 * @watch:    of that process
 * @restart:  the timer of its next start
 * @pulse:    the timer of its next sign of life
 * @delay:    before its next restart
 * @began:    when its process was started
 * @first:    when the first of @restarts was
 * @restarts: within the window
 * @silent:   it missed a heartbeat
 * @stopping: it shall not be started again
 * @seen:     it is in the configuration that is being read
 * @next:     in the list of all
 */
struct program {
	struct settings set;
	pid_t pid;
	aem_id watch;
	aem_id restart;
	aem_id pulse;
	uint64_t delay;
	uint64_t began;
	uint64_t first;
	unsigned int restarts;
	bool silent;
	bool stopping;
	bool seen;
	struct program *next;
};

/* main.c */
extern struct aem *supervisor;
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
uint64_t now_ns(void);

/* config.c */
typedef int (*config_fn)(struct settings *settings);
int config_read(const char *path, config_fn each);
void settings_free(struct settings *settings);

/* program.c */
int program_configure(struct settings *settings);
void programs_mark(void);
void programs_sweep(void);
void programs_stop(int signo);
bool programs_run(void);
void program_beat(pid_t pid);

/* notify.c */
int notify_open(void);
void notify_read(int fd);
const char *notify_path(void);
void notify_close(void);

#endif /* AEM_SUPERVISE_H */
