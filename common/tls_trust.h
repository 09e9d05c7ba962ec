/*
 * tls_trust.h - which client certificates are good.
 *
 * Said once: for the worker, in whose handshake a certificate is shown, and
 * for the verifier, who looks at it again because a worker's word is none.
 */
#ifndef SALLYPORT_TLS_TRUST_H
#define SALLYPORT_TLS_TRUST_H

#include <openssl/types.h>

#include "common/tls_files.h"

enum {
	TLS_SECURITY_LEVEL = 2,	 /* OpenSSL's: 112 bits, RSA of 2048 */
	TLS_CHAIN_MAX = 10,	 /* certificates that a client shows */
	TLS_CRL_SIZE_MAX = 32 * 1024 * 1024,
};

/* How clients may sign: what the server asks for and the verifier accepts
 * (master/verifier/signature.c). */
#define TLS_CLIENT_SIGNATURES                                                \
	"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:"                     \
	"ecdsa_secp521r1_sha512:ed25519:ed448:"                              \
	"rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"          \
	"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"       \
	"rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512"

/* Put a listener's `client_ca` and `client_crl` into a store. With a CRL,
 * every certificate of a chain must be covered by one that is in force. */
enum err tls_trust_load(X509_STORE *store, const struct tls_files *f,
    char reason[TLS_REASON_MAX]) MUST_CHECK;

/* Put the system's authorities into a store, all that OpenSSL would find by
 * itself when it needs them. Without any, nobody is trusted. */
void tls_trust_system(X509_STORE *store);

/* Is there a CRL in the file, and are they all CRLs in force? ERR_NONE also
 * when one has expired: `reason` is then not empty, but a warning. */
enum err tls_crl_check(
    const char *path, char reason[TLS_REASON_MAX]) MUST_CHECK;

#endif
