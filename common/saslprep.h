/*
 * saslprep.h - passwords that are spelt differently and are the same.
 *
 * SASLprep (RFC 4013): composed and decomposed accents, wide and narrow
 * letters, spaces of all kinds.  SCRAM hashes what it makes of a password
 * (RFC 5802, 2.2), and PostgreSQL, its clients and we have to agree on it.
 */
#ifndef SALLYPORT_SASLPREP_H
#define SALLYPORT_SASLPREP_H

#include <stddef.h>

#include "common/err.h"
#include "common/text.h"

enum { SASLPREP_MAX = 8192 }; /* bytes, with a NUL */

/* As PostgreSQL does it: what SASLprep forbids, what it has never heard of
 * (it is of Unicode 3.2), and what is not UTF-8 is taken as it stands. `out`
 * holds a secret afterwards. ERR_TOO_LONG; ERR_MEMORY. */
enum err saslprep(struct text password, char out[SASLPREP_MAX],
    size_t *len_out) MUST_CHECK;

#endif
