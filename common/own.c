/*
 * own.c - relations that a session has made itself.
 *
 * The rule: when in doubt, forget.  A name that is missing costs a reading of
 * the catalogue or masks too much; one too many would show what is protected.
 */
#include "common/own.h"

static const struct text temporary_schema = {"pg_temp", 7};

/* --- what a statement creates --------------------------------------------- */

struct words {
	const struct token *tokens;
	size_t count, at;
};

static bool
take(struct words *w, struct text word)
{
	if (w->at >= w->count || !token_is_word(&w->tokens[w->at], word))
		return false;
	w->at++;
	return true;
}

static bool
says(const struct statement *s, struct text word)
{
	struct words w = {s->tokens, s->token_count, 0};

	for (; w.at < w.count; w.at++) {
		if (take(&w, word))
			return true;
	}
	return false;
}

/* The one relation that it writes; NULL: there are more, or none. */
static const struct relation_use *
written_by(const struct statement *s)
{
	const struct relation_use *found = NULL;
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		if (!s->relations[i].is_written)
			continue;
		if (found != NULL || s->relations[i].is_read)
			return NULL;
		found = &s->relations[i];
	}
	return found;
}

/* CREATE [OR REPLACE] [TEMP …] [RECURSIVE | MATERIALIZED] TABLE | VIEW */
static bool
is_creation(const struct statement *s, struct creation *out)
{
	static const struct text kinds[] = {{"or", 2}, {"replace", 7},
	    {"local", 5}, {"global", 6}, {"temp", 4}, {"temporary", 9},
	    {"unlogged", 8}, {"recursive", 9}, {"materialized", 12}};
	struct words w = {s->tokens, s->token_count, 0};
	bool is_kind;
	size_t i;

	if (!take(&w, TEXT("create")))
		return false;
	do {
		is_kind = false;
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			is_kind |= take(&w, kinds[i]);
	} while (is_kind);
	out->is_view = take(&w, TEXT("view"));
	if (!out->is_view && !take(&w, TEXT("table")))
		return false;
	out->may_exist = take(&w, TEXT("if"));
	return true;
}

static bool
selects_into(const struct statement *s, const struct creation *out)
{
	struct words w = {s->tokens, s->token_count, 0};

	return out->has_query && !take(&w, TEXT("create")) &&
	       says(s, TEXT("into"));
}

static bool
has_relatives(const struct statement *s)
{
	static const struct text words[] = {{"like", 4}, {"inherits", 8},
	    {"partition", 9}, {"of", 2}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (says(s, words[i]))
			return true;
	}
	return false;
}

void
creation_read(const struct statement *s, struct creation *out)
{
	const uint64_t query = BIT(OP_CREATE) | BIT(OP_SELECT);

	*out = (struct creation){0};
	if ((s->operations & BIT(OP_CREATE)) == 0 ||
	    (s->operations & ~query) != 0 || s->token_count == 0)
		return;
	out->has_query = s->operations == query;
	if (!is_creation(s, out) && !selects_into(s, out))
		return;
	out->relation = written_by(s);
	if (out->relation == NULL)
		return;
	out->has_relatives = !out->has_query && has_relatives(s);
	out->is_brief = says(s, TEXT("drop"));
	out->is_temporary = (s->traits & BIT(TRAIT_TEMPORARY)) != 0 ||
	    text_is(out->relation->schema, temporary_schema);
}

/* --- the list ------------------------------------------------------------- */

static void
keep(char *field, struct text value)
{
	memcpy(field, value.at, value.len);
	field[value.len] = '\0';
}

static bool
is_it(const struct own_relation *r, struct text schema, struct text name)
{
	return text_is(text_of(r->name), name) &&
	    (text_is(text_of(r->schema), schema) ||
		(r->is_temporary && schema.len == 0));
}

static void
forget_at(struct own_relations *own, size_t i)
{
	own->at[i] = own->at[--own->count];
	own->oid_count = 0;
	own->version++;
}

/* In whatever schema it is. */
static void
forget(struct own_relations *own, const struct relation_use *use)
{
	size_t i = 0;

	while (i < own->count) {
		if (text_is(text_of(own->at[i].name), use->name))
			forget_at(own, i);
		else
			i++;
	}
}

static void
add(struct own_relations *own, const struct own_effect *e)
{
	const struct relation_use *use = e->relations;
	struct own_relation *r;

	if (own->is_over || own->count == OWN_MAX ||
	    use->schema.len >= OWN_NAME_MAX || use->name.len == 0 ||
	    use->name.len >= OWN_NAME_MAX)
		return;
	r = &own->at[own->count++];
	*r = (struct own_relation){
	    .is_temporary = e->is_temporary,
	    .is_view = e->is_view,
	    .is_brief = e->is_brief};
	keep(r->name, use->name);
	if (e->is_temporary)
		keep(r->schema, temporary_schema);
	else if (use->schema.len > 0)
		keep(r->schema, use->schema);
	own->version++;
}

void
own_apply(struct own_relations *own, const struct own_effect *e)
{
	size_t i;

	switch (e->change) {
	case OWN_UNCHANGED:
		break;
	case OWN_CREATED:
		forget(own, &e->relations[0]);
		add(own, e);
		break;
	case OWN_DROPPED:
		for (i = 0; i < e->count; i++)
			forget(own, &e->relations[i]);
		break;
	case OWN_ROLLED_BACK:
		own_roll_back(own);
		break;
	case OWN_OVER:
		own->is_over = true;
		own_clear(own);
		break;
	default:
		own_clear(own);
		break;
	}
}

void
own_roll_back(struct own_relations *own)
{
	size_t i = 0;

	own->oid_count = 0;
	while (i < own->count) {
		if (own->at[i].is_committed)
			i++;
		else
			forget_at(own, i);
	}
}

void
own_commit(struct own_relations *own)
{
	size_t i = 0;

	while (i < own->count) {
		own->at[i].is_committed = true;
		if (own->at[i].is_temporary && !own->at[i].is_brief)
			i++;
		else
			forget_at(own, i);
	}
}

void
own_forget_views(struct own_relations *own)
{
	size_t i = 0;

	while (i < own->count) {
		if (own->at[i].is_view)
			forget_at(own, i);
		else
			i++;
	}
}

void
own_clear(struct own_relations *own)
{
	own->count = own->oid_count = 0;
	own->version++;
}

bool
own_has(const struct own_relations *own, struct text schema, struct text name,
    bool *is_temporary_out)
{
	size_t i;

	for (i = 0; i < own->count; i++) {
		if (!is_it(&own->at[i], schema, name))
			continue;
		*is_temporary_out = own->at[i].is_temporary;
		return true;
	}
	return false;
}

/* --- OIDs ----------------------------------------------------------------- */

void
own_note_oid(struct own_relations *own, uint32_t oid)
{
	if (!own_has_oid(own, oid))
		own->oids[own->oid_count++ % OWN_OIDS_MAX] = oid;
}

bool
own_has_oid(const struct own_relations *own, uint32_t oid)
{
	size_t i;

	for (i = 0; i < own->oid_count && i < OWN_OIDS_MAX; i++) {
		if (own->oids[i] == oid)
			return true;
	}
	return false;
}
