/*
 * alone.c - one daemon for each state folder.
 *
 * The rule: whoever may be second gives way.  A daemon holds a record lock
 * that others may share, and looks whether anybody else holds one: of two that
 * start at once, both may find each other, but never neither.  Such a lock
 * needs no descriptor that could write, and ends with its process.
 */
#include "master/alone.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

/* Empty, and readable for whoever may enter the folder: somebody else may
 * start the daemon next time. */
static int
lock_open(const char *path)
{
	mode_t before = umask(022);
	int fd = open(path,
	    O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);

	umask(before);
	return fd;
}

/* `holder_out`: somebody else who holds it; 0: nobody. */
static enum err
lock_take(int fd, struct flock *holder_out)
{
	struct flock mine = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	*holder_out = (struct flock){
	    .l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_SETLK, &mine) == 0 &&
		fcntl(fd, F_GETLK, holder_out) == 0
	    ? ERR_NONE
	    : ERR_SYSTEM;
}

/* The process id is 0 when it is in a namespace that we cannot see. */
static void
holder_tell(const char *folder, const struct flock *holder)
{
	char pid[32] = "";

	if (holder->l_pid > 0)
		snprintf(pid, sizeof(pid), ", pid %d", (int)holder->l_pid);
	log_error("already running%s: %s is the state folder of one daemon "
		  "at a time",
	    pid, folder);
}

enum err
alone_claim(const char *folder, int *fd_out)
{
	char path[PATH_MAX];
	struct flock holder;
	enum err e;
	int fd;

	*fd_out = -1;
	if ((size_t)snprintf(path, sizeof(path), "%s/running", folder) >=
	    sizeof(path)) {
		log_error("%s: %s", folder, err_text(ERR_TOO_LONG));
		return ERR_TOO_LONG;
	}
	fd = lock_open(path);
	e = fd < 0 ? ERR_SYSTEM : lock_take(fd, &holder);
	if (e != ERR_NONE) {
		log_error("%s: cannot be locked: %m", path);
	} else if (holder.l_type != F_UNLCK) {
		holder_tell(folder, &holder);
		e = ERR_REFUSED;
	}
	if (e == ERR_NONE)
		*fd_out = fd;
	else if (fd >= 0)
		close(fd);
	return e;
}
