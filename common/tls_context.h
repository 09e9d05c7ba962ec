/*
 * tls_context.h - what all TLS connections of a listener or upstream share.
 *
 * Made by master before it forks, so that a session adds only its own state;
 * again at each reload.  There is no private key in it, see tls_key.h.
 * TLS 1.2 and 1.3 with forward secrecy; no compression, renegotiation,
 * resumption or tickets.
 */
#ifndef SALLYPORT_TLS_CONTEXT_H
#define SALLYPORT_TLS_CONTEXT_H

#include <openssl/types.h>

#include "common/config.h"

enum {
	TLS_BINDING_MAX = 64 /* bytes of tls-server-end-point */
};

#define TLS_ALPN "postgresql" /* IANA's name of the protocol */

struct tls_contexts;

/* Of all listeners and upstreams. On failure `reason` says whose and why. */
enum err tls_contexts_new(const struct settings *s, struct tls_contexts **out,
    char *reason, size_t size) MUST_CHECK;
void tls_contexts_free(struct tls_contexts *c); /* NULL is fine */

/* tls_files_check(), and that it all can be put to use. */
void tls_check(const struct settings *s, struct diagnostics *d,
    void (*warn)(const char *line));

/* Of the listener or upstream of this index; NULL: it has no TLS. */
SSL_CTX *tls_listener_context(const struct tls_contexts *c, size_t i);
SSL_CTX *tls_upstream_context(const struct tls_contexts *c, size_t i);

/* The channel binding "tls-server-end-point" of a server's certificate (RFC
 * 5929): its hash by its signature's own algorithm, or SHA-256 instead of MD5
 * and SHA-1. ERR_UNSUPPORTED: its signature has no such algorithm. */
enum err tls_end_point(const X509 *certificate, uint8_t *out /* MAX */,
    size_t *len_out) MUST_CHECK;

#endif
