/*
 * base64url.h - base64 with the URL-safe alphabet, without padding: RFC 4648,
 * 5, as RFC 7515, 2 has it.
 */
#ifndef SALLYPORT_BASE64URL_H
#define SALLYPORT_BASE64URL_H

#include "common/err.h"
#include "common/text.h"

/* Decode. One value has one spelling: ERR_MALFORMED on padding, white space,
 * a letter of another alphabet or bits left over that are not zero.
 * ERR_TOO_LONG: over `size` bytes; nothing is written past them. */
enum err base64url_decode(struct text text, uint8_t *out, size_t size,
    size_t *len_out) MUST_CHECK;

#endif
