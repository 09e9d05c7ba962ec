/*
 * detect.h - sensitive values recognised by what they look like.
 *
 * For values whose origin says nothing: each detector is a hand-written
 * scanner (a Luhn check, a mod-97 check …) that finds its kind anywhere in
 * a value.  Linear in the value's length.
 */
#ifndef SALLYPORT_DETECT_H
#define SALLYPORT_DETECT_H

#include <stdint.h>

#include "common/arena.h"
#include "common/mask.h"
#include "common/text.h"

#define DETECTORS(X)                                                           \
	X(DETECT_EMAIL, "email")                                               \
	X(DETECT_CREDIT_CARD, "credit_card") /* 13-19 digits, Luhn, an IIN */  \
	X(DETECT_US_SSN, "us_ssn")	     /* 3-2-4, valid ranges */         \
	X(DETECT_PHONE, "phone")	     /* +CC … or national with marks */\
	X(DETECT_IBAN, "iban")		     /* country length, mod 97 */      \
	X(DETECT_IPV4, "ipv4")

enum detector {
#define X(id, name) id,
	DETECTORS(X)
#undef X
	    DETECT_MAX
};

const char *detector_name(enum detector d);
uint64_t detector_bit(struct text word); /* 0: no such detector */
const char *const *detector_words(size_t *count_out);

struct found {
	enum detector detector;
	size_t at, len; /* the sensitive part of the value, bytes */
};

/* The first sensitive part at or after `from`, of any kind in `detectors`.
 * false: none. */
bool detect_next(uint64_t detectors, struct text value, size_t from,
    struct found *out);

/* Is it a type whose values are looked into: text of any kind, and bytes that
 * spell text? */
bool detect_looks_into(uint32_t oid);

/* Mask all that `detectors` find in a non-null value, each kind with its own
 * of `masks`. Returns how many parts were found; when 0, `out` is the value
 * itself. Types without text in them have no finds. On failure NULL. */
size_t detect_mask(uint64_t detectors, const enum mask masks[DETECT_MAX],
    struct mask_type type, const uint8_t *key, struct text value,
    struct arena *a, struct masked *out);

#endif
