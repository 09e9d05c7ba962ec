/*
 * tls_files.h - certificates and private keys as files.
 *
 * Private keys are loaded to be checked (by who may read them, before it
 * drops its privileges) and by the broker, which alone keeps them.
 */
#ifndef SALLYPORT_TLS_FILES_H
#define SALLYPORT_TLS_FILES_H

#include <openssl/types.h>

#include "common/config.h"

enum {
	TLS_REASON_MAX = 512,
	TLS_RSA_BITS_MIN = 2048,
	TLS_RSA_BITS_MAX = 4096, /* a longer one would hold the broker up */
};

/* A private key of a kind that is served: RSA, or EC on P-256, P-384 or
 * P-521; to be freed with EVP_PKEY_free(). ERR_REFUSED: others may read the
 * file; ERR_UNSUPPORTED: another kind, or one with a passphrase. `reason`
 * says what is wrong. */
enum err tls_key_load(
    const char *path, EVP_PKEY **out, char reason[TLS_REASON_MAX]) MUST_CHECK;

/* The first certificate of a PEM file, to be freed with X509_free(). When it
 * cannot be had, `reason` says why: ERR_SYSTEM, ERR_MALFORMED. */
enum err tls_certificate_load(
    const char *path, X509 **out, char reason[TLS_REASON_MAX]) MUST_CHECK;

/* Look at all certificates, keys, CAs and CRLs of the settings. What is wrong
 * becomes a diagnostic where the setting stands; what will soon be is told to
 * `warn`. For whoever may read the keys. */
void tls_files_check(const struct settings *s, struct diagnostics *d,
    void (*warn)(const char *line));

/* OpenSSL's words for what went wrong last, which are then forgotten. */
const char *tls_error_text(void);

#endif
