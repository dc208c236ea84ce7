// SPDX-License-Identifier: GPL-2.0
/*
 * Notes of processes as lines or JSON, one of each for each note.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "aemwatch.h"

static const char *kind_of(const struct aem_pexit_note *note)
{
	switch (note->kind) {
	case AEM_PEXIT_END:
		return "end";
	case AEM_PEXIT_FORK:
		return "fork";
	case AEM_PEXIT_EXEC:
		return "exec";
	default:
		return "?";
	}
}

const char *ending(const struct aem_pexit_note *note)
{
	static char text[64];
	int status = (int)note->status, signo = WTERMSIG(status);
	const char *name;

	if (!(note->flags & AEM_PEXIT_F_STATUS))
		return "ended";
	if (WIFEXITED(status)) {
		snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
		return text;
	}
	name = sigabbrev_np(signo);
	snprintf(text, sizeof(text), "signal %d (%s)%s", signo, name ? name : "?",
		 WCOREDUMP(status) ? ", core dumped" : "");
	return text;
}

double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void print_fault(const struct aem_pexit_note *note)
{
	if (note->flags & AEM_PEXIT_F_FAULT)
		printf(" ip 0x%" PRIx64, (uint64_t)note->ip);
	if (note->flags & AEM_PEXIT_F_ADDRESS)
		printf(" address 0x%" PRIx64, (uint64_t)note->address);
}

void print_line(const struct aem_pexit_note *note, uint32_t lost)
{
	if (lost)
		printf("lost %" PRIu32 "\n", lost);
	printf("%.6f %-4s %d", seconds(note->time), kind_of(note), note->pid);
	if (note->flags & AEM_PEXIT_F_STATUS)
		printf(" (%s) parent %d uid %" PRIu32, (const char *)note->comm, note->parent,
		       note->uid);
	if (note->kind == AEM_PEXIT_END)
		printf(" %s", ending(note));
	if (note->kind == AEM_PEXIT_END && note->flags & AEM_PEXIT_F_STATUS)
		printf(" user %.3f system %.3f peak %" PRIu64 "K", seconds(note->user),
		       seconds(note->system), (uint64_t)note->peak / 1024);
	print_fault(note);
	putchar('\n');
}

void add_number(struct json_object *object, const char *name, uint64_t value)
{
	json_object_object_add(object, name, json_object_new_int64((int64_t)value));
}

/* Addresses are strings: not every reader of JSON has integers of 64 bits. */
static void add_address(struct json_object *object, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	json_object_object_add(object, name, json_object_new_string(text));
}

static void add_end(struct json_object *object, const struct aem_pexit_note *note)
{
	int status = (int)note->status;

	if (WIFEXITED(status)) {
		add_number(object, "exit", (uint64_t)WEXITSTATUS(status));
	} else {
		add_number(object, "signal", (uint64_t)WTERMSIG(status));
		json_object_object_add(object, "core", json_object_new_boolean(WCOREDUMP(status)));
	}
	add_number(object, "user", note->user);
	add_number(object, "system", note->system);
	add_number(object, "peak", note->peak);
	if (note->flags & AEM_PEXIT_F_FAULT)
		add_address(object, "ip", note->ip);
	if (note->flags & AEM_PEXIT_F_ADDRESS)
		add_address(object, "address", note->address);
}

/* A name is bytes that its owner chose, and JSON is UTF-8: others become question marks. */
static void add_name(struct json_object *object, const struct aem_pexit_note *note)
{
	char name[sizeof(note->comm) + 1] = "";
	size_t i;

	memcpy(name, note->comm, sizeof(note->comm));
	for (i = 0; name[i]; i++)
		if (name[i] & 0x80)
			name[i] = '?';
	json_object_object_add(object, "comm", json_object_new_string(name));
}

void print_json(const struct aem_pexit_note *note, uint32_t lost)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "kind", json_object_new_string(kind_of(note)));
	add_number(object, "time", note->time);
	add_number(object, "pid", (uint64_t)note->pid);
	if (lost)
		add_number(object, "lost", lost);
	if (note->flags & AEM_PEXIT_F_STATUS) {
		add_number(object, "parent", (uint64_t)note->parent);
		add_number(object, "uid", note->uid);
		add_name(object, note);
		if (note->kind == AEM_PEXIT_END)
			add_end(object, note);
	}
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}
