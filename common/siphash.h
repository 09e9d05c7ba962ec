/*
 * siphash.h - SipHash-2-4 (Aumasson and Bernstein, 2012): short keyed hashes
 * that nobody without the key can make collide, or tell from chance.
 */
#ifndef SALLYPORT_SIPHASH_H
#define SALLYPORT_SIPHASH_H

#include <stdint.h>

#include "common/text.h"

uint64_t siphash(const uint64_t key[2], struct text t);

/* The same of the eight bytes of a number, the lowest first. */
uint64_t siphash_number(const uint64_t key[2], uint64_t number);

#endif
