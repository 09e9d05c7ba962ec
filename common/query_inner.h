/*
 * query_inner.h - what the parts of the query parser share.
 *
 * The parser's error is sticky: after the first there are no more tokens, and
 * what is built goes to a sink, so that the grammar reads without checks.
 * Each function takes the tokens of what it is named after and no more.
 */
#ifndef SALLYPORT_QUERY_INNER_H
#define SALLYPORT_QUERY_INNER_H

#include "common/query.h"
#include "common/query_words.h"

struct parser {
	const struct token *tokens;
	size_t count, at;
	const uint16_t *words; /* of each token: enum query_word */
	struct arena *arena;
	unsigned depth;	 /* of the recursion */
	unsigned height; /* of the highest tree in the query at hand */
	enum err error;
	const char *declined;
	size_t declined_at;
	union {
		struct expression expression;
		struct target target;
		struct from_item from;
		struct with_query with;
		struct assignment assignment;
		struct row row;
		struct query query;
		struct text names[QUERY_NAME_PARTS_MAX];
	} sink;
};

/* A list of expressions as it grows, and the height of its highest. */
struct expressions {
	struct expression *first, **end;
	unsigned height;
	size_t count;
};

/* A list of names as it grows. */
struct names {
	struct text *at;
	size_t count, room;
};

/* What stood between parentheses: a query, or one or more expressions. */
struct parenthesized {
	struct query *query;
	struct expressions list;
	size_t first; /* the token */
};

/* --- tokens (query_tokens.c) ---------------------------------------------- */

/* No tree: `why` is static. */
void query_decline(struct parser *p, const char *why);

/* The token `ahead` of the next one, or NULL past the end. */
static inline const struct token *
query_peek(const struct parser *p, size_t ahead)
{
	return ahead < p->count - p->at ? &p->tokens[p->at + ahead] : NULL;
}

/* Its word when it is an unquoted keyword the grammar knows, else 0. */
static inline enum query_word
query_peek_word(const struct parser *p, size_t ahead)
{
	return ahead < p->count - p->at
		   ? (enum query_word)p->words[p->at + ahead]
		   : NO_WORD;
}

static inline bool
query_peek_is(const struct parser *p, size_t ahead, char punctuation)
{
	const struct token *t = query_peek(p, ahead);

	return t != NULL && token_is_mark(t, punctuation);
}

bool query_peek_operator(
    const struct parser *p, size_t ahead, const char *operator);
/* A string constant proper: neither B'', X'' nor N''. */
bool query_peek_string(const struct parser *p, size_t ahead);

/* Take what was looked at. No token is taken in any other way but by names:
 * after an error there is none. */
void query_skip(struct parser *p, size_t n);
/* Take it if it is there. */
static inline bool
query_take(struct parser *p, char punctuation)
{
	bool is_there = query_peek_is(p, 0, punctuation);

	p->at += is_there;
	return is_there;
}

static inline bool
query_take_word(struct parser *p, enum query_word word)
{
	bool is_there = query_peek_word(p, 0) == word;

	p->at += is_there;
	return is_there;
}

bool query_take_words(
    struct parser *p, enum query_word one, enum query_word two);
bool query_take_operator(struct parser *p, const char *operator);
/* Decline unless it is there. */
void query_want(struct parser *p, char punctuation);
void query_want_word(struct parser *p, enum query_word word);
void query_want_words(
    struct parser *p, enum query_word one, enum query_word two);
/* An integer constant. */
void query_want_integer(struct parser *p);
/* Tokens up to the closing parenthesis of the one that is next. */
void query_skip_parentheses(struct parser *p);

/* Going down and up again: balanced, also after errors. */
void query_descend(struct parser *p);
void query_ascend(struct parser *p);

/* --- names ---------------------------------------------------------------- */

bool query_is_column_name(const struct parser *p, size_t ahead); /* ColId */
bool query_is_function_name(
    const struct parser *p, size_t ahead); /* of one part */
bool query_is_bare_label(const struct parser *p);
struct text query_column_name(struct parser *p);
struct text query_label(struct parser *p); /* any word */
struct dotted query_qualified_name(struct parser *p);
void query_dotted_add(struct parser *p, struct dotted *d, struct text part);
struct dotted query_name_of(struct parser *p, struct text only);
void query_names_add(struct parser *p, struct names *n, struct text name);
/* ( name, name … ) */
struct names query_name_list(struct parser *p);

/* --- what is built -------------------------------------------------------- */

/* `size` zeroed bytes, or the sink. */
void *query_build(struct parser *p, size_t size);
struct expression *query_build_expression(
    struct parser *p, enum expression_kind kind, size_t first);
void query_expressions_init(struct expressions *list);
void query_expressions_add(
    struct parser *p, struct expressions *list, struct expression *e);
/* All of another list. */
void query_expressions_join(
    struct parser *p, struct expressions *list, struct expressions *more);
/* The list as `e`'s children; e ends before the next token. */
struct expression *query_finish(
    struct parser *p, struct expression *e, struct expressions *children);
/* The parser is higher by one: a join, a set operation. */
void query_grow(struct parser *p);

/* --- the grammar ---------------------------------------------------------- */

struct expression *query_expression(struct parser *p);	 /* a_expr */
struct expression *query_b_expression(struct parser *p); /* b_expr */
struct expression *query_primary(struct parser *p);	 /* c_expr */
/* The expression that begins with `left`, which was taken already. */
struct expression *query_expression_from(
    struct parser *p, struct expression *left);
void query_expression_list(struct parser *p, struct expressions *list);
/* ( a, b … ) */
void query_parenthesized_list(struct parser *p, struct expressions *list);

void query_parentheses(struct parser *p, struct parenthesized *out);
struct expression *query_parenthesized_value(
    struct parser *p, struct parenthesized *in);
struct expression *query_subquery(
    struct parser *p, struct query *q, enum subquery_use use, size_t first);
struct expression *query_indirection(struct parser *p, struct expression *base);
/* Does a function call, or what looks like one, come next? Take it; without
 * FILTER, OVER and so on when `is_plain`. */
bool query_is_call(const struct parser *p);
struct expression *query_call(struct parser *p, bool is_plain);
/* Those that are spelled in a way of their own: CAST (…), EXTRACT (…). */
bool query_is_special_call(const struct parser *p);
struct expression *query_special_call(struct parser *p);
/* A call's arguments, `(` taken up to `)`: with DISTINCT, ORDER BY … */
void query_arguments(
    struct parser *p, struct expression *e, struct expressions *to);

/* Typename. What is handed back is the server's own name of the type. */
struct text query_type_name(struct parser *p);
/* Does a constant of a type with a name of its own, as int '1', come next? */
bool query_is_typed_constant(const struct parser *p);
struct expression *query_typed_constant(struct parser *p);

bool query_starts_query(const struct parser *p);
bool query_continues_query(const struct parser *p);
/* A query; `left`, when not NULL, is its first operand, taken already. */
struct query *query_select_query(struct parser *p, struct query *left);
/* The same between query_begin() and query_end(), its WITH taken already. */
struct query *query_select_body(
    struct parser *p, struct query *left, struct with_query *with);
/* Around a query: how high the one is that it stands in. */
unsigned query_begin(struct parser *p);
struct query *query_end(struct parser *p, struct query *q, unsigned height);
struct query *query_build_query(struct parser *p, enum query_kind kind);
/* ( query ), however many parentheses. */
struct query *query_in_parentheses(struct parser *p);
/* What may stand in PREPARE, WITH and COPY: a query or a change. */
struct query *query_any_query(struct parser *p);
struct with_query *query_with_clause(struct parser *p);
struct target *query_target_list(struct parser *p);
void query_order_by(struct parser *p, struct expressions *to);
void query_window_specification(struct parser *p, struct expressions *to);
struct query *query_operand(struct parser *p); /* of UNION and so on */
struct from_item *query_from_list(struct parser *p);
/* What can be joined, but for what parentheses hold. */
struct from_item *query_from_plain(struct parser *p);
struct from_item *query_from_subquery(struct parser *p, struct query *q);
struct from_item *query_build_from(struct parser *p, enum from_kind kind);
void query_alias(struct parser *p, struct from_item *f);
struct from_item *query_table_reference(struct parser *p);
/* [ONLY] name [*]; and what is changed, with its alias. */
struct from_item *query_relation(struct parser *p);
struct from_item *query_changed_relation(struct parser *p);

#endif
