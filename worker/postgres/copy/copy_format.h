/*
 * copy_format.h - how COPY TO STDOUT writes its rows: text, CSV, binary.
 *
 * Pure: options in, bytes out.  The caller frames the bytes as CopyData.
 * Source: PostgreSQL documentation, COPY, "File Formats".
 */
#ifndef SALLYPORT_COPY_FORMAT_H
#define SALLYPORT_COPY_FORMAT_H

#include <stdbool.h>

#include "common/text.h"
#include "common/wire.h"

enum copy_kind { COPY_TEXT, COPY_CSV, COPY_BINARY };

struct copy_format {
	enum copy_kind kind;
	bool has_header;
	char delimiter, quote, escape;
	struct text null; /* how NULL is written; borrowed */
};

/* The format's own delimiter, NULL string, quote and escape. */
struct copy_format copy_format_default(enum copy_kind kind);

/* Why these options do not go together, in words; NULL: they do. Whatever
 * passes makes every row readable again. */
const char *copy_format_check(const struct copy_format *f);

/* What stands before the first row of the binary format, and after the last. */
void copy_put_signature(struct buffer *b);
void copy_put_trailer(struct buffer *b);

/* One row: begin, its fields in order, end. */
struct copy_row {
	const struct copy_format *format;
	struct buffer *out;
	size_t columns;
	bool has_begun; /* a field is there already */
};
void copy_row_begin(struct copy_row *r);
void copy_row_null(struct copy_row *r);
/* `value` in the wire format of a DataRow: text, or binary with COPY_BINARY. */
void copy_row_value(struct copy_row *r, struct text value, bool is_quoted);
void copy_row_end(struct copy_row *r);

#endif
