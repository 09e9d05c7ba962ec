/*
 * flow_inner.h - what the flow*.c files share; nobody else includes it.
 *
 *	flow.c		rounds over the tree until nothing changes; the answers
 *	flow_names.c	what a name means: columns of what is in FROM
 *	flow_taint.c	can a protected value be in this expression?
 *	flow_use.c	what each clause does with it
 *	flow_key.c	what a primary key decides alone
 */
#ifndef SALLYPORT_FLOW_INNER_H
#define SALLYPORT_FLOW_INNER_H

#include "common/flow.h"

/* One level of names: a query's FROM. Lives on the stack. */
struct scope {
	const struct scope *outer;
	const struct query *query;
	/* Not all that is at this level may be visible here: go on outwards,
	 * whatever was found. */
	bool is_unsure;
};

struct tracer {
	const struct flow_facts *facts;
	struct arena *arena;
	const struct token *tokens;
	struct flow *out;
	struct query_tree tree;
	/* by number */
	struct flow_columns *of_query, *of_item;
	struct flow_columns *of_relation; /* as the catalogue has it */
	enum taint *of_calls; /* of a FROM_FUNCTION's results */
	size_t query_count, item_count;
	const struct with_query **withs;
	size_t with_count, with_room;
	bool any_taint; /* in anything that stands in FROM */
	bool is_changed, is_first;
	size_t work;
	enum err error;
	const char *declined;
};

static inline enum taint
taint_max(enum taint a, enum taint b)
{
	return a > b ? a : b;
}

/* --- flow_names.c --------------------------------------------------------- */

/* Can any of these columns be protected? */
enum taint columns_any(const struct flow_columns *c);

bool columns_are_same(
    const struct flow_columns *a, const struct flow_columns *b);

/* Add a column. False: out of memory; the tracer says so. */
bool columns_add(struct tracer *t, struct flow_columns *c, struct text name,
    enum taint taint);
/* Add all of `more` behind. */
void columns_join(
    struct tracer *t, struct flow_columns *c, const struct flow_columns *more);
/* Give new names to the first `count` of them. */
void columns_rename(struct tracer *t, struct flow_columns *c,
    const struct text *names, size_t count);
/* The worst of all columns of that name. */
enum taint columns_named(
    struct tracer *t, const struct flow_columns *c, struct text name);
bool columns_has(
    struct tracer *t, const struct flow_columns *c, struct text name);

/* The columns of one thing in FROM, with those within it. */
void names_of_item(struct tracer *t, const struct from_item *item);
/* All columns of the level: what * stands for. */
void names_of_star(struct tracer *t, const struct query *q,
    struct flow_columns *out);
/* What `name.*` stands for. */
void names_of_qualified_star(struct tracer *t, const struct scope *s,
    const struct dotted *name, struct flow_columns *out);
/* The one thing in the query's FROM that `name.` stands for; NULL. */
const struct from_item *names_item(const struct query *q, struct text name);
/* What a column's name, or a whole row's, may hold. */
enum taint names_column(
    struct tracer *t, const struct scope *s, const struct dotted *name);

/* The same of what is found in FROM for sure to be there, or not at all. */
enum taint names_known_column(
    struct tracer *t, const struct scope *s, const struct dotted *name);

/* Is it surely a column or a row, not the function b(a) of a.b? */
bool names_is_no_call(
    struct tracer *t, const struct scope *s, const struct dotted *name);

/* --- flow_taint.c --------------------------------------------------------- */

enum taint taint_of(
    struct tracer *t, const struct scope *s, const struct expression *e);
/* The worst of a list. */
enum taint taint_of_list(
    struct tracer *t, const struct scope *s, const struct expression *e);
/* Can this output neither fail nor return several rows, whatever the protected
 * values in it are? */
bool taint_is_total(
    struct tracer *t, const struct scope *s, const struct expression *e);
/* Is a function called in it that leaves values somewhere? */
bool taint_is_stored(struct tracer *t, const struct expression *e);

/* --- flow_use.c ----------------------------------------------------------- */

/* Is it a built-in type (or none given) whose input depends on nothing else
 * and whose `=` is equality? */
bool flow_is_plain_type(const struct dotted *name);
/* What this level of a query does with protected values. */
void use_of_query(struct tracer *t, const struct scope *s,
    const struct query *q, const struct flow_columns *outputs);
/* Of a JOIN's condition, a function's arguments, … of what is in FROM. */
void use_of_item(
    struct tracer *t, const struct scope *s, const struct from_item *item);

/* --- flow_key.c ----------------------------------------------------------- */

/* Is this element of GROUP BY a column of a table whose primary key is there,
 * too? */
bool key_decides(struct tracer *t, const struct query *q,
    const struct expression *e);

/* --- all ------------------------------------------------------------------ */

/* Call for every expression of this level of a query, those of FROM apart;
 * lists are handed over expression by expression. */
void query_each(const struct query *q,
    void (*visit)(void *context, const struct expression *e), void *context);

#endif
