/*
 * mask_script.c - a letter for a letter, a digit for a digit.
 *
 * The rule: a letter that no row of the table knows is replaced all the same,
 * by one of the same length in bytes; only what is known to be a mark stays.
 */
#include "common/mask_script.h"

/* Runs of code points of one class, all of one UTF-8 length, ascending.
 * `step` 2: case alternates, so keep the parity. 0: marks, which stay. */
static const struct run {
	uint32_t first, last;
	unsigned step;
} runs[] = {
    {'0', '9', 1},
    {'A', 'Z', 1},
    {'a', 'z', 1},
    {0x80, 0xbf, 0}, /* Latin-1 controls and marks */
    {0xc0, 0xd6, 1},
    {0xd7, 0xd7, 0},
    {0xd8, 0xde, 1},
    {0xdf, 0xf6, 1},
    {0xf7, 0xf7, 0},
    {0xf8, 0xff, 1},
    {0x100, 0x137, 2}, /* Latin Extended-A */
    {0x139, 0x148, 2},
    {0x14a, 0x177, 2},
    {0x300, 0x36f, 0}, /* combining marks */
    {0x391, 0x3a1, 1}, /* Greek */
    {0x3a3, 0x3a9, 1},
    {0x3b1, 0x3c9, 1},
    {0x400, 0x40f, 1}, /* Cyrillic */
    {0x410, 0x42f, 1},
    {0x430, 0x44f, 1},
    {0x450, 0x45f, 1},
    {0x531, 0x556, 1}, /* Armenian */
    {0x561, 0x586, 1},
    {0x5d0, 0x5ea, 1}, /* Hebrew */
    {0x620, 0x64a, 1}, /* Arabic */
    {0x660, 0x669, 1},
    {0x6f0, 0x6f9, 1},
    {0x905, 0x939, 1}, /* Devanagari */
    {0x966, 0x96f, 1},
    {0xe01, 0xe2e, 1}, /* Thai */
    {0x10a0, 0x10c5, 1}, /* Georgian */
    {0x10d0, 0x10f0, 1},
    {0x1ea0, 0x1ef9, 2}, /* Vietnamese */
    {0x2000, 0x206f, 0}, /* punctuation */
    {0x20a0, 0x20c0, 0}, /* currency */
    {0x3000, 0x3020, 0}, /* CJK punctuation */
    {0x3041, 0x3096, 1}, /* Hiragana */
    {0x30a1, 0x30fa, 1}, /* Katakana */
    {0x30fb, 0x30fc, 0},
    {0x4e00, 0x9fff, 1}, /* Han */
    {0xac00, 0xd7a3, 1}, /* Hangul */
    {0xff01, 0xff0f, 0}, /* full-width marks */
    {0xff10, 0xff19, 1},
    {0xff21, 0xff3a, 1},
    {0xff41, 0xff5a, 1},
    {0x20000, 0x2a6d6, 1}, /* Han, extension B */
};

/* For letters in no run, by length in bytes. */
static const struct run fallback[5] = {
    [2] = {0xdf, 0xf6, 1},
    [3] = {0x4e00, 0x9fff, 1},
    [4] = {0x20000, 0x2a6d6, 1},
};

static size_t
sequence_length(uint8_t first)
{
	if (first < 0xc2 || first > 0xf4)
		return 1;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t
script_sequence(struct text value, size_t at)
{
	size_t len = sequence_length((uint8_t)value.at[at]), i;

	if (len > value.len - at)
		return 1;
	for (i = 1; i < len; i++) {
		if (((uint8_t)value.at[at + i] & 0xc0) != 0x80)
			return 1;
	}
	return len;
}

bool
script_is_letter(char first)
{
	return (first >= '0' && first <= '9') ||
	    (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z') ||
	    (first & 0x80) != 0;
}

static uint32_t
point_of(const char *at, size_t len)
{
	uint32_t point = (uint8_t)at[0];
	size_t i;

	if (len > 1)
		point &= 0x7fu >> len;
	for (i = 1; i < len; i++)
		point = point << 6 | ((uint8_t)at[i] & 0x3f);
	return point;
}

static void
point_write(char *out, size_t len, uint32_t point)
{
	static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t i;

	for (i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)(lead[len] | point);
}

static const struct run *
run_of(uint32_t point, size_t len)
{
	size_t low = 0, high = sizeof(runs) / sizeof(*runs);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (point > runs[middle].last)
			low = middle + 1;
		else if (point < runs[middle].first)
			high = middle;
		else
			return &runs[middle];
	}
	return len == 1 ? NULL : &fallback[len];
}

size_t
script_replace(struct keyed *k, struct text value, size_t at, bool is_utf8,
    char *out)
{
	size_t len = is_utf8 ? script_sequence(value, at) : 1;
	const struct run *run;
	uint32_t point;

	if (!is_utf8 && (value.at[at] & 0x80) != 0) {
		out[0] = 'x';
		return 1;
	}
	point = point_of(value.at + at, len);
	run = run_of(point, len);
	if (run == NULL || run->step == 0) {
		memcpy(out, value.at + at, len);
		return len;
	}
	if (run->step == 2)
		point = run->first + ((point - run->first) & 1) +
		    2 * keyed_below(k, (run->last - run->first + 1) / 2);
	else
		point = run->first +
		    keyed_below(k, run->last - run->first + 1);
	point_write(out, len, point);
	return len;
}
