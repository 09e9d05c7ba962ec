/*
 * hmac.c - HMAC-SHA-256, and forgetting.
 *
 * The rule: no part of a key stays in this process, neither here nor in what
 * the hash function was given.  OpenSSL's HMAC() and SHA256() look algorithms
 * up at each call, which takes longer than a login's hashes, and HMAC() keeps
 * keys in memory of its own: so RFC 2104 is made here of SHA-256's plain
 * functions.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init() and its like */
#include <openssl/sha.h>
#include <string.h>

#include "common/hmac.h"

enum { HMAC_BLOCK = 64 };

_Static_assert(HMAC_LEN == SHA256_DIGEST_LENGTH, "one hash, one length");

/* The hash of two texts in a row. */
static bool
hash_both(struct text first, struct text second, uint8_t out[HMAC_LEN])
{
	SHA256_CTX hash;
	bool is_fine = SHA256_Init(&hash) == 1 &&
	    (first.len == 0 ||
		SHA256_Update(&hash, first.at, first.len) == 1) &&
	    (second.len == 0 ||
		SHA256_Update(&hash, second.at, second.len) == 1) &&
	    SHA256_Final(out, &hash) == 1;

	explicit_bzero(&hash, sizeof(hash));
	return is_fine;
}

/* One hash of a key, xored with `pad`, and a text behind it. */
static bool
hash_keyed(const uint8_t key[HMAC_BLOCK], uint8_t pad, struct text value,
    uint8_t out[HMAC_LEN])
{
	char block[HMAC_BLOCK];
	bool is_fine;
	size_t i;

	for (i = 0; i < HMAC_BLOCK; i++)
		block[i] = (char)(key[i] ^ pad);
	is_fine = hash_both((struct text){block, sizeof(block)}, value, out);
	explicit_bzero(block, sizeof(block));
	return is_fine;
}

enum err
hmac_sha256(struct text key, struct text value, uint8_t out[HMAC_LEN])
{
	uint8_t block[HMAC_BLOCK] = {0}, inner[HMAC_LEN];
	bool is_fine = true;

	if (key.len <= sizeof(block))
		memcpy(block, key.at, key.len);
	else
		is_fine = hash_both(key, TEXT(""), block);
	is_fine = is_fine && hash_keyed(block, 0x36, value, inner) &&
	    hash_keyed(block, 0x5c,
		(struct text){(const char *)inner, sizeof(inner)}, out);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(inner, sizeof(inner));
	return is_fine ? ERR_NONE : ERR_SYSTEM;
}

enum err
hash_sha256(struct text value, uint8_t out[HMAC_LEN])
{
	return hash_both(value, TEXT(""), out) ? ERR_NONE : ERR_SYSTEM;
}
