// SPDX-License-Identifier: GPL-2.0
/*
 * Notes of files as lines or JSON, one of each for each note.
 */
#include <inttypes.h>
#include <stdio.h>
#include "aemwatch.h"

const struct kind kinds[] = {
	{ AEM_FD_ACCESS, "access" },
	{ AEM_FD_MODIFY, "modify" },
	{ AEM_FD_OPEN, "open" },
	{ AEM_FD_CLOSE_WRITE, "close-write" },
	{ AEM_FD_CLOSE_READ, "close-read" },
	{ AEM_FD_MODE, "mode" },
	{ AEM_FD_OWNER, "owner" },
	{ AEM_FD_ATTR, "attr" },
	{ AEM_FD_XATTR, "xattr" },
	{ AEM_FD_CREATE, "create" },
	{ AEM_FD_DELETE, "delete" },
	{ AEM_FD_RENAME, "rename" },
	{ AEM_FD_MOVED, "moved" },
	{ AEM_FD_LOCK, "lock" },
	{ AEM_FD_UNLOCK, "unlock" },
	{ AEM_FD_GONE, "gone" },
	{ AEM_FD_UNMOUNT, "unmount" },
	{ AEM_FD_FOUND, "found" },
	{ 0 }
};

static const struct kind flags[] = {
	{ AEM_FD_F_DIR, "directory" },
	{ AEM_FD_F_LINK, "link" },
	{ AEM_FD_F_EXEC, "exec" },
	{ AEM_FD_F_UNSURE, "unsure" },
	{ AEM_FD_F_EXCHANGE, "exchanged" },
	{ AEM_FD_F_DIR2, "with-directory" },
	{ 0 }
};

/* The permissions of a mode, whose type others tell. */
#define PERMISSIONS	07777

static const char *lock_kind(const struct aem_fd_note *note)
{
	switch (note->lock & ~AEM_FD_LOCK_WRITE) {
	case AEM_FD_LOCK_POSIX:
		return "posix";
	case AEM_FD_LOCK_OFD:
		return "ofd";
	case AEM_FD_LOCK_FLOCK:
		return "flock";
	default:
		return "?";
	}
}

static bool is_locked(const struct aem_fd_note *note)
{
	return note->kinds & AEM_FD_LOCK;
}

static void print_lock(const struct aem_fd_note *note)
{
	printf(" %s", lock_kind(note));
	if (is_locked(note))
		printf(" %s", note->lock & AEM_FD_LOCK_WRITE ? "write" : "read");
	printf(" %" PRIu64 "-", (uint64_t)note->start);
	if (note->end < INT64_MAX)
		printf("%" PRIu64, (uint64_t)note->end);
}

static void print_stat(const struct aem_fd_note *note)
{
	bool old = note->flags & AEM_FD_F_OLD;

	if (note->kinds & AEM_FD_MODE)
		printf(" mode %04o", note->mode & PERMISSIONS);
	if (note->kinds & AEM_FD_MODE && old)
		printf(" was %04o", note->old_mode & PERMISSIONS);
	if (note->kinds & AEM_FD_OWNER)
		printf(" owner %" PRIu32 ":%" PRIu32, note->owner, note->group);
	if (note->kinds & AEM_FD_OWNER && old)
		printf(" was %" PRIu32 ":%" PRIu32, note->old_owner, note->old_group);
}

static void print_names(const struct kind *table, uint32_t bits, const char *between)
{
	const char *before = " ";

	for (; table->name; table++) {
		if (!(bits & table->bit))
			continue;
		printf("%s%s", before, table->name);
		before = between;
	}
}

/** print_file_line() - a line; before it one of what was lost. */
void print_file_line(const struct file_event *event)
{
	const struct aem_fd_note *note = event->note;

	if (event->lost)
		printf("lost %" PRIu32 "\n", event->lost);
	/* When it came to be what was found is not known. */
	if (note->time)
		printf("%.6f", seconds(note->time));
	else
		putchar('-');
	print_names(kinds, note->kinds, ",");
	printf(" %s", event->path ? event->path : "?");
	if (note->kinds & AEM_FD_RENAME)
		printf(" -> %s", event->path2 ? event->path2 : "?");
	print_names(flags, note->flags, " ");
	if (note->flags & AEM_FD_F_ACTOR)
		printf(" pid %" PRId32 " uid %" PRIu32, note->pid, note->uid);
	if (note->flags & AEM_FD_F_STAT)
		print_stat(note);
	if (note->kinds & (AEM_FD_LOCK | AEM_FD_UNLOCK))
		print_lock(note);
	if (note->count > 1)
		printf(" times %" PRIu32, note->count);
	putchar('\n');
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	if (text)
		json_object_object_add(object, name, json_object_new_string(text));
}

static void add_mode(struct json_object *object, const char *name, uint32_t mode)
{
	char text[16];

	snprintf(text, sizeof(text), "%04o", mode & PERMISSIONS);
	add_text(object, name, text);
}

static void add_kinds(struct json_object *object, uint32_t bits)
{
	struct json_object *names = json_object_new_array();
	const struct kind *kind;

	for (kind = kinds; kind->name; kind++)
		if (bits & kind->bit)
			json_object_array_add(names, json_object_new_string(kind->name));
	json_object_object_add(object, "kinds", names);
}

static void add_stat(struct json_object *object, const struct aem_fd_note *note)
{
	add_mode(object, "mode", note->mode);
	add_number(object, "owner", note->owner);
	add_number(object, "group", note->group);
	add_number(object, "inode", note->inode);
	if (!(note->flags & AEM_FD_F_OLD))
		return;
	add_mode(object, "old_mode", note->old_mode);
	add_number(object, "old_owner", note->old_owner);
	add_number(object, "old_group", note->old_group);
}

static void add_lock(struct json_object *object, const struct aem_fd_note *note)
{
	add_text(object, "lock", lock_kind(note));
	if (is_locked(note))
		json_object_object_add(object, "write",
				       json_object_new_boolean(note->lock & AEM_FD_LOCK_WRITE));
	add_number(object, "start", note->start);
	/* Without an end it goes on, whatever the file's length. */
	if (note->end < INT64_MAX)
		add_number(object, "end", note->end);
}

/** print_file_json() - an object. */
void print_file_json(const struct file_event *event)
{
	struct json_object *object = json_object_new_object();
	const struct aem_fd_note *note = event->note;
	const struct kind *flag;

	add_kinds(object, note->kinds);
	if (note->time)
		add_number(object, "time", note->time);
	if (event->lost)
		add_number(object, "lost", event->lost);
	add_text(object, "path", event->path);
	add_text(object, "path2", event->path2);
	for (flag = flags; flag->name; flag++)
		if (note->flags & flag->bit)
			json_object_object_add(object, flag->name, json_object_new_boolean(true));
	if (note->flags & AEM_FD_F_ACTOR) {
		add_number(object, "pid", (uint64_t)note->pid);
		add_number(object, "uid", note->uid);
	}
	if (note->flags & AEM_FD_F_STAT)
		add_stat(object, note);
	if (note->kinds & (AEM_FD_LOCK | AEM_FD_UNLOCK))
		add_lock(object, note);
	if (note->count > 1)
		add_number(object, "count", note->count);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
