/*
 * query.h - the shape of one statement: what is a target list, what is FROM,
 * what is an expression.
 *
 * Class rules say what a statement does; this says where its values go, for
 * statements that touch protected columns (flow.h).  It knows queries, INSERT,
 * UPDATE, DELETE and MERGE, and what may stand around a query (EXPLAIN,
 * PREPARE, DECLARE, COPY, CREATE … AS).  Whatever it does not know for sure it
 * declines, and the caller is strict: a tree that says something else than the
 * server's own would be a hole, no tree at all is none.  Source: PostgreSQL's
 * src/backend/parser/gram.y, 12 to 18; tests/oracle compares the trees.
 */
#ifndef SALLYPORT_QUERY_H
#define SALLYPORT_QUERY_H

#include "common/arena.h"
#include "common/err.h"
#include "common/lexer.h"

enum {
	QUERY_DEPTH_MAX = 200, /* of nested expressions and queries */
	QUERY_NAME_PARTS_MAX = 4,
};

/* A name, perhaps qualified: a, t.a, s.t.a. Folded and unquoted. */
struct dotted {
	struct text *parts;
	size_t count;
};

enum expression_kind {
	EXPR_COLUMN,	/* name: of a column, or a whole row */
	EXPR_STAR,	/* *, t.*: name is what stands before the star */
	EXPR_CONSTANT,	/* string, number, TRUE, NULL …; date '…' too */
	EXPR_PARAMETER, /* $1 */
	EXPR_DEFAULT,	/* DEFAULT in VALUES and SET */
	EXPR_CALL,	/* name ( children … ), and what is spelled otherwise but
			 * is a function of its children: EXTRACT, COALESCE,
			 * GREATEST, CURRENT_DATE, XMLELEMENT, GROUPING …: the
			 * keyword is the name */
	EXPR_OPERATOR,	/* name is the operator, children its one, two or more
			 * operands: also and, or, not, like, ilike, similar
			 * (with their ESCAPE), between, in (a list), is (and
			 * whatever follows: IS NULL, IS DISTINCT FROM x …),
			 * overlaps, collate, at (TIME ZONE, LOCAL). NOT LIKE,
			 * NOT IN and so on are `not` over the other. Operator
			 * names are as the server spells them (!= is <>) */
	EXPR_CAST,	/* child as the type `name` (its last part; modifiers,
			 * [] and SETOF left out); x::t, CAST, and t 'x' of
			 * anything but a constant */
	EXPR_CASE,	/* children: operand, conditions, results, ELSE */
	EXPR_ROW,	/* ROW(…) or (a, b) */
	EXPR_ARRAY,	/* ARRAY[…], and the lists nested in it */
	EXPR_FIELD,	/* (child).name; .* when name.count is 0 */
	EXPR_INDEX,	/* child[child], child[child:child] */
	EXPR_QUERY,	/* a subquery: see `use`. With ANY, ALL, IN the other
			 * operand is the child, the operator the name */
};

enum subquery_use {
	SUBQUERY_VALUE,	 /* (SELECT …) as a value */
	SUBQUERY_EXISTS,
	SUBQUERY_ARRAY,	 /* ARRAY(SELECT …) */
	SUBQUERY_ANY,	 /* x IN (SELECT …), x op ANY/SOME/ALL (SELECT …) */
};

struct expression {
	enum expression_kind kind;
	struct dotted name;
	/* Operators: written OPERATOR(schema.op), or of ANY/ALL (array). */
	bool is_qualified, is_over_array;
	/* Calls: written with *, as count(*). Its DISTINCT, ORDER BY, WITHIN
	 * GROUP, FILTER and OVER (with the window's expressions) are among the
	 * children; is_window: it has OVER. */
	bool is_star_call, is_window;
	enum subquery_use use;
	struct query *query; /* EXPR_QUERY */
	struct expression *children, *next; /* lists by `next` */
	size_t first, end;   /* its tokens */
	/* Of its tree, subqueries and all: at most QUERY_DEPTH_MAX, so that
	 * whoever walks it may recurse. */
	unsigned height;
};

struct target { /* of SELECT and RETURNING */
	struct expression *value;
	struct text alias; /* len 0: none */
	struct target *next;
};

enum from_kind {
	FROM_RELATION, /* name: a table, a view or a WITH query */
	FROM_QUERY,
	FROM_FUNCTION, /* calls: one, or those of ROWS FROM; XMLTABLE and
			* JSON_TABLE too. columns: also those of a column
			* definition list and of COLUMNS */
	FROM_JOIN,
};

struct from_item {
	enum from_kind kind;
	size_t number; /* as a query's */
	struct dotted name;
	struct text alias; /* len 0: none. Of a join: its own, or USING's */
	struct text *columns; /* aliases of columns; also AS (a int, b text) */
	size_t column_count;
	struct query *query;
	struct expression *calls;
	struct expression *sample; /* TABLESAMPLE's arguments */
	bool with_ordinality;
	/* joins */
	struct from_item *left, *right;
	bool is_natural, is_full;
	struct text *using_columns;
	size_t using_count;
	struct expression *on; /* NULL: none */
	struct from_item *next;
};

struct with_query {
	struct text name;
	struct text *columns; /* given after the name */
	size_t column_count;
	struct query *query;
	/* Names that SEARCH and CYCLE add, and columns they compare or sort
	 * by (which is a use of them). */
	struct text *added;
	size_t added_count;
	struct expression *compared;
	struct with_query *next;
};

struct assignment { /* SET a = x, (a, b) = (x, y) or (SELECT …) */
	struct text *columns; /* first parts: a of a.b[1] */
	size_t column_count;
	struct expression *value;
	struct assignment *next;
};

enum query_kind {
	QUERY_SELECT,
	QUERY_VALUES,
	QUERY_SET_OPERATION,
	QUERY_INSERT,
	QUERY_UPDATE,
	QUERY_DELETE,
	QUERY_MERGE,
};

enum set_operation { SET_UNION, SET_INTERSECT, SET_EXCEPT };

struct row { /* of VALUES */
	struct expression *values;
	struct row *next;
};

struct query {
	enum query_kind kind;
	size_t number; /* free for who walks the tree; 0 from the parser */
	struct with_query *with;
	struct target *targets; /* SELECT's, or RETURNING's. TABLE t is
				 * SELECT * FROM t */
	struct from_item *from; /* FROM; UPDATE's FROM, DELETE's and MERGE's
				 * USING */
	struct expression *where;
	/* of a SELECT or around a set operation or VALUES */
	bool is_distinct;
	struct expression *distinct_on;
	struct expression *group_by; /* elements of CUBE and so on each */
	bool is_group_distinct, groups_all; /* GROUP BY ALL: 18's proposal is
					     * declined; stays false */
	struct expression *having;
	struct expression *windows; /* all expressions of WINDOW clauses */
	struct expression *order_by;
	struct expression *limit, *offset; /* LIMIT ALL: NULL */
	struct dotted into; /* SELECT INTO; count 0: none */
	/* set operations */
	enum set_operation operation;
	bool is_all;
	struct query *left, *right;
	struct row *rows; /* VALUES */
	/* INSERT, UPDATE, DELETE, MERGE */
	struct from_item *relation; /* what is written, with its alias */
	struct text *columns;	    /* INSERT's list */
	size_t column_count;
	struct query *source;	    /* INSERT's; NULL: DEFAULT VALUES */
	struct assignment *assignments; /* SET; ON CONFLICT's; of all of MERGE's
					 * WHEN clauses: an INSERT's values there
					 * are assignments to its columns, or to
					 * none when it has no list */
	/* ON CONFLICT (…) WHERE, DO UPDATE … WHERE, MERGE's ON and AND
	 * conditions: whatever else decides. `conflict` are the inference
	 * elements of ON CONFLICT. */
	struct expression *conditions, *conflict;
	bool has_conflict;
	/* PostgreSQL 18: RETURNING WITH (OLD AS o, NEW AS n) */
	struct text *returning_names;
	size_t returning_name_count;
	unsigned height; /* as an expression's */
};

enum wrapper {
	WRAPPER_NONE,
	WRAPPER_EXPLAIN,
	WRAPPER_PREPARE,
	WRAPPER_DECLARE,
	WRAPPER_COPY,	/* COPY (query) TO */
	WRAPPER_CREATE, /* CREATE TABLE, VIEW, MATERIALIZED VIEW … AS */
};

struct query_tree {
	enum wrapper wrapper; /* the innermost: of EXPLAIN CREATE TABLE … AS it
			       * is CREATE, and is_explained is set */
	bool is_explained;
	struct query *query;
	const char *declined; /* why there is no tree; static */
	size_t declined_at;   /* the token */
};

/* The tree of one statement's tokens (without its `;`); everything is in the
 * arena.  ERR_UNSUPPORTED: declined, see `declined`; ERR_MEMORY. */
enum err query_parse(const struct token *tokens, size_t count, struct arena *a,
    struct query_tree *out) MUST_CHECK;

#endif
