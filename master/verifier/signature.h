/*
 * signature.h - signatures in TLS handshakes (SignatureScheme of RFC 8446,
 * 4.2.3).  Pure.
 */
#ifndef SALLYPORT_VERIFIER_SIGNATURE_H
#define SALLYPORT_VERIFIER_SIGNATURE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

/* Did the key sign this, in this scheme, which may be used in this version of
 * TLS with that key? NULL, or what is wrong; static. */
const char *signature_check(EVP_PKEY *key, uint32_t version, uint16_t scheme,
    struct text content, struct text signature);

/* Do two signatures of the same in this scheme always differ? */
bool signature_is_random(uint16_t scheme);

#endif
