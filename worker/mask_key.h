/*
 * mask_key.h - the key that makes pseudonyms and hashes consistent.
 *
 * One random key an installation, in `state`/mask.key (mode 0600): the same
 * value has the same pseudonym in every session and after every restart.
 */
#ifndef SALLYPORT_MASK_KEY_H
#define SALLYPORT_MASK_KEY_H

#include <stdint.h>

#include "common/err.h"
#include "common/mask.h"

/* Read the key into MASK_KEY_LEN bytes, making it if there is none.
 * ERR_REFUSED: others than this account may read or write it. */
enum err mask_key_load(const char *state, uint8_t *key_out) MUST_CHECK;

#endif
