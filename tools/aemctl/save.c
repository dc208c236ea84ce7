// SPDX-License-Identifier: GPL-2.0
/*
 * aemctl save and restore: registrations that outlive their process, or the core.
 *
 * A registration is known by its token: the user, the service, and the value that the handler is
 * given. What is saved is what fdinfo tells. Restoring makes no events, for these need a process;
 * it lays each registration out as a file AEM_SAVED_FOLDER/UID/SERVICE.TOKEN that belongs to the
 * user and holds the service's "name:value" words. Who takes it up removes it, so that it is taken
 * once.
 */
#include <err.h>
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <aem/aem.h>
#include "aemctl.h"

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value))
		return NULL;
	return json_object_get_string(value);
}

static void copy(struct json_object *to, struct json_object *from, const char *key)
{
	struct json_object *value;

	if (json_object_object_get_ex(from, key, &value))
		json_object_object_add(to, key, json_object_get(value));
}

/* The context may have gone meanwhile, and its process with it. */
static bool owner_of(struct json_object *context, uid_t *uid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s", text_of(context, "pid"));
	if (stat(path, &st))
		return false;
	*uid = st.st_uid;
	return true;
}

static struct json_object *saved_new(struct json_object *context, struct json_object *event,
				     uid_t uid)
{
	struct json_object *saved = json_object_new_object();

	json_object_object_add(saved, "uid", json_object_new_int64(uid));
	copy(saved, context, "pid");
	copy(saved, context, "command");
	copy(saved, event, "service");
	copy(saved, event, "call");
	json_object_object_add(saved, "token",
			       json_object_new_string(text_of(event, "cookie")));
	copy(saved, event, "prio");
	copy(saved, event, "flags");
	copy(saved, event, "state");
	copy(saved, event, "details");
	return saved;
}

static void save_context(struct json_object *rows, struct json_object *context)
{
	struct json_object *list = json_object_object_get(context, "list");
	uid_t uid;

	if (!owner_of(context, &uid))
		return;
	if (json_object_object_get(context, "events-omitted"))
		errx(1, "process %s has more events than the kernel shows: they cannot be saved",
		     text_of(context, "pid"));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *event = json_object_array_get_idx(list, i);

		if (!text_of(event, "cookie"))
			errx(1, "the loaded aem-core tells no tokens: load a newer one");
		json_object_array_add(rows, saved_new(context, event, uid));
	}
}

static void scan(struct scan *scan, const char *word)
{
	char *end;
	long pid;

	if (!word) {
		scan_all(scan);
		return;
	}
	pid = strtol(word, &end, 10);
	if (*end || pid <= 0 || pid > INT_MAX)
		errx(64, "\"%s\" is not the number of a process", word);
	if (scan_process(scan, pid))
		errx(1, "cannot look into process %ld", pid);
}

int save_main(int argc, char **argv)
{
	struct scan found = { .contexts = json_object_new_array() };
	struct json_object *rows = json_object_new_array();
	int fd;

	if (argc != 2 && argc != 3)
		errx(64, "aemctl save FILE [PID]");
	device_expect();
	scan(&found, argc > 2 ? argv[2] : NULL);
	for (size_t i = 0; i < json_object_array_length(found.contexts); i++)
		save_context(rows, json_object_array_get_idx(found.contexts, i));
	/* Tokens may be addresses: they are the owner's affair. */
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || json_object_to_fd(fd, rows, JSON_C_TO_STRING_PRETTY) || fsync(fd) ||
	    close(fd))
		err(1, "cannot write %s", argv[1]);
	printf("%zu registrations of %zu contexts saved\n", json_object_array_length(rows),
	       json_object_array_length(found.contexts));
	if (found.hidden)
		warnx("%u processes of other users are not saved: run aemctl as root",
		      found.hidden);
	json_object_put(rows);
	json_object_put(found.contexts);
	return 0;
}

/* What was laid out before, of all users: 0 or -1 and errno. Only files of ours are that deep. */
static void clear(int folder, int depth)
{
	DIR *dir = fdopendir(folder);
	struct dirent *entry;

	if (!dir)
		err(1, "cannot read " AEM_SAVED_FOLDER);
	while ((entry = readdir(dir))) {
		int below;

		if (entry->d_name[0] == '.')
			continue;
		if (depth) {
			unlinkat(dirfd(dir), entry->d_name, 0);
			continue;
		}
		below = openat(dirfd(dir), entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0)
			clear(below, depth + 1);
	}
	closedir(dir);
}

static int open_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0755) && errno != EEXIST)
		err(1, "cannot make %s of " AEM_SAVED_FOLDER, name);
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_root(void)
{
	int root;

	if (mkdir(AEM_RUN_FOLDER, 0755) && errno != EEXIST)
		err(1, "cannot make " AEM_RUN_FOLDER);
	if (mkdir(AEM_SAVED_FOLDER, 0755) && errno != EEXIST)
		err(1, "cannot make " AEM_SAVED_FOLDER);
	root = open(AEM_SAVED_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		err(1, "cannot open " AEM_SAVED_FOLDER);
	return root;
}

/* Names become those of files, and words lines: nothing else may be in them. */
static bool is_plain(const char *text)
{
	return text && *text &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(text);
}

static void write_details(FILE *out, struct json_object *saved)
{
	struct json_object *details;

	fprintf(out, "prio:%s", text_of(saved, "prio"));
	if (json_object_object_get_ex(saved, "details", &details)) {
		json_object_object_foreach(details, key, value) {
			if (is_plain(key) && is_plain(json_object_get_string(value)))
				fprintf(out, " %s:%s", key, json_object_get_string(value));
		}
	}
	fputc('\n', out);
}

/* Of two registrations with one token the first is laid out: true if this is one. */
static bool lay_out(int root, struct json_object *saved)
{
	const char *service = text_of(saved, "service"), *token = text_of(saved, "token");
	const char *owner = text_of(saved, "uid");
	char name[128], *end;
	unsigned long uid;
	int folder, fd;
	FILE *out;

	if (!is_plain(service) || !is_plain(token) || !is_plain(owner) || !text_of(saved, "prio"))
		errx(1, "that is not what aemctl save has written");
	uid = strtoul(owner, &end, 10);
	if (*end)
		errx(1, "\"%s\" is not the number of a user", owner);
	folder = open_folder(root, owner);
	if (folder < 0 || fchown(folder, uid, -1) || fchmod(folder, 0700))
		err(1, "cannot make a folder for user %lu", uid);
	snprintf(name, sizeof(name), "%s.%s", service, token);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST) {
		close(folder);
		return false;
	}
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out || fchown(fd, uid, -1))
		err(1, "cannot write %s", name);
	write_details(out, saved);
	if (fclose(out))
		err(1, "cannot write %s", name);
	close(folder);
	return true;
}

int restore_main(int argc, char **argv)
{
	struct json_object *rows;
	size_t n = 0, laid_out = 0;
	int root;

	if (argc != 2)
		errx(64, "aemctl restore FILE");
	if (access(argv[1], R_OK))
		err(1, "cannot read %s", argv[1]);
	rows = json_object_from_file(argv[1]);
	if (!rows || !json_object_is_type(rows, json_type_array))
		errx(1, "%s is not what aemctl save has written", argv[1]);
	root = open_root();
	clear(dup(root), 0);
	for (; n < json_object_array_length(rows); n++)
		laid_out += lay_out(root, json_object_array_get_idx(rows, n));
	printf("%zu registrations laid out in " AEM_SAVED_FOLDER "\n", laid_out);
	if (laid_out < n)
		warnx("%zu have a token that another has: of these the first counts", n - laid_out);
	close(root);
	json_object_put(rows);
	return 0;
}
