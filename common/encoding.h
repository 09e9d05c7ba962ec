/*
 * encoding.h - PostgreSQL's encodings, and texts from one into UTF-8 and back.
 *
 * Everything is judged and masked in UTF-8.  The server converts a client's
 * text as a whole before it reads it; so do we, where our tables are known to
 * be the server's.  Source: PostgreSQL documentation, chapter 24.3.
 */
#ifndef SALLYPORT_ENCODING_H
#define SALLYPORT_ENCODING_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"

enum encoding_kind {
	ENCODING_UTF8,
	/* Converted exactly as the server does, or not at all:
	 * tests/e2e/test_encoding_tables.py compares every character. */
	ENCODING_EXACT,
	/* Some characters are converted otherwise: good enough for values,
	 * not for names. */
	ENCODING_DOUBTFUL,
	/* Not converted at all. */
	ENCODING_RAW,
};

struct encoding {
	struct text name; /* as ParameterStatus spells it */
	const char *iconv; /* its name in encoding_data.h; NULL: no conversion */
	enum encoding_kind kind;
	/* Never a server's: ASCII bytes may be halves of characters. In all
	 * others every byte of a character beyond ASCII is beyond it. */
	bool is_client_only;
	/* Two names in it may be one in UTF-8, or the other way round. */
	bool is_ambiguous;
};

/* NULL: no encoding of that name is known. */
const struct encoding *encoding_by_name(struct text name);

/* In which encoding a client's bytes are: SQL_ASCII at either end means that
 * the server does not convert. */
const struct encoding *encoding_effective(
    const struct encoding *client, const struct encoding *server);

struct encoding_row;

/* Converts both ways; `encoding` NULL: UTF-8, nothing to do. */
struct coder {
	const struct encoding *encoding;
	const struct encoding_row *row; /* NULL: no conversion */
};

void coder_set(struct coder *c, const struct encoding *encoding);

/* The text in UTF-8, or UTF-8 in the encoding: borrowed when nothing changes,
 * else in the arena. ERR_MALFORMED: it has what cannot be converted;
 * ERR_UNSUPPORTED: there is no conversion; ERR_MEMORY. */
enum err coder_to_utf8(struct coder *c, struct text t, struct arena *a,
    struct text *out) MUST_CHECK;
enum err coder_from_utf8(struct coder *c, struct text t, struct arena *a,
    struct text *out) MUST_CHECK;

#endif
