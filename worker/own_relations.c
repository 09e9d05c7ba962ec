/*
 * own_relations.c - what statements do to the list of relations that the
 * session has made itself.
 *
 * The rule: what a statement adds to the list counts once it has succeeded;
 * what it takes from it counts before it runs.
 */
#include "common/flow.h"
#include "worker/builtin.h"
#include "worker/own_relations.h"
#include "worker/snapshot.h"

/* They leave every relation's name and nature alone. Of CREATE and DROP it
 * depends. */
static const uint64_t neutral =
    BIT(OP_SELECT) | BIT(OP_SHOW) | BIT(OP_EXPLAIN) | BIT(OP_DECLARE) |
    BIT(OP_FETCH) | BIT(OP_MOVE) | BIT(OP_CLOSE) | BIT(OP_COPY_OUT) |
    BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |
    BIT(OP_TRUNCATE) | BIT(OP_COPY_IN) | BIT(OP_LOCK) | BIT(OP_COMMENT) |
    BIT(OP_GRANT) | BIT(OP_REVOKE) | BIT(OP_SET) | BIT(OP_RESET) |
    BIT(OP_PREPARE) | BIT(OP_EXECUTE) | BIT(OP_DEALLOCATE) | BIT(OP_LISTEN) |
    BIT(OP_UNLISTEN) | BIT(OP_NOTIFY) | BIT(OP_BEGIN) | BIT(OP_COMMIT) |
    BIT(OP_ROLLBACK) | BIT(OP_SAVEPOINT) | BIT(OP_RELEASE) |
    BIT(OP_SET_TRANSACTION) | BIT(OP_VACUUM) | BIT(OP_ANALYZE);

/* They run code, or nobody knows what they do. */
static const uint64_t unlimited =
    BIT(OP_UNKNOWN) | BIT(OP_DO) | BIT(OP_CALL) | BIT(OP_LOAD);

/* --- what a statement does ------------------------------------------------ */

static bool
starts_with(const struct statement *s, const struct text *starts, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (text_starts(s->canonical, starts[i]))
			return true;
	}
	return false;
}

static bool
creates_index(const struct statement *s)
{
	static const struct text starts[] = {
	    {"create index ", 13}, {"create unique index ", 20}};

	return s->operations == BIT(OP_CREATE) &&
	       starts_with(s, starts, sizeof(starts) / sizeof(starts[0]));
}

static bool
drops_relations(const struct statement *s)
{
	static const struct text starts[] = {{"drop table ", 11},
	    {"drop view ", 10}, {"drop materialized view ", 23},
	    {"drop index ", 11}};

	return s->operations == BIT(OP_DROP) &&
	       starts_with(s, starts, sizeof(starts) / sizeof(starts[0]));
}

/* Does nothing protected get into what is created? */
static bool
is_clean(struct gate *g, const struct statement *s, const struct touch *t,
    const struct creation *c)
{
	const struct flow *f = t->flow;

	if (!gate_protects(g))
		return !c->has_relatives;
	if (c->has_relatives || t->is_unknown || t->is_code_protected ||
	    t->is_code_open ||
	    protection_may_name(g->protection, s, c->relation))
		return false;
	if (!c->has_query)
		return !t->mentions;
	return !t->is_protected ||
	       (f != NULL && f->is_understood && f->copy.where == NULL &&
		   !f->any_output);
}

static void
create(struct gate *g, const struct statement *s, const struct touch *t,
    struct own_effect *out)
{
	struct creation c;

	creation_read(s, &c);
	if (creates_index(s))
		out->change = OWN_UNCHANGED;
	if (c.relation == NULL || !is_clean(g, s, t, &c))
		return;
	/* which relation it is that exists already, nobody knows */
	out->change = c.may_exist ? OWN_UNCHANGED : OWN_CREATED;
	out->relations = c.relation;
	out->count = 1;
	out->is_temporary = c.is_temporary;
	out->is_view = c.is_view;
	out->is_brief = c.is_brief;
}

void
own_effect_of(struct gate *g, const struct statement *s, const struct touch *t,
    struct own_effect *out)
{
	*out = (struct own_effect){.change = OWN_DOUBTED,
	    .relations = s->relations,
	    .count = s->relation_count};
	if ((s->operations & unlimited) != 0 || builtin_runs_hidden(g, s, t))
		out->change = OWN_OVER;
	else if ((s->operations & BIT(OP_CREATE)) != 0)
		create(g, s, t, out);
	else if ((s->operations & BIT(OP_DROP)) != 0)
		out->change = drops_relations(s) ? OWN_DROPPED : OWN_DOUBTED;
	else if ((s->operations & ~neutral) != 0)
		out->change = OWN_DOUBTED;
	else
		out->change = (s->operations & BIT(OP_ROLLBACK)) != 0
		    ? OWN_ROLLED_BACK
		    : OWN_UNCHANGED;
}

bool
own_may_redefine(
    struct gate *g, const struct statement *s, const struct touch *t)
{
	return t->is_code_open && gate_protects(g) &&
	       (s->traits & BIT(TRAIT_UNKNOWN_FUNCTION)) != 0;
}

void
own_read_again(struct gate *g, uint64_t reading)
{
	if (reading != g->own_reading)
		own_forget_views(&g->own);
	g->own_reading = reading;
}

/* --- when it runs --------------------------------------------------------- */

bool
own_is_doubted(const struct ruling *j)
{
	size_t i;

	for (i = 0; i < j->text.count; i++) {
		if (j->effects == NULL || j->effects[i].change >= OWN_DOUBTED)
			return true;
	}
	return j->text.count == 0;
}

void
own_admitted(struct gate *g, const struct ruling *j)
{
	size_t i;

	if ((j->operations & unlimited) != 0)
		own_apply(&g->own, &(struct own_effect){.change = OWN_OVER});
	for (i = 0; i < j->text.count && j->effects != NULL; i++) {
		if (j->effects[i].change >= OWN_DOUBTED)
			own_apply(&g->own, &j->effects[i]);
	}
}

/* In their order: what is created may be dropped again. */
void
own_succeeded(struct gate *g, const struct ruling *j)
{
	size_t i;

	for (i = 0; i < j->text.count && j->effects != NULL; i++)
		own_apply(&g->own, &j->effects[i]);
}

/* --- what follows --------------------------------------------------------- */

void
own_note_temporary(struct gate *g, struct statement *s)
{
	const uint64_t concerned = BIT(OP_SELECT) | BIT(OP_INSERT) |
				   BIT(OP_UPDATE) | BIT(OP_DELETE) |
				   BIT(OP_MERGE) | BIT(OP_TRUNCATE) |
				   BIT(OP_COPY_IN) | BIT(OP_ANALYZE);
	bool is_analyze = s->operations == BIT(OP_ANALYZE);
	size_t i, written = 0;

	if (g->own.count == 0 ||
	    ((s->operations & ~concerned) != 0 && !creates_index(s) &&
		!drops_relations(s)))
		return;
	/* what else the names may mean, it tells */
	if (g->catalog_store == NULL && !snapshot_read_again(g))
		return;
	for (i = 0; i < s->relation_count; i++) {
		const struct relation_use *use = &s->relations[i];

		if (!use->is_written && !is_analyze)
			continue;
		if (use->is_cte || snapshot_is_outdated(g) ||
		    !protection_is_temporary(
			g->protection, use->schema, use->name))
			return;
		written++;
	}
	if (written > 0)
		s->traits |= BIT(TRAIT_TEMPORARY);
}

bool
own_is_output(struct gate *g, const struct ruling *j,
    const struct origin *origin, bool is_fresh)
{
	const uint64_t later = BIT(OP_FETCH) | BIT(OP_EXECUTE);
	bool is_own;

	if (g->own.version != j->own_version ||
	    protection_knows(g->protection, origin->relation))
		return false;
	if (own_has_oid(&g->own, origin->relation))
		return true;
	is_own = j->touch.names_own && !j->touch.is_unknown &&
		 (is_fresh || !j->touch.names_others);
	if (is_own)
		own_note_oid(&g->own, origin->relation);
	/* what was unknown when a cursor was declared is carried later */
	return is_own || (is_fresh && g->own.count > 0 && (j->operations & later) != 0 &&
			     !g->carries_later);
}
