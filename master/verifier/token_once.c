/*
 * token_once.c - see token_once.h.
 *
 * The rule: looking and remembering are one step, under a lock that dies with
 * its holder, for the old verifier may still serve when the new one does.
 * Trusts the file as far as it trusts its own account: no value in it is an
 * index or a length.
 */
#include "master/verifier/token_once.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 16384, ROW_LEN = 64 }; /* in all: a million */

struct used {
	int64_t until; /* free when that is over */
	uint8_t digest[ONCE_DIGEST_LEN];
};

struct memory {
	char magic[16];
	struct used rows[ROWS][ROW_LEN];
};

static const char magic[16] = "sallyport once 1";

struct once {
	int fd;
	struct memory *memory;
};

static enum err
lock(int fd)
{
	while (flock(fd, LOCK_EX) != 0) {
		if (errno != EINTR)
			return ERR_SYSTEM;
	}
	return ERR_NONE;
}

/* A file of ours, or an empty one, made to be. All its blocks are there from
 * now on: a full disk is told here, not by a fault. */
static enum err
file_prepare(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ERR_SYSTEM;
	if (!S_ISREG(st.st_mode) ||
	    (st.st_size != 0 && st.st_size != (off_t)sizeof(struct memory)))
		return ERR_MALFORMED;
	if (st.st_size != 0)
		return ERR_NONE;
	errno = posix_fallocate(fd, 0, (off_t)sizeof(struct memory));
	if (errno != 0 || pwrite(fd, magic, sizeof(magic), 0) !=
		(ssize_t)sizeof(magic))
		return ERR_SYSTEM;
	return ERR_NONE;
}

static enum err
file_map(int fd, struct memory **out)
{
	struct memory *m;
	enum err e = lock(fd);

	if (e == ERR_NONE)
		e = file_prepare(fd);
	if (e != ERR_NONE)
		return e;
	m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	flock(fd, LOCK_UN);
	if (m == MAP_FAILED)
		return ERR_SYSTEM;
	if (memcmp(m->magic, magic, sizeof(magic)) == 0) {
		*out = m;
		return ERR_NONE;
	}
	munmap(m, sizeof(*m));
	return ERR_MALFORMED;
}

enum err
once_open(const char *path, struct once **out)
{
	struct once *o = calloc(1, sizeof(*o));
	enum err e = ERR_SYSTEM;

	*out = NULL;
	if (o == NULL)
		return ERR_MEMORY;
	o->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK, 0600);
	if (o->fd >= 0)
		e = file_map(o->fd, &o->memory);
	if (e == ERR_NONE) {
		*out = o;
		return ERR_NONE;
	}
	once_close(o);
	return e;
}

void
once_close(struct once *o)
{
	int kept = errno;

	if (o == NULL)
		return;
	if (o->memory != NULL)
		munmap(o->memory, sizeof(*o->memory));
	if (o->fd >= 0)
		close(o->fd);
	free(o);
	errno = kept;
}

static enum err
row_use(struct used row[ROW_LEN], const uint8_t *digest, int64_t until,
    int64_t now)
{
	struct used *room = NULL;
	size_t i;

	for (i = 0; i < ROW_LEN; i++) {
		bool is_over = row[i].until <= now;

		if (!is_over &&
		    memcmp(row[i].digest, digest, ONCE_DIGEST_LEN) == 0)
			return ERR_REFUSED;
		if (is_over)
			room = &row[i];
	}
	if (room == NULL)
		return ERR_TOO_LONG;
	memcpy(room->digest, digest, ONCE_DIGEST_LEN);
	room->until = until;
	return ERR_NONE;
}

enum err
once_use(struct once *o, const uint8_t digest[ONCE_DIGEST_LEN], int64_t until,
    int64_t now)
{
	size_t row = ((size_t)digest[0] << 8 | digest[1]) % ROWS;
	enum err e = lock(o->fd);

	if (e != ERR_NONE)
		return e;
	e = row_use(o->memory->rows[row], digest, until, now);
	flock(o->fd, LOCK_UN);
	return e;
}
