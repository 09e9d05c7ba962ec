/*
 * nasty.h - texts in which lexers go wrong, and ways to make more of them.
 */
#ifndef SALLYPORT_ORACLE_NASTY_H
#define SALLYPORT_ORACLE_NASTY_H

#include <stddef.h>
#include <stdint.h>

enum { NASTY_MAX = 1 << 16 }; /* bytes of a text made here */

extern const char *const nasty_texts[]; /* ends with NULL */

/* Always the same numbers for the same seed. */
uint32_t nasty_random(uint64_t *seed, uint32_t below);

/* Write another text over `made` (NASTY_MAX bytes): parts of two texts, with
 * quotes, comments, escapes and single bytes put in, left out or doubled. */
void nasty_make(
    uint64_t *seed, const char *one, const char *other, char *made);

#endif
