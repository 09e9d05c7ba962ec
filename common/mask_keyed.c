/*
 * mask_keyed.c - randomness that the key determines.
 *
 * The rule: nothing here depends on anything but the key, the purpose and the
 * value, so that a value has the same pseudonym in every row, session and
 * format.  Without the key it cannot be told from chance.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "common/mask_inner.h"

enum { PURPOSE_MAX = 32, FEISTEL_ROUNDS = 10 };

void
keyed_start(struct keyed *k, const uint8_t *key, const char *purpose,
    struct text value, unsigned attempt)
{
	uint8_t label[PURPOSE_MAX + sizeof(attempt)] = {0};
	uint8_t derived[MASK_KEYED_LEN];
	unsigned len = 0;

	memset(k, 0, sizeof(*k));
	k->used = sizeof(k->block);
	memcpy(label, purpose, strnlen(purpose, PURPOSE_MAX));
	memcpy(label + PURPOSE_MAX, &attempt, sizeof(attempt));
	k->has_failed =
	    HMAC(EVP_sha256(), key, MASK_KEY_LEN, label, sizeof(label),
		derived, &len) == NULL ||
	    HMAC(EVP_sha256(), derived, sizeof(derived),
		(const uint8_t *)value.at, value.len, k->seed, &len) == NULL;
	explicit_bzero(derived, sizeof(derived));
}

static void
keyed_refill(struct keyed *k)
{
	uint8_t input[MASK_KEYED_LEN + sizeof(k->counter)];

	memcpy(input, k->seed, MASK_KEYED_LEN);
	memcpy(input + MASK_KEYED_LEN, &k->counter, sizeof(k->counter));
	if (SHA256(input, sizeof(input), k->block) == NULL)
		k->has_failed = true;
	k->counter++;
	k->used = 0;
}

uint8_t
keyed_byte(struct keyed *k)
{
	if (k->used == sizeof(k->block))
		keyed_refill(k);
	return k->block[k->used++];
}

uint32_t
keyed_below(struct keyed *k, uint32_t n)
{
	uint64_t wide = 0;
	int i;

	/* 40 bits: the bias towards small results is below 2^-20 for every
	 * n asked for here (at most 2^20). */
	for (i = 0; i < 5; i++)
		wide = wide << 8 | keyed_byte(k);
	return (uint32_t)(wide % n);
}

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of one 64-bit word. */
static uint64_t
sip_hash(const uint64_t key[2], uint64_t word)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ULL,
	    key[1] ^ 0x646f72616e646f6dULL, key[0] ^ 0x6c7967656e657261ULL,
	    key[1] ^ 0x7465646279746573ULL};
	const uint64_t words[2] = {word, (uint64_t)8 << 56};
	int i;

	for (i = 0; i < 2; i++) {
		v[3] ^= words[i];
		sip_round(v);
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool
permutation_start(struct permutation *p, const uint8_t *key, uint64_t size,
    unsigned attempt)
{
	struct text domain = {(const char *)&size, sizeof(size)};
	struct keyed k;
	size_t i;

	keyed_start(&k, key, "number", domain, attempt);
	memcpy(p->half, k.seed, sizeof(p->half));
	p->size = size;
	p->bits = 1;
	for (i = 2; i < 64 && (size - 1) >> i != 0; i += 2)
		p->bits++;
	return !k.has_failed;
}

static uint64_t
feistel(const struct permutation *p, uint64_t x)
{
	const uint64_t low = ((uint64_t)1 << p->bits) - 1;
	uint64_t left = x >> p->bits, right = x & low, next;
	uint64_t round;

	for (round = 0; round < FEISTEL_ROUNDS; round++) {
		next = left ^ (sip_hash(p->half, round << 56 | right) & low);
		left = right;
		right = next;
	}
	return left << p->bits | right;
}

uint64_t
permutation_of(const struct permutation *p, uint64_t x)
{
	/* Walking until inside keeps it a permutation; the Feistel domain is
	 * less than four times the size, so the walk is short. */
	do {
		x = feistel(p, x);
	} while (x >= p->size);
	return x;
}
