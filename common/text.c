/* text.c - comparing, matching and measuring pieces of text. */
#include "common/text.h"

enum {
	DISTANCE_CEILING = 63
};

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_is_folded(struct text a, struct text b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++) {
		if (fold(a.at[i]) != fold(b.at[i]))
			return false;
	}
	return true;
}

bool
text_starts(struct text whole, struct text start)
{
	return whole.len >= start.len &&
	       text_is((struct text){whole.at, start.len}, start);
}

bool
text_glob(struct text pattern, struct text whole)
{
	size_t p = 0, w = 0, star = SIZE_MAX, mark = 0;

	while (w < whole.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			mark = w;
		} else if (p < pattern.len &&
			   (pattern.at[p] == '?' ||
			       pattern.at[p] == whole.at[w])) {
			p++;
			w++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			w = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}

static uint64_t
read_eight(const char *at)
{
	uint64_t eight;

	memcpy(&eight, at, sizeof(eight));
	return eight;
}

/* All of a text of less than eight bytes. */
static uint64_t
read_short(struct text t)
{
	uint32_t first, last;
	const unsigned char *at = (const unsigned char *)t.at;

	if (t.len == 0)
		return 0;
	if (t.len < sizeof(first)) /* one to three, some of them twice */
		return (uint64_t)at[0] << 16 | (uint64_t)at[t.len / 2] << 8 |
		    at[t.len - 1];
	memcpy(&first, t.at, sizeof(first));
	memcpy(&last, t.at + t.len - sizeof(last), sizeof(last));
	return (uint64_t)first << 32 | last;
}

/* A multiplication carries upwards only; fold what it made back down. */
static uint64_t
stir(uint64_t h, uint64_t more)
{
	h = (h ^ more) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

uint64_t
text_hash(struct text t)
{
	uint64_t h = UINT64_C(0xd6e8feb86659fd93) ^ t.len;
	size_t i;

	if (t.len < 8)
		return stir(stir(h, read_short(t)), 0);
	for (i = 0; t.len - i > 8; i += 8)
		h = stir(h, read_eight(t.at + i));
	return stir(stir(h, read_eight(t.at + t.len - 8)), 0);
}

uint64_t
text_fingerprint(struct text t)
{
	uint64_t h = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < t.len; i++)
		h = (h ^ (unsigned char)t.at[i]) * 1099511628211ULL;
	return h;
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned low = a < b ? a : b;

	return low < c ? low : c;
}

unsigned
text_distance(struct text a, struct text b, unsigned most)
{
	unsigned rows[3][DISTANCE_CEILING + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *spare;
	size_t i, j;

	if (a.len > DISTANCE_CEILING || b.len > DISTANCE_CEILING)
		return most + 1;
	for (j = 0; j <= b.len; j++)
		last[j] = (unsigned)j;
	for (i = 1; i <= a.len; i++) {
		row[0] = (unsigned)i;
		for (j = 1; j <= b.len; j++) {
			unsigned differs = a.at[i - 1] != b.at[j - 1];

			row[j] = least(
			    last[j] + 1, row[j - 1] + 1, last[j - 1] + differs);
			if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] &&
			    a.at[i - 2] == b.at[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b.len] > most ? most + 1 : last[b.len];
}

const char *
text_suggest(struct text wrong, const char *const *names, size_t count)
{
	const char *best = NULL;
	unsigned nearest = wrong.len < 6 ? 1 : (unsigned)(wrong.len / 3);
	size_t i;

	for (i = 0; i < count; i++) {
		unsigned d = text_distance(wrong, text_of(names[i]), nearest);

		if (d > nearest || (best != NULL && d == nearest))
			continue;
		best = names[i];
		nearest = d;
	}
	return best;
}

/* Length of the sequence that starts with `c`, with its lowest code point;
 * 0 when no sequence starts so. */
static unsigned
utf8_length(unsigned char c, uint32_t *lowest_out)
{
	if (c < 0x80)
		return *lowest_out = 0, 1;
	if (c >= 0xc2 && c <= 0xdf)
		return *lowest_out = 0x80, 2;
	if (c >= 0xe0 && c <= 0xef)
		return *lowest_out = 0x800, 3;
	if (c >= 0xf0 && c <= 0xf4)
		return *lowest_out = 0x10000, 4;
	return 0;
}

/* Bytes below 0x80 from `i` on, eight at a time. */
static size_t
ascii_run(struct text t, size_t i)
{
	const size_t start = i;
	uint64_t eight;

	for (; t.len - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, t.at + i, sizeof(eight));
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (i < t.len && (t.at[i] & 0x80) == 0)
		i++;
	return i - start;
}

bool
text_is_ascii(struct text t)
{
	return t.len == 0 || ascii_run(t, 0) == t.len;
}

bool
text_is_utf8(struct text t)
{
	size_t i = 0;

	while (i < t.len) {
		unsigned char c = (unsigned char)t.at[i];
		uint32_t lowest = 0, point;
		unsigned len, k;

		if (c < 0x80) {
			i += ascii_run(t, i);
			continue;
		}
		len = utf8_length(c, &lowest);
		if (len == 0 || len > t.len - i)
			return false;
		point = c & (0x7fu >> len);
		for (k = 1; k < len; k++) {
			c = (unsigned char)t.at[i + k];
			if ((c & 0xc0) != 0x80)
				return false;
			point = point << 6 | (c & 0x3f);
		}
		if (point < lowest || point > 0x10ffff ||
		    (point >= 0xd800 && point <= 0xdfff))
			return false;
		i += len;
	}
	return true;
}
