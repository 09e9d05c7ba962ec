/*
 * mask_script.h - letters of the world, for masks that keep the looks.
 */
#ifndef SALLYPORT_MASK_SCRIPT_H
#define SALLYPORT_MASK_SCRIPT_H

#include "common/mask_inner.h"

/* Bytes of the UTF-8 sequence at `at`, 1 to 4; 1 for a byte that starts none,
 * never more than are left. at < value.len. */
size_t script_sequence(struct text value, size_t at);

/* Does a sequence that starts with this byte count as a letter or digit?
 * Everything above ASCII does. */
bool script_is_letter(char first);

/* Without branches, for loops over long values. */
static inline bool
script_is_ascii_letter(char c)
{
	unsigned lower = ((unsigned char)c | 0x20u) - 'a';
	unsigned digit = (unsigned char)c - (unsigned)'0';

	return (lower < 26) | (digit < 10);
}

/* Put a keyed choice of the same class and length in place of the sequence at
 * `at` (digit, upper case, lower case, letter of a script); marks stay.
 * Unless `is_utf8`, every byte above ASCII becomes `x`. Writes exactly the
 * bytes it returns the number of. */
size_t script_replace(struct keyed *k, struct text value, size_t at,
    bool is_utf8, char *out);

#endif
