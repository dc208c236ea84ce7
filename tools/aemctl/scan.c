// SPDX-License-Identifier: GPL-2.0
/* Finds the contexts of all processes by their descriptors. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "aemctl.h"

/* The end of the path, for a process in another mount namespace may see the device elsewhere. */
static bool is_device(const char *folder, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t length;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	base = strrchr(target, '/');
	return base && !strcmp(base, strrchr(DEVICE, '/'));
}

static struct json_object *command_of(pid_t pid)
{
	char path[64], name[64] = "";
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	in = fopen(path, "re");
	if (in && fgets(name, sizeof(name), in))
		name[strcspn(name, "\n")] = '\0';
	if (in)
		fclose(in);
	return json_object_new_string(name);
}

/* A descriptor may be closed, and its process end, while it is looked at: then it is no context. */
static void add_context(struct scan *scan, pid_t pid, const char *fd)
{
	struct json_object *context;
	char path[NAME_MAX + 64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	in = fopen(path, "re");
	if (!in)
		return;
	context = json_object_new_object();
	json_object_object_add(context, "pid", json_object_new_int64(pid));
	json_object_object_add(context, "command", command_of(pid));
	json_object_object_add(context, "fd", value_new("fd", fd));
	if (fdinfo_read(in, context))
		json_object_put(context);
	else
		json_object_array_add(scan->contexts, context);
	fclose(in);
}

int scan_process(struct scan *scan, pid_t pid)
{
	struct dirent *entry;
	char folder[64];
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/fd", pid);
	dir = opendir(folder);
	if (!dir)
		return -errno;
	errno = 0;
	while ((entry = readdir(dir))) {
		if (is_device(folder, entry->d_name))
			add_context(scan, pid, entry->d_name);
		errno = 0;
	}
	if (errno == EACCES || errno == EPERM) {
		closedir(dir);
		return -EACCES;
	}
	closedir(dir);
	return 0;
}

static pid_t pid_of(const struct dirent *entry)
{
	char *end;
	long pid = strtol(entry->d_name, &end, 10);

	return *end || pid <= 0 || pid > INT_MAX ? 0 : pid;
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return (pid_of(*a) > pid_of(*b)) - (pid_of(*a) < pid_of(*b));
}

static int is_process(const struct dirent *entry)
{
	return pid_of(entry) > 0;
}

void scan_all(struct scan *scan)
{
	struct dirent **entries;
	int n = scandir("/proc", &entries, is_process, by_number);

	for (int i = 0; i < n; i++) {
		if (scan_process(scan, pid_of(entries[i])) == -EACCES)
			scan->hidden++;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}
