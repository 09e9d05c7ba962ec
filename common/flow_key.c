/*
 * flow_key.c - what a primary key decides alone.
 *
 * GROUP BY c.id, c.name, c.email makes the groups that GROUP BY c.id makes,
 * where id is the primary key of the table c; and the server leaves the other
 * columns out of it, so that not even the order of the groups tells of them.
 * (src/backend/optimizer/plan: remove_useless_groupby_columns(); of unique
 * indexes that are no primary key only from 18 on.)
 *
 * The rule: only what is surely a table of the catalogue's has a key, and a
 * protected key decides nothing.
 */
#include "common/flow_inner.h"

/* GROUPING SETS, ROLLUP and CUBE group by some of their columns at a time. */
static bool
has_grouping_sets(const struct tracer *t, const struct expression *e)
{
	static const struct text words[] = {
	    {"sets", 4}, {"rollup", 6}, {"cube", 4}};
	size_t i, k;

	while (e->next != NULL)
		e = e->next;
	for (i = 0; i < e->end; i++) {
		for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
			if (token_is_word(&t->tokens[i], words[k]))
				return true;
		}
	}
	return false;
}

/* The one relation of the catalogue's that it may be. (A temporary one that
 * hides it is the session's own, and no secret to it.) */
static bool
is_one_relation(const struct flow_columns *c)
{
	return c->is_exact || (c->is_doubted && !c->is_open && c->count > 0);
}

/* A table's columns, all of them under their own names; NULL: it is none. */
static const struct flow_columns *
table_columns(const struct tracer *t, const struct from_item *item)
{
	size_t i;

	if (item == NULL || item->kind != FROM_RELATION ||
	    item->column_count > 0 ||
	    !is_one_relation(&t->of_relation[item->number]))
		return NULL;
	for (i = 0; i < t->with_count; i++) {
		if (item->name.count == 1 &&
		    text_is(t->withs[i]->name, item->name.parts[0]))
			return NULL;
	}
	return &t->of_relation[item->number];
}

/* The table whose column that is. Without its name it must be the only one. */
static const struct from_item *
table_of(const struct query *q, const struct expression *e)
{
	if (e->kind != EXPR_COLUMN || e->name.count == 0 || e->name.count > 2)
		return NULL;
	if (e->name.count == 2)
		return names_item(q, e->name.parts[0]);
	return q->from != NULL && q->from->next == NULL ? q->from : NULL;
}

static const struct flow_column *
column_of(const struct flow_columns *c, const struct expression *e)
{
	struct text name = e->name.parts[e->name.count - 1];
	size_t i;

	for (i = 0; i < c->count; i++) {
		if (text_is(c->at[i].name, name))
			return &c->at[i];
	}
	return NULL;
}

bool
key_decides(
    struct tracer *t, const struct query *q, const struct expression *e)
{
	const struct from_item *item = table_of(q, e);
	const struct flow_columns *c = table_columns(t, item);
	const struct flow_column *column;
	const struct expression *other;

	if (c == NULL || column_of(c, e) == NULL || q->group_by == NULL ||
	    has_grouping_sets(t, q->group_by))
		return false;
	for (other = q->group_by; other != NULL; other = other->next) {
		if (table_of(q, other) != item)
			continue;
		column = column_of(c, other);
		t->work += c->count;
		if (column != NULL && column->is_key &&
		    column->taint == TAINT_NONE)
			return true;
	}
	return false;
}
