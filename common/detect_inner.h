/*
 * detect_inner.h - what the detect_*.c files share; nobody else includes it.
 *
 * A scanner tells how many bytes from `i` on are its kind, 0 for none.  It
 * looks at a bounded number of bytes.
 */
#ifndef SALLYPORT_DETECT_INNER_H
#define SALLYPORT_DETECT_INNER_H

#include "common/detect.h"
#include "common/vocab.h"

size_t detect_card(struct text v, size_t i);
size_t detect_iban(struct text v, size_t i);
size_t detect_us_ssn(struct text v, size_t i);
size_t detect_phone(struct text v, size_t i);
size_t detect_ipv4(struct text v, size_t i);
/* The address around the @ at `i`, not before `from`. */
bool detect_email(struct text v, size_t i, size_t from, struct found *out);

/* Does a number that starts at `i` stand alone on its left? Not in `x4`,
 * `1.4`, `1-4`. */
bool detect_starts_alone(struct text v, size_t i);
/* Does a number that ends before `i` stand alone on its right? */
bool detect_ends_alone(struct text v, size_t i);

/* Match a shape at `i`: 'd' a digit, 'n' 2-9, 's' the separator, anything
 * else itself. The first separator must be one of `marks`, the others the
 * same. Returns the bytes matched, 0 for none. */
size_t detect_shape(
    struct text v, size_t i, const char *shape, const char *marks);

/* The number spelled by `count` (at most 9) digits from `i`. */
unsigned detect_number(struct text v, size_t i, size_t count);

/* The byte at `i`, NUL past either end (SIZE_MAX is before the start). */
static inline char
byte_at(struct text v, size_t i)
{
	return i < v.len ? v.at[i] : '\0';
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_ascii_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_letter(char c)
{
	return is_ascii_letter(c) || (c & 0x80) != 0;
}

static inline bool
is_word(char c)
{
	return is_digit(c) || is_ascii_letter(c) || c == '_';
}

static inline char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
