/*
 * query_operator.c - operators with their operands.
 *
 * The one rule: an operator that binds to neither side is an error beside its
 * equal, as it is to the server.
 */
#include "common/query_infix.h"

/* --- nodes ---------------------------------------------------------------- */

/* An operator over `left`; more operands are to be added to the list. */
static struct expression *
operator_over(struct parser *p, struct text name, struct expression *left,
    struct expressions *operands)
{
	struct expression *e =
	    query_build_expression(p, EXPR_OPERATOR, left->first);

	e->name = query_name_of(p, name);
	query_expressions_init(operands);
	query_expressions_add(p, operands, left);
	return e;
}

static struct expression *
not_over(struct parser *p, const struct infix *in, struct expression *e)
{
	struct expressions operands;
	struct expression * not ;

	if (!in->is_not)
		return e;
	not = operator_over(p, TEXT("not"), e, &operands);
	return query_finish(p, not, &operands);
}

/* After an operand of what binds to neither side. */
static void
refuse_equals(struct parser *p, enum precedence precedence)
{
	if (query_next_infix(p).precedence == precedence)
		query_decline(p, "operators that have no order");
}

/* The right operand of one that binds to neither side. */
static struct expression *
lone_operand(struct parser *p, enum precedence precedence, bool is_b)
{
	struct expression *e = query_expression_at(p, precedence + 1, is_b);

	refuse_equals(p, precedence);
	return e;
}

/* --- each operator -------------------------------------------------------- */

static bool
at_quantifier(const struct parser *p)
{
	enum query_word word = query_peek_word(p, 0);

	return (word == WORD_ANY || word == WORD_ALL || word == WORD_SOME) &&
	       query_peek_is(p, 1, '(');
}

/* left op ANY (…): a subquery or an array. */
static struct expression *
quantified(struct parser *p, struct dotted name, bool is_qualified,
    struct expression *left)
{
	struct parenthesized in;
	struct expressions operands;
	struct expression *e;

	query_skip(p, 1);
	query_parentheses(p, &in);
	if (in.query != NULL)
		e = query_subquery(p, in.query, SUBQUERY_ANY, left->first);
	else
		e = query_build_expression(p, EXPR_OPERATOR, left->first);
	if (in.query == NULL && in.list.count != 1)
		query_decline(p, "one array was expected");
	e->name = name;
	e->is_qualified = is_qualified;
	e->is_over_array = in.query == NULL;
	query_expressions_init(&operands);
	operands.height = e->height - 1;
	query_expressions_add(p, &operands, left);
	if (in.query == NULL)
		query_expressions_join(p, &operands, &in.list);
	return query_finish(p, e, &operands);
}

/* Its operands are left in `chain`, for query_lengthen(). */
struct expression *
query_binary(struct parser *p, struct expression *left, const struct infix *in,
    bool is_b, struct expressions *chain)
{
	struct expression *e;

	query_skip(p, 1);
	if (at_quantifier(p) && !in->is_logical && !is_b)
		return quantified(p, query_name_of(p, in->name), false, left);
	e = operator_over(p, in->name, left, chain);
	query_expressions_add(p, chain,
	    in->precedence == BINDS_COMPARISON
		? lone_operand(p, in->precedence, is_b)
		: query_expression_at(p, in->precedence + 1, is_b));
	return query_finish(p, e, chain);
}

/* `left` is of the same operator, and was made where we are: one operand
 * more, at the end of its list. */
struct expression *
query_lengthen(struct parser *p, struct expression *left,
    struct expressions *chain, const struct infix *in, bool is_b)
{
	query_skip(p, 1);
	query_expressions_add(
	    p, chain, query_expression_at(p, in->precedence + 1, is_b));
	return query_finish(p, left, chain);
}

/* OPERATOR ( schema . + ) */
struct dotted
query_qualified_operator(struct parser *p)
{
	struct dotted name = {0};
	const struct token *t;
	struct infix in = {0};

	query_skip(p, 1);
	query_want(p, '(');
	while (query_is_column_name(p, 0) && query_peek_is(p, 1, '.')) {
		query_dotted_add(p, &name, query_column_name(p));
		query_want(p, '.');
	}
	t = query_peek(p, 0);
	if (t != NULL && t->kind == TOKEN_OPERATOR)
		in = query_symbol_infix(t);
	if (in.kind != INFIX_BINARY) {
		query_decline(p, "an operator was expected");
		return name;
	}
	query_dotted_add(p, &name, in.name);
	query_skip(p, 1);
	query_want(p, ')');
	return name;
}

static struct expression *
qualified_binary(struct parser *p, struct expression *left, bool is_b)
{
	struct dotted name = query_qualified_operator(p);
	struct expressions operands;
	struct expression *e;

	if (at_quantifier(p) && !is_b)
		return quantified(p, name, true, left);
	e = operator_over(p, TEXT(""), left, &operands);
	e->name = name;
	e->is_qualified = true;
	query_expressions_add(
	    p, &operands, query_expression_at(p, BINDS_OPERATOR + 1, is_b));
	return query_finish(p, e, &operands);
}

static struct expression *
cast(struct parser *p, struct expression *left)
{
	struct expression *e =
	    query_build_expression(p, EXPR_CAST, left->first);
	struct expressions operand;

	query_skip(p, 1);
	e->name = query_name_of(p, query_type_name(p));
	query_expressions_init(&operand);
	query_expressions_add(p, &operand, left);
	return query_finish(p, e, &operand);
}

static bool
take_normal_form(struct parser *p)
{
	return query_take_word(p, WORD_NFC) || query_take_word(p, WORD_NFD) ||
	       query_take_word(p, WORD_NFKC) || query_take_word(p, WORD_NFKD);
}

static void
json_kind(struct parser *p)
{
	if (!query_take_word(p, WORD_VALUE) &&
	    !query_take_word(p, WORD_ARRAY) && !query_take_word(p, WORD_OBJECT))
		query_take_word(p, WORD_SCALAR);
	if (query_take_word(p, WORD_WITH) || query_take_word(p, WORD_WITHOUT)) {
		query_want_word(p, WORD_UNIQUE);
		query_take_word(p, WORD_KEYS);
	}
}

/* IS … : whatever follows has no operand, but DISTINCT FROM x. */
static struct expression *
is_what(struct parser *p, struct expression *left, bool is_b)
{
	struct expressions operands;
	struct expression *e = operator_over(p, TEXT("is"), left, &operands);

	query_skip(p, 1);
	query_take_word(p, WORD_NOT);
	if (query_take_words(p, WORD_DISTINCT, WORD_FROM)) {
		query_expressions_add(
		    p, &operands, lone_operand(p, BINDS_IS, is_b));
	} else if (query_take_word(p, WORD_JSON)) {
		json_kind(p);
	} else if (take_normal_form(p)) {
		query_want_word(p, WORD_NORMALIZED);
	} else if (!query_take_word(p, WORD_NULL) &&
		   !query_take_word(p, WORD_TRUE) &&
		   !query_take_word(p, WORD_FALSE) &&
		   !query_take_word(p, WORD_UNKNOWN) &&
		   !query_take_word(p, WORD_DOCUMENT) &&
		   !query_take_word(p, WORD_NORMALIZED)) {
		query_decline(p, "IS something else");
	}
	return query_finish(p, e, &operands);
}

static struct expression *
is_null(struct parser *p, struct expression *left)
{
	struct expressions operands;
	struct expression *e = operator_over(p, TEXT("is"), left, &operands);

	query_skip(p, 1);
	return query_finish(p, e, &operands);
}

static struct expression *
between(struct parser *p, struct expression *left, const struct infix *in)
{
	struct expressions operands;
	struct expression *e = operator_over(p, in->name, left, &operands);

	query_skip(p, in->is_not ? 2 : 1);
	if (!query_take_word(p, WORD_SYMMETRIC))
		query_take_word(p, WORD_ASYMMETRIC);
	query_expressions_add(p, &operands, query_b_expression(p));
	query_want_word(p, WORD_AND);
	query_expressions_add(p, &operands, lone_operand(p, BINDS_LIKE, false));
	return not_over(p, in, query_finish(p, e, &operands));
}

static struct expression *
in_what(struct parser *p, struct expression *left, const struct infix *in)
{
	struct parenthesized what;
	struct expressions operands;
	struct expression *e;

	query_skip(p, in->is_not ? 2 : 1);
	query_parentheses(p, &what);
	if (what.query != NULL)
		e = query_subquery(p, what.query, SUBQUERY_ANY, left->first);
	else
		e = query_build_expression(p, EXPR_OPERATOR, left->first);
	e->name = query_name_of(p, in->name);
	query_expressions_init(&operands);
	operands.height = e->height - 1;
	query_expressions_add(p, &operands, left);
	if (what.query == NULL)
		query_expressions_join(p, &operands, &what.list);
	return not_over(p, in, query_finish(p, e, &operands));
}

/* What LIKE stands for before ANY. */
static struct text
like_operator(const struct infix *in)
{
	bool is_ilike = in->name.at[0] == 'i';

	if (in->is_not)
		return is_ilike ? TEXT("!~~*") : TEXT("!~~");
	return is_ilike ? TEXT("~~*") : TEXT("~~");
}

/* [NOT] LIKE x [ESCAPE y], and SIMILAR TO */
static struct expression *
like(struct parser *p, struct expression *left, const struct infix *in)
{
	struct expressions operands;
	struct expression *e;

	query_skip(p, in->is_not ? 2 : 1);
	if (in->kind == INFIX_SIMILAR)
		query_want_word(p, WORD_TO);
	else if (at_quantifier(p))
		return quantified(
		    p, query_name_of(p, like_operator(in)), false, left);
	e = operator_over(p, in->name, left, &operands);
	query_expressions_add(p, &operands, lone_operand(p, BINDS_LIKE, false));
	if (query_take_word(p, WORD_ESCAPE))
		query_expressions_add(
		    p, &operands, lone_operand(p, BINDS_LIKE, false));
	return not_over(p, in, query_finish(p, e, &operands));
}

/* AT TIME ZONE x, AT LOCAL */
static struct expression *
at_zone(struct parser *p, struct expression *left)
{
	struct expressions operands;
	struct expression *e = operator_over(p, TEXT("at"), left, &operands);

	query_skip(p, 1);
	if (!query_take_word(p, WORD_LOCAL)) {
		query_want_words(p, WORD_TIME, WORD_ZONE);
		query_expressions_add(
		    p, &operands, query_expression_at(p, BINDS_AT + 1, false));
	}
	return query_finish(p, e, &operands);
}

static struct expression *
collate(struct parser *p, struct expression *left)
{
	struct expressions operands;
	struct expression *e =
	    operator_over(p, TEXT("collate"), left, &operands);

	query_skip(p, 1);
	query_qualified_name(p);
	return query_finish(p, e, &operands);
}

struct expression *
query_operation(struct parser *p, struct expression *left,
    const struct infix *in, bool is_b)
{
	switch (in->kind) {
	case INFIX_CAST:
		return cast(p, left);
	case INFIX_IS:
		return is_what(p, left, is_b);
	case INFIX_IS_NULL:
		return is_null(p, left);
	case INFIX_BETWEEN:
		return between(p, left, in);
	case INFIX_IN:
		return in_what(p, left, in);
	case INFIX_LIKE:
	case INFIX_SIMILAR:
		return like(p, left, in);
	case INFIX_AT:
		return at_zone(p, left);
	case INFIX_COLLATE:
		return collate(p, left);
	case INFIX_QUALIFIED:
		return qualified_binary(p, left, is_b);
	case INFIX_BINARY: /* see expression_more() */
	case INFIX_NONE:
		break;
	}
	query_decline(p, "an operator was expected");
	return left;
}
