/*
 * query_infix.h - operators between expressions, shared by the parts of the
 * query parser that deal with them.
 */
#ifndef SALLYPORT_QUERY_INFIX_H
#define SALLYPORT_QUERY_INFIX_H

#include "common/query_inner.h"

/* How tight operators bind: the table of gram.y. */
enum precedence {
	BINDS_NOT_AT_ALL,
	BINDS_OR,
	BINDS_AND,
	BINDS_NOT,
	BINDS_IS,
	BINDS_COMPARISON,
	BINDS_LIKE, /* BETWEEN, IN, LIKE … */
	BINDS_OPERATOR,
	BINDS_ADD,
	BINDS_MULTIPLY,
	BINDS_POWER,
	BINDS_AT,
	BINDS_COLLATE,
	BINDS_SIGN,
	BINDS_CAST,
};

/* An operator. */
struct infix {
	enum precedence precedence;
	enum infix_kind {
		INFIX_NONE,
		INFIX_BINARY, /* to the left, or for comparisons to none */
		INFIX_CAST,
		INFIX_IS,
		INFIX_IS_NULL, /* ISNULL, NOTNULL */
		INFIX_BETWEEN,
		INFIX_IN,
		INFIX_LIKE,
		INFIX_SIMILAR,
		INFIX_AT,
		INFIX_COLLATE,
		INFIX_QUALIFIED, /* OPERATOR ( … ) */
	} kind;
	bool is_not, is_logical;
	struct text name;
};

/* The operator that a token is, if it is one. */
struct infix query_symbol_infix(const struct token *t);
/* The operator that comes next, or one of kind INFIX_NONE. */
struct infix query_next_infix(const struct parser *p);
/* Is it one that a b_expr has? */
bool query_is_b_infix(const struct parser *p, const struct infix *in);

/* An expression of operators that bind at least so tight. */
struct expression *query_expression_at(
    struct parser *p, enum precedence least, bool is_b);

/* `left` and the operator that comes next, with its other operands. */
struct expression *query_operation(struct parser *p, struct expression *left,
    const struct infix *in, bool is_b);
/* The same for INFIX_BINARY. Its operands are left in `chain`, to which
 * query_lengthen() adds one when the same operator comes next. */
struct expression *query_binary(struct parser *p, struct expression *left,
    const struct infix *in, bool is_b, struct expressions *chain);
struct expression *query_lengthen(struct parser *p, struct expression *left,
    struct expressions *chain, const struct infix *in, bool is_b);
/* OPERATOR ( schema . + ) */
struct dotted query_qualified_operator(struct parser *p);

#endif
