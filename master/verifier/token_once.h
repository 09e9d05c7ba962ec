/*
 * token_once.h - tokens that have opened the one connection they may.
 *
 * A file of fixed size, mapped by every verifier there is: what was used
 * before a reload, a restart or a crash has been used.  When it has no room
 * for another token that token is refused, until others have expired.
 */
#ifndef SALLYPORT_TOKEN_ONCE_H
#define SALLYPORT_TOKEN_ONCE_H

#include <stdint.h>

#include "common/err.h"

enum { ONCE_DIGEST_LEN = 32 };

struct once;

/* Open or make it. ERR_SYSTEM: errno; ERR_MALFORMED: another's file. Nothing
 * but locks and memory is needed afterwards. */
enum err once_open(const char *path, struct once **out) MUST_CHECK;
void once_close(struct once *o);

/* Remember what has this digest until a time (Unix time, s). ERR_REFUSED: it
 * is remembered already. ERR_TOO_LONG: no room. ERR_SYSTEM. */
enum err once_use(struct once *o, const uint8_t digest[ONCE_DIGEST_LEN],
    int64_t until, int64_t now) MUST_CHECK;

#endif
