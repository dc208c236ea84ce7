// SPDX-License-Identifier: GPL-2.0
/*
 * Trees of directories that are watched.
 *
 * The kernel knows directories by numbers, users want names. For each directory that is watched
 * there is an entry, which knows its name and the entry that it is in; so renaming one is one
 * change. All entries together are the picture.
 *
 * A directory is added to the watch, and then looked into: what came before it was added is
 * found, and what comes after it is told. So a tree is set up by adding its root.
 *
 * Who looks sees directories as they are now, while notes that wait tell of what was before. It
 * comes out right in the end, since of a directory that is watched each change is told, in
 * order, and since of each directory it is known where it was seen last:
 *
 * - A note that says that a directory left a place where the picture does not have it is older
 *   than the picture: it was seen elsewhere later.
 * - If the picture has another directory at a place than the note says, either that one has come
 *   later, or it has been replaced. If need be it is forgotten: a later note says that it comes,
 *   and it is looked into again.
 * - A path may lead elsewhere than the picture says; but the kernel says of what was opened
 *   which directory it is. One that is not where it should be is on its way: it is tried again
 *   when something was renamed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "internal.h"

/* Changes of names are told of every tree. */
#define NAMES		(AEM_FD_CREATE | AEM_FD_DELETE | AEM_FD_RENAME)

#define BUCKETS		4096
#define TREE_PATH_MAX	4096

/**
 * struct entry - a directory that is watched
 * @next:    in its bucket by number
 * @beside:  in its bucket by place
 * @up:      the directory that it is in; NULL: the root
 * @below:   a directory in it
 * @sibling: the next in @up
 * @number:  the kernel's
 * @again:   it is to be looked into, but was not found
 * @early:   it was seen before the note of its birth, which has its number
 * @name:    in @up
 */
struct entry {
	struct entry *next;
	struct entry *beside;
	struct entry *up;
	struct entry *below;
	struct entry *sibling;
	uint32_t number;
	bool again;
	bool early;
	char *name;
};

/**
 * struct aem_fd_tree - a tree that is watched
 * @aem:     the context
 * @id:      of the watch
 * @fd:      the root, by which all others are found
 * @failed:  -errno: why a directory could not be watched; told with the next note
 * @lost:    notes, likewise
 * @again:   some entry has @again
 * @gone:    a directory that is no more; the note that follows says how, or is of another
 * @last:    the note before, if it is of a file that was renamed
 * @half:    one half of an exchange of names, with its names
 * @handler: the user's
 * @user:    for @handler
 * @numbers: entries by number
 * @places:  entries by where they are
 * @path:    what is told
 * @path2:   of a rename: where to
 */
struct aem_fd_tree {
	struct aem *aem;
	aem_id id;
	int fd;
	int failed;
	uint32_t lost;
	bool again;
	uint32_t gone;
	struct {
		uint32_t number;
		uint32_t number2;
		char name[NAME_MAX + 1];
		char name2[NAME_MAX + 1];
	} last;
	union {
		struct aem_fd_note note;
		uint8_t bytes[sizeof(struct aem_fd_note) + 2 * (NAME_MAX + 1)];
	} half;
	aem_fd_tree_fn handler;
	void *user;
	struct entry *numbers[BUCKETS];
	struct entry *places[BUCKETS];
	char path[TREE_PATH_MAX];
	char path2[TREE_PATH_MAX];
};

/* The picture. */

static struct entry **number_bucket(struct aem_fd_tree *tree, uint32_t number)
{
	return &tree->numbers[number % BUCKETS];
}

static struct entry **place_bucket(struct aem_fd_tree *tree, const struct entry *up,
				   const char *name)
{
	uint32_t hash = up->number;

	for (; *name; name++)
		hash = hash * 31 + (unsigned char)*name;
	return &tree->places[hash % BUCKETS];
}

static struct entry *find(struct aem_fd_tree *tree, uint32_t number)
{
	struct entry *entry = number ? *number_bucket(tree, number) : NULL;

	while (entry && entry->number != number)
		entry = entry->next;
	return entry;
}

static bool is_at(const struct entry *entry, const struct entry *up, const char *name)
{
	return entry->up == up && !strcmp(entry->name, name);
}

/* Which directory the picture has there. */
static struct entry *at(struct aem_fd_tree *tree, const struct entry *up, const char *name)
{
	struct entry *entry = *place_bucket(tree, up, name);

	while (entry && !is_at(entry, up, name))
		entry = entry->beside;
	return entry;
}

static void leave(struct aem_fd_tree *tree, struct entry *entry)
{
	struct entry **place;

	if (!entry->up)
		return;
	place = place_bucket(tree, entry->up, entry->name);
	while (*place != entry)
		place = &(*place)->beside;
	*place = entry->beside;
	for (place = &entry->up->below; *place != entry; place = &(*place)->sibling)
		;
	*place = entry->sibling;
	entry->up = NULL;
}

static void enter(struct aem_fd_tree *tree, struct entry *entry, struct entry *up)
{
	struct entry **place = place_bucket(tree, up, entry->name);

	entry->up = up;
	entry->beside = *place;
	*place = entry;
	entry->sibling = up->below;
	up->below = entry;
}

static struct entry *make(struct aem_fd_tree *tree, uint32_t number, const char *name)
{
	struct entry *entry = calloc(1, sizeof(*entry)), **bucket = number_bucket(tree, number);

	if (entry)
		entry->name = strdup(name);
	if (!entry || !entry->name) {
		free(entry);
		return NULL;
	}
	entry->number = number;
	entry->next = *bucket;
	*bucket = entry;
	return entry;
}

/* It has left its place, and nothing is in it. */
static void discard(struct aem_fd_tree *tree, struct entry *entry)
{
	struct entry **place = number_bucket(tree, entry->number);

	while (*place != entry)
		place = &(*place)->next;
	*place = entry->next;
	free(entry->name);
	free(entry);
}

/*
 * Forgets a directory and all in it. Those that still live are not watched any more, unless there
 * is a note to come by which they are found again.
 */
static void drop(struct aem_fd_tree *tree, struct entry *top)
{
	struct entry *entry = top, *up;

	for (;;) {
		while (entry->below)
			entry = entry->below;
		up = entry == top ? NULL : entry->up;
		leave(tree, entry);
		if (!entry->early)
			aem_fd_remove(tree->aem, tree->id, entry->number);
		discard(tree, entry);
		if (!up)
			return;
		entry = up;
	}
}

static bool is_below(const struct entry *entry, const struct entry *top)
{
	while (entry && entry != top)
		entry = entry->up;
	return entry;
}

/* Where a directory is from now on. Nothing else is there. Return: -errno. */
static int put(struct aem_fd_tree *tree, struct entry *up, const char *name, uint32_t number)
{
	struct entry *entry = find(tree, number);
	char *copy;

	if (!entry) {
		entry = make(tree, number, name);
		if (!entry)
			return -ENOMEM;
	} else {
		copy = strdup(name);
		if (!copy)
			return -ENOMEM;
		leave(tree, entry);
		free(entry->name);
		entry->name = copy;
	}
	enter(tree, entry, up);
	return 0;
}

/* What the user is told. */

/* From the root, "" is the root itself. Return: NULL: too long. */
static char *compose(char *path, const struct entry *entry, const char *name)
{
	char *to = path + TREE_PATH_MAX - 1;
	size_t length = strlen(name);

	*to = '\0';
	for (;; name = entry->name, length = strlen(name), entry = entry->up) {
		if (length) {
			if ((size_t)(to - path) < length + 1)
				return NULL;
			if (*to)
				*--to = '/';
			to -= length;
			memcpy(to, name, length);
		}
		if (!entry->up)
			return to;
	}
}

static void tell(struct aem_fd_tree *tree, const struct aem_fd_note *note, const char *path,
		 const char *path2)
{
	uint32_t lost = tree->lost;
	int failed = tree->failed;

	if (!path || !path2) {
		tree->failed = -ENAMETOOLONG;
		return;
	}
	tree->failed = 0;
	tree->lost = 0;
	tree->handler(tree->aem, tree->user, note, lost, path, path2, failed);
}

/* Nobody did that: it was seen. */
static void tell_found(struct aem_fd_tree *tree, uint32_t kinds, bool dir, const char *path,
		       const char *path2)
{
	struct aem_fd_note note = {
		.length = sizeof(note), .count = 1, .kinds = AEM_FD_FOUND | kinds,
		.flags = dir ? AEM_FD_F_DIR : 0, .uid = (uint32_t)-1,
		.owner = (uint32_t)-1, .group = (uint32_t)-1,
		.old_owner = (uint32_t)-1, .old_group = (uint32_t)-1,
	};

	tell(tree, &note, path, path2);
}

static void tell_name(struct aem_fd_tree *tree, const struct entry *up, const char *name, bool dir)
{
	tell_found(tree, 0, dir, compose(tree->path, up, name), "");
}

/* A directory is not where the picture has it, and where it is will be told, if anywhere. */
static void give_up(struct aem_fd_tree *tree, struct entry *entry)
{
	tell_found(tree, AEM_FD_DELETE, true, compose(tree->path, entry->up, entry->name), "");
	drop(tree, entry);
}

/* Looking. */

/* What the picture says is about to change: then it is looked into. */
static void look_later(struct aem_fd_tree *tree, struct entry *entry)
{
	entry->again = true;
	tree->again = true;
}

static bool is_dir(int fd, const struct dirent *item)
{
	struct stat info;

	if (item->d_type != DT_UNKNOWN)
		return item->d_type == DT_DIR;
	return !fstatat(fd, item->d_name, &info, AT_SYMLINK_NOFOLLOW) && S_ISDIR(info.st_mode);
}

static int open_dir(int from, const char *path)
{
	int fd = openat(from, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* It has gone on, or is not a directory any more: a note says so. */
static bool is_elsewhere(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

/* A directory of the picture, if it is there. Return: -ENOENT: it is not. */
static int open_entry(struct aem_fd_tree *tree, const struct entry *entry)
{
	char *room = malloc(TREE_PATH_MAX), *path = room ? compose(room, entry, "") : NULL;
	int error = room ? -ENAMETOOLONG : -ENOMEM;
	int fd = path ? open_dir(tree->fd, path[0] ? path : ".") : error;
	uint32_t number;

	free(room);
	if (fd < 0)
		return is_elsewhere(fd) ? -ENOENT : fd;
	/* There is no need of room for one that is watched already. */
	error = aem_fd_add(tree->aem, tree->id, &number, fd, NULL, 0);
	if (error == 1 && number == entry->number)
		return fd;
	if (!error)
		aem_fd_remove(tree->aem, tree->id, number);
	close(fd);
	return error < 0 && error != -ENOSPC ? error : -ENOENT;
}

/* Is what is watched now, and was opened by that name, still there? */
static bool stays(int from, const char *name, int fd)
{
	struct stat was, is;

	return !fstat(fd, &was) && !fstatat(from, name, &is, AT_SYMLINK_NOFOLLOW) &&
	       was.st_ino == is.st_ino && was.st_dev == is.st_dev;
}

static void look(struct aem_fd_tree *tree, struct entry *up, int fd);

/* Nothing else is where it was seen. Return: what is forgotten now had it in it. */
static bool clear(struct aem_fd_tree *tree, const struct entry *up, const char *name,
		  uint32_t number)
{
	struct entry *there = at(tree, up, name), *known = find(tree, number);

	if (!there || there == known)
		return false;
	give_up(tree, there);
	return known && !find(tree, number);
}

/* The picture gets a directory that was seen. Return: it is new; NULL. */
static struct entry *see(struct aem_fd_tree *tree, struct entry *up, const char *name,
			 uint32_t number)
{
	struct entry *known = find(tree, number);

	if (known && known == at(tree, up, name))
		return NULL;
	/* It cannot be below itself: what the picture has in it is older. */
	if (known && is_below(up, known)) {
		look_later(tree, up);
		return NULL;
	}
	if (known)
		tell_found(tree, AEM_FD_RENAME, true,
			   compose(tree->path, known->up, known->name),
			   compose(tree->path2, up, name));
	else
		tell_name(tree, up, name, true);
	if (put(tree, up, name, number)) {
		tree->failed = -ENOMEM;
		aem_fd_remove(tree->aem, tree->id, number);
		return NULL;
	}
	return known ? NULL : find(tree, number);
}

static void see_file(struct aem_fd_tree *tree, struct entry *up, const char *name)
{
	struct entry *there = at(tree, up, name);

	if (there)
		give_up(tree, there);
	tell_name(tree, up, name, false);
}

/* A directory in one that is looked into, open as @from. Return: it is told, and not watched. */
static bool go_down(struct aem_fd_tree *tree, struct entry *up, int from, const char *name)
{
	int fd = open_dir(from, name), ret = fd;
	struct entry *new;
	uint32_t number;

	if (fd >= 0)
		ret = aem_fd_add(tree->aem, tree->id, &number, fd, NULL, 0);
	if (ret < 0) {
		if (fd >= 0)
			close(fd);
		if (is_elsewhere(ret))
			return false;
		tree->failed = ret;
		tell_name(tree, up, name, true);
		return true;
	}
	/* It may have moved before it was watched: then the note, which waits, has no number. */
	if (!stays(from, name, fd)) {
		if (!ret)
			aem_fd_remove(tree->aem, tree->id, number);
		close(fd);
		return false;
	}
	if (clear(tree, up, name, number)) {
		close(fd);
		return go_down(tree, up, from, name);
	}
	new = see(tree, up, name, number);
	if (!new) {
		close(fd);
		return false;
	}
	new->early = ret == 1;
	look(tree, new, fd);
	return false;
}

/* Tells what is there, and goes down. Takes @fd. */
static void look(struct aem_fd_tree *tree, struct entry *up, int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *item;

	if (!dir) {
		tree->failed = -ENOMEM;
		close(fd);
		return;
	}
	while ((item = readdir(dir))) {
		if (!strcmp(item->d_name, ".") || !strcmp(item->d_name, ".."))
			continue;
		if (is_dir(fd, item))
			go_down(tree, up, fd, item->d_name);
		else
			see_file(tree, up, item->d_name);
	}
	closedir(dir);
}

/* Looks into a directory of the picture, now or when it is found. */
static void look_into(struct aem_fd_tree *tree, struct entry *entry)
{
	int fd = open_entry(tree, entry);

	entry->again = false;
	if (fd >= 0)
		look(tree, entry, fd);
	else if (fd == -ENOENT)
		look_later(tree, entry);
	else
		tree->failed = fd;
}

/* Likewise, for a directory that has come, and was told of. It may have gone on. */
static void look_for(struct aem_fd_tree *tree, struct entry *up, const char *name)
{
	int fd = open_entry(tree, up);
	bool there = false;

	if (fd == -ENOENT) {
		look_later(tree, up);
	} else if (fd < 0) {
		tree->failed = fd;
	} else {
		there = go_down(tree, up, fd, name) || at(tree, up, name);
		close(fd);
	}
	if (!there)
		tell_found(tree, AEM_FD_DELETE, true, compose(tree->path, up, name), "");
}

/* A directory is where the picture says now: perhaps what was not found is. */
static void look_for_all(struct aem_fd_tree *tree)
{
	struct entry *entry;
	uint32_t *numbers;
	size_t n = 0, i;

	for (i = 0; i < BUCKETS; i++)
		for (entry = tree->numbers[i]; entry; entry = entry->next)
			n += entry->again;
	numbers = malloc((n + 1) * sizeof(*numbers));
	if (!numbers)
		return;
	for (i = 0, n = 0; i < BUCKETS; i++)
		for (entry = tree->numbers[i]; entry; entry = entry->next)
			if (entry->again)
				numbers[n++] = entry->number;
	tree->again = false;
	for (i = 0; i < n; i++) {
		entry = find(tree, numbers[i]);
		if (entry)
			look_into(tree, entry);
	}
	free(numbers);
}

/* Notes. */

static void tell_note(struct aem_fd_tree *tree, const struct aem_fd_note *note,
		      const struct entry *from, const struct entry *to)
{
	tell(tree, note, from ? compose(tree->path, from, aem_fd_name(note)) : "",
	     to ? compose(tree->path2, to, aem_fd_name2(note)) : "");
}

/* Two files that change places may be told of as two renames. */
static bool goes_back(const struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	return tree->last.number2 && tree->last.number2 == note->number &&
	       tree->last.number == note->number2 &&
	       !strcmp(tree->last.name2, aem_fd_name(note)) &&
	       !strcmp(tree->last.name, aem_fd_name2(note));
}

static void note_last(struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	tree->last.number = note->number;
	tree->last.number2 = 0;
	if (!(note->kinds & AEM_FD_RENAME) || note->flags & AEM_FD_F_DIR)
		return;
	tree->last.number2 = note->number2;
	strcpy(tree->last.name, aem_fd_name(note));
	strcpy(tree->last.name2, aem_fd_name2(note));
}

/* Is there still a file by the name that one had? */
static void look_for_file(struct aem_fd_tree *tree, struct entry *up, const char *name)
{
	int fd = open_entry(tree, up);
	struct stat info;

	if (fd == -ENOENT) {
		look_later(tree, up);
	} else if (fd < 0) {
		tree->failed = fd;
	} else {
		if (!fstatat(fd, name, &info, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(info.st_mode))
			see_file(tree, up, name);
		close(fd);
	}
}

/* Of a file. A directory in its place came after it, or is about to leave: by an exchange. */
static void changed(struct aem_fd_tree *tree, const struct aem_fd_note *note,
		    struct entry *from, struct entry *to)
{
	struct entry *there = to ? at(tree, to, aem_fd_name2(note)) : NULL;

	if (there) {
		give_up(tree, there);
		from = find(tree, note->number);
	}
	if (from && at(tree, from, aem_fd_name(note)))
		from = NULL;
	if (from || to)
		tell_note(tree, note, from, to);
	if (from && goes_back(tree, note))
		look_for_file(tree, from, aem_fd_name(note));
}

/* Others may have put something into it before the kernel watched it. */
static void created(struct aem_fd_tree *tree, const struct aem_fd_note *note, struct entry *up)
{
	struct entry *there = at(tree, up, aem_fd_name(note)), *self = find(tree, note->self);

	if (self)
		self->early = false;
	/* It was seen elsewhere since, or another one here. */
	if (there ? note->self && there != self : !!self)
		return;
	tell_note(tree, note, up, NULL);
	if (there)
		return;
	if (!note->self)
		look_for(tree, up, aem_fd_name(note));
	else if (put(tree, up, aem_fd_name(note), note->self))
		tree->failed = -ENOMEM;
	else
		look_into(tree, find(tree, note->self));
}

/* It is no more, wherever it was seen. */
static void deleted(struct aem_fd_tree *tree, const struct aem_fd_note *note, struct entry *up,
		    struct entry *gone)
{
	struct entry *there = at(tree, up, aem_fd_name(note));
	struct entry *self = gone ? gone : find(tree, note->self);

	if (!there || there == self)
		tell_note(tree, note, up, NULL);
	if (self && self == there)
		drop(tree, self);
	else if (self)
		give_up(tree, self);
}

/* A directory went from where the picture has it. */
static void moved(struct aem_fd_tree *tree, const struct aem_fd_note *note, struct entry *self,
		  struct entry *to)
{
	struct entry *there = to ? at(tree, to, aem_fd_name2(note)) : NULL;

	/* It cannot be below itself: what the picture has in it is older. */
	if (to && is_below(to, self)) {
		to = NULL;
		there = NULL;
	}
	tell_note(tree, note, self->up, to);
	leave(tree, self);
	if (there && there != self)
		drop(tree, there);
	if (to && !put(tree, to, aem_fd_name2(note), self->number))
		return;
	if (to)
		tree->failed = -ENOMEM;
	drop(tree, self);
}

/* A directory that the picture does not have went or came. */
static void passed(struct aem_fd_tree *tree, const struct aem_fd_note *note, struct entry *from,
		   struct entry *to)
{
	struct entry *there = to ? at(tree, to, aem_fd_name2(note)) : NULL;

	if (from && at(tree, from, aem_fd_name(note)))
		from = NULL;
	if (from || to)
		tell_note(tree, note, from, to);
	if (there)
		drop(tree, there);
	if (to)
		look_for(tree, to, aem_fd_name2(note));
	else if (note->self)
		aem_fd_remove(tree->aem, tree->id, note->self);
}

static void renamed(struct aem_fd_tree *tree, const struct aem_fd_note *note, struct entry *from,
		    struct entry *to)
{
	struct entry *self = find(tree, note->self);
	struct entry *there = to ? at(tree, to, aem_fd_name2(note)) : NULL;

	if (!self)
		passed(tree, note, from, to);
	else if (from && is_at(self, from, aem_fd_name(note)))
		moved(tree, note, self, to);
	else if (there && there != self)
		/* It was seen elsewhere since, but it took the place of this one. */
		give_up(tree, there);
	if (tree->again)
		look_for_all(tree);
}

/* What is below a mount can be seen again. */
static void ended(struct aem_fd_tree *tree, const struct aem_fd_note *note, struct entry *self)
{
	struct entry *up = self->up;

	if (!up) {
		tell_note(tree, note, self, NULL);
		return;
	}
	if (note->kinds & AEM_FD_GONE) {
		tree->gone = self->number;
		return;
	}
	give_up(tree, self);
	look_into(tree, up);
}

/* The kernel tells of a directory's end before it tells of that of its name. */
static struct entry *take_gone(struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	struct entry *gone = find(tree, tree->gone);

	tree->gone = 0;
	if (!gone || (note->kinds & AEM_FD_DELETE && note->flags & AEM_FD_F_DIR &&
		      note->number == gone->up->number && !strcmp(gone->name, aem_fd_name(note))))
		return gone;
	give_up(tree, gone);
	return NULL;
}

/* Of a directory that has left the tree; but it may have made one that is watched. */
static void ignore(struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	if (note->self && !find(tree, note->self))
		aem_fd_remove(tree->aem, tree->id, note->self);
}

static void take_note(struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	struct entry *gone = take_gone(tree, note);
	struct entry *from = find(tree, note->number), *to = find(tree, note->number2);

	if (!from && !to)
		ignore(tree, note);
	else if (note->kinds & (AEM_FD_GONE | AEM_FD_UNMOUNT))
		ended(tree, note, from);
	else if (!(note->kinds & NAMES))
		tell_note(tree, note, from, NULL);
	else if (!(note->flags & AEM_FD_F_DIR))
		changed(tree, note, from, to);
	else if (note->kinds & AEM_FD_CREATE)
		created(tree, note, from);
	else if (note->kinds & AEM_FD_DELETE)
		deleted(tree, note, from, gone);
	else
		renamed(tree, note, from, to);
	note_last(tree, note);
}

static struct aem_fd_note *half_of(struct aem_fd_tree *tree, const struct aem_fd_note *note,
				   const char *name, const char *name2)
{
	struct aem_fd_note *half = &tree->half.note;
	size_t length = strlen(name);

	*half = *note;
	half->flags &= ~(AEM_FD_F_EXCHANGE | AEM_FD_F_DIR2 | AEM_FD_F_MORE);
	half->self2 = 0;
	half->length = sizeof(tree->half);
	half->name_length = (uint16_t)length;
	half->name2_length = (uint16_t)strlen(name2);
	strcpy((char *)half->names, name);
	strcpy((char *)half->names + length + 1, name2);
	return half;
}

/* Does the picture have there what the note says? Of files it knows nothing. */
static bool agrees(const struct entry *there, bool dir, uint32_t number)
{
	return dir ? there && there->number == number : !there;
}

static void relocate(struct aem_fd_tree *tree, struct entry *entry, struct entry *up,
		     const char *name)
{
	if (!entry || !put(tree, up, name, entry->number))
		return;
	tree->failed = -ENOMEM;
	drop(tree, entry);
}

/* Both names are of the tree, and the picture has both where they were. Return: it is told. */
static bool exchanged(struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	struct entry *from, *to, *one, *other;

	take_gone(tree, note);
	from = find(tree, note->number);
	to = find(tree, note->number2);
	if (!from || !to)
		return false;
	one = at(tree, from, aem_fd_name(note));
	other = at(tree, to, aem_fd_name2(note));
	if (!agrees(one, note->flags & AEM_FD_F_DIR, note->self) ||
	    !agrees(other, note->flags & AEM_FD_F_DIR2, note->self2))
		return false;
	/* Neither can be below itself: what the picture has in it is older. */
	if ((one && is_below(to, one)) || (other && is_below(from, other)))
		return false;
	tell_note(tree, note, from, to);
	relocate(tree, one, to, aem_fd_name2(note));
	relocate(tree, other, from, aem_fd_name(note));
	tree->last.number2 = 0;
	if (tree->again)
		look_for_all(tree);
	return true;
}

/* The picture may be newer, and changes by one at a time then: two renames. */
static void take_exchange(struct aem_fd_tree *tree, const struct aem_fd_note *note)
{
	struct aem_fd_note *half;

	if (exchanged(tree, note))
		return;
	take_note(tree, half_of(tree, note, aem_fd_name(note), aem_fd_name2(note)));
	half = half_of(tree, note, aem_fd_name2(note), aem_fd_name(note));
	half->number = note->number2;
	half->number2 = note->number;
	half->self = note->self2;
	/* What else is known is of the one that was told first. */
	half->flags &= ~(AEM_FD_F_DIR | AEM_FD_F_STAT);
	half->flags |= note->flags & AEM_FD_F_DIR2 ? AEM_FD_F_DIR : 0;
	take_note(tree, half);
}

static void heard(struct aem *aem, void *user, aem_id id, const struct aem_fd_note *note,
		  uint32_t lost)
{
	struct aem_fd_tree *tree = user;

	(void)aem;
	(void)id;
	if (!note)
		tell(tree, NULL, "", "");
	tree->lost += lost;
	for (; note; note = aem_fd_next(note)) {
		if (note->flags & AEM_FD_F_EXCHANGE)
			take_exchange(tree, note);
		else
			take_note(tree, note);
	}
}

static void free_tree(struct aem_fd_tree *tree)
{
	struct entry *entry;
	int i;

	for (i = 0; i < BUCKETS; i++)
		while ((entry = tree->numbers[i])) {
			tree->numbers[i] = entry->next;
			free(entry->name);
			free(entry);
		}
	if (tree->fd >= 0)
		close(tree->fd);
	free(tree);
}

/* Notes wait until all is seen. */
static int begin(struct aem_fd_tree *tree, uint32_t kinds, uint32_t how,
		 const struct aem_fd_options *options)
{
	struct aem_fd_options all = { 0 };
	struct entry *root;
	int ret;

	if (options)
		all = *options;
	if (all.pattern || all.actor)
		return -EINVAL;
	all.flags |= AEM_FD_TREE | AEM_FD_PACKED;
	ret = aem_fd_watch(tree->aem, &tree->id, tree->fd, NULL, kinds | NAMES,
			   how | EVF_SAFEPOINT | AEM_STOPPED, &all, heard, tree);
	if (ret)
		return ret;
	root = make(tree, 1, "");
	if (!root) {
		aem_event_shutdown(tree->aem, tree->id);
		return -ENOMEM;
	}
	look_into(tree, root);
	if (!(how & AEM_STOPPED))
		ret = aem_event_start(tree->aem, tree->id);
	if (ret)
		aem_event_shutdown(tree->aem, tree->id);
	return ret;
}

int aem_fd_tree_open(struct aem *aem, struct aem_fd_tree **tree, int fd, const char *path,
		     uint32_t kinds, uint32_t how, const struct aem_fd_options *options,
		     aem_fd_tree_fn handler, void *user)
{
	struct aem_fd_tree *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return -ENOMEM;
	new->aem = aem;
	new->handler = handler;
	new->user = user;
	new->fd = openat(fd, path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = new->fd < 0 ? -errno : begin(new, kinds, how, options);
	if (ret) {
		free_tree(new);
		return ret;
	}
	*tree = new;
	return 0;
}

int aem_fd_tree_close(struct aem_fd_tree *tree)
{
	int ret = aem_event_shutdown(tree->aem, tree->id);

	free_tree(tree);
	return ret;
}
