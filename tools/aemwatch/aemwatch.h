/* SPDX-License-Identifier: GPL-2.0 */
/*
 * aemwatch: prints what happens to processes and files.
 *
 *	main.c		options, and how long it goes on
 *	process.c	processes that are watched
 *	file.c		files and trees that are watched
 *	print.c		notes of processes as lines or JSON
 *	print_file.c	notes of files
 *	tree.c		the processes that ended, as a tree
 */
#ifndef AEMWATCH_H
#define AEMWATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>
#include <aem/fd.h>
#include <aem/pexit.h>

/* main.c */

/**
 * struct options - what the command line says
 * @follow: descendants, too
 * @group:  process ids are those of groups
 * @json:   objects of JSON instead of lines
 * @tree:   print the processes that ended as a tree
 * @kinds:  enum aem_fd_kind, of files
 * @file:   how files are watched
 */
struct options {
	bool follow;
	bool group;
	bool json;
	bool tree;
	uint32_t kinds;
	struct aem_fd_options file;
};

extern struct options options;

/* Has aemwatch end; wrong: not as it was asked to. */
void finish(struct aem *aem, bool wrong);
void complain(const char *what, int error);

/* process.c */
int processes_watch(struct aem *aem, int32_t *pids, int n, char *const *names);
bool processes_left(struct aem *aem);

/* file.c */
int files_add(const char *path, bool recursive);
bool files_given(void);
bool files_have_tree(void);
uint32_t files_kinds(char *list);
bool files_watch(struct aem *aem);
int files_renew(struct aem *aem);
void files_close(void);

/* print.c */
void print_line(const struct aem_pexit_note *note, uint32_t lost);
void print_json(const struct aem_pexit_note *note, uint32_t lost);
void add_number(struct json_object *object, const char *name, uint64_t value);
double seconds(uint64_t ns);

/* How a process ended, in a few words: "exit 3", "signal 11 (SEGV), core dumped". */
const char *ending(const struct aem_pexit_note *note);

/**
 * struct file_event - something happened to a file
 * @note:  what
 * @lost:  notes before it
 * @path:  the file, ready to be printed; NULL: not known
 * @path2: of a rename: where to; NULL: not known
 */
struct file_event {
	const struct aem_fd_note *note;
	uint32_t lost;
	const char *path;
	const char *path2;
};

/* print_file.c */
extern const struct kind {
	uint32_t bit;
	const char *name;
} kinds[];

void print_file_line(const struct file_event *event);
void print_file_json(const struct file_event *event);

/* tree.c */
int tree_add(const struct aem_pexit_note *note);
void tree_print(void);

#endif /* AEMWATCH_H */
