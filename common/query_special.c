/*
 * query_special.c - functions that have a syntax of their own.
 *
 * The one rule: all that a form can hold is a child of the call, whatever the
 * word before it. What the server makes of it is a function of those.
 */
#include "common/query_inner.h"

/* Taken after the `(`, up to the `)`. */
typedef void special_form(struct parser *p, struct expressions *to);

static void
add(struct parser *p, struct expressions *to)
{
	query_expressions_add(p, to, query_expression(p));
}

/* EXTRACT ( field FROM x ) */
static void
extract(struct parser *p, struct expressions *to)
{
	if (query_peek_string(p, 0))
		query_skip(p, 1);
	else
		query_label(p);
	query_want_word(p, WORD_FROM);
	add(p, to);
}

/* The rest of a call in the usual form, its first argument perhaps taken. */
static void
usual(struct parser *p, struct expressions *to)
{
	struct expression ignored = {0};

	if (to->count == 0)
		query_arguments(p, &ignored, to);
	else if (query_take(p, ','))
		query_arguments(p, &ignored, to);
	if (ignored.is_star_call)
		query_decline(p, "a star in this call");
}

static bool
is_named(const struct parser *p)
{
	return query_peek_operator(p, 1, "=>") ||
	       query_peek_operator(p, 1, ":=");
}

/* x PLACING y FROM n [FOR m] */
static void
overlay(struct parser *p, struct expressions *to)
{
	if (query_peek_is(p, 0, ')') || is_named(p)) {
		usual(p, to);
		return;
	}
	add(p, to);
	if (!query_take_word(p, WORD_PLACING)) {
		usual(p, to);
		return;
	}
	add(p, to);
	query_want_word(p, WORD_FROM);
	add(p, to);
	if (query_take_word(p, WORD_FOR))
		add(p, to);
}

/* x IN y is position (y, x) to the server. */
static void
position(struct parser *p, struct expressions *to)
{
	struct expression *what = query_b_expression(p);

	query_want_word(p, WORD_IN);
	query_expressions_add(p, to, query_b_expression(p));
	query_expressions_add(p, to, what);
}

/* x FROM n FOR m, x FOR m FROM n, x SIMILAR y ESCAPE z */
static void
substring(struct parser *p, struct expressions *to)
{
	struct expression *count;

	if (query_peek_is(p, 0, ')') || is_named(p)) {
		usual(p, to);
		return;
	}
	add(p, to);
	if (query_take_word(p, WORD_SIMILAR)) {
		add(p, to);
		query_want_word(p, WORD_ESCAPE);
		add(p, to);
	} else if (query_take_word(p, WORD_FROM)) {
		add(p, to);
		if (query_take_word(p, WORD_FOR))
			add(p, to);
	} else if (query_take_word(p, WORD_FOR)) {
		count = query_expression(p);
		if (query_take_word(p, WORD_FROM))
			add(p, to);
		query_expressions_add(p, to, count);
	} else {
		usual(p, to);
	}
}

/* [BOTH | LEADING | TRAILING] [x] FROM list is trim (list, x). */
static void
trim(struct parser *p, struct expressions *to)
{
	struct expression *what;

	if (!query_take_word(p, WORD_BOTH) && !query_take_word(p, WORD_LEADING))
		query_take_word(p, WORD_TRAILING);
	if (query_take_word(p, WORD_FROM)) {
		query_expression_list(p, to);
		return;
	}
	what = query_expression(p);
	if (query_take_word(p, WORD_FROM)) {
		query_expression_list(p, to);
		query_expressions_add(p, to, what);
		return;
	}
	query_expressions_add(p, to, what);
	if (query_take(p, ','))
		query_expression_list(p, to);
}

/* normalize (x, NFC): before PostgreSQL 13 NFC was a column. */
static void
normalize(struct parser *p, struct expressions *to)
{
	add(p, to);
	if (query_peek_is(p, 0, ','))
		query_decline(p, "a normal form differs between versions");
}

/* x [AS label], … */
static void
labelled_list(struct parser *p, struct expressions *to)
{
	do {
		add(p, to);
		if (query_take_word(p, WORD_AS))
			query_label(p);
	} while (query_take(p, ','));
}

/* NAME label [, XMLATTRIBUTES ( … )] [, list] */
static void
xml_element(struct parser *p, struct expressions *to)
{
	query_want_word(p, WORD_NAME);
	query_label(p);
	if (!query_take(p, ','))
		return;
	if (query_peek_word(p, 0) == WORD_XMLATTRIBUTES &&
	    query_peek_is(p, 1, '(')) {
		query_skip(p, 2);
		labelled_list(p, to);
		query_want(p, ')');
		if (!query_take(p, ','))
			return;
	}
	query_expression_list(p, to);
}

static void
passing_mechanism(struct parser *p)
{
	if (!query_take_words(p, WORD_BY, WORD_REF))
		query_take_words(p, WORD_BY, WORD_VALUE);
}

static void
xml_passing(struct parser *p, struct expressions *to)
{
	query_want_word(p, WORD_PASSING);
	passing_mechanism(p);
	query_expressions_add(p, to, query_primary(p));
	passing_mechanism(p);
}

static void
xml_exists(struct parser *p, struct expressions *to)
{
	query_expressions_add(p, to, query_primary(p));
	xml_passing(p, to);
}

static void
document_or_content(struct parser *p)
{
	if (!query_take_word(p, WORD_DOCUMENT))
		query_want_word(p, WORD_CONTENT);
}

static void
xml_parse(struct parser *p, struct expressions *to)
{
	document_or_content(p);
	add(p, to);
	if (!query_take_words(p, WORD_PRESERVE, WORD_WHITESPACE))
		query_take_words(p, WORD_STRIP, WORD_WHITESPACE);
}

static void
xml_pi(struct parser *p, struct expressions *to)
{
	query_want_word(p, WORD_NAME);
	query_label(p);
	if (query_take(p, ','))
		add(p, to);
}

/* x, VERSION y | NO VALUE [, STANDALONE …] */
static void
xml_root(struct parser *p, struct expressions *to)
{
	add(p, to);
	query_want(p, ',');
	query_want_word(p, WORD_VERSION);
	if (!query_take_words(p, WORD_NO, WORD_VALUE))
		add(p, to);
	if (!query_take(p, ','))
		return;
	query_want_word(p, WORD_STANDALONE);
	if (!query_take_word(p, WORD_YES)) {
		query_want_word(p, WORD_NO);
		query_take_word(p, WORD_VALUE);
	}
}

static void
xml_serialize(struct parser *p, struct expressions *to)
{
	document_or_content(p);
	add(p, to);
	query_want_word(p, WORD_AS);
	query_type_name(p);
	if (!query_take_word(p, WORD_INDENT))
		query_take_words(p, WORD_NO, WORD_INDENT);
}

static void
list(struct parser *p, struct expressions *to)
{
	query_expression_list(p, to);
}

static void
collation_for(struct parser *p, struct expressions *to)
{
	add(p, to);
}

static void
nothing(struct parser *p, struct expressions *to)
{
	(void)p;
	(void)to;
}

static const struct special {
	enum query_word word;
	special_form *form;
} specials[] = {
    {WORD_COALESCE, list},
    {WORD_COLLATION, collation_for},
    {WORD_EXTRACT, extract},
    {WORD_GREATEST, list},
    {WORD_GROUPING, list},
    {WORD_JSON, usual},
    {WORD_JSON_ARRAY, usual},
    {WORD_JSON_OBJECT, usual},
    {WORD_JSON_SCALAR, collation_for},
    {WORD_LEAST, list},
    {WORD_MERGE_ACTION, nothing},
    {WORD_NORMALIZE, normalize},
    {WORD_NULLIF, list},
    {WORD_OVERLAY, overlay},
    {WORD_POSITION, position},
    {WORD_SUBSTRING, substring},
    {WORD_TRIM, trim},
    {WORD_XMLCONCAT, list},
    {WORD_XMLELEMENT, xml_element},
    {WORD_XMLEXISTS, xml_exists},
    {WORD_XMLFOREST, labelled_list},
    {WORD_XMLPARSE, xml_parse},
    {WORD_XMLPI, xml_pi},
    {WORD_XMLROOT, xml_root},
    {WORD_XMLSERIALIZE, xml_serialize},
};

static const struct special *
find_special(const struct parser *p)
{
	enum query_word word = query_peek_word(p, 0);
	size_t i;

	if (word == NO_WORD)
		return NULL;
	if (word == WORD_COLLATION
		? query_peek_word(p, 1) != WORD_FOR || !query_peek_is(p, 2, '(')
		: !query_peek_is(p, 1, '('))
		return NULL;
	for (i = 0; i < sizeof(specials) / sizeof(*specials); i++) {
		if (specials[i].word == word)
			return &specials[i];
	}
	return NULL;
}

static bool
is_cast(const struct parser *p)
{
	return query_peek_word(p, 0) == WORD_CAST && query_peek_is(p, 1, '(');
}

bool
query_is_special_call(const struct parser *p)
{
	return is_cast(p) || find_special(p) != NULL;
}

static struct expression *
cast_call(struct parser *p)
{
	struct expression *e = query_build_expression(p, EXPR_CAST, p->at);
	struct expressions operand;

	query_skip(p, 2);
	query_expressions_init(&operand);
	add(p, &operand);
	query_want_word(p, WORD_AS);
	e->name = query_name_of(p, query_type_name(p));
	query_want(p, ')');
	return query_finish(p, e, &operand);
}

struct expression *
query_special_call(struct parser *p)
{
	const struct special *special = find_special(p);
	struct expression *e;
	struct expressions children;

	if (is_cast(p))
		return cast_call(p);
	e = query_build_expression(p, EXPR_CALL, p->at);
	if (special == NULL) {
		query_decline(p, "a call was expected");
		return e;
	}
	e->name = query_name_of(p, query_label(p));
	query_take_word(p, WORD_FOR); /* COLLATION FOR */
	query_expressions_init(&children);
	query_want(p, '(');
	special->form(p, &children);
	query_want(p, ')');
	return query_finish(p, e, &children);
}
