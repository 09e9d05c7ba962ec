/*
 * query_call.c - functions, with all that may be said of a call.
 */
#include "common/query_inner.h"

/* Values that are one word, and take a precision at most. */
static bool
is_value_word(enum query_word word)
{
	switch (word) {
	case WORD_CURRENT_CATALOG:
	case WORD_CURRENT_DATE:
	case WORD_CURRENT_ROLE:
	case WORD_CURRENT_TIME:
	case WORD_CURRENT_TIMESTAMP:
	case WORD_CURRENT_USER:
	case WORD_LOCALTIME:
	case WORD_LOCALTIMESTAMP:
	case WORD_SESSION_USER:
	case WORD_USER:
		return true;
	default:
		return false;
	}
}

static struct expression *
value_word(struct parser *p)
{
	struct expression *e = query_build_expression(p, EXPR_CALL, p->at);
	enum query_word name = query_peek_word(p, 0);
	struct expressions none;

	e->name = query_name_of(p, query_label(p));
	if ((name == WORD_CURRENT_TIME || name == WORD_CURRENT_TIMESTAMP ||
		name == WORD_LOCALTIME || name == WORD_LOCALTIMESTAMP) &&
	    query_take(p, '(')) {
		query_want_integer(p);
		query_want(p, ')');
	}
	query_expressions_init(&none);
	return query_finish(p, e, &none);
}

/* The tokens of a name of one or more parts; 0: there is none. */
static size_t
name_length(const struct parser *p)
{
	size_t n = 1;

	if (!query_is_column_name(p, 0))
		return query_is_function_name(p, 0) ? 1 : 0;
	while (query_peek_is(p, n, '.') && query_peek(p, n + 1) != NULL &&
	       (query_peek(p, n + 1)->kind == TOKEN_WORD ||
		   query_peek(p, n + 1)->kind == TOKEN_QUOTED))
		n += 2;
	return n == 1 && !query_is_function_name(p, 0) ? 0 : n;
}

bool
query_is_call(const struct parser *p)
{
	size_t n = name_length(p);
	enum query_word word = query_peek_word(p, 0);

	if (is_value_word(word) || word == WORD_CURRENT_SCHEMA ||
	    query_is_special_call(p))
		return true;
	return n > 0 && (query_peek_is(p, n, '(') || query_peek_string(p, n));
}

/* name => value, name := value */
static void
argument(struct parser *p, struct expressions *to)
{
	if (query_is_function_name(p, 0) &&
	    (query_peek_operator(p, 1, "=>") ||
		query_peek_operator(p, 1, ":=")))
		query_skip(p, 2);
	query_expressions_add(p, to, query_expression(p));
}

void
query_arguments(struct parser *p, struct expression *e, struct expressions *to)
{
	bool is_variadic = false;

	if (query_peek_is(p, 0, ')'))
		return;
	if (query_peek_operator(p, 0, "*") && query_peek_is(p, 1, ')')) {
		query_skip(p, 1);
		e->is_star_call = true;
		return;
	}
	if (!query_take_word(p, WORD_DISTINCT))
		query_take_word(p, WORD_ALL);
	do {
		if (is_variadic)
			query_decline(p, "arguments after VARIADIC");
		is_variadic = query_take_word(p, WORD_VARIADIC);
		argument(p, to);
	} while (query_take(p, ','));
	query_order_by(p, to);
}

static void
within_filter_over(
    struct parser *p, struct expression *e, struct expressions *to)
{
	if (query_take_words(p, WORD_WITHIN, WORD_GROUP)) {
		query_want(p, '(');
		if (query_peek_word(p, 0) != WORD_ORDER)
			query_decline(p, "ORDER BY was expected");
		query_order_by(p, to);
		query_want(p, ')');
	}
	if (query_take_word(p, WORD_FILTER)) {
		query_want(p, '(');
		query_want_word(p, WORD_WHERE);
		query_expressions_add(p, to, query_expression(p));
		query_want(p, ')');
	}
	if (query_take_word(p, WORD_OVER)) {
		e->is_window = true;
		if (query_peek_is(p, 0, '('))
			query_window_specification(p, to);
		else
			query_column_name(p);
	}
}

/* type (3) 'x': the modifiers are constants, or the server refuses. */
static struct expression *
modified_constant(
    struct parser *p, struct expression *e, const struct expressions *list)
{
	const struct expression *child;

	for (child = list->first; child != NULL; child = child->next) {
		if (child->kind != EXPR_CONSTANT)
			query_decline(p, "a string after a call");
	}
	e->kind = EXPR_CONSTANT;
	query_skip(p, 1);
	e->end = p->at;
	return e;
}

static struct dotted
function_name(struct parser *p)
{
	struct dotted name = {0};

	query_dotted_add(p, &name, query_label(p));
	while (query_take(p, '.'))
		query_dotted_add(p, &name, query_label(p));
	if (name.count > 0)
		return name;
	return query_name_of(p, TEXT(""));
}

static struct expression *
function(struct parser *p, bool is_plain)
{
	struct expression *e = query_build_expression(p, EXPR_CALL, p->at);
	struct expressions list;

	e->name = function_name(p);
	query_expressions_init(&list);
	if (query_peek_string(p, 0))
		return modified_constant(p, e, &list);
	query_want(p, '(');
	query_arguments(p, e, &list);
	query_want(p, ')');
	if (query_peek_string(p, 0) && list.count > 0 && !is_plain)
		return modified_constant(p, e, &list);
	if (!is_plain)
		within_filter_over(p, e, &list);
	return query_finish(p, e, &list);
}

struct expression *
query_call(struct parser *p, bool is_plain)
{
	enum query_word word = query_peek_word(p, 0);

	if (is_value_word(word) ||
	    (word == WORD_CURRENT_SCHEMA && !query_peek_is(p, 1, '(')))
		return value_word(p);
	if (query_is_special_call(p))
		return query_special_call(p);
	return function(p, is_plain);
}
