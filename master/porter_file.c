/*
 * porter_file.c - is an executable the file that its path names now?
 *
 * One rule: every folder on the way is looked at, from the root on, without
 * following a link: /proc/PID/exe has none in it.  Whoever can write to one
 * of them can put another file there, and whoever can write to the file can
 * make it another program.
 * A file system that is not known to be here (FUSE, NFS …) is not asked
 * anything unless the caller may wait: whoever serves it decides how long.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "master/porter_inner.h"

enum { NEEDED = STATX_BASIC_STATS };

bool
file_status(int folder, const char *name, int flags, bool may_wait,
    struct statx *out)
{
	flags |= may_wait ? 0 : AT_STATX_DONT_SYNC;
	return statx(folder, name, flags | AT_SYMLINK_NOFOLLOW, NEEDED, out) ==
	    0;
}

static bool
is_same_device(const struct statx *a, const struct statx *b)
{
	return a->stx_dev_major == b->stx_dev_major &&
	    a->stx_dev_minor == b->stx_dev_minor;
}

bool
file_is_same(const struct statx *a, const struct statx *b)
{
	return is_same_device(a, b) && a->stx_ino == b->stx_ino;
}

/* A file system on a disk has a major number; it takes root to mount a disk
 * that somebody serves. */
bool
file_is_far(const struct porter *p, const struct statx *status)
{
	return status->stx_dev_major == 0 &&
	    !is_same_device(status, &p->local[0]) &&
	    !is_same_device(status, &p->local[1]);
}

/* Can only its owner write to it, and is that not `user`? Root's own are as
 * good as root is. The group's bits are also those of an ACL's mask. */
static bool
is_firm(const struct statx *status, uid_t user)
{
	bool is_groups = (status->stx_mode & S_IWGRP) != 0 &&
	    !(status->stx_gid == 0 && S_ISDIR(status->stx_mode));

	return (status->stx_uid == 0 || status->stx_uid != user) &&
	    !is_groups && (status->stx_mode & S_IWOTH) == 0;
}

/* One step down. The folder's descriptor, or -1. */
static int
folder_enter(int from, const char *name, bool may_wait, struct statx *status)
{
	int fd = openat(
	    from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && !file_status(fd, "", AT_EMPTY_PATH, may_wait, status)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static enum genuine
refuse(const char *why, const char **reason)
{
	*reason = why;
	return GENUINE_NO;
}

static enum genuine
folder_judge(const struct porter *p, const struct statx *status, uid_t user,
    bool may_wait, const char **reason)
{
	if (!is_firm(status, user))
		return refuse("others could replace its executable: a folder "
			      "on the way to it can be written to",
		    reason);
	return !may_wait && file_is_far(p, status) ? GENUINE_FAR : GENUINE_YES;
}

static enum genuine
file_judge(int folder, const char *name, const struct statx *of, uid_t user,
    bool may_wait, const char **reason)
{
	struct statx now;

	if (!file_status(folder, name, 0, may_wait, &now) ||
	    !file_is_same(&now, of))
		return refuse("its executable was replaced or deleted", reason);
	if (!S_ISREG(now.stx_mode) || !is_firm(&now, user))
		return refuse(
		    "its executable can be written to by others or by its "
		    "own user", reason);
	return GENUINE_YES;
}

enum genuine
file_genuine(const struct porter *p, const char *path,
    const struct statx *status, uid_t user, bool may_wait,
    const char **reason)
{
	char rest[PATH_MAX], *name = rest + 1, *slash;
	struct statx folder_status;
	enum genuine answer;
	int folder, next;

	if (path[0] != '/' || strlen(path) >= sizeof(rest))
		return refuse("its executable has no path here", reason);
	memcpy(rest, path, strlen(path) + 1);
	folder = folder_enter(AT_FDCWD, "/", may_wait, &folder_status);
	while (folder >= 0) {
		answer = folder_judge(
		    p, &folder_status, user, may_wait, reason);
		slash = strchr(name, '/');
		if (answer == GENUINE_YES && slash == NULL)
			answer = file_judge(
			    folder, name, status, user, may_wait, reason);
		if (answer != GENUINE_YES || slash == NULL) {
			close(folder);
			return answer;
		}
		*slash = '\0';
		next = folder_enter(folder, name, may_wait, &folder_status);
		close(folder);
		folder = next;
		name = slash + 1;
	}
	return refuse("its executable was replaced or deleted", reason);
}
