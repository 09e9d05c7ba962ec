/*
 * tls.h - one TLS connection, as a transport of the relay (relay.h).
 *
 * Nothing here waits: the handshake goes on inside receive and send, whoever
 * polls.  What listeners and upstreams share is in common/tls_context.h.
 */
#ifndef SALLYPORT_TLS_H
#define SALLYPORT_TLS_H

#include <openssl/types.h>

#include "common/json.h"
#include "common/tls_context.h"
#include "worker/relay.h"

struct tls;

extern const struct transport tls_transport; /* its state is a struct tls */

/* The server's side on `fd`, which stays the caller's. `head`: what was
 * received of the handshake already; copied. NULL: out of memory. */
struct tls *tls_accept(SSL_CTX *context, int fd, struct text head);

/* The client's side. `name`: of the server, told to it, and with `verifies`
 * checked against its certificate (an address against its addresses). */
struct tls *tls_connect(
    SSL_CTX *context, int fd, const char *name, bool verifies);

/* This connection is to show no certificate of ours. */
void tls_be_anonymous(struct tls *t);

/* Go on with the handshake; ERR_NONE: it is done. ERR_INTERRUPTED: wait for
 * *events_out first. ERR_REFUSED: it failed, see tls_failure(). */
enum err tls_handshake(struct tls *t, short *events_out) MUST_CHECK;
bool tls_is_established(const struct tls *t);

/* Why it failed, in OpenSSL's words or the system's; static. "": it has not.*/
const char *tls_failure(const struct tls *t);

/* Was "postgresql" agreed on by ALPN? */
bool tls_has_alpn(const struct tls *t);

/* tls-server-end-point of the certificate the server showed, or of ours. */
enum err tls_binding(
    const struct tls *t, uint8_t *out, size_t *len_out) MUST_CHECK;

/* Did the other side show a certificate (and prove to hold its key)? */
bool tls_has_certificate(const struct tls *t);

/* What a client with a certificate has said, and was told, up to and with its
 * CertificateVerify: the messages of a struct handshake, borrowed for as long
 * as `t` lives. False: it has shown none, or more than HANDSHAKE_MAX of it. */
bool tls_handshake_messages(
    const struct tls *t, uint32_t *version, struct text *messages);

/* Members "version", "cipher" and, if the other side showed one, "subject" of
 * the certificate it showed. */
void tls_describe(const struct tls *t, struct json *j);

#endif
