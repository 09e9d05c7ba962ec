/*
 * board.c - making the shared memory, and dividing it between processes.
 *
 * One rule: what a process may not write is mapped so that it never can be,
 * and what it may not read is not mapped.  Each part is a file of its own, as
 * mremap() grows a mapping over whatever follows in the same file; a part
 * that others only read is sealed, so that no mapping made later can be
 * written; and a seat has no file that anybody could open.
 */
#include "common/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum right { RIGHT_NONE, RIGHT_READ, RIGHT_WRITE };

/* Who may do what: the table of the first page of board.h. */
static const enum right rights[BOARD_ROLES][BOARD_PARTS] = {
    [BOARD_STRANGER] = {RIGHT_NONE},
    [BOARD_BROKER] = {[BOARD_NOTICES] = RIGHT_READ},
    [BOARD_WORKER] = {[BOARD_NOTICES] = RIGHT_READ,
	[BOARD_DECISIONS] = RIGHT_READ,
	[BOARD_ANSWERS] = RIGHT_READ,
	[BOARD_COMMONS] = RIGHT_WRITE},
    [BOARD_CATALOG] = {[BOARD_NOTICES] = RIGHT_READ,
	[BOARD_ANSWERS] = RIGHT_WRITE,
	[BOARD_COMMONS] = RIGHT_READ},
    [BOARD_OPERATOR] = {[BOARD_NOTICES] = RIGHT_READ,
	[BOARD_DECISIONS] = RIGHT_WRITE,
	[BOARD_ANSWERS] = RIGHT_READ,
	[BOARD_COMMONS] = RIGHT_READ},
};

/* Where the parts begin. */
static const size_t parts[BOARD_PARTS + 1] = {
    [BOARD_NOTICES] = offsetof(struct scoreboard, generation),
    [BOARD_DECISIONS] = offsetof(struct scoreboard, control_heard),
    [BOARD_ANSWERS] = offsetof(struct scoreboard, answers),
    [BOARD_COMMONS] = offsetof(struct scoreboard, wishes),
    [BOARD_PARTS] = offsetof(struct scoreboard, seats),
};

_Static_assert(offsetof(struct scoreboard, control_heard) % BOARD_PAGE == 0 &&
	offsetof(struct scoreboard, answers) % BOARD_PAGE == 0 &&
	offsetof(struct scoreboard, wishes) % BOARD_PAGE == 0 &&
	offsetof(struct scoreboard, seats) % BOARD_PAGE == 0 &&
	sizeof(struct seat) % BOARD_PAGE == 0,
    "parts share no page");

static char *
part_at(struct scoreboard *b, size_t part)
{
	return (char *)b + parts[part];
}

static size_t
part_size(size_t part)
{
	return parts[part + 1] - parts[part];
}

/* Address space for it all, and nothing in it. */
static char *
space_reserve(size_t size)
{
	char *at = mmap(NULL, size + BOARD_PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t astray = (uintptr_t)at % BOARD_PAGE;

	if (at == MAP_FAILED)
		return NULL;
	return astray == 0 ? at : at + (BOARD_PAGE - astray);
}

/* A part: writable here, and by whoever is born with this very mapping. */
static int
part_make(char *at, size_t size)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
	    F_SEAL_SEAL;
	int fd = memfd_create("board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) == 0 &&
	    mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		0) != MAP_FAILED &&
	    fcntl(fd, F_ADD_SEALS, seals) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
seats_make(struct seat *seats, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (mmap(&seats[i], sizeof(seats[i]), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
			0) == MAP_FAILED)
			return false;
	}
	return true;
}

static void
files_close(struct board_files *files)
{
	size_t i;

	for (i = 0; i < BOARD_PARTS; i++) {
		if (files->parts[i] >= 0)
			close(files->parts[i]);
		files->parts[i] = -1;
	}
}

struct scoreboard *
scoreboard_new(uint32_t slots, struct board_files *files_out)
{
	struct board_files files = {{-1, -1, -1, -1}};
	struct scoreboard *b = NULL;
	bool is_whole;
	size_t i;

	if (slots > BOARD_SEATS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	b = (void *)space_reserve(
	    sizeof(*b) + (size_t)slots * sizeof(struct seat));
	is_whole = b != NULL && seats_make(b->seats, slots);
	for (i = 0; i < BOARD_PARTS && is_whole; i++) {
		files.parts[i] = part_make(part_at(b, i), part_size(i));
		is_whole = files.parts[i] >= 0;
	}
	if (is_whole && files_out != NULL)
		*files_out = files;
	else
		files_close(&files);
	if (!is_whole)
		return NULL; /* and the daemon does not start */
	b->slot_count = slots;
	return b;
}

static bool
reads_seats(enum board_role role)
{
	return role == BOARD_BROKER || role == BOARD_OPERATOR;
}

static enum err
seats_advise(struct scoreboard *b, uint32_t first, uint32_t count, int advice)
{
	return madvise(&b->seats[first], count * sizeof(struct seat), advice) ==
		0
	    ? ERR_NONE
	    : ERR_SYSTEM;
}

enum err
board_withhold(struct scoreboard *b)
{
	return seats_advise(b, 0, b->slot_count, MADV_DONTFORK);
}

enum err
board_lend(struct scoreboard *b, enum board_role role, uint32_t place,
    bool is_lent)
{
	int advice = is_lent ? MADV_DOFORK : MADV_DONTFORK;

	if (role == BOARD_WORKER)
		return seats_advise(b, place, 1, advice);
	if (reads_seats(role))
		return seats_advise(b, 0, b->slot_count, advice);
	return ERR_NONE;
}

static bool
part_confine(
    struct scoreboard *b, size_t part, const struct board_files *files,
    enum right right)
{
	char *at = part_at(b, part);

	if (right == RIGHT_WRITE)
		return true;
	if (right == RIGHT_READ)
		return mmap(at, part_size(part), PROT_READ,
			   MAP_SHARED | MAP_FIXED, files->parts[part],
			   0) != MAP_FAILED;
	return munmap(at, part_size(part)) == 0;
}

enum err
board_confine(
    struct scoreboard *b, struct board_files *files, enum board_role role)
{
	uint32_t seats = b->slot_count;
	bool is_confined = true;
	size_t i;

	for (i = 0; i < BOARD_PARTS && is_confined; i++)
		is_confined = part_confine(b, i, files, rights[role][i]);
	/* nobody else has a seat with another's in reach, and in these only
	 * an accident would write there */
	if (reads_seats(role) && is_confined)
		is_confined = mprotect(b->seats, seats * sizeof(b->seats[0]),
				  PROT_READ) == 0;
	files_close(files);
	return is_confined ? ERR_NONE : ERR_SYSTEM;
}
