/*
 * settings_files.c - the files that sallyport.yaml names.
 *
 * The rule: what cannot be read is told where the setting stands, before
 * anything depends on it; a password that others can read is none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "common/file_trust.h"

enum { EXPLANATION_MAX = 512 };

/* A regular file's descriptor, and what there is to know about it; -1. */
static int
file_open(const char *path, struct stat *st, struct file_state *out)
{
	/* a pipe must not make us wait for its writer */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*out = (struct file_state){.err = ERR_NONE};
	if (fd < 0 || fstat(fd, st) != 0)
		*out = (struct file_state){ERR_SYSTEM, errno};
	else if (!S_ISREG(st->st_mode))
		out->err = ERR_INVALID;
	if (fd >= 0 && out->err != ERR_NONE) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int
password_file_open(const char *path, struct file_state *out)
{
	struct stat st;
	int fd = file_open(path, &st, out);

	if (fd < 0 || !trust_is_exposed(&st))
		return fd;
	close(fd);
	out->err = ERR_REFUSED;
	return -1;
}

void
password_file_explain(const char *path, const struct file_state *state,
    char *out, size_t size)
{
	out[0] = '\0';
	if (state->err == ERR_REFUSED)
		snprintf(out, size,
		    "permissions of %s: must not be readable by others", path);
	else if (state->err == ERR_INVALID)
		snprintf(out, size, "%s: not a regular file", path);
	else if (state->err != ERR_NONE)
		snprintf(out, size, "%s: %s", path, strerror(state->error));
}

static void
password_file_look(const char *path, struct file_state *out)
{
	int fd;

	*out = (struct file_state){.err = ERR_NONE};
	if (path == NULL)
		return;
	fd = password_file_open(path, out);
	if (fd >= 0)
		close(fd);
}

void
password_files_look(const struct settings *s, struct file_state *states)
{
	size_t i, k;

	for (i = 0; i < s->upstream_count; i++) {
		const struct upstream *u = &s->upstreams[i];

		for (k = 0; k < u->login_count; k++)
			password_file_look(
			    u->logins[k].password_file, states++);
	}
}

static void
password_file_complain(const struct settings *s,
    const struct upstream_login *login, const struct file_state *state,
    struct diagnostics *d)
{
	char text[EXPLANATION_MAX];

	/* who may read it is told by settings_check_trust() */
	if (state->err == ERR_NONE || state->err == ERR_REFUSED ||
	    login->password_file == NULL)
		return;
	password_file_explain(
	    login->password_file, state, text, sizeof(text));
	diagnostics_add(d, s->file, login->password_file_at.line,
	    login->password_file_at.column, "%s", text);
}

void
password_files_complain(const struct settings *s,
    const struct file_state *states, struct diagnostics *d)
{
	size_t i, k;

	for (i = 0; i < s->upstream_count; i++) {
		const struct upstream *u = &s->upstreams[i];

		for (k = 0; k < u->login_count; k++)
			password_file_complain(
			    s, &u->logins[k], states++, d);
	}
}

static enum err
check_identities(const struct settings *s, struct diagnostics *d)
{
	struct file_state state;
	struct stat st;
	int fd = file_open(s->identities, &st, &state);

	if (fd >= 0) {
		close(fd);
		return ERR_NONE;
	}
	diagnostics_add(d, s->file, s->identities_at.line,
	    s->identities_at.column, "%s: %s", s->identities,
	    state.err == ERR_INVALID ? "not a regular file"
				     : strerror(state.error));
	return ERR_SYSTEM;
}

static enum err
check_policies(const struct settings *s, struct diagnostics *d)
{
	DIR *folder = opendir(s->policies);

	if (folder != NULL) {
		closedir(folder);
		return ERR_NONE;
	}
	diagnostics_add(d, s->file, s->policies_at.line,
	    s->policies_at.column, "%s: %s", s->policies, strerror(errno));
	return ERR_SYSTEM;
}

enum err
settings_check_files(const struct settings *s, struct diagnostics *d)
{
	enum err identities = check_identities(s, d);
	enum err policies = check_policies(s, d);

	return identities != ERR_NONE ? identities : policies;
}
