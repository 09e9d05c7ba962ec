/*
 * encoding_tables.c - writes the tables of common/encoding_data.h, by asking
 * iconv(3) for every character.
 *
 * usage: encoding_tables NAME… >FILE    (iconv's names)
 *
 * One rule: a character is in a table if iconv converts it exactly: nothing
 * replaced, and to one place in Unicode.
 */
#include <err.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding_data.h"

enum {
	ROWS_MAX = 64,
	PAIRS_MAX = 1 << 20,
	/* four bytes of GB 18030 that begin so are beyond the first plane,
	 * one after the other: encoding.c counts them */
	GB_BEYOND = 0x90,
};

static struct encoding_row rows[ROWS_MAX];
static struct encoding_pair pairs[PAIRS_MAX];
static uint32_t row_count, pair_count;
static iconv_t decoder, encoder;
static bool is_gb18030;

static void
pair_add(uint32_t from, uint32_t to)
{
	if (pair_count == PAIRS_MAX)
		errx(1, "too many characters");
	pairs[pair_count++] = (struct encoding_pair){from, to};
}

/* One conversion from the beginning: how many bytes came out; -1: none. */
static int
convert(iconv_t cd, const void *from, size_t len, void *to, size_t size)
{
	char *in = (char *)(uintptr_t)from, *out = to;
	size_t left = size;

	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &len, &out, &left) != 0 || len != 0 ||
	    iconv(cd, NULL, NULL, &out, &left) != 0)
		return -1;
	return (int)(size - left);
}

static uint32_t
packed(const uint8_t *bytes, int len)
{
	uint32_t all = 0;
	int i;

	for (i = 0; i < len; i++)
		all = all << 8 | bytes[i];
	return all;
}

static bool
is_worth_a_look(const uint8_t *bytes, int len)
{
	uint8_t last = bytes[len - 1];

	if (is_gb18030 && len == 4)
		return last >= 0x30 && last <= 0x39;
	if (is_gb18030 && len == 2 && bytes[0] >= GB_BEYOND)
		return last > 0x39;
	return len < 3 || last >= 0x80;
}

/* All characters that begin with these bytes. */
static void
decode_from(uint8_t *bytes, int len)
{
	uint32_t place[4];
	int byte, n;

	for (byte = 0; byte < 256; byte++) {
		bytes[len] = (uint8_t)byte;
		if (!is_worth_a_look(bytes, len + 1))
			continue;
		errno = 0;
		n = convert(decoder, bytes, (size_t)len + 1, place,
		    sizeof(place));
		if (n == (int)sizeof(*place))
			pair_add(packed(bytes, len + 1), place[0]);
		else if (n < 0 && errno == EINVAL &&
		    len + 1 < ENCODING_BYTES_MAX)
			decode_from(bytes, len + 1);
	}
}

static int
compare(const void *a, const void *b)
{
	const struct encoding_pair *one = a, *other = b;

	return one->from < other->from ? -1 : one->from > other->from;
}

static void
row_make(const char *name)
{
	struct encoding_row *row = &rows[row_count++];
	uint8_t bytes[ENCODING_BYTES_MAX];
	uint32_t i, last = UINT32_MAX;
	int n;

	if (row_count == ROWS_MAX || strlen(name) >= sizeof(row->iconv))
		errx(1, "%s: one too many, or too long", name);
	strcpy(row->iconv, name);
	is_gb18030 = strcmp(name, "GB18030") == 0;
	decoder = iconv_open("UTF-32LE", name);
	encoder = iconv_open(name, "UTF-32LE");
	if (decoder == (iconv_t)-1 || encoder == (iconv_t)-1)
		err(1, "%s", name);
	row->decode_at = pair_count;
	decode_from(bytes, 0);
	row->decode_count = pair_count - row->decode_at;
	qsort(&pairs[row->decode_at], row->decode_count, sizeof(*pairs),
	    compare);
	row->encode_at = pair_count;
	for (i = row->decode_at; i < row->encode_at; i++) {
		n = convert(encoder, &pairs[i].to, sizeof(pairs[i].to), bytes,
		    sizeof(bytes));
		if (n > 0)
			pair_add(pairs[i].to, packed(bytes, n));
	}
	row->encode_count = pair_count - row->encode_at;
	qsort(&pairs[row->encode_at], row->encode_count, sizeof(*pairs),
	    compare);
	/* a place with several spellings was asked for several times */
	n = 0;
	for (i = row->encode_at; i < pair_count; i++) {
		if (pairs[i].from != last)
			pairs[row->encode_at + (uint32_t)n++] = pairs[i];
		last = pairs[i].from;
	}
	row->encode_count = (uint32_t)n;
	pair_count = row->encode_at + row->encode_count;
	iconv_close(decoder);
	iconv_close(encoder);
}

int
main(int argc, char **argv)
{
	struct encoding_data head = {0};
	int i;

	for (i = 1; i < argc; i++)
		row_make(argv[i]);
	head.row_count = row_count;
	head.pair_count = pair_count;
	if (fwrite(&head, sizeof(head), 1, stdout) != 1 ||
	    fwrite(rows, sizeof(*rows), row_count, stdout) != row_count ||
	    fwrite(pairs, sizeof(*pairs), pair_count, stdout) != pair_count ||
	    fflush(stdout) != 0)
		err(1, "writing");
	return 0;
}
