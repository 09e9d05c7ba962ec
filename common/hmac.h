/*
 * hmac.h - HMAC-SHA-256 (RFC 2104), forgetting what it was made of.
 */
#ifndef SALLYPORT_HMAC_H
#define SALLYPORT_HMAC_H

#include <stdint.h>

#include "common/err.h"
#include "common/text.h"

enum { HMAC_LEN = 32 };

/* `out` may be where the key is. ERR_SYSTEM: the library refuses. */
enum err hmac_sha256(
    struct text key, struct text value, uint8_t out[HMAC_LEN]) MUST_CHECK;
/* The hash alone. */
enum err hash_sha256(struct text value, uint8_t out[HMAC_LEN]) MUST_CHECK;

#endif
