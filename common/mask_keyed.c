/*
 * mask_keyed.c - randomness that the key determines.
 *
 * The rule: nothing here depends on anything but the key, the purpose and the
 * value, so that a value has the same pseudonym in every row, session and
 * format.  Without the key it cannot be told from chance.
 *
 * A row may have a pseudonym in each column.  OpenSSL's HMAC() looks up its
 * algorithm at each call, which takes ten times as long as the hashing, so
 * HMAC (RFC 2104) is made here of SHA-256's plain functions, and what is the
 * same for all values of a purpose is kept.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init() and its like */
#include <openssl/sha.h>

#include "common/mask_inner.h"
#include "common/siphash.h"

enum {
	PURPOSE_MAX = 32,
	FEISTEL_ROUNDS = 10,
	HMAC_BLOCK = 64,
	KEPT_MAX = 16, /* purposes; a power of two */
};

/* --- HMAC-SHA-256 --------------------------------------------------------- */

/* Both hashes with the key already in them. */
struct hmac {
	SHA256_CTX inner, outer;
};

static bool
hmac_key(struct hmac *h, const uint8_t key[MASK_KEYED_LEN])
{
	uint8_t inner[HMAC_BLOCK] = {0}, outer[HMAC_BLOCK];
	bool is_fine;
	size_t i;

	memcpy(inner, key, MASK_KEYED_LEN);
	for (i = 0; i < HMAC_BLOCK; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	is_fine = SHA256_Init(&h->inner) == 1 &&
	    SHA256_Update(&h->inner, inner, sizeof(inner)) == 1 &&
	    SHA256_Init(&h->outer) == 1 &&
	    SHA256_Update(&h->outer, outer, sizeof(outer)) == 1;
	explicit_bzero(inner, sizeof(inner));
	explicit_bzero(outer, sizeof(outer));
	return is_fine;
}

static bool
hmac_of(const struct hmac *h, struct text value, uint8_t out[MASK_KEYED_LEN])
{
	SHA256_CTX hash = h->inner;

	if ((value.len > 0 &&
		SHA256_Update(&hash, value.at, value.len) != 1) ||
	    SHA256_Final(out, &hash) != 1)
		return false;
	hash = h->outer;
	return SHA256_Update(&hash, out, MASK_KEYED_LEN) == 1 &&
	    SHA256_Final(out, &hash) == 1;
}

/* --- purposes ------------------------------------------------------------- */

/* The HMAC of one purpose and attempt, whose key is an HMAC of its own. */
struct kept {
	uint8_t key[MASK_KEY_LEN];
	uint8_t label[PURPOSE_MAX + sizeof(unsigned)];
	struct hmac hmac;
	bool is_set;
};

static struct kept kept[KEPT_MAX];

static bool
keep(struct kept *k, const uint8_t *key, const uint8_t *label)
{
	const struct text text = {(const char *)label, sizeof(k->label)};
	uint8_t derived[MASK_KEYED_LEN];
	struct hmac outer;

	memcpy(k->key, key, sizeof(k->key));
	memcpy(k->label, label, sizeof(k->label));
	k->is_set = hmac_key(&outer, key) &&
	    hmac_of(&outer, text, derived) && hmac_key(&k->hmac, derived);
	explicit_bzero(derived, sizeof(derived));
	explicit_bzero(&outer, sizeof(outer));
	return k->is_set;
}

/* NULL: hashing failed. */
static const struct hmac *
hmac_for(const uint8_t *key, const char *purpose, unsigned attempt)
{
	uint8_t label[PURPOSE_MAX + sizeof(attempt)] = {0};
	const struct text text = {(const char *)label, sizeof(label)};
	struct kept *k;

	memcpy(label, purpose, strnlen(purpose, PURPOSE_MAX));
	memcpy(label + PURPOSE_MAX, &attempt, sizeof(attempt));
	k = &kept[text_hash(text) & (KEPT_MAX - 1)];
	if (k->is_set && memcmp(k->label, label, sizeof(label)) == 0 &&
	    memcmp(k->key, key, sizeof(k->key)) == 0)
		return &k->hmac;
	return keep(k, key, label) ? &k->hmac : NULL;
}

/* --- streams -------------------------------------------------------------- */

void
keyed_start(struct keyed *k, const uint8_t *key, const char *purpose,
    struct text value, unsigned attempt)
{
	const struct hmac *hmac = hmac_for(key, purpose, attempt);

	memset(k, 0, sizeof(*k));
	k->used = sizeof(k->block);
	k->has_failed = hmac == NULL || !hmac_of(hmac, value, k->seed);
}

static void
keyed_refill(struct keyed *k)
{
	SHA256_CTX hash;

	if (SHA256_Init(&hash) != 1 ||
	    SHA256_Update(&hash, k->seed, MASK_KEYED_LEN) != 1 ||
	    SHA256_Update(&hash, &k->counter, sizeof(k->counter)) != 1 ||
	    SHA256_Final(k->block, &hash) != 1)
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

/* --- permutations --------------------------------------------------------- */

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
		next = left ^ (siphash_number(p->half, round << 56 | right) & low);
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
