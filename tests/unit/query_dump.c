/* query_dump.c - a query's tree as an S-expression. */
#include <stdlib.h>

#include "tests/unit/query_dump.h"

struct dump {
	FILE *to;
	const struct token *tokens;
};

static void dump_query(struct dump *d, const struct query *q);
static void dump_expression(struct dump *d, const struct expression *e);

static void
dump_text(struct dump *d, struct text t)
{
	fprintf(d->to, " %.*s", (int)t.len, t.at);
}

static void
dump_names(struct dump *d, const char *what, const struct text *names, size_t n)
{
	size_t i;

	if (n == 0)
		return;
	fprintf(d->to, " (%s", what);
	for (i = 0; i < n; i++)
		dump_text(d, names[i]);
	fputc(')', d->to);
}

static void
dump_list(struct dump *d, const char *what, const struct expression *list)
{
	if (list == NULL)
		return;
	fprintf(d->to, " (%s", what);
	for (; list != NULL; list = list->next)
		dump_expression(d, list);
	fputc(')', d->to);
}

static void
dump_dotted(struct dump *d, const struct dotted *name)
{
	size_t i;

	fputc(' ', d->to);
	for (i = 0; i < name->count; i++)
		fprintf(d->to, "%s%.*s", i ? "." : "", (int)name->parts[i].len,
		    name->parts[i].at);
}

/* --- expressions ---------------------------------------------------------- */

/* Its number without leading zeros, or NULL. */
static const struct token *
number_of(const struct dump *d, const struct expression *e)
{
	const struct token *t;

	while (e->kind == EXPR_OPERATOR && !e->is_qualified &&
	       e->children->next == NULL &&
	       text_is(e->name.parts[0], TEXT("-")))
		e = e->children;
	if (e->kind != EXPR_CONSTANT || e->name.count > 0)
		return NULL;
	for (t = &d->tokens[e->first]; t->kind == TOKEN_PUNCTUATION; t++)
		continue;
	return t->kind == TOKEN_NUMBER ? t : NULL;
}

static struct text
plain_number(struct text raw)
{
	size_t i;

	for (i = 0; i < raw.len; i++) {
		if (raw.at[i] < '0' || raw.at[i] > '9')
			return raw;
	}
	while (raw.len > 1 && raw.at[0] == '0') {
		raw.at++;
		raw.len--;
	}
	return raw;
}

static bool
dump_number(struct dump *d, const struct expression *e)
{
	const struct token *t = number_of(d, e);
	struct text number;
	bool is_negative = false;

	if (t == NULL)
		return false;
	for (; e->kind == EXPR_OPERATOR; e = e->children)
		is_negative = !is_negative;
	number = plain_number(t->raw);
	if (text_is(number, TEXT("0")))
		is_negative = false;
	fprintf(d->to, " %s%.*s", is_negative ? "-" : "", (int)number.len,
	    number.at);
	return true;
}

static void
dump_string(struct dump *d, const struct token *t)
{
	char prefix = (char)(t->raw.at[0] | 0x20);

	fputs(" '", d->to);
	if (prefix == 'b' || prefix == 'x')
		fputc(prefix, d->to);
	fprintf(d->to, "%.*s'", (int)t->name.len, t->name.at);
}

static void
dump_constant(struct dump *d, const struct expression *e)
{
	const struct token *t = &d->tokens[e->end - 1];

	if (dump_number(d, e))
		return;
	if (e->name.count > 0) {
		fputs(" (cast", d->to);
		dump_text(d, e->name.parts[e->name.count - 1]);
	}
	/* parentheses around it, an interval's fields after it */
	while (t->kind == TOKEN_PUNCTUATION ||
	       (e->name.count > 0 && t->kind != TOKEN_STRING))
		t--;
	if (t->kind == TOKEN_STRING)
		dump_string(d, t);
	else
		dump_text(d, t->name);
	if (e->name.count > 0)
		fputc(')', d->to);
}

static const char *
subquery_word(const struct expression *e)
{
	static const char *const words[] = {
	    [SUBQUERY_VALUE] = "value",
	    [SUBQUERY_EXISTS] = "exists",
	    [SUBQUERY_ARRAY] = "array",
	    [SUBQUERY_ANY] = "any",
	};

	return words[e->use];
}

static void
dump_children(struct dump *d, const struct expression *e)
{
	for (e = e->children; e != NULL; e = e->next)
		dump_expression(d, e);
	fputc(')', d->to);
}

static bool
is_word(struct text name)
{
	return name.at[0] >= 'a' && name.at[0] <= 'z' &&
	       !text_is(name, TEXT("and")) && !text_is(name, TEXT("or"));
}

static bool
is_same_operator(const struct expression *a, const struct expression *b)
{
	return a->kind == EXPR_OPERATOR && b->kind == EXPR_OPERATOR &&
	       !a->is_qualified && !b->is_qualified && !a->is_over_array &&
	       !b->is_over_array && a->children->next != NULL &&
	       b->children->next != NULL &&
	       text_is(a->name.parts[0], b->name.parts[0]) &&
	       !is_word(a->name.parts[0]);
}

/* (a and b) and c is a and b and c. */
static void
dump_operands(struct dump *d, const struct expression *e)
{
	const struct expression *child = e->children;

	if (is_same_operator(e, child))
		dump_operands(d, child);
	else
		dump_expression(d, child);
	for (child = child->next; child != NULL; child = child->next)
		dump_expression(d, child);
}

static void
dump_operator(struct dump *d, const struct expression *e)
{
	if (dump_number(d, e))
		return;
	fprintf(d->to, e->is_over_array ? " (any" : " (op");
	dump_dotted(d, &e->name);
	dump_operands(d, e);
	fputc(')', d->to);
}

static void
dump_call(struct dump *d, const struct expression *e)
{
	fputs(" (call", d->to);
	dump_dotted(d, &e->name);
	if (e->is_star_call)
		fputs(" *", d->to);
	if (e->is_window)
		fputs(" over", d->to);
	dump_children(d, e);
}

static void
dump_subquery(struct dump *d, const struct expression *e)
{
	fprintf(d->to, " (%s", subquery_word(e));
	if (e->use == SUBQUERY_ANY) {
		dump_dotted(d, &e->name);
		dump_expression(d, e->children);
	}
	dump_query(d, e->query);
	fputc(')', d->to);
}

static void
dump_expression(struct dump *d, const struct expression *e)
{
	switch (e->kind) {
	case EXPR_COLUMN:
		dump_dotted(d, &e->name);
		return;
	case EXPR_STAR:
		dump_dotted(d, &e->name);
		fputs(e->name.count ? ".*" : "*", d->to);
		return;
	case EXPR_CONSTANT:
		dump_constant(d, e);
		return;
	case EXPR_PARAMETER:
		fputs(" $", d->to);
		return;
	case EXPR_DEFAULT:
		fputs(" default", d->to);
		return;
	case EXPR_CALL:
		dump_call(d, e);
		return;
	case EXPR_OPERATOR:
		dump_operator(d, e);
		return;
	case EXPR_CAST:
		fputs(" (cast", d->to);
		dump_text(d, e->name.parts[0]);
		dump_children(d, e);
		return;
	case EXPR_CASE:
		fputs(" (case", d->to);
		dump_children(d, e);
		return;
	case EXPR_ROW:
		fputs(" (row", d->to);
		dump_children(d, e);
		return;
	case EXPR_ARRAY:
		fputs(" (list", d->to);
		dump_children(d, e);
		return;
	case EXPR_FIELD:
		fputs(" (field", d->to);
		if (e->name.count > 0)
			dump_dotted(d, &e->name);
		else
			fputs(" *", d->to);
		dump_children(d, e);
		return;
	case EXPR_INDEX:
		fputs(" (index", d->to);
		dump_children(d, e);
		return;
	case EXPR_QUERY:
		dump_subquery(d, e);
		return;
	}
	fputs(" ?", d->to);
}

/* --- FROM ----------------------------------------------------------------- */

static void dump_join(struct dump *d, const struct from_item *f);

static void
dump_from(struct dump *d, const struct from_item *f)
{
	switch (f->kind) {
	case FROM_RELATION:
		fputs(" (relation", d->to);
		dump_dotted(d, &f->name);
		break;
	case FROM_QUERY:
		fputs(" (query", d->to);
		dump_query(d, f->query);
		break;
	case FROM_FUNCTION:
		fputs(" (function", d->to);
		dump_list(d, "calls", f->calls);
		if (f->with_ordinality)
			fputs(" ordinality", d->to);
		break;
	case FROM_JOIN:
		dump_join(d, f);
		break;
	}
	if (f->alias.len > 0)
		dump_names(d, "as", &f->alias, 1);
	dump_names(d, "columns", f->columns, f->column_count);
	dump_list(d, "sample", f->sample);
	fputc(')', d->to);
}

static void
dump_join(struct dump *d, const struct from_item *f)
{
	fputs(f->is_natural ? " (natural"
	      : f->is_full  ? " (full"
			    : " (join",
	    d->to);
	if (f->is_natural && f->is_full)
		fputs(" full", d->to);
	dump_from(d, f->left);
	dump_from(d, f->right);
	dump_names(d, "using", f->using_columns, f->using_count);
	if (f->on != NULL)
		dump_list(d, "on", f->on);
}

static void
dump_from_list(struct dump *d, const struct from_item *f)
{
	if (f == NULL)
		return;
	fputs(" (from", d->to);
	for (; f != NULL; f = f->next)
		dump_from(d, f);
	fputc(')', d->to);
}

/* --- queries -------------------------------------------------------------- */

static void
dump_targets(struct dump *d, const char *what, const struct target *t)
{
	if (t == NULL)
		return;
	fprintf(d->to, " (%s", what);
	for (; t != NULL; t = t->next) {
		dump_expression(d, t->value);
		if (t->alias.len > 0)
			dump_names(d, "as", &t->alias, 1);
	}
	fputc(')', d->to);
}

static void
dump_with(struct dump *d, const struct with_query *w)
{
	for (; w != NULL; w = w->next) {
		fputs(" (with", d->to);
		dump_text(d, w->name);
		dump_names(d, "columns", w->columns, w->column_count);
		dump_query(d, w->query);
		dump_list(d, "compared", w->compared);
		dump_names(d, "added", w->added, w->added_count);
		fputc(')', d->to);
	}
}

static void
dump_assignments(struct dump *d, const struct assignment *a)
{
	for (; a != NULL; a = a->next) {
		fputs(" (set", d->to);
		dump_names(d, "columns", a->columns, a->column_count);
		dump_expression(d, a->value);
		fputc(')', d->to);
	}
}

static void
dump_select(struct dump *d, const struct query *q)
{
	if (q->is_distinct)
		fputs(" distinct", d->to);
	dump_list(d, "on", q->distinct_on);
	dump_targets(d, "targets", q->targets);
	if (q->into.count > 0) {
		fputs(" (into", d->to);
		dump_dotted(d, &q->into);
		fputc(')', d->to);
	}
	dump_from_list(d, q->from);
	dump_list(d, "where", q->where);
	if (q->is_group_distinct)
		fputs(" group-distinct", d->to);
	dump_list(d, "group", q->group_by);
	dump_list(d, "having", q->having);
	dump_list(d, "windows", q->windows);
}

static void
dump_rows(struct dump *d, const struct row *row)
{
	for (; row != NULL; row = row->next)
		dump_list(d, "row", row->values);
}

static void
dump_change(struct dump *d, const struct query *q)
{
	fputs(" (into", d->to);
	dump_from(d, q->relation);
	fputc(')', d->to);
	dump_names(d, "columns", q->columns, q->column_count);
	if (q->source != NULL)
		dump_query(d, q->source);
	if (q->has_conflict)
		fputs(" on-conflict", d->to);
	dump_list(d, "conflict", q->conflict);
	dump_assignments(d, q->assignments);
	dump_from_list(d, q->from);
	dump_list(d, "where", q->where);
	dump_list(d, "conditions", q->conditions);
	dump_names(d, "old-new", q->returning_names, q->returning_name_count);
	dump_targets(d, "returning", q->targets);
}

static void
dump_combined(struct dump *d, const struct query *q)
{
	dump_query(d, q->left);
	dump_query(d, q->right);
}

static const char *
query_word_of(const struct query *q)
{
	static const char *const words[] = {
	    [QUERY_SELECT] = "select",
	    [QUERY_VALUES] = "values",
	    [QUERY_SET_OPERATION] = "?",
	    [QUERY_INSERT] = "insert",
	    [QUERY_UPDATE] = "update",
	    [QUERY_DELETE] = "delete",
	    [QUERY_MERGE] = "merge",
	};
	static const char *const operations[] = {
	    [SET_UNION] = "union",
	    [SET_INTERSECT] = "intersect",
	    [SET_EXCEPT] = "except",
	};

	return q->kind == QUERY_SET_OPERATION ? operations[q->operation]
					      : words[q->kind];
}

/* LIMIT NULL is none, as LIMIT ALL is. */
static bool
is_null(const struct dump *d, const struct expression *e)
{
	const struct token *t = &d->tokens[e->end - 1];

	while (t->kind == TOKEN_PUNCTUATION)
		t--;
	return e->kind == EXPR_CONSTANT && t->kind == TOKEN_WORD &&
	       text_is(t->name, TEXT("null"));
}

static void
dump_query(struct dump *d, const struct query *q)
{
	fprintf(d->to, " (%s%s", query_word_of(q), q->is_all ? " all" : "");
	dump_with(d, q->with);
	switch (q->kind) {
	case QUERY_SELECT:
		dump_select(d, q);
		break;
	case QUERY_VALUES:
		dump_rows(d, q->rows);
		break;
	case QUERY_SET_OPERATION:
		dump_combined(d, q);
		break;
	default:
		dump_change(d, q);
		break;
	}
	dump_list(d, "order", q->order_by);
	if (q->limit != NULL && !is_null(d, q->limit))
		dump_list(d, "limit", q->limit);
	if (q->offset != NULL)
		dump_list(d, "offset", q->offset);
	fputc(')', d->to);
}

void
query_dump(FILE *to, const struct token *tokens, const struct query_tree *tree)
{
	static const char *const words[] = {
	    [WRAPPER_NONE] = "",
	    [WRAPPER_EXPLAIN] = "",
	    [WRAPPER_PREPARE] = " prepare",
	    [WRAPPER_DECLARE] = " declare",
	    [WRAPPER_COPY] = " copy",
	    [WRAPPER_CREATE] = " create",
	};
	struct dump d = {to, tokens};

	fprintf(to, "%s%s", tree->is_explained ? " explain" : "",
	    words[tree->wrapper]);
	dump_query(&d, tree->query);
}
