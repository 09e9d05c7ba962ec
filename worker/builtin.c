/*
 * builtin.c - what holds whatever the policy says.
 *
 * Policy decides what an identity may do.  These few rules keep Sallyport
 * itself true: its own settings, the settings its lexer depends on, and that
 * protected values are not copied to where they would be unprotected.
 */
#include "worker/brought.h"
#include "worker/builtin.h"
#include "worker/launder.h"
#include "worker/own_settings.h"
#include "worker/predicates.h"

/* Operations after which everything decided about later statements still
 * stands. */
static const uint64_t plain_operations =
    BIT(OP_SELECT) | BIT(OP_SHOW) | BIT(OP_INSERT) | BIT(OP_UPDATE) |
    BIT(OP_DELETE) | BIT(OP_MERGE) | BIT(OP_BEGIN) | BIT(OP_SAVEPOINT) |
    BIT(OP_RELEASE) | BIT(OP_LOCK) | BIT(OP_COMMIT) | BIT(OP_COPY_IN) |
    BIT(OP_COPY_OUT);

/* Operations that leave the session's settings alone. (FETCH does not: it
 * runs the code of its cursor.) */
static const uint64_t settled_operations =
    BIT(OP_COPY_IN) | BIT(OP_COPY_OUT) | BIT(OP_CREATE) | BIT(OP_ALTER) |
    BIT(OP_DROP) | BIT(OP_TRUNCATE) | BIT(OP_GRANT) | BIT(OP_REVOKE) |
    BIT(OP_COMMENT) | BIT(OP_DECLARE) | BIT(OP_CLOSE) | BIT(OP_PREPARE) |
    BIT(OP_DEALLOCATE) | BIT(OP_EXPLAIN) | BIT(OP_LISTEN) | BIT(OP_NOTIFY);

static const uint64_t hidden_code =
    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);

bool
builtin_is_plain(const struct statement *s)
{
	return (s->operations & ~plain_operations) == 0 &&
	       (s->traits & hidden_code) == 0;
}

/* Users' code may run without being named: in views, triggers, operators. */
bool
builtin_may_set(const struct statement *s, const struct touch *t)
{
	const uint64_t data = BIT(OP_SELECT) | BIT(OP_INSERT) |
			      BIT(OP_UPDATE) | BIT(OP_DELETE) | BIT(OP_MERGE) |
			      BIT(OP_COPY_IN) | BIT(OP_COPY_OUT);

	if (t->has_code && (s->operations & data) != 0 && s->name_count > 0)
		return true;
	return (s->operations & ~(plain_operations | settled_operations)) !=
		   0 ||
	       (s->traits & hidden_code) != 0;
}

/* What users' code reads is in the touch, where the catalogue knows it. */
static uint64_t
known_code(const struct touch *t)
{
	return t->is_code_known ? BIT(TRAIT_UNKNOWN_FUNCTION) : 0;
}

/* Does it call no opaque functions but those whose results hold nothing that
 * is stored? */
static bool
reveals_nothing(const struct gate *g, const struct statement *s)
{
	const struct classifier *c = g->policy->classifiers[g->lex.dialect];
	size_t i;

	for (i = 0; i < s->name_count; i++) {
		if (classifier_lists(c, s->names[i]) == FUNCTION_OPAQUE &&
		    classifier_reveals(c, s->names[i]))
			return false;
	}
	return true;
}

bool
builtin_runs_hidden(
    const struct gate *g, const struct statement *s, const struct touch *t)
{
	const uint64_t reaching =
	    BIT(TRAIT_UNKNOWN_FUNCTION) | BIT(TRAIT_ESCAPING_FUNCTION);

	return t->is_inner_open || t->runs_storing ||
	       (s->traits & reaching) != 0 ||
	       ((s->traits & BIT(TRAIT_OPAQUE_FUNCTION)) != 0 &&
		   !reveals_nothing(g, s));
}

bool
builtin_may_carry(
    const struct gate *g, const struct statement *s, const struct touch *t)
{
	const uint64_t fetching =
	    BIT(OP_FETCH) | BIT(OP_EXECUTE) | BIT(OP_CALL) | BIT(OP_DO) |
	    BIT(OP_FUNCTION_CALL) | BIT(OP_UNKNOWN) | BIT(OP_MOVE);
	uint64_t hidden = s->traits & hidden_code & ~known_code(t);

	if (!gate_protects(g))
		return false;
	if ((hidden & BIT(TRAIT_OPAQUE_FUNCTION)) != 0 && reveals_nothing(g, s))
		hidden &= ~BIT(TRAIT_OPAQUE_FUNCTION);
	return t->mentions || t->is_unknown || t->is_code_open ||
	       t->fills_rows || hidden != 0 ||
	       ((s->operations & fetching) != 0 && g->carries_later);
}

/* Could it run users' code at all? */
static bool
may_run(const struct statement *s)
{
	const uint64_t running =
	    BIT(OP_SELECT) | BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) |
	    BIT(OP_MERGE) | BIT(OP_TRUNCATE) | BIT(OP_COPY_IN) |
	    BIT(OP_COPY_OUT) | BIT(OP_CALL) | BIT(OP_REFRESH) |
	    BIT(OP_FUNCTION_CALL) | BIT(OP_UNKNOWN);

	return (s->operations & running) != 0 && s->name_count > 0;
}

/* May code run with it that does what nobody can tell? */
static bool
may_escape(
    const struct gate *g, const struct statement *s, const struct touch *t)
{
	if (t->is_code_escaping)
		return true;
	if (!g->asks_of_code)
		return false;
	if (!t->is_code_known || g->is_code_distrusted)
		return may_run(s);
	/* What a fresh reading does not know is not there, or is what this
	 * transaction has made and was judged then. */
	return t->is_code_unseen && g->is_code_unread;
}

/* A name on no list is of users' code. The catalogue knows whether that can be
 * trusted, and where it has the name of a built-in function. */
static void
settle_code(
    const struct gate *g, struct statement *s, const struct touch *t)
{
	const uint64_t unknown = BIT(TRAIT_UNKNOWN_FUNCTION);

	/* as good as SQL given as text */
	if (may_escape(g, s, t) || (t->is_code_known && t->is_code_dynamic &&
				       gate_protects(g)))
		s->traits |= BIT(TRAIT_ESCAPING_FUNCTION);
	if (!t->is_code_known)
		return;
	if (t->runs_code)
		s->traits |= unknown;
	else if (s->unlisted_count > 0)
		s->traits &= ~unknown;
	if ((s->traits & hidden_code) == 0)
		s->function = (struct text){NULL, 0};
}

void
builtin_traits(struct gate *g, struct statement *s, const struct touch *t,
    struct arena *a)
{
	settle_code(g, s, t);
	own_settings_note(g, s, t, a);
	if (t->is_protected)
		s->traits |= BIT(TRAIT_PROTECTED);
	if (launders(s, t))
		s->traits |= BIT(TRAIT_COPIES_PROTECTED);
}

/* What policies say of relations they say by name. */
static bool
changes_names(const struct statement *s)
{
	const uint64_t rows = BIT(OP_INSERT) | BIT(OP_UPDATE) | BIT(OP_DELETE) |
			      BIT(OP_MERGE) | BIT(OP_COPY_IN);
	size_t i;

	if ((s->operations & BIT(OP_ALTER)) != 0 &&
	    text_starts(s->canonical, TEXT("alter schema ")))
		return statement_mentions(s, TEXT("rename"));
	for (i = 0; (s->operations & rows) != 0 && i < s->relation_count; i++) {
		const struct relation_use *use = &s->relations[i];

		if (use->is_written && text_starts(use->name, TEXT("pg_")) &&
		    (use->schema.len == 0 ||
			text_is(use->schema, TEXT("pg_catalog"))))
			return true;
	}
	return false;
}

/* CREATE [OR REPLACE] [CONSTRAINT] TRIGGER. */
static bool
makes_trigger(const struct statement *s)
{
	return text_starts(s->canonical, TEXT("create trigger ")) ||
	       text_starts(
		   s->canonical, TEXT("create or replace trigger ")) ||
	       text_starts(
		   s->canonical, TEXT("create constraint trigger ")) ||
	       text_starts(s->canonical,
		   TEXT("create or replace constraint trigger "));
}

struct text
builtin_refusal(struct gate *g, const struct statement *s,
    const struct touch *t, enum makes made, struct arena *a)
{
	struct text refusal = own_settings_refusal(g, s, a);
	const char *text;

	if (refusal.len == 0)
		refusal = brought_refusal(g, s, t, made);
	if (refusal.len == 0)
		refusal = predicates_refusal(s, t, a);
	if (refusal.len > 0)
		return refusal;
	if ((s->operations & (BIT(OP_COPY_FILE) | BIT(OP_COPY_PROGRAM))) != 0 &&
	    gate_protects(g))
		return TEXT("files and programs of the server may hold every "
			    "value there is, and some are protected");
	if (gate_protects(g) && changes_names(s))
		return TEXT("would give protected relations other names, under "
			    "which nobody would protect them");
	if (t->is_protected && makes_trigger(s))
		return TEXT("a trigger is given whole rows, and some of what "
			    "is in these is protected");
	if ((s->operations & BIT(OP_REPLICATION)) != 0 && gate_protects(g))
		return TEXT("replication carries every value there is, and "
			    "some are protected");
	if ((s->traits & BIT(TRAIT_COPIES_PROTECTED)) != 0) {
		text = arena_printf(a,
		    "would copy protected values of %.*s to where they are "
		    "not protected",
		    t->relation == NULL ? 10 : (int)t->relation->name.len,
		    t->relation == NULL ? "a relation" : t->relation->name.at);
		return text_of(text == NULL ? "copies protected values" : text);
	}
	return refusal;
}
