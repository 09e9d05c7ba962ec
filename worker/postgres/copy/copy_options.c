/*
 * copy_options.c - the options of a COPY … TO STDOUT.
 *
 * The rule: an option that is not in the tables below, or stands where the
 * server would not take it, is a refusal; none is ever skipped.
 */
#include "worker/postgres/copy/copy_reader.h"

enum option {
	OPTION_FORMAT,
	OPTION_DELIMITER,
	OPTION_NULL,
	OPTION_HEADER,
	OPTION_QUOTE,
	OPTION_ESCAPE,
	OPTION_FORCE_QUOTE,
	OPTION_ENCODING,
};

static bool
give(struct copy_reader *r, enum option option)
{
	if ((r->given & 1U << option) != 0)
		return copy_fail(r, "conflicting or redundant options");
	r->given |= 1U << option;
	return true;
}

bool
copy_is_format(struct copy_reader *r, struct text word)
{
	r->format = word;
	return give(r, OPTION_FORMAT);
}

/* HEADER [boolean] of the list in parentheses. */
static bool
read_header(struct copy_reader *r)
{
	static const struct {
		struct text word;
		bool value;
	} words[] = {{TEXT("true"), true}, {TEXT("on"), true},
	    {TEXT("1"), true}, {TEXT("false"), false}, {TEXT("off"), false},
	    {TEXT("0"), false}};
	const struct token *t = copy_peek(r);
	size_t i;

	if (!give(r, OPTION_HEADER))
		return false;
	r->has_header = true;
	if (t->kind == TOKEN_PUNCTUATION) /* , or ) */
		return true;
	r->at++;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (t->kind != TOKEN_OPERATOR &&
		    text_is_folded(t->name, words[i].word)) {
			r->has_header = words[i].value;
			return true;
		}
	}
	return copy_fail(r, copy_unclear);
}

static bool
read_quoted_columns(struct copy_reader *r)
{
	struct copy_statement *c = r->out;

	if (copy_take_mark(r, TEXT("*")))
		return c->quotes_all = true;
	return copy_take_names(r, &c->quoted, &c->quoted_count);
}

static bool
read_generic_quote(struct copy_reader *r)
{
	if (copy_take_mark(r, TEXT("*")))
		return r->out->quotes_all = true;
	if (!copy_take_mark(r, TEXT("(")))
		return copy_fail(r, copy_unclear);
	return copy_take_names(r, &r->out->quoted, &r->out->quoted_count) &&
	       (copy_take_mark(r, TEXT(")")) || copy_fail(r, copy_unclear));
}

/* A value of the list in parentheses: a string, or a word. */
static bool
read_value(struct copy_reader *r, struct text *out)
{
	const struct token *t = copy_peek(r);

	if (t->kind == TOKEN_WORD)
		*out = t->name;
	else if (t->kind == TOKEN_STRING)
		*out = t->name;
	else
		return copy_fail(r, copy_unclear);
	r->at++;
	return true;
}

static bool
read_generic(struct copy_reader *r, struct text name)
{
	const struct {
		struct text name;
		enum option option;
		struct text *value;
	} options[] = {
	    {TEXT("format"), OPTION_FORMAT, &r->format},
	    {TEXT("delimiter"), OPTION_DELIMITER, &r->delimiter},
	    {TEXT("null"), OPTION_NULL, &r->null},
	    {TEXT("quote"), OPTION_QUOTE, &r->quote},
	    {TEXT("escape"), OPTION_ESCAPE, &r->escape},
	    {TEXT("encoding"), OPTION_ENCODING, &r->encoding},
	};
	size_t i;

	if (text_is(name, TEXT("header")))
		return read_header(r);
	if (text_is(name, TEXT("force_quote")))
		return give(r, OPTION_FORCE_QUOTE) && read_generic_quote(r);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (text_is(name, options[i].name))
			return give(r, options[i].option) &&
			       read_value(r, options[i].value);
	}
	return copy_fail(r, copy_unclear);
}

static bool
read_generic_list(struct copy_reader *r)
{
	struct text name;

	do {
		if (!copy_take_name(r, &name))
			return copy_fail(r, copy_unclear);
		if (!read_generic(r, name))
			return false;
	} while (copy_take_mark(r, TEXT(",")));
	return copy_take_mark(r, TEXT(")")) || copy_fail(r, copy_unclear);
}

/* NULL AS 'x' and its like, as before version 9.0. */
static bool
read_old_string(struct copy_reader *r, enum option option, struct text *out)
{
	copy_take_word(r, TEXT("as"));
	return give(r, option) &&
	       (copy_take_string(r, out) || copy_fail(r, copy_unclear));
}

static bool
read_old_option(struct copy_reader *r)
{
	if (copy_take_word(r, TEXT("binary")))
		return copy_is_format(r, TEXT("binary"));
	if (copy_take_word(r, TEXT("csv")))
		return copy_is_format(r, TEXT("csv"));
	if (copy_take_word(r, TEXT("header"))) {
		r->has_header = true;
		return give(r, OPTION_HEADER);
	}
	if (copy_take_word(r, TEXT("delimiter")))
		return read_old_string(r, OPTION_DELIMITER, &r->delimiter);
	if (copy_take_word(r, TEXT("null")))
		return read_old_string(r, OPTION_NULL, &r->null);
	if (copy_take_word(r, TEXT("quote")))
		return read_old_string(r, OPTION_QUOTE, &r->quote);
	if (copy_take_word(r, TEXT("escape")))
		return read_old_string(r, OPTION_ESCAPE, &r->escape);
	if (copy_take_word(r, TEXT("force")) &&
	    copy_take_word(r, TEXT("quote")))
		return give(r, OPTION_FORCE_QUOTE) && read_quoted_columns(r);
	if (copy_take_word(r, TEXT("encoding")))
		return give(r, OPTION_ENCODING) &&
		       (copy_take_string(r, &r->encoding) ||
			   copy_fail(r, copy_unclear));
	return copy_fail(r, copy_unclear);
}

static bool
read_list(struct copy_reader *r)
{
	bool has_using = copy_take_word(r, TEXT("using"));

	if (copy_take_word(r, TEXT("delimiters"))) {
		if (!give(r, OPTION_DELIMITER) ||
		    !copy_take_string(r, &r->delimiter))
			return copy_fail(r, copy_unclear);
	} else if (has_using) {
		return copy_fail(r, copy_unclear);
	}
	copy_take_word(r, TEXT("with"));
	if (copy_take_mark(r, TEXT("(")))
		return read_generic_list(r) &&
		       (r->at == r->count || copy_fail(r, copy_unclear));
	while (r->at < r->count) {
		if (!read_old_option(r))
			return false;
	}
	return true;
}

/* --- what the options amount to ------------------------------------------- */

static bool
was_given(const struct copy_reader *r, enum option option)
{
	return (r->given & 1U << option) != 0;
}

static bool
set_byte(
    struct copy_reader *r, enum option option, struct text value, char *out)
{
	if (!was_given(r, option))
		return true;
	if (value.len != 1 || (unsigned char)value.at[0] >= 0x80)
		return copy_fail(r,
		    "COPY delimiter, quote and escape must each be "
		    "a single one-byte character");
	*out = value.at[0];
	return true;
}

static bool
is_utf8(struct text encoding)
{
	return text_is_folded(encoding, TEXT("utf8")) ||
	       text_is_folded(encoding, TEXT("utf-8"));
}

/* What only some formats have. */
static const char *
misplaced(const struct copy_reader *r, enum copy_kind kind)
{
	const unsigned csv =
	    1U << OPTION_QUOTE | 1U << OPTION_ESCAPE | 1U << OPTION_FORCE_QUOTE;
	const unsigned written = 1U << OPTION_DELIMITER | 1U << OPTION_NULL;

	if (kind != COPY_CSV && (r->given & csv) != 0)
		return "COPY quote, escape and force quote are available only "
		       "in CSV mode";
	if (kind == COPY_BINARY && (r->given & written) != 0)
		return "cannot specify DELIMITER or NULL in BINARY mode";
	if (was_given(r, OPTION_ENCODING) && !is_utf8(r->encoding))
		return "from a COPY with values to be masked only ENCODING "
		       "'UTF8' is possible";
	return NULL;
}

static bool
settle_format(struct copy_reader *r)
{
	static const struct {
		struct text name;
		enum copy_kind kind;
	} kinds[] = {{TEXT("text"), COPY_TEXT}, {TEXT("csv"), COPY_CSV},
	    {TEXT("binary"), COPY_BINARY}};
	struct copy_format *f = &r->out->format;
	const char *wrong;
	size_t i = 0;

	if (was_given(r, OPTION_FORMAT)) {
		while (i < 3 && !text_is(r->format, kinds[i].name))
			i++;
	}
	if (i == 3)
		return copy_fail(r, "COPY format not recognized");
	wrong = misplaced(r, kinds[i].kind);
	if (wrong != NULL)
		return copy_fail(r, wrong);
	*f = copy_format_default(kinds[i].kind);
	f->has_header = r->has_header;
	r->out->has_encoding = was_given(r, OPTION_ENCODING);
	if (was_given(r, OPTION_NULL))
		f->null = r->null;
	if (!set_byte(r, OPTION_DELIMITER, r->delimiter, &f->delimiter) ||
	    !set_byte(r, OPTION_QUOTE, r->quote, &f->quote))
		return false;
	f->escape = f->quote;
	if (!set_byte(r, OPTION_ESCAPE, r->escape, &f->escape))
		return false;
	wrong = copy_format_check(f);
	return wrong == NULL || copy_fail(r, wrong);
}

bool
copy_read_options(struct copy_reader *r)
{
	return read_list(r) && settle_format(r);
}
