/*
 * copy_reader.h - reading a COPY token by token: what copy_statement.c and
 * copy_options.c share.  Each function gives false when what it looks for is
 * not there; what fails has said why.
 */
#ifndef SALLYPORT_COPY_READER_H
#define SALLYPORT_COPY_READER_H

#include "worker/postgres/copy/copy_statement.h"

struct copy_reader {
	const struct token *tokens;
	size_t count, at;
	struct arena *arena;
	struct copy_statement *out;
	unsigned given; /* BIT of each option read so far */
	struct text delimiter, null, quote, escape, encoding, format;
	bool has_header;
};

extern const char copy_no_memory[], copy_unclear[];

/* Always false; the first reason counts. */
bool copy_fail(struct copy_reader *r, const char *why);
/* The next token, or one of nothing at the end. */
const struct token *copy_peek(const struct copy_reader *r);
bool copy_take_word(struct copy_reader *r, struct text word);
bool copy_take_mark(struct copy_reader *r, struct text mark);
bool copy_take_name(struct copy_reader *r, struct text *out);
bool copy_take_string(struct copy_reader *r, struct text *out);
/* name, name … into a list in the arena. */
bool copy_take_names(struct copy_reader *r, struct text **names, size_t *count);

/* FORMAT was told, by a word of the old syntax or by an option. */
bool copy_is_format(struct copy_reader *r, struct text word);
/* All options, up to the end; and what they amount to, into out->format. */
bool copy_read_options(struct copy_reader *r);

#endif
