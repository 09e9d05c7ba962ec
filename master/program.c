/*
 * program.c - finding and becoming the programs beside the daemon.
 *
 * One rule: nothing of the process goes along: no variable, no descriptor but
 * those that were agreed.
 */
#include "master/program.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/diagnostics.h"
#include "common/file_trust.h"

/* Beside the daemon's program, if somebody builds that there: then no other
 * is taken, whether it is there or not. */
static bool
built_beside(const char *name, char *out, size_t size)
{
	char daemon[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", daemon, sizeof(daemon) - 1);
	char *slash;

	if (len <= 0)
		return false;
	daemon[len] = '\0';
	slash = strrchr(daemon, '/');
	if (slash == NULL || strstr(daemon, "/build/") == NULL)
		return false;
	*slash = '\0';
	len = snprintf(out, size, "%s/%s", daemon, name);
	return (size_t)len < size;
}

bool
program_find(const char *name, char *out, size_t size)
{
	int len;

	if (built_beside(name, out, size))
		return true;
	len = snprintf(out, size, "%s/%s", LIBEXECDIR, name);
	return len > 0 && (size_t)len < size;
}

void
programs_check_trust(
    const struct trust *t, const char *file, struct diagnostics *d)
{
	static const char *const names[] = {
	    "sallyport-verifier", "sallyport-pam"};
	char path[PROGRAM_PATH_MAX];
	struct distrust why;
	uint64_t told = 0; /* the folder that both are in */
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!program_find(names[i], path, sizeof(path)) ||
		    access(path, X_OK) != 0) {
			diagnostics_add(d, file, 0, 0,
			    "%s: this program belongs to Sallyport: %s", path,
			    strerror(errno));
			continue;
		}
		if (trust_check(t, path, TRUST_FILE, &why) != ERR_REFUSED)
			continue;
		if (why.folder == 0 || why.folder != told)
			diagnostics_add(d, file, 0, 0, "%s", why.reason);
		told = why.folder;
	}
}

/* execve() takes texts that are not const, and leaves them as they are. */
static char *
word(const char *text)
{
	return (char *)(uintptr_t)text;
}

void
program_become(const char *path, const char *argument, int channel)
{
	const char *slash = strrchr(path, '/');
	char *arguments[] = {
	    word(slash == NULL ? path : slash + 1), word(argument), NULL};
	char *environment[] = {NULL};

	/* dup2() leaves close-on-exec as it is when both are the same */
	if (channel == PROGRAM_CHANNEL)
		channel = dup(channel);
	if (channel < 0 || dup2(channel, PROGRAM_CHANNEL) < 0)
		return;
	close_range(PROGRAM_CHANNEL + 1, ~0U, 0);
	execve(path, arguments, environment);
}
