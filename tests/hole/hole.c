/*
 * hole.c - the deliberate hole of `make hole`.
 *
 *     HOLE: 257 -100 "/etc/passwd" 0
 *
 * makes the process run that system call with these arguments: numbers as C
 * writes them, texts in double quotes, `@` for the address of 4096 bytes, `&`
 * for that of an iovec of them.
 * What it returned goes to the log.  With SALLYPORT_HOLE=wide in the daemon's
 * environment no sandbox is made, to show that the call would have worked.
 */
#include "common/hole.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/log.h"

enum { ARGUMENTS = 6 };

static const char mark[] = "HOLE:";
static char page[4096] __attribute__((aligned(4096)));
static const struct iovec whole_page = {page, sizeof(page)};

bool
hole_is_wide(void)
{
	const char *said = getenv("SALLYPORT_HOLE");

	return said != NULL && strcmp(said, "wide") == 0;
}

/* One argument; `at` goes behind it. */
static long
argument_take(char **at)
{
	char *start = *at + strspn(*at, " ");

	if (*start == '@' || *start == '&') {
		*at = start + 1;
		return *start == '@' ? (long)(intptr_t)page
				     : (long)(intptr_t)&whole_page;
	}
	if (*start != '"') {
		return (long)strtoull(start, at, 0);
	}
	*at = start + 1 + strcspn(start + 1, "\"");
	if (**at == '"')
		*(*at)++ = '\0';
	return (long)(intptr_t)(start + 1);
}

void
hole_look(struct text t)
{
	static char line[1024];
	long number, arguments[ARGUMENTS], result;
	char *at = line;
	int i;

	if (t.len < sizeof(mark) || t.len >= sizeof(line) ||
	    memcmp(t.at, mark, sizeof(mark) - 1) != 0)
		return;
	memcpy(line, t.at + sizeof(mark) - 1, t.len - (sizeof(mark) - 1));
	line[t.len - (sizeof(mark) - 1)] = '\0';
	number = argument_take(&at);
	for (i = 0; i < ARGUMENTS; i++)
		arguments[i] = argument_take(&at);
	result = syscall(number, arguments[0], arguments[1], arguments[2],
	    arguments[3], arguments[4], arguments[5]);
	if ((number == SYS_clone || number == SYS_clone3) && result == 0)
		_exit(0); /* this is the child */
	log_error("hole: %ld returned %ld (%s)", number, result,
	    result < 0 ? strerror(errno) : "done");
}
