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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/broker_channel.h"
#include "common/hmac.h"
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
	struct audit_key audit_key;
	unsigned long failures, failures_told;
	/* of every login of every upstream, one upstream's behind another's;
	 * where each one's begin */
	struct upstream_secret *logins;
	size_t login_count;
	size_t first[UPSTREAMS_MAX];
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
password_read(const char *path, const char *upstream,
    struct upstream_secret *out)
{
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
	    upstream, reason);
	return false;
}

static void
password_load(
    const char *path, const char *upstream, struct upstream_secret *out)
{
	if (path == NULL)
		return;
	if (!password_read(path, upstream, out)) {
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
		    upstream, path);
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
	if (getentropy(out, MOCK_SECRET_LEN) != 0)
		return false;
	if (!mock_secret_write(path, out))
		log_warning("%s: %m: made-up salts will change at the next "
			    "start",
		    path);
	return true;
}

/* A verifier's number of iterations; 0: it is none. */
static uint32_t
iterations_of(struct text password)
{
	struct scram_verifier v;
	uint32_t found = 0;

	if (scram_verifier_parse(password, &v) == ERR_NONE)
		found = v.iterations;
	OPENSSL_cleanse(&v, sizeof(v));
	return found;
}

/* Made-up names ask for as many iterations as real ones do. */
static uint32_t
iterations_usual(const struct identities *ids)
{
	uint32_t found = 0;
	size_t i;

	for (i = 0; i < ids->person_count && found == 0; i++)
		found = iterations_of(ids->people[i].password);
	for (i = 0; i < ids->agent_count && found == 0; i++)
		found = iterations_of(ids->agents[i].password);
	return found == 0 ? SCRAM_ITERATIONS : found;
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

/* In memory that is not swapped out, if it can be had: a small limit is no
 * reason not to start. */
static void *
secret_memory(size_t size)
{
	void *m = calloc(1, size);

	if (m != NULL && mlock(m, size) != 0)
		log_info("secrets may reach swap: %m");
	return m;
}

static bool
logins_load(struct secrets *s, const struct settings *settings)
{
	size_t i, k, n = 0;

	s->login_count = settings_login_count(settings);
	s->logins = secret_memory(
	    (s->login_count + 1) * sizeof(struct upstream_secret));
	for (i = 0; s->logins != NULL && i < settings->upstream_count; i++) {
		const struct upstream *u = &settings->upstreams[i];

		s->first[i] = n;
		for (k = 0; k < u->login_count; k++)
			password_load(u->logins[k].password_file, u->name,
			    &s->logins[n++]);
	}
	return s->logins != NULL;
}

/* Without it nobody could be recorded, so nobody is served. */
static bool
audit_key_load(const struct settings *settings, struct audit_key *out)
{
	char reason[512];

	if (settings->audit_key_file == NULL ||
	    audit_key_read(settings->audit_key_file, out, reason,
		sizeof(reason)) == ERR_NONE)
		return true;
	log_error("audit.key_file: %s", reason);
	return false;
}

const struct audit_key *
secrets_audit_key(const struct secrets *s)
{
	return &s->audit_key;
}

struct secrets *
secrets_load(const struct settings *settings)
{
	struct secrets *s = secret_memory(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->arena = arena_new(0);
	if (s->arena == NULL ||
	    !identities_read(
		settings->identities, s->arena, &s->identities) ||
	    !mock_secret_load(settings->state, s->mock_secret) ||
	    !audit_key_load(settings, &s->audit_key) ||
	    !logins_load(s, settings)) {
		secrets_wipe(s);
		return NULL;
	}
	s->mock_iterations = iterations_usual(&s->identities);
	return s;
}

void
secrets_wipe(struct secrets *s)
{
	if (s->arena != NULL) {
		arena_wipe(s->arena);
		arena_free(s->arena);
	}
	if (s->logins != NULL)
		OPENSSL_cleanse(
		    s->logins, s->login_count * sizeof(*s->logins));
	free(s->logins);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

const struct identities *
secrets_identities(const struct secrets *s)
{
	return &s->identities;
}

void
secrets_mock(
    const struct secrets *s, struct text login, struct scram_verifier *out)
{
	memset(out, 0, sizeof(*out));
	out->iterations = s->mock_iterations;
	out->salt_len = SCRAM_SALT_LEN;
	scram_mock_salt(s->mock_secret, login, out->salt);
}

uint64_t
secrets_mimic(const struct secrets *s, struct text login)
{
	static const char purpose[] = "mimic";
	uint8_t mac[HMAC_LEN];
	char whole[BROKER_NAME_MAX + sizeof(purpose)];
	uint64_t number = 0;
	int n = snprintf(whole, sizeof(whole), "%s%.*s", purpose,
	    (int)login.len, login.at);

	if (n > 0 &&
	    hmac_sha256((struct text){(const char *)s->mock_secret,
			    MOCK_SECRET_LEN},
		text_of(whole), mac) == ERR_NONE)
		memcpy(&number, mac, sizeof(number));
	return number;
}

bool
secrets_salted(struct secrets *s, struct login_index of, const uint8_t *salt,
    size_t salt_len, uint32_t iterations, const uint8_t **salted_out)
{
	struct upstream_secret *u = &s->logins[s->first[of.upstream] + of.login];

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
secrets_password(const struct secrets *s, struct login_index of,
    struct text *password_out)
{
	const struct upstream_secret *u =
	    &s->logins[s->first[of.upstream] + of.login];

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
