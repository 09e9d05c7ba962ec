/*
 * program.h - the programs beside the daemon: what must not share its memory.
 *
 *   sallyport-verifier  parses tokens and certificates
 *   sallyport-pam       asks PAM, whose modules are others' code
 */
#ifndef SALLYPORT_PROGRAM_H
#define SALLYPORT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

struct diagnostics;
struct trust;

enum {
	PROGRAM_PATH_MAX = 4096,
	PROGRAM_CHANNEL = 3, /* the descriptor by which it is spoken to */
};

/* Where it is: beside the daemon when that runs out of a folder build/, else
 * LIBEXECDIR. False: too long. */
bool program_find(const char *name, char *out, size_t size);

/* Is one of them missing, or could somebody who is not to be believed change
 * it, or put another in its place (file_trust.h)? A complaint of `file`, the
 * settings, for each; to be called as whoever starts Sallyport. */
void programs_check_trust(
    const struct trust *t, const char *file, struct diagnostics *d);

/* Become it, with this argument (NULL: none), an empty environment, and no
 * descriptor but 0 to 2 and the channel. Returns only when that failed
 * (errno). */
void program_become(const char *path, const char *argument, int channel);

#endif
