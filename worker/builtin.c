/*
 * builtin.c - what holds whatever the policy says.
 *
 * Policy decides what an identity may do.  These few rules keep Sallyport
 * itself true: its own settings, the settings its lexer depends on, and that
 * protected values are not copied to where they would be unprotected.
 */
#include "worker/builtin.h"
#include "worker/launder.h"

/* Operations after which everything decided about later statements still
 * stands. */
static const uint64_t plain_operations =
    BIT(OP_SELECT) | BIT(OP_SHOW) | BIT(OP_INSERT) | BIT(OP_UPDATE) |
    BIT(OP_DELETE) | BIT(OP_MERGE) | BIT(OP_BEGIN) | BIT(OP_SAVEPOINT) |
    BIT(OP_RELEASE) | BIT(OP_LOCK) | BIT(OP_COMMIT);

static const uint64_t hidden_code =
    BIT(TRAIT_OPAQUE_FUNCTION) | BIT(TRAIT_UNKNOWN_FUNCTION);

bool
builtin_is_plain(const struct statement *s)
{
	return (s->operations & ~plain_operations) == 0 &&
	       (s->traits & hidden_code) == 0;
}

bool
builtin_may_carry(
    const struct gate *g, const struct statement *s, const struct touch *t)
{
	const uint64_t fetching =
	    BIT(OP_FETCH) | BIT(OP_EXECUTE) | BIT(OP_CALL) | BIT(OP_DO) |
	    BIT(OP_FUNCTION_CALL) | BIT(OP_UNKNOWN) | BIT(OP_MOVE);

	if (!gate_protects(g))
		return false;
	return t->mentions || t->is_unknown || (s->traits & hidden_code) != 0 ||
	       ((s->operations & fetching) != 0 && g->carries_later);
}

void
builtin_traits(struct statement *s, const struct touch *t)
{
	if (t->is_protected)
		s->traits |= BIT(TRAIT_PROTECTED);
	if (launders(s, t))
		s->traits |= BIT(TRAIT_COPIES_PROTECTED);
}

/* Settings that are Sallyport's, or that its reading of SQL depends on. */
static const struct {
	struct text setting;
	struct text allowed; /* the one value it may be set to; len 0: none */
	const char *reason;
} guarded[] = {
    {{"application_name", 16}, {NULL, 0},
	"application_name shows the proved identity and is not the client's "
	"to set"},
    {{"standard_conforming_strings", 27}, {"on", 2},
	"standard_conforming_strings must stay on"},
    {{"client_encoding", 15}, {"utf8", 4},
	"client_encoding must stay UTF8 in this version"},
};

static bool
is_same_value(struct text a, struct text b)
{
	/* utf8, UTF-8 and 'unicode' are spelled in many ways; accept two */
	return text_is_folded(a, b) ||
	       (text_is(b, TEXT("utf8")) && text_is_folded(a, TEXT("utf-8")));
}

static struct text
refuse_setting(const struct statement *s)
{
	size_t i;

	if (text_starts(s->subject, TEXT("sallyport.")))
		return TEXT("settings of sallyport.* are not the client's");
	for (i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
		if (!text_is_folded(s->subject, guarded[i].setting))
			continue;
		if ((s->operations & BIT(OP_SET)) == 0 ||
		    (guarded[i].allowed.len > 0 &&
			is_same_value(s->value, guarded[i].allowed)))
			continue;
		return text_of(guarded[i].reason);
	}
	return (struct text){NULL, 0};
}

/* The view through which settings can be written like a table. */
static bool
writes_settings(const struct statement *s)
{
	size_t i;

	for (i = 0; i < s->relation_count; i++) {
		if (s->relations[i].is_written &&
		    text_is(s->relations[i].name, TEXT("pg_settings")))
			return true;
	}
	return false;
}

struct text
builtin_refusal(
    const struct statement *s, const struct touch *t, struct arena *a)
{
	struct text refusal = {NULL, 0};
	const char *text;

	if ((s->operations & (BIT(OP_SET) | BIT(OP_RESET) | BIT(OP_ALTER) |
				 BIT(OP_SET_ROLE))) != 0)
		refusal = refuse_setting(s);
	if (refusal.len > 0)
		return refusal;
	if (writes_settings(s))
		return TEXT("pg_settings is not written to; use SET");
	if ((s->operations & BIT(OP_ALTER_SYSTEM)) == 0 &&
	    statement_mentions(s, TEXT("set_config")))
		return TEXT("set_config() is refused; use SET");
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
