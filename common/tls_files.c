/*
 * tls_files.c - reading and checking certificates and private keys.
 *
 * The rule: what the broker and the workers will need is tried here first,
 * and what does not fit together is told where the setting stands.  Trusts
 * nothing in the files; never shows what is in a key.
 */
#include "common/tls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/tls_trust.h"

enum { FILE_MAX = 1024 * 1024 };

struct checking {
	const struct settings *settings;
	struct diagnostics *diagnostics;
	void (*warn)(const char *line);
};

const char *
tls_error_text(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason == NULL ? "unknown error" : reason;
}

/* All of a regular file, in memory that is wiped when freed; NULL: `reason`
 * says why. Closes the descriptor. */
static BIO *
bytes_of(int fd, const char *path, char reason[TLS_REASON_MAX])
{
	BIO *bytes = BIO_new(BIO_s_secmem());
	struct stat st;
	char chunk[4096];
	ssize_t n = -1;

	errno = EINVAL;
	if (bytes != NULL && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size <= FILE_MAX) {
		while ((n = read(fd, chunk, sizeof(chunk))) > 0 &&
		       BIO_write(bytes, chunk, (int)n) == (int)n)
			continue;
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	if (n != 0) {
		snprintf(reason, TLS_REASON_MAX, "%s: %s", path,
		    n < 0 && errno != EINVAL ? strerror(errno)
					     : "not a regular file of PEM");
		BIO_free(bytes);
		bytes = NULL;
	}
	close(fd);
	return bytes;
}

enum err
tls_certificate_load(const char *path, X509 **out, char reason[TLS_REASON_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	BIO *bytes;

	*out = NULL;
	reason[0] = '\0';
	if (fd < 0) {
		snprintf(
		    reason, TLS_REASON_MAX, "%s: %s", path, strerror(errno));
		return ERR_SYSTEM;
	}
	bytes = bytes_of(fd, path, reason);
	if (bytes == NULL)
		return ERR_SYSTEM;
	*out = PEM_read_bio_X509(bytes, NULL, NULL, NULL);
	BIO_free(bytes);
	ERR_clear_error();
	if (*out != NULL)
		return ERR_NONE;
	snprintf(reason, TLS_REASON_MAX, "%s: no certificate in it", path);
	return ERR_MALFORMED;
}

/* Nobody is there to type a passphrase. */
static int
passphrase_refuse(char *out, int size, int is_writing, void *was_asked)
{
	(void)out;
	(void)size;
	(void)is_writing;
	*(bool *)was_asked = true;
	return -1;
}

static bool
curve_is_served(const EVP_PKEY *key)
{
	static const char *const curves[] = {
	    "prime256v1", "secp384r1", "secp521r1"};
	char name[64] = "";
	size_t i;

	if (EVP_PKEY_get_utf8_string_param(
		key, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL) != 1)
		return false;
	for (i = 0; i < sizeof(curves) / sizeof(*curves); i++) {
		if (strcmp(name, curves[i]) == 0)
			return true;
	}
	return false;
}

static const char *
kind_wrong(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA"))
		return bits >= TLS_RSA_BITS_MIN && bits <= TLS_RSA_BITS_MAX
			   ? NULL
			   : "an RSA key must have 2048 to 4096 bits";
	if (EVP_PKEY_is_a(key, "EC"))
		return curve_is_served(key)
			   ? NULL
			   : "an EC key must be on P-256, P-384 or P-521";
	return "keys of this kind are not served, only RSA and EC";
}

static enum err
key_read(BIO *bytes, EVP_PKEY **out, const char **wrong_out)
{
	bool was_asked = false;

	*out =
	    PEM_read_bio_PrivateKey(bytes, NULL, passphrase_refuse, &was_asked);
	ERR_clear_error();
	if (*out == NULL) {
		*wrong_out =
		    was_asked ? "it has a passphrase" : "no private key in it";
		return was_asked ? ERR_UNSUPPORTED : ERR_MALFORMED;
	}
	*wrong_out = kind_wrong(*out);
	return *wrong_out == NULL ? ERR_NONE : ERR_UNSUPPORTED;
}

enum err
tls_key_load(const char *path, EVP_PKEY **out, char reason[TLS_REASON_MAX])
{
	struct file_state state;
	const char *wrong;
	int fd = password_file_open(path, &state);
	BIO *bytes;
	enum err e;

	*out = NULL;
	reason[0] = '\0';
	if (fd < 0) {
		password_file_explain(path, &state, reason, TLS_REASON_MAX);
		return state.err;
	}
	bytes = bytes_of(fd, path, reason);
	if (bytes == NULL)
		return ERR_SYSTEM;
	e = key_read(bytes, out, &wrong);
	BIO_free(bytes);
	if (e == ERR_NONE)
		return ERR_NONE;
	snprintf(reason, TLS_REASON_MAX, "%s: %s", path, wrong);
	EVP_PKEY_free(*out);
	*out = NULL;
	return e;
}

/* --- checking ------------------------------------------------------------- */

static void
complain(const struct checking *c, struct setting_at at, const char *text)
{
	diagnostics_add(
	    c->diagnostics, c->settings->file, at.line, at.column, "%s", text);
}

static void
expiry_warn(const struct checking *c, const char *path, const X509 *x)
{
	char text[TLS_REASON_MAX];
	const char *when = NULL;

	if (X509_cmp_current_time(X509_get0_notAfter(x)) <= 0)
		when = "has expired";
	else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
		when = "is not valid yet";
	if (when == NULL)
		return;
	snprintf(text, sizeof(text), "%s: the certificate %s", path, when);
	c->warn(text);
}

static void
pair_check(const struct checking *c, const struct tls_files *f)
{
	char reason[TLS_REASON_MAX];
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	enum err of_certificate, of_key;

	if (f->certificate == NULL)
		return;
	of_certificate = tls_certificate_load(f->certificate, &x, reason);
	if (of_certificate != ERR_NONE)
		complain(c, f->certificate_at, reason);
	else
		expiry_warn(c, f->certificate, x);
	of_key = tls_key_load(f->key, &key, reason);
	/* who may read it is told by settings_check_trust() */
	if (of_key != ERR_NONE && of_key != ERR_REFUSED)
		complain(c, f->key_at, reason);
	if (of_certificate == ERR_NONE && of_key == ERR_NONE &&
	    X509_check_private_key(x, key) != 1) {
		snprintf(reason, sizeof(reason),
		    "%s: not the key of the certificate %s", f->key,
		    f->certificate);
		complain(c, f->key_at, reason);
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
}

static void
ca_check(const struct checking *c, const struct tls_files *f)
{
	char reason[TLS_REASON_MAX];
	X509 *x = NULL;

	if (f->ca == NULL)
		return;
	if (tls_certificate_load(f->ca, &x, reason) != ERR_NONE)
		complain(c, f->ca_at, reason);
	else
		expiry_warn(c, f->ca, x);
	X509_free(x);
}

static void
crl_check(const struct checking *c, const struct tls_files *f)
{
	char reason[TLS_REASON_MAX];

	if (f->crl == NULL)
		return;
	if (tls_crl_check(f->crl, reason) != ERR_NONE)
		complain(c, f->crl_at, reason);
	else if (reason[0] != '\0')
		c->warn(reason);
}

void
tls_files_check(const struct settings *s, struct diagnostics *d,
    void (*warn)(const char *line))
{
	const struct checking c = {s, d, warn};
	size_t i;

	for (i = 0; i < s->listener_count; i++) {
		pair_check(&c, &s->listeners[i].tls);
		ca_check(&c, &s->listeners[i].tls);
		crl_check(&c, &s->listeners[i].tls);
	}
	for (i = 0; i < s->upstream_count; i++) {
		pair_check(&c, &s->upstreams[i].tls);
		ca_check(&c, &s->upstreams[i].tls);
	}
}
