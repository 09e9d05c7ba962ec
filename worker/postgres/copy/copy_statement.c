/*
 * copy_statement.c - a COPY … TO STDOUT, read off its tokens.
 *
 * The rule: nothing is skipped that is not understood.
 */
#include "worker/postgres/copy/copy_reader.h"
#include "worker/postgres/wire/pg_wire.h"

const char copy_no_memory[] = "out of memory";
const char copy_unclear[] =
    "the options of this COPY cannot be read; write them as "
    "(FORMAT csv, HEADER, …)";

bool
copy_fail(struct copy_reader *r, const char *why)
{
	if (r->out->error == NULL)
		r->out->error = why;
	return false;
}

/* --- tokens --------------------------------------------------------------- */

const struct token *
copy_peek(const struct copy_reader *r)
{
	static const struct token none = {.kind = TOKEN_PUNCTUATION};

	return r->at < r->count ? &r->tokens[r->at] : &none;
}

bool
copy_take_word(struct copy_reader *r, struct text word)
{
	const struct token *t = copy_peek(r);

	if (!token_is_word(t, word))
		return false;
	r->at++;
	return true;
}

bool
copy_take_mark(struct copy_reader *r, struct text mark)
{
	const struct token *t = copy_peek(r);

	if ((t->kind != TOKEN_PUNCTUATION && t->kind != TOKEN_OPERATOR) ||
	    !text_is(t->raw, mark))
		return false;
	r->at++;
	return true;
}

bool
copy_take_name(struct copy_reader *r, struct text *out)
{
	const struct token *t = copy_peek(r);

	if (!token_is_name(t))
		return false;
	*out = t->name;
	r->at++;
	return true;
}

bool
copy_take_string(struct copy_reader *r, struct text *out)
{
	const struct token *t = copy_peek(r);

	if (t->kind != TOKEN_STRING)
		return false;
	*out = t->name;
	r->at++;
	return true;
}

bool
copy_take_names(struct copy_reader *r, struct text **names, size_t *count)
{
	*names = arena_array(r->arena, COPY_COLUMNS_MAX, sizeof(**names));
	if (*names == NULL)
		return copy_fail(r, copy_no_memory);
	do {
		if (*count >= COPY_COLUMNS_MAX)
			return copy_fail(r, "a COPY of too many columns");
		if (!copy_take_name(r, &(*names)[*count]))
			return copy_fail(r, copy_unclear);
		++*count;
	} while (copy_take_mark(r, TEXT(",")));
	return true;
}

/* --- what is copied ------------------------------------------------------- */

/* Only what returns rows and nothing else may stand in COPY ( … ): its text is
 * run as it is. */
static bool
is_query(const struct copy_reader *r)
{
	static const struct text first[] = {TEXT("select"), TEXT("with"),
	    TEXT("values"), TEXT("table"), TEXT("insert"), TEXT("update"),
	    TEXT("delete"), TEXT("merge")};
	const struct token *t = copy_peek(r);
	size_t i;

	if (t->kind == TOKEN_PUNCTUATION)
		return text_is(t->raw, TEXT("("));
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		if (token_is_word(t, first[i]))
			return true;
	}
	return false;
}

/* Up to the parenthesis that closes the one before. */
static bool
read_query(struct copy_reader *r)
{
	const struct token *open = &r->tokens[r->at - 1], *t;
	size_t depth = 1;

	r->out->is_query = true;
	if (!is_query(r))
		return copy_fail(r, "COPY ( … ) holds no query");
	while (depth > 0 && r->at < r->count) {
		t = &r->tokens[r->at++];
		if (t->kind == TOKEN_PARAMETER)
			return copy_fail(r, "COPY takes no parameters");
		if (t->kind != TOKEN_PUNCTUATION)
			continue;
		if (text_is(t->raw, TEXT(";")))
			return copy_fail(r, "COPY ( … ) holds one query");
		depth += text_is(t->raw, TEXT("("));
		depth -= text_is(t->raw, TEXT(")"));
	}
	if (depth > 0)
		return copy_fail(r, copy_unclear);
	r->out->query.at = open->raw.at + 1;
	r->out->query.len = (size_t)(t->raw.at - r->out->query.at);
	return true;
}

static bool
has_twice(const struct copy_statement *c)
{
	size_t i, k;

	for (i = 0; i < c->column_count; i++) {
		for (k = 0; k < i; k++) {
			if (text_is(c->columns[i], c->columns[k]))
				return true;
		}
	}
	return false;
}

static bool
read_relation(struct copy_reader *r)
{
	struct copy_statement *c = r->out;

	do {
		if (c->relation_parts >= COPY_NAME_PARTS ||
		    !copy_take_name(r, &c->relation[c->relation_parts]))
			return copy_fail(r, copy_unclear);
		c->relation_parts++;
	} while (copy_take_mark(r, TEXT(".")));
	if (!copy_take_mark(r, TEXT("(")))
		return true;
	if (!copy_take_names(r, &c->columns, &c->column_count))
		return false;
	if (has_twice(c))
		return copy_fail(r, "a column is specified more than once");
	return copy_take_mark(r, TEXT(")")) || copy_fail(r, copy_unclear);
}

static bool
read_all(struct copy_reader *r)
{
	if (!copy_take_word(r, TEXT("copy")))
		return copy_fail(r, "COPY stands alone in its message");
	if (copy_take_mark(r, TEXT("("))) {
		if (!read_query(r))
			return false;
	} else {
		if (copy_take_word(r, TEXT("binary")) &&
		    !copy_is_format(r, TEXT("binary")))
			return false;
		if (!read_relation(r))
			return false;
	}
	if (!copy_take_word(r, TEXT("to")) ||
	    (!copy_take_word(r, TEXT("stdout")) &&
		!copy_take_word(r, TEXT("stdin"))))
		return copy_fail(r, copy_unclear);
	return copy_read_options(r);
}

enum err
copy_statement_read(const struct token *tokens, size_t count, struct arena *a,
    struct copy_statement *out)
{
	struct copy_reader r = {
	    .tokens = tokens, .count = count, .arena = a, .out = out};

	*out = (struct copy_statement){.is_query = false};
	while (r.count > 0 && text_is(tokens[r.count - 1].raw, TEXT(";")))
		r.count--;
	if (read_all(&r))
		return ERR_NONE;
	return out->error == copy_no_memory ? ERR_MEMORY : ERR_UNSUPPORTED;
}

/* --- the query ------------------------------------------------------------ */

/* As many spaces as there are characters. */
static void
put_spaces(struct buffer *b, struct text instead)
{
	size_t i;

	for (i = 0; i < instead.len; i++) {
		if (((unsigned char)instead.at[i] & 0xc0) != 0x80)
			buffer_put_u8(b, ' ');
	}
}

void
copy_put_query(
    struct buffer *b, const struct copy_statement *c, struct text sql)
{
	size_t i;

	if (c->is_query) {
		put_spaces(
		    b, (struct text){sql.at, (size_t)(c->query.at - sql.at)});
		buffer_put_text(b, c->query);
		return;
	}
	buffer_put_text(b, TEXT("SELECT "));
	for (i = 0; i < c->column_count; i++) {
		if (i > 0)
			buffer_put_text(b, TEXT(", "));
		pg_put_name(b, c->columns[i]);
	}
	buffer_put_text(b,
	    c->column_count == 0 ? TEXT("* FROM ONLY ") : TEXT(" FROM ONLY "));
	for (i = 0; i < c->relation_parts; i++) {
		if (i > 0)
			buffer_put_u8(b, '.');
		pg_put_name(b, c->relation[i]);
	}
}
