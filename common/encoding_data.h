/*
 * encoding_data.h - what every character of every legacy encoding is.
 *
 * libc's iconv(3) loads a library for each encoding when it is first asked
 * for it; a worker that has a client opens and maps nothing any more.  So the
 * tables are written when Sallyport is built (scripts/encoding_tables.c asks
 * iconv) and are part of the program.
 */
#ifndef SALLYPORT_ENCODING_DATA_H
#define SALLYPORT_ENCODING_DATA_H

#include <stdint.h>

enum {
	ENCODING_ICONV_MAX = 24, /* of iconv's name, with the NUL */
	ENCODING_BYTES_MAX = 4,	 /* of a character */
};

/* A character's bytes, the first highest, and its place in Unicode. No
 * character's bytes are the beginning of another's. */
struct encoding_pair {
	uint32_t from, to;
};

/* Both sorted by `from`: of `decode` the bytes, of `encode` the place. They
 * begin so many pairs behind the rows. */
struct encoding_row {
	char iconv[ENCODING_ICONV_MAX];
	uint32_t decode_at, decode_count;
	uint32_t encode_at, encode_count;
};

struct encoding_data {
	uint32_t row_count, pair_count;
	struct encoding_row rows[];
	/* struct encoding_pair pairs[pair_count]; */
};

extern const struct encoding_data encoding_data;

#endif
