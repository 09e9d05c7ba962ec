/*
 * query_from.c - FROM: relations, subqueries and functions.
 */
#include "common/query_inner.h"

struct from_item *
query_build_from(struct parser *p, enum from_kind kind)
{
	struct from_item *f = query_build(p, sizeof(*f));

	f->kind = kind;
	return f;
}

/* --- aliases -------------------------------------------------------------- */

static void
set_columns(struct from_item *f, const struct names *names)
{
	f->columns = names->at;
	f->column_count = names->count;
}

/* [AS] name [( columns )] */
void
query_alias(struct parser *p, struct from_item *f)
{
	struct names columns;

	if (!query_take_word(p, WORD_AS) && !query_is_column_name(p, 0))
		return;
	f->alias = query_column_name(p);
	if (!query_peek_is(p, 0, '('))
		return;
	columns = query_name_list(p);
	set_columns(f, &columns);
}

/* ( name type [COLLATE c], … ) */
static struct names
column_definitions(struct parser *p)
{
	struct names names = {0};

	query_want(p, '(');
	do {
		query_names_add(p, &names, query_column_name(p));
		query_type_name(p);
		if (query_take_word(p, WORD_COLLATE))
			query_qualified_name(p);
	} while (query_take(p, ','));
	query_want(p, ')');
	return names;
}

/* Is it a list of names, or of names with types? */
static bool
is_definition(const struct parser *p)
{
	return query_peek_is(p, 0, '(') && !query_peek_is(p, 2, ',') &&
	       !query_peek_is(p, 2, ')');
}

static void
function_alias(struct parser *p, struct from_item *f)
{
	struct names columns;

	if (query_take_word(p, WORD_AS)) {
		if (!query_peek_is(p, 0, '('))
			f->alias = query_column_name(p);
		else if (!is_definition(p))
			query_decline(p, "types of columns were expected");
	} else if (query_is_column_name(p, 0)) {
		f->alias = query_column_name(p);
	} else {
		return;
	}
	if (!query_peek_is(p, 0, '('))
		return;
	columns = is_definition(p) ? column_definitions(p) : query_name_list(p);
	set_columns(f, &columns);
}

/* --- what can be joined --------------------------------------------------- */

static void
only_relation(struct parser *p, struct from_item *f)
{
	bool has_only = query_take_word(p, WORD_ONLY), opens;

	opens = has_only && query_take(p, '(');
	f->name = query_qualified_name(p);
	if (opens)
		query_want(p, ')');
	if (!has_only)
		query_take_operator(p, "*");
}

struct from_item *
query_relation(struct parser *p)
{
	struct from_item *f = query_build_from(p, FROM_RELATION);

	only_relation(p, f);
	return f;
}

/* SET after the name is no alias. */
struct from_item *
query_changed_relation(struct parser *p)
{
	struct from_item *f = query_relation(p);

	if (query_take_word(p, WORD_AS) ||
	    (query_is_column_name(p, 0) && query_peek_word(p, 0) != WORD_SET))
		f->alias = query_column_name(p);
	return f;
}

/* TABLESAMPLE method ( … ) [REPEATABLE ( … )] */
static void
sample(struct parser *p, struct from_item *f)
{
	struct expressions list;

	if (!query_take_word(p, WORD_TABLESAMPLE))
		return;
	if (query_is_function_name(p, 0))
		query_label(p);
	else
		query_column_name(p);
	while (query_take(p, '.'))
		query_label(p);
	query_expressions_init(&list);
	query_parenthesized_list(p, &list);
	if (query_take_word(p, WORD_REPEATABLE)) {
		query_want(p, '(');
		query_expressions_add(p, &list, query_expression(p));
		query_want(p, ')');
	}
	f->sample = list.first;
}

static void
ordinality(struct parser *p, struct from_item *f)
{
	f->with_ordinality = query_take_words(p, WORD_WITH, WORD_ORDINALITY);
}

/* ROWS FROM ( f (…) [AS ( a int )], … ) */
static void
rows_from(struct parser *p, struct from_item *f)
{
	struct expressions calls;
	struct names all = {0}, some;
	size_t i;

	query_skip(p, 2);
	query_expressions_init(&calls);
	query_want(p, '(');
	do {
		if (!query_is_call(p))
			query_decline(p, "a call was expected");
		query_expressions_add(p, &calls, query_call(p, true));
		if (!query_take_word(p, WORD_AS))
			continue;
		some = column_definitions(p);
		for (i = 0; i < some.count; i++)
			query_names_add(p, &all, some.at[i]);
	} while (query_take(p, ','));
	query_want(p, ')');
	f->calls = calls.first;
	ordinality(p, f);
	function_alias(p, f);
	if (all.count > 0 && f->column_count > 0)
		query_decline(p, "columns named twice");
	if (all.count > 0)
		set_columns(f, &all);
}

static bool
is_rows_from(const struct parser *p)
{
	return query_peek_word(p, 0) == WORD_ROWS &&
	       query_peek_word(p, 1) == WORD_FROM;
}

static void
called(struct parser *p, struct from_item *f)
{
	f->calls = query_call(p, true);
	ordinality(p, f);
	function_alias(p, f);
}

/* COLUMNS name FOR ORDINALITY | name type [PATH x] [DEFAULT x] [NOT NULL] … */
static void
xml_column(struct parser *p, struct names *names, struct expressions *to)
{
	query_names_add(p, names, query_column_name(p));
	if (query_take_words(p, WORD_FOR, WORD_ORDINALITY))
		return;
	query_type_name(p);
	for (;;) {
		if (query_take_word(p, WORD_PATH) ||
		    query_take_word(p, WORD_DEFAULT))
			query_expressions_add(p, to, query_b_expression(p));
		else if (!query_take_words(p, WORD_NOT, WORD_NULL) &&
			 !query_take_word(p, WORD_NULL))
			return;
	}
}

/* XMLNAMESPACES ( uri AS name | DEFAULT uri, … ), */
static void
xml_namespaces(struct parser *p, struct expressions *to)
{
	if (query_peek_word(p, 0) != WORD_XMLNAMESPACES ||
	    !query_peek_is(p, 1, '('))
		return;
	query_skip(p, 2);
	do {
		if (query_take_word(p, WORD_DEFAULT)) {
			query_expressions_add(p, to, query_b_expression(p));
			continue;
		}
		query_expressions_add(p, to, query_b_expression(p));
		query_want_word(p, WORD_AS);
		query_label(p);
	} while (query_take(p, ','));
	query_want(p, ')');
	query_want(p, ',');
}

static void
passing_mechanism(struct parser *p)
{
	if (!query_take_words(p, WORD_BY, WORD_REF))
		query_take_words(p, WORD_BY, WORD_VALUE);
}

/* XMLTABLE ( [namespaces,] row PASSING document COLUMNS … ) */
static void
xml_table(struct parser *p, struct from_item *f)
{
	struct expression *e = query_build_expression(p, EXPR_CALL, p->at);
	struct expressions children;
	struct names columns = {0};

	e->name = query_name_of(p, query_label(p));
	query_expressions_init(&children);
	query_want(p, '(');
	xml_namespaces(p, &children);
	query_expressions_add(p, &children, query_primary(p));
	query_want_word(p, WORD_PASSING);
	passing_mechanism(p);
	query_expressions_add(p, &children, query_primary(p));
	passing_mechanism(p);
	query_want_word(p, WORD_COLUMNS);
	do {
		xml_column(p, &columns, &children);
	} while (query_take(p, ','));
	query_want(p, ')');
	f->calls = query_finish(p, e, &children);
	query_alias(p, f);
	if (f->column_count == 0)
		set_columns(f, &columns);
}

static bool
is_xml_table(const struct parser *p)
{
	return query_peek_word(p, 0) == WORD_XMLTABLE &&
	       query_peek_is(p, 1, '(');
}

/* Is it a function: a call, or a value such as CURRENT_DATE? */
static bool
is_function(const struct parser *p)
{
	size_t n = 1;

	while (query_peek_is(p, n, '.'))
		n += 2;
	return query_is_call(p) &&
	       (query_peek_is(p, n, '(') || !query_is_column_name(p, 0));
}

struct from_item *
query_from_subquery(struct parser *p, struct query *q)
{
	struct from_item *f = query_build_from(p, FROM_QUERY);

	f->query = q;
	query_alias(p, f);
	return f;
}

static struct from_item *
lateral(struct parser *p)
{
	struct from_item *f;

	if (query_peek_is(p, 0, '('))
		return query_from_subquery(p, query_in_parentheses(p));
	f = query_build_from(p, FROM_FUNCTION);
	if (is_xml_table(p))
		xml_table(p, f);
	else if (is_rows_from(p))
		rows_from(p, f);
	else if (is_function(p))
		called(p, f);
	else
		query_decline(p, "LATERAL something else");
	return f;
}

/* What comes in FROM without parentheses around it, or LATERAL. */
struct from_item *
query_from_plain(struct parser *p)
{
	struct from_item *f;

	if (query_take_word(p, WORD_LATERAL) || is_xml_table(p) ||
	    is_rows_from(p) || is_function(p))
		return lateral(p);
	f = query_relation(p);
	query_alias(p, f);
	sample(p, f);
	return f;
}
