// SPDX-License-Identifier: GPL-2.0
/*
 * Files by their names, so that something happens to what is watched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "run.h"

static const uint64_t touch_flags[] = {
	O_RDWR | O_CREAT, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_TRUNC, O_RDWR | O_CREAT | O_EXCL,
	O_RDONLY, O_WRONLY | O_APPEND, O_DIRECTORY, O_PATH, O_PATH | O_NOFOLLOW,
	O_TMPFILE | O_RDWR,
};

static const uint64_t modes[] = { 0644, 0755, 0, 04711, 02770, 0777 };

static const uint64_t rename_flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };

static const uint64_t locks[] = { F_RDLCK, F_WRLCK, F_UNLCK };

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* What changes names or what they stand for: the fuzzer makes it as it was. */
static long change(struct run *run, long ret)
{
	if (ret < 0)
		return -errno;
	run->shared->files = 1;
	return 0;
}

static const char *path(uint64_t arg)
{
	return (const char *)arg;
}

static long system_touch(struct run *run, const uint64_t *arg, uint64_t *made)
{
	int fd = open(path(arg[0]), arg[1] | O_NONBLOCK, 0666);

	made[0] = fd;
	return change(run, fd);
}

static long system_mkdir(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, mkdir(path(arg[0]), 0777));
}

static long system_unlink(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, unlink(path(arg[0])));
}

static long system_rmdir(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, rmdir(path(arg[0])));
}

static long system_rename(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, renameat2(AT_FDCWD, path(arg[0]), AT_FDCWD, path(arg[1]), arg[2]));
}

static long system_link(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, arg[2] ? symlink(path(arg[0]), path(arg[1])) :
				    link(path(arg[0]), path(arg[1])));
}

static long system_chmod(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, chmod(path(arg[0]), arg[1]));
}

static long system_chown(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	return change(run, lchown(path(arg[0]), arg[1], arg[2]));
}

static long system_attr(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	switch (arg[1]) {
	case 0:
		return change(run, utimensat(AT_FDCWD, path(arg[0]), NULL, 0));
	case 1:
		return change(run, truncate(path(arg[0]), 0));
	case 2:
		return change(run, truncate(path(arg[0]), 5000));
	case 3:
		return change(run, setxattr(path(arg[0]), "trusted.some", "thing", 5, 0));
	default:
		return change(run, removexattr(path(arg[0]), "trusted.some"));
	}
}

static long system_lock(struct run *run, const uint64_t *arg, uint64_t *made)
{
	static const int commands[] = { F_SETLK, F_OFD_SETLK, F_SETLKW };
	static const int whole[] = {
		[F_RDLCK] = LOCK_SH, [F_WRLCK] = LOCK_EX, [F_UNLCK] = LOCK_UN,
	};
	struct flock lock = { .l_type = arg[2], .l_start = arg[3], .l_len = arg[4] };

	(void)run;
	(void)made;
	if (arg[1] < ARRAY_SIZE(commands))
		return result(fcntl(arg[0], commands[arg[1]], &lock));
	return result(flock(arg[0], whole[arg[2] % ARRAY_SIZE(whole)] |
				    (arg[3] % 2 ? 0 : LOCK_NB)));
}

/* A file system of its own, or away with one. */
static long system_mount(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)made;
	if (arg[1])
		return change(run, mount("fuzz", path(arg[0]), "tmpfs", 0, "mode=777,size=1m"));
	return change(run, umount2(path(arg[0]), arg[2] ? MNT_DETACH : 0));
}

static void make_and_remove(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0666);

	if (fd < 0)
		return;
	if (write(fd, name, 1) < 0)
		errno = 0;
	close(fd);
	unlink(name);
}

/* What leaves all as it was can be done again and again. */
static long system_churn(struct run *run, const uint64_t *arg, uint64_t *made)
{
	(void)run;
	(void)made;
	switch (arg[0]) {
	case 0:
		make_and_remove(path(arg[1]));
		return 0;
	case 1:
		return result(mkdir("made", 0777) | rmdir("made"));
	case 2:
		return result(rename("a", path(arg[1])) | rename(path(arg[1]), "a"));
	case 3:
		return result(link("a", "made") | unlink("made"));
	case 4:
		return result(symlink("a", "made") | chmod("a", 0600) | unlink("made"));
	case 5:
		return result(mkdir("made", 0777) | mkdir("made/e", 0777) |
			      rename("made/e", "other") | rmdir("other") | rmdir("made"));
	default:
		return result(truncate("a", 100) | truncate("d/a", 0));
	}
}

#define NAME(_nr, _name)	ARGUMENT(_nr, _name, TEXT, TEXT_NAME, TEXT_FILE - 1)

static const struct field touch_fields[] = {
	NAME(0, "path"), ARGUMENT_CHOICE(1, "flags", touch_flags),
};

static const struct field name_fields[] = { NAME(0, "path") };

static const struct field directory_fields[] = {
	ARGUMENT(0, "path", TEXT, TEXT_NAME + 3, TEXT_FILE - 1),
};

static const struct field rename_fields[] = {
	NAME(0, "path"), NAME(1, "to"), ARGUMENT_CHOICE(2, "flags", rename_flags),
};

static const struct field link_fields[] = {
	NAME(0, "path"), NAME(1, "to"), ARGUMENT(2, "symbolic", BOUNDED, 0, 1),
};

static const struct field chmod_fields[] = { NAME(0, "path"), ARGUMENT_CHOICE(1, "mode", modes) };

static const struct field chown_fields[] = {
	NAME(0, "path"), ARGUMENT(1, "user", NUMBER, 0, 1), ARGUMENT(2, "group", NUMBER, 0, 1),
};

static const struct field attr_fields[] = { NAME(0, "path"), ARGUMENT(1, "how", BOUNDED, 0, 4) };

static const struct field lock_fields[] = {
	ARGUMENT(0, "fd", WANT, RES_FILE, 0), ARGUMENT(1, "how", BOUNDED, 0, 3),
	ARGUMENT_CHOICE(2, "type", locks), ARGUMENT(3, "start", NUMBER, 0, 2),
	ARGUMENT(4, "length", NUMBER, 0, 2),
};

static const struct field churn_fields[] = {
	ARGUMENT(0, "how", BOUNDED, 0, 6), NAME(1, "path"),
};

static const struct field mount_fields[] = {
	ARGUMENT(0, "path", TEXT, TEXT_NAME + 3, TEXT_FILE - 1),
	ARGUMENT(1, "on", BOUNDED, 0, 1), ARGUMENT(2, "detach", BOUNDED, 0, 1),
};

static const struct call calls[] = {
	SYSTEM(churn, churn_fields, .weight = 12),
	SYSTEM(touch, touch_fields, .makes = { RES_FILE }, .weight = 8),
	SYSTEM(mkdir, directory_fields, .weight = 3),
	SYSTEM(unlink, name_fields, .weight = 3, .rare = 1),
	SYSTEM(rmdir, directory_fields, .weight = 2, .rare = 1),
	SYSTEM(rename, rename_fields, .weight = 3),
	SYSTEM(link, link_fields),
	SYSTEM(chmod, chmod_fields),
	SYSTEM(chown, chown_fields, .weight = 1),
	SYSTEM(attr, attr_fields, .weight = 3),
	SYSTEM(lock, lock_fields, .weight = 4),
	SYSTEM(mount, mount_fields, .weight = 1, .rare = 1),
};

const struct call_table path_table = { calls, ARRAY_SIZE(calls) };
