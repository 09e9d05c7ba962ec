/*
 * secrets.c - reading, deriving and wiping secrets.
 *
 * One rule: nothing read here is ever logged or copied out of this process;
 * what a function hands out is a derived value, or goes only to MD5.
 */
#include "master/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/log.h"

enum { MOCK_SECRET_LEN = 32 };

struct upstream_secret {
	bool has_password;
	size_t len;
	char password[UPSTREAM_PASSWORD_MAX];
	/* the last SaltedPassword and what it was made with */
	bool has_salted;
	uint32_t iterations;
	size_t salt_len;
	uint8_t salt[SCRAM_SALT_MAX];
	uint8_t salted[SCRAM_KEY_LEN];
};

struct secrets {
	struct arena *arena;
	struct identities identities;
	uint8_t mock_secret[MOCK_SECRET_LEN];
	uint32_t mock_iterations;
	unsigned long failures, failures_told;
	size_t upstream_count;
	struct upstream_secret upstreams[UPSTREAMS_MAX];
};

/* Read all of a small file and close it. False: errno, EFBIG when longer
 * than `size`. */
static bool
file_read(int fd, void *out, size_t size, size_t *len_out)
{
	size_t len = 0;
	ssize_t n = 1;
	char extra;

	while (n > 0 && len < size) {
		n = read(fd, (char *)out + len, size - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n > 0) {
		n = read(fd, &extra, 1);
		if (n > 0) {
			errno = EFBIG;
			n = -1;
		}
	}
	close(fd);
	*len_out = len;
	return n == 0;
}

/* The password as it stands in the file, or a line of log. */
static bool
password_read(const struct upstream *upstream, struct upstream_secret *out)
{
	const char *path = upstream->password_file;
	struct file_state state;
	char reason[512];
	int fd = password_file_open(path, &state);

	if (fd >= 0 &&
	    file_read(fd, out->password, sizeof(out->password), &out->len))
		return true;
	if (fd >= 0)
		state = (struct file_state){ERR_SYSTEM, errno};
	password_file_explain(path, &state, reason, sizeof(reason));
	log_error("upstream %s: %s: no login will succeed there",
	    upstream->name, reason);
	return false;
}

static void
password_load(const struct upstream *upstream, struct upstream_secret *out)
{
	if (upstream->password_file == NULL)
		return;
	if (!password_read(upstream, out)) {
		OPENSSL_cleanse(out, sizeof(*out));
		return;
	}
	/* the newline an editor leaves at the end, not more */
	if (out->len > 0 && out->password[out->len - 1] == '\n')
		out->len--;
	if (out->len > 0 && out->password[out->len - 1] == '\r')
		out->len--;
	out->has_password = out->len > 0;
	if (!out->has_password)
		log_error("upstream %s: %s is empty: no login will succeed "
			  "there",
		    upstream->name, upstream->password_file);
}

static bool
mock_secret_write(const char *path, const uint8_t *secret)
{
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool is_written;

	if (fd < 0)
		return false;
	is_written = write(fd, secret, MOCK_SECRET_LEN) == MOCK_SECRET_LEN;
	if (close(fd) != 0)
		is_written = false;
	if (!is_written)
		unlink(path);
	return is_written;
}

/* Made-up salts that changed with every start would tell real names from
 * others; so the secret is kept. Without the file it works, less well. */
static bool
mock_secret_load(const char *state, uint8_t *out)
{
	char path[4096];
	size_t len = 0;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/mock-salt", state) >=
	    sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && file_read(fd, out, MOCK_SECRET_LEN, &len) &&
	    len == MOCK_SECRET_LEN)
		return true;
	if (RAND_bytes(out, MOCK_SECRET_LEN) != 1)
		return false;
	if (!mock_secret_write(path, out))
		log_warning("%s: %m: made-up salts will change at the next "
			    "start",
		    path);
	return true;
}

/* Made-up names ask for as many iterations as real ones do. */
static uint32_t
iterations_usual(const struct identities *ids)
{
	struct scram_verifier v;
	uint32_t found = SCRAM_ITERATIONS;
	size_t i;

	for (i = 0; i < ids->person_count; i++) {
		if (scram_verifier_parse(ids->people[i].password, &v) !=
		    ERR_NONE)
			continue;
		found = v.iterations;
		OPENSSL_cleanse(&v, sizeof(v));
		break;
	}
	return found;
}

static bool
identities_read(const char *file, struct arena *a, struct identities *out)
{
	struct diagnostics *d = diagnostics_new(a);
	enum err e;

	if (d == NULL)
		return false;
	e = identities_load(file, a, d, out);
	if (e == ERR_NONE)
		return true;
	log_error("%s: %s%s%s: no new identities", file, err_text(e),
	    diagnostics_count(d) > 0 ? ": " : "",
	    diagnostics_count(d) > 0 ? diagnostics_line(d, 0) : "");
	return false;
}

struct secrets *
secrets_load(const struct settings *settings)
{
	struct secrets *s = calloc(1, sizeof(*s));
	size_t i;

	if (s == NULL)
		return NULL;
	/* best effort: a small limit is no reason not to start */
	if (mlock(s, sizeof(*s)) != 0)
		log_info("secrets may reach swap: %m");
	s->arena = arena_new(0);
	if (s->arena == NULL ||
	    !identities_read(
		settings->identities, s->arena, &s->identities) ||
	    !mock_secret_load(settings->state, s->mock_secret)) {
		secrets_wipe(s);
		return NULL;
	}
	s->mock_iterations = iterations_usual(&s->identities);
	s->upstream_count = settings->upstream_count;
	for (i = 0; i < s->upstream_count && i < UPSTREAMS_MAX; i++)
		password_load(&settings->upstreams[i], &s->upstreams[i]);
	return s;
}

void
secrets_renew(struct secrets *s, const struct settings *settings)
{
	struct arena *now = arena_new(0);
	struct identities identities;

	if (now == NULL)
		return;
	if (identities_read(settings->identities, now, &identities)) {
		struct arena *old = s->arena;

		s->arena = now;
		s->identities = identities;
		s->mock_iterations = iterations_usual(&s->identities);
		now = old;
	}
	arena_wipe(now);
	arena_free(now);
}

void
secrets_wipe(struct secrets *s)
{
	if (s->arena != NULL) {
		arena_wipe(s->arena);
		arena_free(s->arena);
	}
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

/* The verifier text of a person or agent of this name; len 0: none. */
static struct text
password_of(const struct identities *ids, struct text name)
{
	size_t i;

	for (i = 0; i < ids->person_count; i++) {
		if (text_is(ids->people[i].name, name))
			return ids->people[i].password;
	}
	for (i = 0; i < ids->agent_count; i++) {
		if (text_is(ids->agents[i].name, name))
			return ids->agents[i].password;
	}
	return (struct text){0};
}

static void
verifier_mock(
    const struct secrets *s, struct text login, struct scram_verifier *out)
{
	memset(out, 0, sizeof(*out));
	out->iterations = s->mock_iterations;
	out->salt_len = SCRAM_SALT_LEN;
	scram_mock_salt(s->mock_secret, login, out->salt);
}

bool
secrets_verifier(const struct secrets *s, struct text login,
    struct scram_verifier *out)
{
	struct identity identity;
	struct text prover;

	if (identity_resolve(&s->identities, login, &identity, &prover) ==
		ERR_NONE &&
	    scram_verifier_parse(password_of(&s->identities, prover), out) ==
		ERR_NONE)
		return true;
	verifier_mock(s, login, out);
	return false;
}

bool
secrets_salted(struct secrets *s, size_t upstream, const uint8_t *salt,
    size_t salt_len, uint32_t iterations, const uint8_t **salted_out)
{
	struct upstream_secret *u = &s->upstreams[upstream];

	if (!u->has_password || salt_len == 0 || salt_len > sizeof(u->salt))
		return false;
	*salted_out = u->salted;
	if (u->has_salted && u->iterations == iterations &&
	    u->salt_len == salt_len && memcmp(u->salt, salt, salt_len) == 0)
		return true;
	u->has_salted = false;
	if (scram_salt((struct text){u->password, u->len}, salt, salt_len,
		iterations, u->salted) != ERR_NONE)
		return false;
	memcpy(u->salt, salt, salt_len);
	u->salt_len = salt_len;
	u->iterations = iterations;
	u->has_salted = true;
	return true;
}

bool
secrets_password(
    const struct secrets *s, size_t upstream, struct text *password_out)
{
	const struct upstream_secret *u = &s->upstreams[upstream];

	*password_out = (struct text){u->password, u->len};
	return u->has_password;
}

void
secrets_count_failure(struct secrets *s)
{
	unsigned long next =
	    s->failures_told == 0 ? 10 : s->failures_told * 10;

	if (++s->failures < next)
		return;
	s->failures_told = next;
	log_warning("%lu wrong passwords since the start", s->failures);
}
