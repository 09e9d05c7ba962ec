/*
 * entries.c - see entries.h.
 *
 * The rule: no byte of a password verifier is ever in a process that reads
 * what strangers have signed.
 */
#include "master/verifier/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/codec.h"
#include "common/config.h"
#include "common/log.h"

enum { FORM_MAX = 4 * 1024 * 1024 };

#define NUMBER(field, most) CODEC_NUMBER(struct token_issuer, field, most)
#define WORDS(field) CODEC_TEXT(struct token_issuer, field)

static const struct shape issuer_shape = {
    .size = sizeof(struct token_issuer),
    .parts = (const struct part[]){
	WORDS(issuer),
	CODEC_LIST(struct token_issuer, audiences, audience_count,
	    &codec_text_shape),
	WORDS(keys),
	NUMBER(keys_line, UINT32_MAX),
	NUMBER(keys_column, UINT32_MAX),
	WORDS(user),
	WORDS(agent),
	WORDS(groups),
	NUMBER(algorithms, (1U << TOKEN_ALGORITHM_COUNT) - 1),
	NUMBER(skew_s, TOKEN_SKEW_MAX_S),
	WORDS(required_type),
	NUMBER(is_once, 1),
	CODEC_END,
    },
};

static const struct shape entries_shape = {
    .size = sizeof(struct identities),
    .parts = (const struct part[]){
	CODEC_LIST(struct identities, issuers, issuer_count, &issuer_shape),
	CODEC_END,
    },
};

/* --- the child ------------------------------------------------------------ */

static void
diagnostics_log(const struct diagnostics *d)
{
	size_t i;

	for (i = 0; i < diagnostics_count(d); i++)
		log_error("%s", diagnostics_line(d, i));
}

static bool
write_all(int fd, const struct buffer *b)
{
	size_t done = 0;

	while (done < b->len) {
		ssize_t n = write(fd, &b->bytes[done], b->len - done);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return true;
}

static int
child_main(const char *file, int pipe)
{
	struct buffer b = {.ceiling = FORM_MAX};
	struct arena *a = arena_new(0);
	struct diagnostics *d = a == NULL ? NULL : diagnostics_new(a);
	struct identities ids;

	if (d == NULL)
		return EXIT_FAILURE;
	if (identities_load(file, a, d, &ids) != ERR_NONE) {
		diagnostics_log(d);
		return EXIT_FAILURE;
	}
	codec_write(&b, &entries_shape, &ids);
	return !b.failed && write_all(pipe, &b) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the program itself --------------------------------------------------- */

static enum err
read_all(int fd, struct buffer *b)
{
	enum { CHUNK = 4096 };
	ssize_t n = 1;

	while (n != 0) {
		if (!buffer_reserve(b, CHUNK))
			return ERR_TOO_LONG;
		n = read(fd, &b->bytes[b->len], CHUNK);
		if (n < 0 && errno != EINTR)
			return ERR_SYSTEM;
		if (n > 0)
			b->len += (size_t)n;
	}
	return ERR_NONE;
}

static bool
has_succeeded(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) != child) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* Paths are opened: they end in a NUL again. */
static enum err
paths_end(struct identities *ids, struct arena *a)
{
	size_t i;

	for (i = 0; i < ids->issuer_count; i++) {
		struct text *keys = &ids->issuers[i].keys;

		keys->at = arena_copy(a, keys->at, keys->len);
		if (keys->at == NULL)
			return ERR_MEMORY;
	}
	return ERR_NONE;
}

static enum err
entries_decode(const struct buffer *b, struct arena *a, struct identities *out)
{
	const char *bytes = arena_copy(a, b->bytes, b->len);
	struct wire w = wire_of(bytes, b->len);
	enum err e;

	if (bytes == NULL)
		return ERR_MEMORY;
	e = codec_read(&w, &entries_shape, a, out);
	if (e == ERR_NONE)
		e = wire_end(&w);
	return e == ERR_NONE ? paths_end(out, a) : e;
}

static enum err
child_hear(pid_t child, int pipe, struct arena *a, struct identities *out)
{
	struct buffer b = {.ceiling = FORM_MAX};
	enum err e = read_all(pipe, &b);

	close(pipe);
	if (!has_succeeded(child) && e == ERR_NONE)
		e = ERR_INVALID;
	if (e == ERR_NONE)
		e = entries_decode(&b, a, out);
	buffer_free(&b);
	return e;
}

enum err
entries_read(const char *file, struct arena *a, struct identities *out)
{
	int ends[2];
	pid_t child;

	memset(out, 0, sizeof(*out));
	if (pipe2(ends, O_CLOEXEC) != 0)
		return ERR_SYSTEM;
	child = fork();
	if (child == 0)
		_exit(child_main(file, ends[1]));
	close(ends[1]);
	if (child > 0)
		return child_hear(child, ends[0], a, out);
	close(ends[0]);
	return ERR_SYSTEM;
}
