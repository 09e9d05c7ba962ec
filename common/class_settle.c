/*
 * class_settle.c - what the rules found, taken together: does EXPLAIN keep it
 * from running, and is there a WHERE that holds for all it changes?
 *
 * The rule: a WHERE counts only if nothing in the statement gets around it.
 */
#include "common/class_reader.h"

/* EXPLAIN without ANALYZE plans the statement and runs nothing of it. What
 * EXECUTE would run is judged all the same: its plan is shown. */
static void
settle_explain(struct reader *r)
{
	struct statement *s = r->statement;
	size_t i;

	if (!(r->effects & EFFECT_READS_ONLY) || r->effects & EFFECT_EXECUTES)
		return;
	s->operations &=
	    operations_reading() | BIT(OP_EXECUTE) | BIT(OP_UNKNOWN);
	for (i = 0; i < s->relation_count; i++) {
		s->relations[i].is_read = true;
		s->relations[i].is_written = false;
	}
}

/* INSERT … VALUES … ON CONFLICT DO UPDATE changes rows that its own values
 * name, no others. (With a query in it, it could name them all.) */
static bool
is_upsert_of_values(const struct statement *s)
{
	const uint64_t data = BIT(OP_SELECT) | BIT(OP_INSERT) | BIT(OP_UPDATE) |
	    BIT(OP_DELETE) | BIT(OP_MERGE);

	return (s->operations & data) == (BIT(OP_INSERT) | BIT(OP_UPDATE));
}

/* A row of VALUES is one row, unless a function makes more of it. */
static bool
may_return_rows(const struct statement *s)
{
	static const struct text functions[] = {{"generate_series", 15},
	    {"generate_subscripts", 19}, {"unnest", 6},
	    {"regexp_matches", 14}, {"regexp_split_to_table", 21},
	    {"string_to_table", 15}, {"json_array_elements", 19},
	    {"json_array_elements_text", 24}, {"jsonb_array_elements", 20},
	    {"jsonb_array_elements_text", 25}, {"json_each", 9},
	    {"json_each_text", 14}, {"jsonb_each", 10},
	    {"jsonb_each_text", 15}, {"json_object_keys", 16},
	    {"jsonb_object_keys", 17}, {"jsonb_path_query", 16},
	    {"jsonb_path_query_tz", 19}, {"_pg_expandarray", 15}};
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (statement_mentions(s, functions[i]))
			return true;
	}
	return (s->traits & (BIT(TRAIT_UNKNOWN_FUNCTION) |
				BIT(TRAIT_OPAQUE_FUNCTION))) != 0;
}

/* INSERT … ON CONFLICT DO UPDATE and MERGE change what they meet: a WHERE of
 * another level says nothing about that. */
static bool
changes_what_it_meets(const struct statement *s)
{
	static const char conflict[] = " do update set ", where[] = " where ";
	const char *at = NULL, *next = s->canonical.at;
	size_t left = s->canonical.len;

	while (next != NULL) {
		next = memmem(next, left, conflict, sizeof(conflict) - 1);
		if (next == NULL)
			break;
		at = next;
		next += sizeof(conflict) - 1;
		left = (size_t)(s->canonical.at + s->canonical.len - next);
	}
	if (at == NULL)
		return false;
	left = (size_t)(s->canonical.at + s->canonical.len - at);
	return memmem(at, left, where, sizeof(where) - 1) == NULL;
}

/* MERGE … ON true meets every row. */
static bool
merges_everything(const struct statement *s)
{
	static const char *const always[] = {" on true ", " on ( true ) ",
	    " on not false ", " on ? = ? ", " on '?' = '?' ",
	    " on ( ? = ? ) ", " on ( '?' = '?' ) "};
	size_t i;

	for (i = 0; i < sizeof(always) / sizeof(*always); i++) {
		if (memmem(s->canonical.at, s->canonical.len, always[i],
			strlen(always[i])) != NULL)
			return true;
	}
	return false;
}

static void
settle_where(struct reader *r)
{
	struct statement *s = r->statement;
	bool needs = r->effects & EFFECT_NEEDS_WHERE;
	bool has = r->effects & EFFECT_HAS_WHERE;

	if (r->effects & EFFECT_TRIVIAL_WHERE)
		has = false;
	if (needs && r->where_missing)
		has = false;
	if (!needs && is_upsert_of_values(s) && !may_return_rows(s))
		has = true;
	else if (changes_what_it_meets(s))
		has = false;
	if ((s->operations & BIT(OP_MERGE)) != 0 && merges_everything(s))
		has = false;
	if (has)
		s->traits |= BIT(TRAIT_WHERE);
}

void
reader_settle(struct reader *r)
{
	settle_explain(r);
	settle_where(r);
}
