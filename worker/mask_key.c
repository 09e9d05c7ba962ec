/* mask_key.c - read or make the key for masks, whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/mask_key.h"

/* Whoever else has had it can undo pseudonyms by trying values. */
static bool
is_ours_alone(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == geteuid() || st.st_uid == 0) &&
	    (st.st_mode & 077) == 0;
}

static enum err
read_key(const char *path, uint8_t *key_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	if (!is_ours_alone(fd)) {
		close(fd);
		return ERR_REFUSED;
	}
	n = read(fd, key_out, MASK_KEY_LEN);
	close(fd);
	return n == MASK_KEY_LEN ? ERR_NONE : ERR_MALFORMED;
}

/* Written aside and linked into place, so that two makers agree. */
static enum err
make_key(const char *path, const char *aside)
{
	uint8_t key[MASK_KEY_LEN];
	enum err e = ERR_SYSTEM;
	int fd;

	if (getentropy(key, sizeof(key)) != 0)
		return ERR_SYSTEM;
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR_SYSTEM;
	if (write(fd, key, sizeof(key)) == (ssize_t)sizeof(key) &&
	    fsync(fd) == 0 && (link(aside, path) == 0 || errno == EEXIST))
		e = ERR_NONE;
	close(fd);
	unlink(aside);
	return e;
}

enum err
mask_key_load(const char *state, uint8_t *key_out)
{
	char path[4096], aside[4096];
	enum err e;

	if (snprintf(path, sizeof(path), "%s/mask.key", state) >=
		(int)sizeof(path) ||
	    snprintf(aside, sizeof(aside), "%s/mask.key.%d", state,
		(int)getpid()) >= (int)sizeof(aside))
		return ERR_TOO_LONG;
	e = read_key(path, key_out);
	if (e != ERR_NOT_FOUND)
		return e;
	e = make_key(path, aside);
	return e == ERR_NONE ? read_key(path, key_out) : e;
}
