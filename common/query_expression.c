/*
 * query_expression.c - expressions, by PostgreSQL's table of precedence.
 *
 * The one rule: as the server's grammar resolves it. An operator's operands
 * end where one begins that binds less. Chains of one operator are one node,
 * so that a long list of terms is not a deep tree.
 */
#include "common/query_infix.h"

static struct expression *
sign(struct parser *p, struct text name, enum precedence least, bool is_b)
{
	struct expression *e = query_build_expression(p, EXPR_OPERATOR, p->at);
	struct expressions operand;

	e->name = query_name_of(p, name);
	query_skip(p, 1);
	query_expressions_init(&operand);
	query_expressions_add(p, &operand, query_expression_at(p, least, is_b));
	return query_finish(p, e, &operand);
}

static struct expression *
qualified_sign(struct parser *p, bool is_b)
{
	struct expression *e = query_build_expression(p, EXPR_OPERATOR, p->at);
	struct expressions operand;

	e->name = query_qualified_operator(p);
	e->is_qualified = true;
	query_expressions_init(&operand);
	query_expressions_add(
	    p, &operand, query_expression_at(p, BINDS_OPERATOR + 1, is_b));
	return query_finish(p, e, &operand);
}

static struct expression *
prefix_symbol(struct parser *p, bool is_b)
{
	struct infix in = query_symbol_infix(query_peek(p, 0));

	if (in.kind == INFIX_BINARY && in.precedence == BINDS_ADD)
		return sign(p, in.name, BINDS_SIGN, is_b);
	if (in.kind == INFIX_BINARY && in.precedence == BINDS_OPERATOR)
		return sign(p, in.name, BINDS_OPERATOR + 1, is_b);
	query_decline(p, "an expression was expected");
	return query_build_expression(p, EXPR_CONSTANT, p->at);
}

static struct expression *
prefix(struct parser *p, bool is_b)
{
	const struct token *t = query_peek(p, 0);
	enum query_word word = query_peek_word(p, 0);
	struct expression *e;

	if (t != NULL && t->kind == TOKEN_OPERATOR)
		return prefix_symbol(p, is_b);
	if (word == WORD_NOT && !is_b)
		return sign(p, TEXT("not"), BINDS_NOT, is_b);
	if (word == WORD_OPERATOR && query_peek_is(p, 1, '('))
		return qualified_sign(p, is_b);
	if (word != WORD_DEFAULT || is_b)
		return query_primary(p);
	query_skip(p, 1);
	e = query_build_expression(p, EXPR_DEFAULT, p->at - 1);
	return e;
}

static bool
is_chain(const struct expression *e, const struct infix *in)
{
	return e != NULL && in->precedence != BINDS_COMPARISON &&
	       text_is(e->name.parts[0], in->name);
}

static struct expression *
expression_more(
    struct parser *p, struct expression *left, enum precedence least, bool is_b)
{
	struct expression *chained = NULL; /* `left`, if it can be lengthened */
	struct expressions chain;
	struct infix in = query_next_infix(p);

	while (in.kind != INFIX_NONE && in.precedence >= least &&
	       (!is_b || query_is_b_infix(p, &in))) {
		if (in.kind != INFIX_BINARY) {
			left = query_operation(p, left, &in, is_b);
			chained = NULL;
		} else if (is_chain(chained, &in)) {
			left = query_lengthen(p, left, &chain, &in, is_b);
		} else {
			left = query_binary(p, left, &in, is_b, &chain);
			chained =
			    left->kind == EXPR_OPERATOR && !left->is_over_array
				? left
				: NULL;
		}
		in = query_next_infix(p);
	}
	return left;
}

struct expression *
query_expression_at(struct parser *p, enum precedence least, bool is_b)
{
	struct expression *e;

	query_descend(p);
	e = expression_more(p, prefix(p, is_b), least, is_b);
	query_ascend(p);
	return e;
}

struct expression *
query_expression(struct parser *p)
{
	return query_expression_at(p, BINDS_OR, false);
}

struct expression *
query_b_expression(struct parser *p)
{
	return query_expression_at(p, BINDS_OR, true);
}

struct expression *
query_expression_from(struct parser *p, struct expression *left)
{
	return expression_more(p, left, BINDS_OR, false);
}

void
query_expression_list(struct parser *p, struct expressions *list)
{
	do {
		query_expressions_add(p, list, query_expression(p));
	} while (query_take(p, ','));
}

void
query_parenthesized_list(struct parser *p, struct expressions *list)
{
	query_want(p, '(');
	query_expression_list(p, list);
	query_want(p, ')');
}
