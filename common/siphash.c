/*
 * siphash.c - SipHash-2-4.
 *
 * The rule: no byte order but the algorithm's own.
 */
#include "common/siphash.h"

static uint64_t
rotated(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotated(v[1], 13) ^ v[0];
	v[3] = rotated(v[3], 16) ^ v[2];
	v[0] = rotated(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotated(v[1], 17) ^ v[2];
	v[3] = rotated(v[3], 21) ^ v[0];
	v[2] = rotated(v[2], 32);
}

static void
sip_take(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

/* Up to 8 bytes, the first the lowest. */
static uint64_t
word_of(const char *bytes, size_t len)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
	return word;
}

static void
start(const uint64_t key[2], uint64_t v[4])
{
	v[0] = key[0] ^ 0x736f6d6570736575;
	v[1] = key[1] ^ 0x646f72616e646f6d;
	v[2] = key[0] ^ 0x6c7967656e657261;
	v[3] = key[1] ^ 0x7465646279746573;
}

static uint64_t
finish(uint64_t v[4])
{
	int i;

	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
siphash(const uint64_t key[2], struct text t)
{
	uint64_t v[4];
	size_t i;

	start(key, v);
	for (i = 0; i + 8 <= t.len; i += 8)
		sip_take(v, word_of(t.at + i, 8));
	sip_take(v, word_of(t.at + i, t.len - i) | (uint64_t)t.len << 56);
	return finish(v);
}

uint64_t
siphash_number(const uint64_t key[2], uint64_t number)
{
	uint64_t v[4];

	start(key, v);
	sip_take(v, number);
	sip_take(v, (uint64_t)8 << 56);
	return finish(v);
}
