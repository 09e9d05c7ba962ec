/*
 * predicates.c - a protected column outside plain output.
 *
 * Whoever may ask `WHERE email LIKE 'a%'` reads the address letter by letter,
 * masked or not.  `predicates: equality` lets `column = constant` through,
 * which tells only what the client knew already; `deny` not even that.
 */
#include "common/flow.h"
#include "worker/predicates.h"

static struct text
in_words(struct arena *a, const struct touch *t, const struct flow_use *use)
{
	struct text relation = TEXT("a protected relation");
	const char *said;

	if (t->relation != NULL)
		relation = t->relation->name;
	if (use->is_function)
		said = arena_printf(a,
		    "calls %.*s() in %s: it may read protected columns, which "
		    "could be guessed at",
		    (int)use->column.len, use->column.at, use->where);
	else if (use->column.len > 0)
		said = arena_printf(a,
		    "uses the protected column %.*s in %s, where it could be "
		    "guessed at; only %s",
		    (int)use->column.len, use->column.at, use->where,
		    t->predicates == PREDICATES_DENY
			? "outputs may have it"
			: "outputs and column = constant may have it");
	else
		said = arena_printf(a,
		    "uses protected columns of %.*s in %s, where they could "
		    "be guessed at",
		    (int)relation.len, relation.at, use->where);
	return text_of(said == NULL ? "uses protected columns" : said);
}

static struct text
not_followed(struct arena *a, const struct touch *t)
{
	const char *why = t->flow == NULL ? NULL : t->flow->declined;
	const char *said = arena_printf(a,
	    "uses protected columns of %.*s in a way that cannot be followed%s%s",
	    t->relation == NULL ? 10 : (int)t->relation->name.len,
	    t->relation == NULL ? "a relation" : t->relation->name.at,
	    why == NULL ? "" : ": ", why == NULL ? "" : why);

	return text_of(said == NULL ? "uses protected columns" : said);
}

struct text
predicates_refusal(
    const struct statement *s, const struct touch *t, struct arena *a)
{
	const uint64_t rows = BIT(OP_SELECT) | BIT(OP_INSERT) |
			      BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE);
	const struct flow *f = t->flow;

	if (!t->is_protected || t->predicates == PREDICATES_ALLOW)
		return (struct text){NULL, 0};
	if (f == NULL || !f->is_understood) {
		if (t->mentions && (s->operations & rows) != 0)
			return not_followed(a, t);
		return (struct text){NULL, 0};
	}
	if (f->guess.where != NULL)
		return in_words(a, t, &f->guess);
	if (f->equality.where != NULL && t->predicates == PREDICATES_DENY)
		return in_words(a, t, &f->equality);
	return (struct text){NULL, 0};
}
