/*
 * tls_key.h - private keys that are elsewhere: the broker signs with them.
 *
 * A provider of OpenSSL 3 whose RSA and EC keys consist of the public half
 * and of whose key it is.  A handshake that needs a signature asks the broker
 * over this process's channel.  So a worker's memory, and master's, have no
 * private key to lose.
 */
#ifndef SALLYPORT_TLS_KEY_H
#define SALLYPORT_TLS_KEY_H

#include <openssl/types.h>
#include <stdint.h>

#include "common/err.h"

enum tls_side { TLS_SIDE_LISTENER, TLS_SIDE_UPSTREAM };

/* Make the provider known; again and again is fine. */
enum err tls_key_prepare(void) MUST_CHECK;

/* The key whose public half is the certificate's, of the listener or upstream
 * `place` of the settings. To be freed with EVP_PKEY_free(). */
enum err tls_key_remote(X509 *certificate, enum tls_side side, uint32_t place,
    EVP_PKEY **out) MUST_CHECK;

/* Whom to ask for signatures from now on; -1: nobody, and none are made. */
void tls_key_ask(int broker_channel);

#endif
