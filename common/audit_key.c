/*
 * audit_key.c - the audit key from its file.
 *
 * The rule: it is called where secrets are at home, and what cannot be a key
 * leaves nothing behind.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/audit_chain.h"
#include "common/config.h"

/* Its bytes, as many as there are room for; -1: errno. */
static ssize_t
key_load(int fd, struct audit_key *out)
{
	ssize_t n = 1;

	out->len = 0;
	while (n > 0 && out->len < sizeof(out->bytes)) {
		n = read(fd, out->bytes + out->len,
		    sizeof(out->bytes) - out->len);
		if (n > 0)
			out->len += (size_t)n;
	}
	if (n < 0)
		return -1;
	if (out->len > 0 && out->bytes[out->len - 1] == '\n')
		out->len--;
	return (ssize_t)out->len;
}

static void
length_explain(const char *path, ssize_t len, char *reason, size_t size)
{
	snprintf(reason, size, "%s: %zd bytes are no audit key: %d to %d are",
	    path, len, AUDIT_KEY_FILE_MIN, AUDIT_KEY_FILE_MAX - 1);
}

enum err
audit_key_read(
    const char *path, struct audit_key *out, char *reason, size_t size)
{
	struct file_state state;
	int fd = password_file_open(path, &state);
	ssize_t len = -1;

	reason[0] = '\0';
	if (fd < 0) {
		password_file_explain(path, &state, reason, size);
		return state.err;
	}
	len = key_load(fd, out);
	if (len < 0)
		snprintf(reason, size, "%s: %m", path);
	close(fd);
	if (len >= AUDIT_KEY_FILE_MIN && len < AUDIT_KEY_FILE_MAX)
		return ERR_NONE;
	explicit_bzero(out, sizeof(*out));
	if (len < 0)
		return ERR_SYSTEM;
	length_explain(path, len, reason, size);
	return ERR_INVALID;
}

void
audit_key_check(const struct settings *s, struct diagnostics *d)
{
	struct file_state state;
	struct stat st = {0};
	char reason[512] = "";
	int fd;

	if (s->audit_key_file == NULL)
		return;
	fd = password_file_open(s->audit_key_file, &state);
	/* who else may read it is told by settings_check_trust() */
	if (fd < 0 && state.err == ERR_REFUSED)
		return;
	if (fd < 0)
		password_file_explain(
		    s->audit_key_file, &state, reason, sizeof(reason));
	else if (fstat(fd, &st) != 0 || st.st_size < AUDIT_KEY_FILE_MIN ||
	    st.st_size >= AUDIT_KEY_FILE_MAX)
		length_explain(s->audit_key_file, (ssize_t)st.st_size, reason,
		    sizeof(reason));
	if (fd >= 0)
		close(fd);
	if (reason[0] != '\0')
		diagnostics_add(d, s->file, s->audit_key_file_at.line,
		    s->audit_key_file_at.column, "%s", reason);
}
