/*
 * query_type.c - names of types, in the many ways SQL spells them.
 *
 * What is handed back is the name the catalogue has: int4 for int, bpchar for
 * char, timestamptz for timestamp with time zone.
 */
#include "common/query_inner.h"

static const struct simple_type {
	enum query_word word;
	const char *name;
	bool has_modifiers; /* may be followed by ( … ) */
} simple_types[] = {
    {WORD_BIGINT, "int8", false},
    {WORD_BOOLEAN, "bool", false},
    {WORD_DEC, "numeric", true},
    {WORD_DECIMAL, "numeric", true},
    {WORD_INT, "int4", false},
    {WORD_INTEGER, "int4", false},
    {WORD_JSON, "json", false},
    {WORD_NUMERIC, "numeric", true},
    {WORD_REAL, "float4", false},
    {WORD_SMALLINT, "int2", false},
};

static bool
is_varying(const struct parser *p)
{
	return query_peek_word(p, 0) == WORD_VARYING;
}

/* ( expression, … ): constants, or the server refuses. */
static void
modifiers(struct parser *p)
{
	struct expressions ignored;

	query_expressions_init(&ignored);
	if (query_peek_is(p, 0, '('))
		query_parenthesized_list(p, &ignored);
}

static void
precision(struct parser *p)
{
	if (query_take(p, '(')) {
		query_want_integer(p);
		query_want(p, ')');
	}
}

/* BIT, CHARACTER, CHAR, NCHAR, VARCHAR; NATIONAL was taken. */
static struct text
character_type(struct parser *p)
{
	enum query_word word = query_peek_word(p, 0);
	bool is_bit = word == WORD_BIT, is_long = word == WORD_VARCHAR;

	query_skip(p, 1);
	if (is_varying(p) && !is_long) {
		query_skip(p, 1);
		is_long = true;
	}
	if (is_bit)
		modifiers(p);
	else
		precision(p);
	if (is_bit)
		return is_long ? TEXT("varbit") : TEXT("bit");
	return is_long ? TEXT("varchar") : TEXT("bpchar");
}

/* TIME and TIMESTAMP [(n)] [WITH | WITHOUT TIME ZONE] */
static struct text
time_type(struct parser *p)
{
	bool is_stamp = query_peek_word(p, 0) == WORD_TIMESTAMP,
	     has_zone = false;

	query_skip(p, 1);
	precision(p);
	if (query_peek_word(p, 1) == WORD_TIME) {
		has_zone = query_take_word(p, WORD_WITH);
		if (has_zone || query_take_word(p, WORD_WITHOUT))
			query_want_words(p, WORD_TIME, WORD_ZONE);
	}
	if (is_stamp)
		return has_zone ? TEXT("timestamptz") : TEXT("timestamp");
	return has_zone ? TEXT("timetz") : TEXT("time");
}

/* Up to FLOAT(24) it is float4. */
static struct text
float_type(struct parser *p)
{
	const struct token *t;
	struct text name = TEXT("float8");

	query_skip(p, 1);
	if (!query_take(p, '('))
		return name;
	t = query_peek(p, 0);
	query_want_integer(p);
	if (p->error == ERR_NONE &&
	    (t->raw.len == 1 ||
		(t->raw.len == 2 && memcmp(t->raw.at, "24", 2) <= 0)))
		name = TEXT("float4");
	else if (p->error == ERR_NONE && t->raw.len > 2)
		query_decline(p, "a precision too large");
	query_want(p, ')');
	return name;
}

static bool
is_interval_field(enum query_word word)
{
	return word == WORD_YEAR || word == WORD_MONTH || word == WORD_DAY ||
	       word == WORD_HOUR || word == WORD_MINUTE || word == WORD_SECOND;
}

static void
interval_field(struct parser *p)
{
	if (!is_interval_field(query_peek_word(p, 0))) {
		query_decline(p, "a field of an interval was expected");
		return;
	}
	if (query_take_word(p, WORD_SECOND))
		precision(p);
	else
		query_skip(p, 1);
}

/* YEAR, DAY TO SECOND(3) … */
static void
interval_fields(struct parser *p)
{
	if (!is_interval_field(query_peek_word(p, 0)))
		return;
	interval_field(p);
	if (query_take_word(p, WORD_TO))
		interval_field(p);
}

static struct text
interval_type(struct parser *p)
{
	query_skip(p, 1);
	if (query_peek_is(p, 0, '('))
		precision(p);
	else
		interval_fields(p);
	return TEXT("interval");
}

/* A name, perhaps qualified, with modifiers. */
static struct text
generic_type(struct parser *p)
{
	struct text last;

	if (!query_is_function_name(p, 0))
		query_decline(p, "a type was expected");
	last = query_label(p);
	while (query_take(p, '.'))
		last = query_label(p);
	modifiers(p);
	return last;
}

/* A type whose name is a keyword; len 0: it is none. */
static struct text
keyword_type(struct parser *p)
{
	enum query_word word = query_peek_word(p, 0);
	size_t i;

	for (i = 0; i < sizeof(simple_types) / sizeof(*simple_types); i++) {
		if (simple_types[i].word != word)
			continue;
		query_skip(p, 1);
		if (simple_types[i].has_modifiers)
			modifiers(p);
		return text_of(simple_types[i].name);
	}
	switch (word) {
	case WORD_BIT:
	case WORD_CHARACTER:
	case WORD_CHAR:
	case WORD_NCHAR:
	case WORD_VARCHAR:
		return character_type(p);
	case WORD_NATIONAL:
		query_skip(p, 1);
		if (query_peek_word(p, 0) != WORD_CHARACTER &&
		    query_peek_word(p, 0) != WORD_CHAR)
			query_decline(p, "a type was expected");
		return character_type(p);
	case WORD_TIME:
	case WORD_TIMESTAMP:
		return time_type(p);
	case WORD_FLOAT:
		return float_type(p);
	case WORD_INTERVAL:
		return interval_type(p);
	case WORD_DOUBLE:
		if (!query_take_words(p, WORD_DOUBLE, WORD_PRECISION))
			break;
		return TEXT("float8");
	default:
		break;
	}
	return (struct text){NULL, 0};
}

/* [], [3], ARRAY, ARRAY[3] */
static void
array_bounds(struct parser *p)
{
	if (query_take_word(p, WORD_ARRAY)) {
		if (query_take(p, '[')) {
			query_want_integer(p);
			query_want(p, ']');
		}
		return;
	}
	while (query_take(p, '[')) {
		if (!query_peek_is(p, 0, ']'))
			query_want_integer(p);
		query_want(p, ']');
	}
}

struct text
query_type_name(struct parser *p)
{
	struct text name;

	query_take_word(p, WORD_SETOF);
	name = keyword_type(p);
	if (name.len == 0)
		name = generic_type(p);
	array_bounds(p);
	return name;
}

bool
query_is_typed_constant(const struct parser *p)
{
	bool follows = query_peek_string(p, 1) || query_peek_is(p, 1, '(');
	enum query_word next = query_peek_word(p, 1);

	switch (query_peek_word(p, 0)) {
	case WORD_BIGINT:
	case WORD_BOOLEAN:
	case WORD_DEC:
	case WORD_DECIMAL:
	case WORD_FLOAT:
	case WORD_INT:
	case WORD_INTEGER:
	case WORD_INTERVAL:
	case WORD_NUMERIC:
	case WORD_REAL:
	case WORD_SMALLINT:
	case WORD_VARCHAR:
		return follows;
	case WORD_JSON: /* json (…) is a function */
		return query_peek_string(p, 1);
	case WORD_BIT:
	case WORD_CHARACTER:
	case WORD_CHAR:
	case WORD_NCHAR:
		return follows || next == WORD_VARYING;
	case WORD_NATIONAL:
		return next == WORD_CHARACTER || next == WORD_CHAR;
	case WORD_TIME:
	case WORD_TIMESTAMP:
		return follows ||
		       ((next == WORD_WITH || next == WORD_WITHOUT) &&
			   query_peek_word(p, 2) == WORD_TIME);
	case WORD_DOUBLE:
		return next == WORD_PRECISION;
	default:
		return false;
	}
}

struct expression *
query_typed_constant(struct parser *p)
{
	struct expression *e = query_build_expression(p, EXPR_CONSTANT, p->at);
	bool is_interval = query_peek_word(p, 0) == WORD_INTERVAL,
	     has_precision;

	if (is_interval) {
		query_skip(p, 1);
		has_precision = query_peek_is(p, 0, '(');
		precision(p);
		e->name = query_name_of(p, TEXT("interval"));
	} else {
		has_precision = true;
		e->name = query_name_of(p, keyword_type(p));
	}
	if (!query_peek_string(p, 0))
		query_decline(p, "a string was expected after a type");
	else
		query_skip(p, 1);
	if (!has_precision)
		interval_fields(p);
	e->end = p->at;
	return e;
}
